"""Column types that Spark stores as another type: values are translated, uncertain uses are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError, Problem
from agent.request import Request
from agent.snapshot import Column, Snapshot, Source, Target
from tests.agent.compiler.scene import aggregate, assert_refused, derive, names, request_for, step, where

COLUMNS = (
    Column(name="id", type="uuid"),
    Column(name="at", type="time without time zone"),
    Column(name="doc", type="jsonb"),
    Column(name="raw", type="json"),
    Column(name="mood", type="enum mood", labels=("sad", "happy")),
    Column(name="other", type="enum other"),
    Column(name="body", type="bytea"),
    Column(name="tags", type="text[]"),
    Column(name="sizes", type="integer[]"),
    Column(name="docs", type="jsonb[]"),
    Column(name="name", type="text"),
)
T, U = {"table_name": "things", "alias": "t"}, {"table_name": "things", "alias": "u"}


def snapshot(request: Request) -> Snapshot:
    sources = tuple(Source(key=one.key, table="things", columns=COLUMNS) for one in request.specs.source_tables)
    return Snapshot(sources=sources, target=Target(name="result", exists=False), origin="event")


def compiled(sources: list[Any], target: dict[str, Any] | None = None, **specs: Any) -> str:
    """The transform of a specification over things."""
    request = request_for(sources, target, **specs)
    return compile_transform(build_plan(request, snapshot(request)))


def problems(sources: list[Any], target: dict[str, Any] | None = None, **specs: Any) -> list[Problem]:
    try:
        compiled(sources, target, **specs)
    except InvalidRequestError as error:
        return error.problems
    return []


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"filters": [where("doc", "=", "{}")]}, "filters[0].operator", "= on a column of type jsonb"),
    ({"filters": [where("body", "!=", "x")]}, "filters[0].operator", "!= on a column of type bytea"),
    ({"filters": [where("tags", "IN", ["x"])]}, "filters[0].operator", "IN on a column of type text[]"),
    ({"filters": [where("mood", ">", "sad")]}, "filters[0].operator", "orders enum mood as it was declared"),
    ({"filters": [where("mood", "=", "hapy")]}, "filters[0].value", "did you mean 'happy'?"),
    ({"filters": [where("mood", "LIKE", "h%")]}, "filters[0].operator", "LIKE needs a text column"),
    ({"filters": [where("id", "=", "a0eebc99")]}, "filters[0].value", "give one as a0eebc99-9c0b-4ef8"),
    ({"filters": [where("id", ">", 5)]}, "filters[0].value", "give a text"),
    ({"filters": [where("at", ">", "8 o'clock")]}, "filters[0].value", "give a time as 08:30:00"),
    ({"filters": [where("at", ">", "24:00:00")]}, "filters[0].value", "give a time as 08:30:00"),
    ({"aggregations": [aggregate("count", None, "n", "doc")]}, "aggregations[0].group_by[0]", "1 and 1.0 differ"),
    ({"aggregations": [aggregate("count_distinct", "raw", "n")]}, "aggregations[0].column", "1 and 1.0 differ"),
    ({"aggregations": [aggregate("max", "mood", "m")]}, "aggregations[0].column", "max of things.mood: PostgreSQL"),
    ({"aggregations": [aggregate("min", "sizes", "m")]}, "aggregations[0].column", "the NULLs of integer[]"),
    ({"aggregations": [aggregate("sum", "at", "s")]}, "aggregations[0].column", "give a numeric column"),
    ({"transformations": [step("sort", columns=["mood"])]}, "transformations[0].details.columns[0]", "as it was decl"),
    (
        {"transformations": [step("window", name="w", function="row_number", partition_by=["doc"], order_by=["id"])]},
        "transformations[0].details.partition_by[0]",
        "cannot divide the rows: jsonb is text to Spark",
    ),
    (
        {"transformations": [step("window", name="w", function="rank", order_by=["mood"])]},
        "transformations[0].details.order_by[0]",
        "cannot be sorted by: PostgreSQL orders enum mood",
    ),
    (
        {"transformations": [step("window", name="w", function="max", column="tags", partition_by=["name"])]},
        "transformations[0].details.column",
        "max of things.tags",
    ),
    ({"transformations": [step("distinct")]}, "transformations", "distinct rows with 'doc': jsonb is text to Spark"),
    ({"derived_columns": [derive("x", "upper(id)")]}, "derived_columns[0].expression", "takes uuid"),
    ({"derived_columns": [derive("x", "mood > 'sad'")]}, "derived_columns[0].expression", "as it was declared"),
    ({"derived_columns": [derive("x", "date_format(at, 'HH')")]}, "derived_columns[0].expression", "takes time"),
    ({"derived_columns": [derive("x", "length(body)")]}, "derived_columns[0].expression", "takes binary"),
    ({"derived_columns": [derive("x", "raw = doc")]}, "derived_columns[0].expression", "one side is json and the"),
    ({"derived_columns": [derive("x", "id = name")]}, "derived_columns[0].expression", "uuid and string would be"),
]


@pytest.mark.parametrize(("specs", "path", "message"), REFUSED)
def test_what_spark_computes_otherwise_is_refused_by_name(specs: dict[str, Any], path: str, message: str) -> None:
    """A use is refused when PostgreSQL would give another answer, or none."""
    details = path.replace("details.columns[0]", "details")
    found = problems(["things"], **specs)
    assert any(one.path in (f"specs.{path}", f"specs.{details}") and message in one.message for one in found), found


def joined(left: str, right: str, **more: Any) -> dict[str, Any]:
    keys = {"on_columns": [left]} if left == right else {"left_column": left, "right_column": right}
    return {"join_conditions": [{"left_table": "t", "right_table": "u", **(more or keys)}]}


@pytest.mark.parametrize("key", ["id", "at", "mood", "body", "tags", "sizes"])
def test_keys_that_compare_alike_join(key: str) -> None:
    """Joins by column and joins by condition both compare them."""
    condition = {"condition": f"t.{key} = u.{key}"}
    renamed = [step("rename", columns={f"t.{key}": f"the_{key}"})]
    for join in (joined(key, key), joined(key, key, **condition)):
        assert problems([T, U], names(f"the_{key}"), **join, transformations=renamed) == []


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ("doc", "doc", "jsonb is text to Spark"),
        ("raw", "raw", "json is text to Spark"),
        ("docs", "docs", "jsonb[] is text to Spark"),
        ("mood", "other", "one side is enum mood and the other enum other"),
        ("tags", "sizes", "one side is text[] and the other integer[]"),
        ("id", "name", "uuid and string would be converted"),
        ("body", "name", "binary and string would be converted"),
    ],
)
def test_keys_that_do_not_compare_alike_are_refused(left: str, right: str, message: str) -> None:
    """Joins by column and joins by condition are refused."""
    assert_refused(problems([T, U], names("at"), **joined(left, right)), "specs.join_conditions[0]", message)
    condition = joined(left, right, condition=f"t.{left} = u.{right}")
    assert any(message in one.message for one in problems([T, U], names("at"), **condition))


def test_filter_values_are_written_as_spark_sees_them() -> None:
    """A uuid is written in small letters, a time with the day that Spark gives it."""
    code = compiled(
        ["things"],
        names("name"),
        filters=[
            where("id", "=", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"),
            where("at", ">=", "08:30"),
            where("mood", "IN", ["sad", "happy"]),
            where("doc", "IS NOT NULL"),
        ],
    )
    for part in ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 'F.lit("1970-01-01 08:30:00").cast("timestamp")', "isNotNull"):
        assert part in code
