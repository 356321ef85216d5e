"""preflight: run the script on local Spark with sample rows, before a job costs anything."""

from __future__ import annotations

from dataclasses import replace

from agent.diagnosis.failures import finding_from_error
from agent.errors import InvalidRequestError, UnavailableError
from agent.findings import Finding
from agent.redaction import redact
from agent.redaction.pivoted_values import mask_pivoted_columns
from agent.snapshot import Row, Snapshot
from agent.types import spark_type
from graph.inputs import Inputs, store, transform_line
from graph.state import State
from tools.ports import ArtifactStore, DryRun
from tools.records import DryRunResult, SampleTable

_OF_ANY_ROWS = ("AnalysisException", "ParseException", "TooLargeForSamplesError", "TooSlowForSamplesError")
"""Errors that other rows would not mend: of Spark's analysis, and of a script that fails on a few rows by its size."""
_OF_THE_TRANSFORM = ("", "transform", "cast")
"""Phases in which the transform is to blame; in the other phases the check itself broke."""


def preflight(state: State, *, artifacts: ArtifactStore, dry_run: DryRun | None) -> State:
    """Run the script on made rows, and after a runtime error on the sample rows alone, which decide.

    When the check itself breaks, that is a warning and the run goes on.
    """
    passed = State(verdict={"check": "preflight", "passed": True, "findings": []})
    if dry_run is None:
        return State(**passed, **_skipped(state, "Spark is not installed here"))
    # Imported late: it loads a SQL parser, which a function without Spark does not need.
    from agent.sampling.samples import real_rows, sample_tables

    given = Inputs.load(state, artifacts)
    snapshot = given.snapshot
    script = artifacts.get(state["script_ref"])
    try:
        made_up = _run(dry_run, script, snapshot, sample_tables(given.request, snapshot))
        again = _depends_on_rows(made_up)
        result = _run(dry_run, script, snapshot, real_rows(given.request, snapshot)) if again else made_up
    except (UnavailableError, InvalidRequestError) as error:
        if isinstance(error, InvalidRequestError) and any(s.samples_from == "event" for s in snapshot.sources):
            raise
        return State(**passed, **_skipped(state, str(error)))
    if result.error and result.phase not in _OF_THE_TRANSFORM:
        return State(**passed, **_skipped(state, f"phase {result.phase!r} failed: {result.error}"))
    store(state, artifacts, "preflight", _told(result))
    if result.error:
        findings = [_finding(state, artifacts, result)]
        return State(verdict={"check": "preflight", "passed": False, "findings": findings}, preflight="failed")
    if made_up.error:
        return State(**passed, preflight="partial", warnings=_warned(state, _only_made_up(made_up, result)))
    return State(**passed, preflight="ok" if result.rows else "partial")


def _run(dry_run: DryRun, script: str, snapshot: Snapshot, rows: dict[str, list[Row]]) -> DryRunResult:
    result = dry_run.run(script, _tables(snapshot, rows))
    return replace(result, error=mask_pivoted_columns(result.error, script, snapshot))


def _depends_on_rows(result: DryRunResult) -> bool:
    """True for a failure that made rows may cause, and sample rows not."""
    return bool(result.error) and result.phase in _OF_THE_TRANSFORM and not result.error.startswith(_OF_ANY_ROWS)


def _skipped(state: State, reason: str) -> State:
    return State(preflight="skipped", warnings=_warned(state, f"preflight skipped: {redact(reason)}"))


def _warned(state: State, warning: str) -> list[str]:
    return [*(w for w in state["warnings"] if w != warning), warning]


def _only_made_up(made_up: DryRunResult, real: DryRunResult) -> str:
    found = finding_from_error(made_up.error, None)["message"]
    others = "the sources' own sample rows do not" if real.rows else "no sample row of the sources comes so far"
    return f"preflight: rows made up for the dry run fail, {others}: {found}"


def _tables(snapshot: Snapshot, rows: dict[str, list[Row]]) -> dict[str, SampleTable]:
    return {s.relation or s.table: _table(snapshot, s.key, rows) for s in snapshot.sources}


def _table(snapshot: Snapshot, key: str, rows: dict[str, list[Row]]) -> SampleTable:
    source = snapshot.source(key)
    columns = tuple((c.name, spark_type(c.type, c.name)) for c in source.columns)
    return SampleTable(columns, tuple(rows[source.table]))


def _finding(state: State, artifacts: ArtifactStore, result: DryRunResult) -> Finding:
    return finding_from_error(result.error, transform_line(state, artifacts, result.line))


def _told(result: DryRunResult) -> str:
    columns = ", ".join(f"{name} {spark}" for name, spark in result.columns)
    error = redact(result.error) or "none"
    return f"phase: {result.phase or 'all'}\nerror: {error}\nrows: {result.rows}\ncolumns: {columns}\n"
