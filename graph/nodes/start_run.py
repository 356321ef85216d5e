"""start_run: start a launch's job exactly once.

The node may run twice after a crash. The ledger and the engine's own list of runs decide what is still to do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from agent.errors import ConflictError, EngineError, UnavailableError
from agent.names import staging_table
from graph.launches import any_run, stop_run, visible_run
from graph.nodes.create_job import define_job
from graph.ownership import demand_current, demand_intent, record
from graph.state import State, launch_key, launch_prefix
from tools.ports import Clock, Database, JobRunner, Ledger
from tools.records import Launch

_START_TRIES = 3
"""How often a start is asked for that the engine was too busy to take."""


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
    job_run_id = visible_run(jobs, clock, launch) if launch.state == "INTENT" else any_run(jobs, launch)
    if job_run_id is not None:
        record(ledger, replace(launch, state="STARTED", job_run_id=job_run_id))
        return State(**executed, job_run_id=job_run_id)
    _go_on(state, jobs, ledger)
    record(ledger, replace(launch, state="INTENT"))
    again = partial(demand_intent, state, ledger, key)
    define = partial(define_job, state, jobs, timeout_minutes)
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
