"""Whether the run that a node works for is still the one on record: a worker may have slept past its lease."""

from __future__ import annotations

from agent.errors import ConflictError, EngineError, UnavailableError
from graph.state import State
from tools.ports import Clock, JobRunner, Ledger
from tools.records import ANNOUNCING, ENDED_STATUSES, ENDING_STATUSES

_STOP_SECONDS = 120.0
_LOOK_SECONDS = 0.5

_LEFT = "this worker starts and publishes nothing more"


def demand_current(state: State, ledger: Ledger) -> None:
    """Raise ConflictError when the run was cancelled, restarted or ended while this process thought that it held it."""
    record = ledger.run(state["run_id"])
    if record is None or record.generation != state["generation"]:
        raise ConflictError(state["run_id"], f"run {state['run_id']} was restarted meanwhile: {_LEFT}")
    if record.status in (*ENDED_STATUSES, ANNOUNCING, *ENDING_STATUSES):
        told = "is being stopped" if record.status in ENDING_STATUSES else "has ended"
        raise ConflictError(state["run_id"], f"run {state['run_id']} {told}: {_LEFT}")


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
