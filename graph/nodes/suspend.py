"""suspend: wait without paying, until somebody resumes the run."""

from __future__ import annotations

from langgraph.types import interrupt

from graph.state import State


def suspend(state: State) -> State:
    """Stop here; whoever resumes brings nothing that is trusted, the next node looks for itself.

    The interrupt stands alone in its node: on a resume LangGraph runs an interrupted node again from its first line.
    """
    failure = state.get("publish_failure")
    interrupt({"waits_for": _waits_for(state), "job_run_id": state.get("job_run_id"), "publish_failure": failure})
    return State()


def _waits_for(state: State) -> str:
    """For whoever sees the interrupt: what is missing, and how to go on."""
    if failure := state.get("publish_failure"):
        told = f"the rows of {state['target_table']} wait in staging, the target is as it was: {failure['message']}"
        return f"{told}; resume with any value to publish again"
    return f"job run {state['job_run_id']} has not ended; resume with any value to look again"
