"""suspend: leave the process until the run is resumed."""

from __future__ import annotations

from langgraph.types import interrupt

from graph.state import State


def suspend(state: State) -> State:
    """Interrupt the workflow. The value of a resume is not used: the next node reads the engine or database itself.

    The interrupt stands alone in its node: on a resume LangGraph runs an interrupted node again from its first line.
    """
    failure = state.get("publish_failure")
    interrupt({"waits_for": _waits_for(state), "job_run_id": state.get("job_run_id"), "publish_failure": failure})
    return State()


def _waits_for(state: State) -> str:
    """The text of the interrupt: what the run waits for, and how to go on."""
    if failure := state.get("publish_failure"):
        told = f"the rows of {state['target_table']} wait in staging, the target is as it was: {failure['message']}"
        return f"{told}; resume with any value to publish again"
    return f"job run {state['job_run_id']} has not ended; resume with any value to look again"
