"""start_run: start a launch's job exactly once.

Nodes are at-least-once: this one may run again after a crash. The ledger and the engine's own list of runs decide
whether a run exists already and is adopted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from agent.errors import ConflictError, EngineError, UnavailableError
from agent.names import staging_table
from graph.launches import any_run, stop_run, visible_run
from graph.nodes.create_job import define_job
from graph.ownership import demand_current, demand_intent, record
from graph.state import State, launch_key, launch_prefix
from tools.ports import Clock, Database, JobRunner, Ledger
from tools.records import Launch

_START_TRIES = 3
"""Requests for one start, while the engine throttles or has lost the definition."""
_REFUSED_FOR_NOW = ("ThrottlingException", "EntityNotFoundException")
"""Codes of a start that surely did not happen and may succeed later."""


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

    Raises ConflictError for a launch that an interrupted restart or cancel has cleaned. Fencing: it is raised too if
    the run ended or another worker started the launch while this process slept; the own job run is stopped then.
    """
    key = launch_key(state)
    launch = ledger.launch(key) or Launch(key, "PLANNED", state["job_name"])
    executed = State(executions=state["attempt"])
    if launch.job_run_id:
        return State(**executed, job_run_id=launch.job_run_id)
    if launch.state == "CLEANED":
        jobs.delete(launch.job_name)  # this worker may have defined the job after the cleaning
        message = f"job {launch.job_name} was cleaned up by an interrupted cancel or restart; ask for that again"
        raise ConflictError(key.run_id, message)
    # After INTENT a start may have been applied without an answer, and the engine lists a new run with a delay.
    job_run_id = visible_run(jobs, clock, launch) if launch.state == "INTENT" else any_run(jobs, launch)
    if job_run_id is not None:
        record(ledger, replace(launch, state="STARTED", job_run_id=job_run_id))
        return State(**executed, job_run_id=job_run_id)
    _demand_current_or_delete(state, jobs, ledger)
    record(ledger, replace(launch, state="INTENT"))
    job_run_id = _start(state, launch, jobs, ledger, clock, timeout_minutes)
    launch = replace(launch, state="STARTED", job_run_id=job_run_id)
    try:
        demand_current(state, ledger)
        record(ledger, launch)
    except ConflictError:
        _stop_superseded(state, launch, jobs, ledger, clock, database)
        raise
    return State(**executed, job_run_id=job_run_id)


def _demand_current_or_delete(state: State, jobs: JobRunner, ledger: Ledger) -> None:
    """Check that the run is still current, else delete the job that `create_job` defined. Raises ConflictError."""
    try:
        demand_current(state, ledger)
    except ConflictError:
        jobs.delete(state["job_name"])
        raise


def _stop_superseded(
    state: State, launch: Launch, jobs: JobRunner, ledger: Ledger, clock: Clock, database: Database | None
) -> None:
    """Stop a job run that was started after a cancel or restart, or beside the job run on record.

    The definition and other staging tables of the launch belong to the worker of the job run on record, and stay.
    """
    known = ledger.launch(launch.key) or Launch(launch.key, "INTENT", launch.job_name)
    if known.job_run_id == launch.job_run_id:
        return
    stop_run(jobs, clock, launch.job_name, launch.job_run_id)
    if known.state not in ("STARTED", "TERMINAL"):
        jobs.delete(launch.job_name)
    if database is not None:
        with suppress(UnavailableError):  # the janitor drops the table once it is old enough
            database.drop_staging(staging_table(launch_prefix(state), launch.job_run_id))


def _start(state: State, launch: Launch, jobs: JobRunner, ledger: Ledger, clock: Clock, timeout_minutes: int) -> str:
    """Start the job and return the job run's id. Raises ConflictError where the launch is another worker's meanwhile.

    Raises UnavailableError: the launch stays INTENT, and a resume looks for a job run before it starts one.
    """
    for left in reversed(range(_START_TRIES)):
        try:
            return jobs.start(launch.job_name, {"--staging_prefix": launch_prefix(state)})
        except EngineError as error:
            # An error is no proof that nothing started (the answer may be lost): the engine's list of runs decides.
            found = visible_run(jobs, clock, launch)
            if found is not None:
                return found
            if not left or error.code not in _REFUSED_FOR_NOW:
                raise UnavailableError("engine", f"the engine did not start {launch.job_name}: {error}") from error
            demand_intent(state, ledger, launch.key)
            if error.code == "EntityNotFoundException":
                define_job(state, jobs, timeout_minutes)  # the definition was deleted meanwhile
    raise AssertionError("the last try returns or raises")
