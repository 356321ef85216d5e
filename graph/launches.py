"""A launch from outside: find its job run after a start that may have been applied, stop it, drop its staging."""

from __future__ import annotations

from agent.errors import EngineError, UnavailableError
from agent.names import LaunchKey, staging_prefix
from tools.ports import Clock, Database, JobRunner
from tools.records import Launch

_LOOKS_SECONDS = (0.0, 1.0, 2.0)
"""Pauses before each look for a job run, which the engine's list may show late."""
_STOP_SECONDS = 120.0
"""Time for a job run to end after it was told to stop."""
_POLL_SECONDS = 0.5


def any_run(jobs: JobRunner, launch: Launch) -> str | None:
    """The first run of the launch's job that the engine lists; None when it lists none."""
    runs = jobs.list_runs(launch.job_name)
    return runs[-1].job_run_id if runs else None


def visible_run(
    jobs: JobRunner, clock: Clock, launch: Launch, looks_seconds: tuple[float, ...] = _LOOKS_SECONDS
) -> str | None:
    """The launch's job run, looked for several times; None when none shows up."""
    for seconds in looks_seconds:
        clock.sleep(seconds)
        if found := any_run(jobs, launch):
            return found
    return None


def stop_run(jobs: JobRunner, clock: Clock, job_name: str, job_run_id: str) -> None:
    """Stop a job run and wait for its end; a run that the engine does not know any more has ended.

    Raises UnavailableError when it does not stop in two minutes.
    """
    until = clock.now() + _STOP_SECONDS
    try:
        jobs.stop(job_name, job_run_id)
        while not jobs.get(job_name, job_run_id).terminal:
            if clock.now() >= until:
                told = f"job run {job_run_id} of {job_name} does not stop; try again later"
                raise UnavailableError("engine", told) from EngineError("OperationTimeoutException", job_run_id)
            clock.sleep(_POLL_SECONDS)
    except EngineError as error:
        if error.code != "EntityNotFoundException":
            raise


def drop_staged(database: Database, key: LaunchKey, accepted_at: str) -> list[str]:
    """Drop the launch's staging tables; returns a warning for a table that PostgreSQL does not let go.

    Such a table keeps no run open: a sweep drops it later.
    """
    try:
        database.drop_staging(staging_prefix(key, accepted_at))
    except UnavailableError as error:
        return [f"staging of attempt {key.attempt} is still there: {error}"]
    return []
