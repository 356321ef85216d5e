"""await_run: wait for the job run to end, or suspend."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.diagnosis.failures import diagnose_job
from agent.findings import Diagnosis, JobOutcome
from agent.redaction import clip, redact
from agent.redaction.pivoted_values import mask_pivoted_columns
from graph.inputs import Inputs, store, transform_line
from graph.state import State, Usage, launch_key
from tools.ports import ArtifactStore, Clock, JobRunner, Ledger
from tools.records import JobRun, Launch

_CONTROL_SECONDS = 1.0
"""Pause between two looks at the request to drain."""


def await_run(
    state: State,
    runtime: Runtime[None],
    *,
    jobs: JobRunner,
    ledger: Ledger,
    artifacts: ArtifactStore,
    clock: Clock,
    wait: float,
    poll: float,
) -> State:
    """Wait up to `wait` seconds for the job run to end, or until a drain is requested; with `wait: event` look once.

    Without an outcome the workflow suspends, or stops here in a drain, and looks again when it is resumed.
    """
    until = clock.now() + (0 if state.get("wait") == "event" else wait)
    run = jobs.get(state["job_name"], state["job_run_id"])
    while not run.terminal and clock.now() < until and not _draining(runtime):
        _pause(clock, min(poll, until - clock.now()), runtime)
        run = jobs.get(state["job_name"], state["job_run_id"])
    if not run.terminal:
        return State(outcome=None, waited=not _draining(runtime))
    known = ledger.launch(launch_key(state))
    if known is None or known.state != "CLEANED":
        ledger.advance(Launch(launch_key(state), "TERMINAL", state["job_name"], state["job_run_id"]))
    outcome = _outcome(state, jobs, artifacts, run)
    used = state["usage"]
    usage: Usage = {**used, "dpu_seconds": used["dpu_seconds"] + run.dpu_seconds, "usd": used["usd"] + run.usd}
    return State(outcome=outcome, usage=usage)


def _pause(clock: Clock, seconds: float, runtime: Runtime[None]) -> None:
    end = clock.now() + seconds
    while (left := end - clock.now()) > 0 and not _draining(runtime):
        clock.sleep(min(left, _CONTROL_SECONDS))


def _draining(runtime: Runtime[None]) -> bool:
    return runtime.control is not None and runtime.control.drain_requested


def _outcome(state: State, jobs: JobRunner, artifacts: ArtifactStore, run: JobRun) -> JobOutcome:
    failed = run.state != "SUCCEEDED"
    log, error = jobs.log_tail(run.job_name, run.job_run_id), run.error
    if failed:
        script, snapshot = artifacts.get(state["script_ref"]), Inputs.load(state, artifacts).snapshot
        log, error = (mask_pivoted_columns(text, script, snapshot) for text in (log, error))
    log, error = redact(log), clip(redact(error))
    report = None if failed else jobs.report(run.job_name, run.job_run_id)
    return JobOutcome(
        job_run_id=run.job_run_id,
        state=run.state,
        error=error,
        log_ref=store(state, artifacts, f"log-a{state['attempt']}-l{state['launch']}", log, "txt"),
        rows=report.rows if report else None,
        columns=list(report.columns) if report else [],
        notes=list(report.notes) if report else [],
        dpu_seconds=run.dpu_seconds,
        seconds=run.seconds,
        diagnosis=diagnosed(state, artifacts, run.state, error, log) if failed else None,
    )


def diagnosed(state: State, artifacts: ArtifactStore, job_state: str, error: str, log: str) -> Diagnosis:
    """The diagnosis of a failed job; its line is the transform's."""
    diagnosis = diagnose_job(error, log, job_state)
    return {**diagnosis, "line": transform_line(state, artifacts, diagnosis["line"])}
