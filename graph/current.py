"""Whether the run that a node works for is still the one on record: a worker may have slept past its lease."""

from __future__ import annotations

from agent.errors import ConflictError
from graph.state import State
from tools.ports import Ledger
from tools.records import ENDED_STATUSES, ENDING_STATUSES

_LEFT = "this worker starts and publishes nothing more"


def demand_current(state: State, ledger: Ledger) -> None:
    """Raise ConflictError when the run was cancelled, restarted or ended while this process thought that it held it."""
    record = ledger.run(state["run_id"])
    if record is None or record.generation != state["generation"]:
        raise ConflictError(state["run_id"], f"run {state['run_id']} was restarted meanwhile: {_LEFT}")
    if record.status in (*ENDED_STATUSES, *ENDING_STATUSES):
        told = "is being stopped" if record.status in ENDING_STATUSES else f"has ended as {record.status}"
        raise ConflictError(state["run_id"], f"run {state['run_id']} {told}: {_LEFT}")
