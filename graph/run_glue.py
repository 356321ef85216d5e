"""run_glue: the subgraph that runs a script on the engine, exactly once per launch.

Every node may run twice after a crash. The ledger and the engine's own list of runs decide what is still to do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent.diagnosis.failures import diagnose_job
from agent.errors import ConflictError, EngineError, UnavailableError
from agent.findings import JobOutcome
from agent.names import job_name, job_name_before, staging_prefix, staging_table
from agent.redaction import clip, redact
from agent.redaction.pivoted_values import without_pivoted
from graph.inputs import load_snapshot, store
from graph.nodes.suspend import suspend
from graph.ownership import demand_current, demand_intent, record, stop_run
from graph.routes import route_after_await, route_after_delete
from graph.state import State, Usage
from tools.ports import ArtifactStore, Clock, Database, JobRunner, Ledger
from tools.records import JobDefinition, JobRun, Launch, LaunchKey
from tools.toolbox import Toolbox

_CONTROL_SECONDS = 1.0
"""How often await_run looks whether it is asked to let go."""
_VISIBLE_AFTER_SECONDS = (0.0, 1.0, 2.0)
"""When to look again for a run whose start may have been applied."""
_START_TRIES = 3
"""How often a start is asked for that the engine was too busy to take."""


def create_job(state: State, *, jobs: JobRunner, ledger: Ledger, timeout_minutes: int) -> State:
    """Define the job of the next launch; a definition that is there already is ours, for its name says so.

    Raises ConflictError for a launch that is on record with another script: that of a fork of an older checkpoint.
    """
    launch = state["launch"] + 1 if state["outcome"] else state["launch"]
    sha = state["script_uri"].rpartition("#")[2]
    parts = (state["run_id"], state["generation"], state["attempt"], launch)
    key, name = LaunchKey(*parts), job_name(*parts, sha, state["accepted_at"])
    known = ledger.launch(key)
    if known is None:
        ledger.advance(Launch(key, "PLANNED", name))
    elif known.job_name == job_name_before(*parts, sha):
        name = known.job_name
    elif known.job_name != name:
        message = (
            f"attempt {key.attempt}, launch {key.launch} was {known.job_name}; options.restart runs another script"
        )
        raise ConflictError(key.run_id, message)
    update = State(launch=launch, job_name=name, outcome=None, publish_failure=None)
    _define(State(**{**state, **update}), jobs, timeout_minutes)
    return update


def _define(state: State, jobs: JobRunner, timeout_minutes: int) -> None:
    """Define the launch's job, unless it is there."""
    tags = {"run_id": state["run_id"], "generation": str(state["generation"]), "attempt": str(state["attempt"])}
    definition = JobDefinition(
        name=state["job_name"],
        script_ref=state["script_uri"],
        timeout_minutes=timeout_minutes,
        tags=tags,
        worker_type=state["worker_type"],
    )
    try:
        jobs.create(definition)
    except EngineError as error:
        if error.code != "AlreadyExistsException":
            raise


def start_run(
    state: State,
    *,
    jobs: JobRunner,
    ledger: Ledger,
    clock: Clock,
    timeout_minutes: int,
    database: Database | None = None,
) -> State:
    """Start the launch, or adopt the run that an earlier try started.

    Raises ConflictError for a launch that a restart or cancel put away before it was cut off, and for a run that ended,
    or a launch that another worker started, while this process slept: what it started itself is ended then.
    """
    key = launch_key(state)
    launch = ledger.launch(key) or Launch(key, "PLANNED", state["job_name"])
    executed = State(executions=state["attempt"])
    if launch.job_run_id:
        return State(**executed, job_run_id=launch.job_run_id)
    if launch.state == "CLEANED":
        jobs.delete(launch.job_name)  # this worker may have slept before it defined the job, as in _go_on
        message = f"job {launch.job_name} was put away by a cancel or restart that was cut off; ask for that again"
        raise ConflictError(key.run_id, message)
    job_run_id = visible_run(jobs, clock, launch) if launch.state == "INTENT" else _any_run(jobs, launch)
    if job_run_id is not None:
        record(ledger, replace(launch, state="STARTED", job_run_id=job_run_id))
        return State(**executed, job_run_id=job_run_id)
    _go_on(state, jobs, ledger)
    record(ledger, replace(launch, state="INTENT"))
    again = partial(demand_intent, state, ledger, key)
    define = partial(_define, state, jobs, timeout_minutes)
    job_run_id = _start(jobs, clock, launch, launch_prefix(state), again, define)
    launch = replace(launch, state="STARTED", job_run_id=job_run_id)
    try:
        demand_current(state, ledger)
        record(ledger, launch)
    except ConflictError:
        _take_back(state, launch, jobs, ledger, clock, database)
        raise
    return State(**executed, job_run_id=job_run_id)


def _go_on(state: State, jobs: JobRunner, ledger: Ledger) -> None:
    """Look whether there is still a run to start a job for. Raises ConflictError, and then the job is not defined."""
    try:
        demand_current(state, ledger)
    except ConflictError:
        jobs.delete(state["job_name"])
        raise


def _take_back(
    state: State, launch: Launch, jobs: JobRunner, ledger: Ledger, clock: Clock, database: Database | None
) -> None:
    """End a run that was started after a cancel or restart, which could not see it, or beside the run on record.

    The definition, and other tables of the launch, stay for whoever is at work on the run on record.
    """
    known = ledger.launch(launch.key) or Launch(launch.key, "INTENT", launch.job_name)
    if known.job_run_id == launch.job_run_id:
        return
    stop_run(jobs, clock, launch.job_name, launch.job_run_id)
    if known.state not in ("STARTED", "TERMINAL"):
        jobs.delete(launch.job_name)
    if database is not None:
        with suppress(UnavailableError):  # a table that PostgreSQL does not let go is left to the sweep
            database.drop_staging(staging_table(launch_prefix(state), launch.job_run_id))


def _start(
    jobs: JobRunner,
    clock: Clock,
    launch: Launch,
    prefix: str,
    again: Callable[[], None],
    define: Callable[[], None],
    tries: int = _START_TRIES,
) -> str:
    """The id of the started run. Whatever the engine answers but an id, a run that it may have started is looked for.

    `again` is asked before another start, and raises where there is to be none. Raises UnavailableError: the launch
    stays INTENT, and a resume looks again before it starts anything.
    """
    try:
        return jobs.start(launch.job_name, {"--staging_prefix": prefix})
    except EngineError as error:
        found = visible_run(jobs, clock, launch)
        if found is not None:
            return found
        if error.code in ("ThrottlingException", "EntityNotFoundException") and tries > 1:
            again()
            if error.code == "EntityNotFoundException":
                # The definition was deleted since it was made.
                define()
            return _start(jobs, clock, launch, prefix, again, define, tries - 1)
        raise UnavailableError("engine", f"the engine did not start {launch.job_name}: {error}") from error


def _any_run(jobs: JobRunner, launch: Launch) -> str | None:
    runs = jobs.list_runs(launch.job_name)
    return runs[-1].job_run_id if runs else None


def visible_run(
    jobs: JobRunner, clock: Clock, launch: Launch, after_seconds: tuple[float, ...] = _VISIBLE_AFTER_SECONDS
) -> str | None:
    """The launch's run, which a list may show late; None when it does not show up in time."""
    for seconds in after_seconds:
        clock.sleep(seconds)
        if found := _any_run(jobs, launch):
            return found
    return None


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
    """Wait up to `wait` seconds for the run to end, or until a drain is asked for; look once for `options.wait: event`.

    Without an outcome the workflow suspends, or ends here for now, and looks again when it is resumed.
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
        script, snapshot = artifacts.get(state["script"]), load_snapshot(state, artifacts)
        log, error = (without_pivoted(text, script, snapshot) for text in (log, error))
    log, error = redact(log), clip(redact(error))
    report = None if failed else jobs.report(run.job_name, run.job_run_id)
    return JobOutcome(
        job_run_id=run.job_run_id,
        state=run.state,
        error=error,
        log_uri=store(state, artifacts, f"log-a{state['attempt']}-l{state['launch']}", log, "txt"),
        rows=report.rows if report else None,
        columns=list(report.columns) if report else [],
        notes=list(report.notes) if report else [],
        dpu_seconds=run.dpu_seconds,
        seconds=run.seconds,
        infrastructure=failed and diagnose_job(error, log, run.state)["repairable_by"] == "retry",
    )


def delete_job(state: State, *, jobs: JobRunner, ledger: Ledger) -> State:
    """Delete the definition; error, log and cost have been read before."""
    jobs.delete(state["job_name"])
    ledger.advance(Launch(launch_key(state), "CLEANED", state["job_name"], state["job_run_id"]))
    return State(outcome=state["outcome"])


def launch_key(state: State) -> LaunchKey:
    """What the current launch is keyed by."""
    return LaunchKey(state["run_id"], state["generation"], state["attempt"], state["launch"])


def launch_prefix(state: State) -> str:
    """How the current launch's staging table begins."""
    key = launch_key(state)
    return staging_prefix(key.run_id, key.generation, key.attempt, key.launch, state["accepted_at"])


def build_run_glue(
    tools: Toolbox, *, timeout_minutes: int, wait: float, poll: float
) -> CompiledStateGraph[State, None, State, State]:
    """The compiled subgraph."""
    jobs, ledger, artifacts, clock = tools.jobs, tools.ledger, tools.artifacts, tools.clock
    builder = StateGraph(State)
    builder.add_node("create_job", partial(create_job, jobs=jobs, ledger=ledger, timeout_minutes=timeout_minutes))
    starting = partial(start_run, jobs=jobs, ledger=ledger, clock=clock, database=tools.database)
    builder.add_node("start_run", partial(starting, timeout_minutes=timeout_minutes))
    waiting = partial(await_run, jobs=jobs, ledger=ledger, artifacts=artifacts, clock=clock, wait=wait, poll=poll)
    builder.add_node("await_run", waiting)
    builder.add_node("delete_job", partial(delete_job, jobs=jobs, ledger=ledger))
    builder.add_edge(START, "create_job")
    builder.add_edge("create_job", "start_run")
    builder.add_edge("start_run", "await_run")
    builder.add_node("suspend", suspend)
    builder.add_conditional_edges("await_run", route_after_await)
    builder.add_edge("suspend", "await_run")
    builder.add_conditional_edges("delete_job", route_after_delete, {"create_job": "create_job", "__end__": END})
    return builder.compile()
