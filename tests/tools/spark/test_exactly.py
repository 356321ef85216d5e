"""Within `transform` Spark fails where it would otherwise give NULL or wrap round in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from agent.request import parse_request
from agent.script import assemble
from agent.snapshot import event_snapshot
from graph.inputs import store
from graph.nodes.preflight import preflight
from graph.state import State
from tools.local.artifacts import LocalArtifacts
from tools.records import DryRunResult, SampleTable
from tools.spark.dry_run import LocalDryRun

pytestmark = pytest.mark.spark

TYPES = {"qty": "integer", "big": "bigint", "name": "text", "price": "numeric(20,6)", "loose": "numeric"}
SPARK = {"qty": "int", "big": "bigint", "name": "string", "price": "decimal(20,6)", "loose": "decimal(38,18)"}
ROW: dict[str, JsonValue] = {
    "qty": 5,
    "big": 9223372036854775807,
    "name": "Ann",
    "price": "12345678.901234",
    "loose": "40.5",
}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDryRun]:
    """Open dry runs on one JVM."""
    made = LocalDryRun(tmp_path_factory.mktemp("dryrun"), timeout_seconds=60)
    yield made
    made.close()


def request(target: dict[str, Any], row: dict[str, Any] = ROW) -> Any:
    """Make a request over one table with one sample row."""
    columns = [{"name": name, "type": kind} for name, kind in TYPES.items()]
    return parse_request(
        {
            "run_id": "r1",
            "specs": {"source_tables": ["t"], "target_table": target},
            "source_schemas": {"t": {"columns": columns}},
            "source_data_samples": {"t": [row] if row else []},
        }
    )


def transform(expression: str) -> str:
    """Write the function that selects one expression as x."""
    return f'def transform(sources):\n    return sources["t"].selectExpr("{expression} AS x")\n'


def computed(dry_run: LocalDryRun, expression: str) -> DryRunResult:
    """Run a script whose target takes x as it comes."""
    asked = request({"name": "result", "columns": ["x"]})
    script = assemble(transform(expression), asked, event_snapshot(asked), "dmdb-connection").text
    return dry_run.run(script, {"t": SampleTable(tuple(SPARK.items()), (ROW,))})


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("qty * 1000000000", "integer overflow"),
        ("big + 1", "long overflow"),
        ("CAST(big AS int)", "due to an overflow"),
        ("CAST(name AS int)", "because it is malformed"),
        ("qty / (qty - 5)", "Division by zero"),
        ("loose * CAST('1e19' AS decimal(38,18)) * CAST('1e19' AS decimal(38,18))", "represented as Decimal(38, 6)"),
        ("to_date(name, 'yyyy-MM-dd')", "could not be parsed"),
    ],
)
def test_what_has_no_value_fails_in_the_transform(dry_run: LocalDryRun, expression: str, word: str) -> None:
    """As in PostgreSQL."""
    result = computed(dry_run, expression)
    assert (result.phase, word in result.error) == ("transform", True), result.error


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("price * CAST(3 AS decimal(10,2))", "37037036.70370200"),
        ("loose * loose * loose", "66430.125000"),
        ("qty / nullif(qty - 5, 0)", None),
        ("if(qty = 5, 0, qty / (qty - 5))", 0.0),
    ],
)
def test_what_has_a_value_has_it(dry_run: LocalDryRun, expression: str, value: object) -> None:
    """And a branch that is not taken is not computed."""
    result = computed(dry_run, expression)
    assert (result.error, [row["x"] for row in result.sample]) == ("", [value])


def test_casts_to_the_target_are_told_by_column(dry_run: LocalDryRun) -> None:
    """The guard of the script, and not Spark, finds what does not fit."""
    asked = request({"name": "result", "columns": [{"name": "x", "type": "smallint"}]})
    script = assemble(transform("qty * 10000"), asked, event_snapshot(asked), "dmdb-connection").text
    result = dry_run.run(script, {"t": SampleTable(tuple(SPARK.items()), (ROW,))})
    assert (result.phase, "column x: 1 values do not fit smallint" in result.error) == ("cast", True), result.error


@pytest.mark.parametrize(("name", "verdict"), [("Ann", "partial"), ("Annabella", "failed")])
def test_only_rows_of_the_sources_refuse_a_value(dry_run: LocalDryRun, tmp_path: Path, name: str, verdict: str) -> None:
    """Rows that are made up for the dry run hold longer texts than any row of the table may."""
    target = {"name": "result", "columns": [{"name": "x", "type": "varchar(4)"}]}
    preflown(dry_run, tmp_path, request(target, {**ROW, "name": name}), "name", verdict)


@pytest.mark.parametrize(("name", "verdict"), [("a-b", "partial"), ("ab", "failed"), (None, "partial")])
def test_any_runtime_error_needs_a_row_of_the_sources(
    dry_run: LocalDryRun, tmp_path: Path, name: str | None, verdict: str
) -> None:
    """An index out of range in made rows is a note; without sample rows the script is analysed alone."""
    target = {"name": "result", "columns": [{"name": "x", "type": "text"}]}
    asked = request(target, {**ROW, "name": name} if name else {})
    preflown(dry_run, tmp_path, asked, "element_at(split(name, '-'), 2)", verdict)


def preflown(dry_run: LocalDryRun, tmp_path: Path, asked: Any, expression: str, verdict: str) -> None:
    """Let preflight come to a verdict; `partial` warns of the made rows."""
    artifacts = LocalArtifacts(tmp_path)
    state = State(run_id="r1", generation=1, attempt=1, rewrites=0, warnings=[], transform_line=1)
    text = assemble(transform(expression), asked, event_snapshot(asked), "dmdb-connection").text
    for key, content in (
        ("request_ref", asked.model_dump_json()),
        ("snapshot_ref", event_snapshot(asked).model_dump_json()),
        ("transform_ref", transform(expression)),
        ("script_ref", text),
    ):
        state[key] = store(state, artifacts, key, content, "txt")  # type: ignore[literal-required]
    update = preflight(state, artifacts=artifacts, dry_run=dry_run)
    assert (update["preflight"], update["verdict"]["passed"]) == (verdict, verdict == "partial")
    warned = [warning for warning in update.get("warnings", []) if "rows made up for the dry run fail" in warning]
    assert len(warned) == (verdict == "partial")
