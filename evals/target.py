"""The target of the evals: the workflow's own nodes, fed with a recorded failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import UnavailableError
from agent.findings import Diagnosis, JobOutcome, Verdict
from agent.prompting import Prompt
from agent.script import assemble
from agent.settings import SampleRows
from agent.snapshot import Snapshot
from agent.types import spark_type
from evals.case import Case, Wording
from graph.inputs import store
from graph.nodes.await_run import diagnosed
from graph.nodes.diagnose import diagnose
from graph.nodes.preflight import preflight
from graph.nodes.prepare import prepare
from graph.nodes.repair import repair
from graph.nodes.sanitize import sanitize
from graph.routes import route_after_diagnose
from graph.state import State, Usage
from tools.fakes import FakeDatabase, FakeDryRun
from tools.ports import ArtifactStore, DryRun, Model
from tools.records import Completion, DryRunResult, ModelCall, SampleTable

CONNECTION = "dmdb-connection"
GLUE_VERSION = "4.0"
_ROWS: SampleRows = "rows"
"""Sample rows in prompts: the cases' rows are invented, so every model may see them."""


@dataclass(frozen=True)
class Bench:
    """Artifact store, dry run and models of the evals."""

    artifacts: ArtifactStore
    dry_run: DryRun
    model: Callable[[Case], Model]
    """Gives the model that answers a case's repair prompt."""


@dataclass(frozen=True)
class Trial:
    """The course of one case: diagnoses, repair, and the result of the repaired transform."""

    diagnoses: tuple[Diagnosis, ...]
    """Diagnosis of each wording, in order; for a reply that sanitize refuses, sanitize's own comes first."""
    way: str
    """Means of the repair: `rule`, `model`, `resources`; `retry` or `nobody` when nothing was repaired."""
    asked: bool
    """False when a model was needed and the case has no recorded reply."""
    verdict: Verdict | None
    """Verdict of sanitize on the repaired reply; None when nothing was rewritten."""
    result: DryRunResult | None
    """Result of the transform on the case's rows; None when it was not run."""
    usage: Usage


class CaseReplies:
    """A Model that answers with the case's own recorded replies."""

    name = "recorded"

    def __init__(self, case: Case) -> None:
        self._case = case

    def complete(self, call: ModelCall) -> Completion:
        """The reply of that number. Raises UnavailableError when none is recorded."""
        if call.index >= len(self._case.completions):
            raise UnavailableError("model", f"case {self._case.name} has no recorded reply {call.index + 1}")
        one = self._case.completions[call.index]
        return Completion(one.completion, one.stop_reason, one.input_tokens, one.output_tokens, one.usd)


class _CaseDatabase(FakeDatabase):
    """The database that the case recorded."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._case = case

    def snapshot(self, request: object, sample_rows: int) -> Snapshot:
        return self._case.snapshot


def begin(case: Case, artifacts: ArtifactStore) -> State:
    """The state of a run whose first reply is the case's, after sanitize."""
    state = State(run_id=f"eval-{case.name}", generation=1, engine="local", model="recorded", accepted_at="")
    state = State(**state, request_ref=store(state, artifacts, "request", json.dumps(case.event), "json"))
    state = State(**{**state, **prepare(state, artifacts=artifacts, database=_CaseDatabase(case), sample_rows=_ROWS)})
    reply = store(state, artifacts, "reply", case.transform.reply)
    state = State(**{**state, "reply_ref": reply, "stop_reason": case.transform.stop_reason})
    return _then(state, sanitize(state, artifacts=artifacts, connection=CONNECTION, glue_version=GLUE_VERSION))


def failed(case: Case, state: State, wording: Wording, artifacts: ArtifactStore) -> State:
    """The state after the recorded failure."""
    state = _then(with_script(case, state, artifacts), State(transform_line=wording.transform_line))
    if case.phase in ("sanitize", "preflight"):
        told = DryRunResult(error=wording.error, phase=wording.phase, line=wording.line)
        return _then(state, preflight(state, artifacts=artifacts, dry_run=FakeDryRun(told, told)))
    state = _then(state, State(executions=1, outcome=_outcome(wording, state, artifacts)))
    if case.phase == "publish":
        state = _then(state, State(publish_failure={"kind": wording.kind, "message": wording.error}))
    return state


def with_script(case: Case, state: State, artifacts: ArtifactStore) -> State:
    """The state with a script even if sanitize refused the reply, so that Spark's error can be recorded."""
    if "script_ref" in state:
        return state
    script = assemble(artifacts.get(state["transform_ref"]), case.request, case.snapshot, CONNECTION)
    text = store(state, artifacts, "script", script.text, "py")
    return _then(state, State(script_ref=text, transform_line=script.transform_line))


def _outcome(wording: Wording, state: State, artifacts: ArtifactStore) -> JobOutcome:
    published = bool(wording.kind)
    diagnosis = None if published else diagnosed(state, artifacts, wording.state, wording.error, wording.log)
    return JobOutcome(
        job_run_id="jr_" + 64 * "0",
        state=wording.state,
        error="" if published else wording.error,
        rows=1 if published else None,
        columns=[],
        dpu_seconds=0.0,
        seconds=0.0,
        diagnosis=diagnosis,
    )


def attempt(case: Case, bench: Bench) -> Trial:
    """Diagnose and repair the case's failure, and run the result. Raises UnavailableError for Spark and models."""
    begun = begin(case, bench.artifacts)
    if case.phase == "none":
        return _unrepaired(case, begun, bench)
    failures = [failed(case, begun, wording, bench.artifacts) for wording in case.wordings]
    if case.phase == "sanitize" and not begun["verdict"]["passed"]:
        failures.insert(0, begun)
    if not failures:  # sanitize passes a reply that it should refuse
        return _unrepaired(case, begun, bench)
    states = [_then(state, diagnose(state)) for state in failures]
    diagnoses = tuple(state["diagnosis"] for state in states if state["diagnosis"] is not None)
    state = states[0]
    if route_after_diagnose(state) == "finish":
        return Trial(diagnoses, diagnoses[0]["repairable_by"], True, None, None, state["usage"])
    return _repaired(case, state, diagnoses, bench)


def _repaired(case: Case, state: State, diagnoses: tuple[Diagnosis, ...], bench: Bench) -> Trial:
    model = bench.model(case)
    missing = isinstance(model, CaseReplies) and not case.completions
    try:
        repaired = _then(
            state, repair(state, artifacts=bench.artifacts, model=model, sample_rows=_ROWS, glue_version=GLUE_VERSION)
        )
    except UnavailableError:
        if not missing:
            raise
        return Trial(diagnoses, "model", False, None, None, state["usage"])
    if repaired["worker_type"] != state["worker_type"]:
        return Trial(diagnoses, "resources", True, None, None, repaired["usage"])
    way = "model" if repaired["model_calls"] > state["model_calls"] else "rule"
    repaired = _then(
        repaired, sanitize(repaired, artifacts=bench.artifacts, connection=CONNECTION, glue_version=GLUE_VERSION)
    )
    verdict = repaired["verdict"]
    result = run_script(case, repaired, bench) if verdict["passed"] else None
    return Trial(diagnoses, way, True, verdict, result, repaired["usage"])


def _unrepaired(case: Case, state: State, bench: Bench) -> Trial:
    """The trial of a transform that Spark accepts: findings of the checks, and the result on the case's rows."""
    checked = state
    if state["verdict"]["passed"]:
        checked = _then(state, preflight(state, artifacts=bench.artifacts, dry_run=bench.dry_run))
    diagnoses: tuple[Diagnosis, ...] = ()
    if not checked["verdict"]["passed"]:
        found = diagnose(checked)["diagnosis"]
        diagnoses = (found,) if found is not None else ()
    result = run_script(case, state, bench) if state["verdict"]["passed"] else None
    return Trial(diagnoses, "nobody", True, None, result, state["usage"])


def run_script(case: Case, state: State, bench: Bench) -> DryRunResult:
    """The state's script on the case's own rows."""
    tables = {}
    for source in case.snapshot.sources:
        columns = tuple((column.name, spark_type(column.type, column.name)) for column in source.columns)
        rows = tuple({name: row.get(name) for name, _ in columns} for row in case.rows_of(source.table))
        tables[source.table] = SampleTable(columns, rows)
    return bench.dry_run.run(bench.artifacts.get(state["script_ref"]), tables)


def prompt_of(case: Case, artifacts: ArtifactStore) -> Prompt | None:
    """The prompt for the case's repair; None when no model is needed."""
    asked: list[ModelCall] = []

    class _Listener:
        name = "listener"

        def complete(self, call: ModelCall) -> Completion:
            asked.append(call)
            return Completion("", "end_turn")

    if case.phase == "none":
        return None
    state = begin(case, artifacts)
    if case.phase != "sanitize":
        state = failed(case, state, case.wordings[0], artifacts)
    state = _then(state, diagnose(state))
    if route_after_diagnose(state) == "repair":
        repair(state, artifacts=artifacts, model=_Listener(), sample_rows=_ROWS, glue_version=GLUE_VERSION)
    return Prompt(asked[0].system, asked[0].user) if asked else None


def _then(state: State, update: State) -> State:
    return State(**{**state, **update})
