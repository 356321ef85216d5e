"""`docs/specification.md` says what the code does: each example gives the rows shown, and each field is there."""

from __future__ import annotations

import datetime as dt
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from agent import elements
from agent import event_forms as forms
from agent import request as model
from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.compiler.spec import pivots, union_entries, window_entries
from agent.compiler.spec.key_spellings import TYPES
from agent.errors import InvalidRequestError
from agent.request import Request, parse_request
from agent.request_checks import unsupported
from agent.snapshot import event_snapshot
from agent.types import spark_type

PAGE = (Path(__file__).parents[1] / "docs" / "specification.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```json\n([^`]*)^```\n\n(?:> `(?P<path>.+?)`: (?P<message>.*)\n|(?P<table>(?:\|.*\n)+))?", re.M)
_TABLE = re.compile(r"^`(\w+)`\n\n((?:\|.*\n)+)", re.M)


@dataclass(frozen=True)
class Example:
    """An event of the page, with the rows that it gives or what is said against it."""

    event: dict[str, Any]
    header: list[str]
    rows: list[list[str]]
    path: str
    message: str


def cells(table: str) -> list[list[str]]:
    """The cells of a Markdown table, without the line below its header."""
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
    return [lines[0], *lines[2:]]


def examples() -> Iterator[Example]:
    """The examples, in the order of the page."""
    for found in _BLOCK.finditer(PAGE):
        event = json.loads(found[1])
        if "specs" not in event:
            event = {"run_id": "r1", "specs": {"target_table": {"name": "result"}, **event}}
        header, *rows = cells(found["table"]) if found["table"] else [[]]
        yield Example(event, header, rows, found["path"] or "", found["message"] or "")


TABLES = {name: cells(table) for name, table in _TABLE.findall(PAGE)}
"""The page's own tables: a header of `name type` cells, and rows."""
EXAMPLES = list(examples())


def accepted(event: dict[str, Any]) -> Request:
    """The request, with the types of the page's tables."""
    schemas = {
        name: {"columns": [dict(zip(("name", "type"), cell.split(" "), strict=True)) for cell in header]}
        for name, (header, *_) in TABLES.items()
    }
    return parse_request({**event, "source_schemas": {**event.get("source_schemas", {}), **schemas}})


def in_sql(table: str) -> str:
    """One of the page's tables as a query."""
    header, *rows = TABLES[table]
    lines = [", ".join("NULL" if cell == "" else f"'{cell}'" for cell in row) for row in rows]
    casts = [
        f"CAST(col{position} AS {spark_type(kind)}) AS {name}"
        for position, (name, kind) in enumerate((cell.split(" ") for cell in header), start=1)
    ]
    return f"SELECT {', '.join(casts)} FROM VALUES {', '.join(f'({line})' for line in lines)}"


def shown(cell: object) -> str:
    """A cell as the page shows it."""
    assert cell is None or isinstance(cell, str | int | float | Decimal | dt.date)
    return "" if cell is None else str(cell)


@pytest.mark.spark
@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.header], ids=lambda e: "-".join(e.header))
def test_each_example_gives_the_rows_below_it(ansi_spark: Any, example: Example) -> None:
    """Compiled and run on Spark, with the page's tables."""
    from pyspark.sql import DataFrame, Window
    from pyspark.sql import functions as F

    request = accepted(example.event)
    code = compile_transform(build_plan(request, event_snapshot(request)))
    scope: dict[str, Any] = {"F": F, "Window": Window, "DataFrame": DataFrame}
    exec(compile(code, "transform", "exec"), scope)
    tables = request.specs.source_tables
    result = scope["transform"]({t.key: ansi_spark.sql(in_sql(t.table_name)).alias(t.key) for t in tables})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # collect() leaves its socket to the garbage collector
        rows = [[shown(cell) for cell in row] for row in result.collect()]
    assert result.columns == example.header
    assert sorted(rows) == sorted(example.rows)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.path], ids=lambda e: str(e.path))
def test_each_refusal_says_what_the_page_says(example: Example) -> None:
    """At its path."""
    request = accepted(example.event)
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, event_snapshot(request))
    assert any(p.path == example.path and example.message in p.message for p in caught.value.problems)


def test_every_example_is_checked() -> None:
    """Each has rows or a refusal, and every event is taken as it stands on the page."""
    assert len(EXAMPLES) == PAGE.count("```json\n") > 20
    assert all(bool(example.header) != bool(example.path) for example in EXAMPLES)
    for example in EXAMPLES:
        parse_request(example.event)


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    start = PAGE.index(f"\n{heading}\n")
    level = heading.split(" ")[0]
    ends = [PAGE.find(f"\n{'#' * depth} ", start + 1) for depth in range(1, len(level) + 1)]
    return PAGE[start : min((end for end in ends if end > 0), default=len(PAGE))]


def first_cells(text: str) -> set[str]:
    """Words in backquotes in the first column of the tables of a text."""
    firsts = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


FIELDS = [
    ("## The event", {*Request.model_fields, *model.Specification.model_fields}),
    ("## source_tables", set(model.SourceTable.model_fields)),
    (
        "## target_table",
        {*model.TargetTable.model_fields, *model.TargetColumn.model_fields, *get_args(model.WriteMode), "write_mode"},
    ),
    ("## join_conditions", set(forms.JoinForm.model_fields)),
    ("## filters", {*forms.FilterForm.model_fields, *forms._OPERATORS}),
    ("## derived_columns", set(forms.DerivedColumnForm.model_fields)),
    ("## aggregations", set(forms.AggregationForm.model_fields)),
    ("### window", set(window_entries.KEYS)),
    ("### pivot", set(pivots.KEYS)),
    ("### union", set(union_entries.KEYS)),
    ("## source_schemas", {*model.TableSchema.model_fields, *model.ColumnSchema.model_fields}),
    ("## options", set(model.Options.model_fields)),
]


@pytest.mark.parametrize(("heading", "names"), FIELDS, ids=[heading for heading, _ in FIELDS])
def test_each_field_has_a_row_in_its_section(heading: str, names: set[str]) -> None:
    """No field is missing, and none is told that the code does not know."""
    assert first_cells(section(heading)) == names


def test_options_that_are_refused_are_told_so() -> None:
    """Those that this version does not support."""
    options = model.Options(allow_udfs=True, approve=("x",), budget_usd=1.0, restart=True, allow_empty=True)
    event = {"run_id": "r1", "specs": {"source_tables": ["t"], "target_table": {"name": "x"}}}
    request = parse_request({**event, "options": options.model_dump(mode="json")})
    refused = {problem.path for problem in unsupported(request)}
    rows = [line for line in section("## options").splitlines() if line.startswith("| `")]
    assert refused == {f"options.{row.split('`')[1]}" for row in rows if row.endswith("not supported yet |")}


WORDS = [
    ("## transformations", {*TYPES.values(), *forms.TransformationForm.model_fields}),
    ("## join_conditions", {*get_args(elements.JoinType)}),
    ("## aggregations", {*get_args(elements.AggregateFunction)}),
    ("### window", set(window_entries.FUNCTIONS)),
]


@pytest.mark.parametrize(("heading", "words"), WORDS, ids=[heading for heading, _ in WORDS])
def test_each_word_is_told_in_its_section(heading: str, words: set[str]) -> None:
    """Types, join types and functions stand there in backquotes or as a heading."""
    text = section(heading)
    told = {*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^### (\w+)$", text, re.M)}
    assert words <= told


def test_the_contents_lead_to_every_heading() -> None:
    """And nowhere else."""
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#{2,3} (.+)$", PAGE, re.M)}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", PAGE))
    assert linked == anchors


def test_the_steps_stand_in_the_order_of_the_plan() -> None:
    """The numbered list and the fields of the plan tell one order."""
    steps = re.findall(r"^\d+\. (.+)$", section("## The order of evaluation"), re.M)
    keywords = ["union", "join", "derived", "filters", "windows over the rows", "grouping", "derived", "filters"]
    keywords += ["windows over the groups", "select", "sort"]
    assert [word in step for word, step in zip(keywords, steps, strict=True)] == [True] * len(steps)
