"""The operator decides which rows of the sources leave the database for a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.request import Request
from agent.settings import load_settings
from agent.snapshot import Snapshot, event_snapshot
from tests.runs.scene import REPLY, SETTINGS, Bench, event
from tools.fakes import FakeDatabase, FakeDryRun, FakeJobs, FakeModel, PlannedRun
from tools.records import DryRunResult

MakeBench = Callable[..., Bench]


class Filled(FakeDatabase):
    """A database whose one source has rows."""

    def snapshot(self, request: Request, sample_rows: int) -> Snapshot:
        """Give the event's snapshot, and as many rows as are asked for."""
        snapshot = event_snapshot(request)
        [source] = snapshot.sources
        rows = tuple({"id": 4711, "amount": "17.29"} for _ in range(sample_rows))
        source = source.model_copy(update={"samples": rows, "samples_from": "database" if rows else "none"})
        return snapshot.model_copy(update={"sources": (source,)})


@pytest.mark.parametrize(
    ("sample_rows", "asked", "kept"),
    [("rows", True, True), ("masked", False, True), ("none", False, False)],
)
def test_the_setting_decides_what_a_model_sees_and_what_is_kept(
    bench: MakeBench, sample_rows: str, asked: bool, kept: bool
) -> None:
    """`masked` shows shapes and keeps the rows for the dry run; with `none` no row leaves the database."""
    settings = load_settings({**SETTINGS, "sample_rows": sample_rows}, {})
    made = bench(settings=settings, database=Filled(), model=FakeModel(["I cannot.", REPLY]))
    made.service().run(event())
    assert [call.purpose for call in made.model.calls] == ["generate", "repair"]
    assert ["17.29" in call.user for call in made.model.calls] == [asked, asked]
    assert [("4000" in call.user) for call in made.model.calls] == [sample_rows == "masked"] * 2
    stored = {path.name.partition("-")[0]: path.read_text() for path in made.folder.rglob("*") if path.is_file() and
              path.suffix in (".json", ".md")}  # fmt: skip
    assert ("17.29" in stored["snapshot"]) == kept
    assert ("17.29" in stored["prompt"]) == asked


@pytest.mark.parametrize("phase", ["transform", "report"])
def test_no_row_value_of_a_dry_run_is_kept_or_told(bench: MakeBench, phase: str) -> None:
    """Neither by what is stored of it, nor by the question that follows, nor in the answer's warnings."""
    error = "SparkRuntimeException: [DUPLICATED_MAP_KEY] Duplicate map key Xyzzy17 was found, please check the input"
    made = bench(dry_run=FakeDryRun(DryRunResult(error=error, phase=phase, line=57)))
    answer = made.service().run(event())
    assert answer["statusCode"] == 200
    assert "Xyzzy17" not in str(answer)
    assert not [call for call in made.model.calls if "Xyzzy17" in call.user]
    for path in made.folder.rglob("*"):
        assert not path.is_file() or b"Xyzzy17" not in path.read_bytes(), path


PIVOTED = "def transform(sources):\n    return sources['o'].groupBy('id').pivot('buyer').agg(F.sum('amount'))\n"
LISTED = "AnalysisException: Column 'x' does not exist. Did you mean one of the following? [id, Xyzzy17];"


@pytest.mark.parametrize("where", ["dry run", "job", "log"])
def test_no_column_that_a_pivot_made_of_a_value_is_kept_or_told(bench: MakeBench, where: str) -> None:
    """The error of the dry run, of the job and its log."""
    marked = f'JobPhaseError: [datamorph phase="transform" line=60] {LISTED}'
    failed = PlannedRun("FAILED", marked if where == "job" else "exit code 1", log=marked if where == "log" else "")
    dry_run = FakeDryRun(DryRunResult(error=LISTED, phase="transform", line=57)) if where == "dry run" else FakeDryRun()
    jobs = FakeJobs() if where == "dry run" else FakeJobs(failed)
    made = bench(dry_run=dry_run, jobs=jobs, model=FakeModel([f"```python\n{PIVOTED}```", REPLY, REPLY]))
    answer = made.service().run(event())
    assert [call.purpose for call in made.model.calls] == ["generate", "repair"], answer
    assert "[id, ***]" in made.model.calls[1].user
    assert "Xyzzy17" not in made.model.calls[1].user + str(answer)
    for path in made.folder.rglob("*"):
        assert not path.is_file() or b"Xyzzy17" not in path.read_bytes(), path
