"""Job runs as the engine tells them: found after a start that may have been applied, and stopped."""

from __future__ import annotations

from agent.errors import EngineError, UnavailableError
from tools.ports import Clock, JobRunner
from tools.records import Launch

_VISIBLE_AFTER_SECONDS = (0.0, 1.0, 2.0)
"""When to look again for a run whose start may have been applied."""
_STOP_SECONDS = 120.0
_LOOK_SECONDS = 0.5


def any_run(jobs: JobRunner, launch: Launch) -> str | None:
    """The first run of the launch's job that the engine lists; None when it lists none."""
    runs = jobs.list_runs(launch.job_name)
    return runs[-1].job_run_id if runs else None


def visible_run(
    jobs: JobRunner, clock: Clock, launch: Launch, after_seconds: tuple[float, ...] = _VISIBLE_AFTER_SECONDS
) -> str | None:
    """The launch's run, which a list may show late; None when it does not show up in time."""
    for seconds in after_seconds:
        clock.sleep(seconds)
        if found := any_run(jobs, launch):
            return found
    return None


def stop_run(jobs: JobRunner, clock: Clock, job_name: str, job_run_id: str) -> None:
    """Stop a job run and wait for its end; one that is not known any more has ended.

    Raises UnavailableError when it does not stop in two minutes.
    """
    until = clock.now() + _STOP_SECONDS
    try:
        jobs.stop(job_name, job_run_id)
        while not jobs.get(job_name, job_run_id).terminal:
            if clock.now() >= until:
                told = f"job run {job_run_id} of {job_name} does not stop; try again later"
                raise UnavailableError("engine", told) from EngineError("OperationTimeoutException", job_run_id)
            clock.sleep(_LOOK_SECONDS)
    except EngineError as error:
        if error.code != "EntityNotFoundException":
            raise
