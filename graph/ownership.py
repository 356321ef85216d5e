"""Fencing of nodes: a worker that slept past its lease starts and publishes nothing more for the run."""

from __future__ import annotations

from agent.errors import ConflictError
from agent.names import LaunchKey
from agent.run_status import allows, is_stopping
from graph.state import State
from tools.ports import Ledger
from tools.records import Launch

_LEFT = "this worker starts and publishes nothing more"


def demand_current(state: State, ledger: Ledger) -> None:
    """Raise ConflictError when the run was cancelled, restarted or ended while this process seemed to hold it."""
    record = ledger.run(state["run_id"])
    if record is None or record.generation != state["generation"]:
        raise ConflictError(state["run_id"], f"run {state['run_id']} was restarted meanwhile: {_LEFT}")
    if not allows(record.status, "drive"):
        told = "is being stopped" if is_stopping(record.status) else "has ended"
        raise ConflictError(state["run_id"], f"run {state['run_id']} {told}: {_LEFT}")


def demand_newest(state: State, ledger: Ledger) -> None:
    """Raise ConflictError as `demand_current` does, and when another worker has begun a later launch of the run."""
    demand_current(state, ledger)
    key = LaunchKey(state["run_id"], state["generation"], state["attempt"], state["launch"])
    for launch in ledger.launches(key.run)[-1:]:
        if launch.key != key:
            raise _taken(key, f"{launch.job_name} has been begun since")


def demand_intent(state: State, ledger: Ledger, key: LaunchKey) -> None:
    """Raise ConflictError as `demand_current` does, and when another worker has started the launch."""
    demand_current(state, ledger)
    launch = ledger.launch(key)
    if launch is not None and launch.state != "INTENT":
        raise _taken(key, f"{launch.job_name} is {launch.state} already")


def record(ledger: Ledger, launch: Launch) -> None:
    """Record a launch's next state. Raises ConflictError where another worker recorded a later state or job run."""
    try:
        ledger.advance(launch)
    except ValueError as error:
        raise _taken(launch.key, f"{launch.job_name} has got further, or has another job run") from error


def _taken(key: LaunchKey, why: str) -> ConflictError:
    return ConflictError(key.run_id, f"run {key.run_id} is being worked on by another process: {why}")
