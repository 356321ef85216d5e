"""suspend: wait without paying, until somebody resumes the run."""

from __future__ import annotations

from langgraph.types import interrupt

from graph.state import State


def suspend(state: State) -> State:
    """Stop here; whoever resumes brings nothing that is trusted, the next node looks for itself.

    The interrupt stands alone in its node: on a resume LangGraph runs an interrupted node again from its first line.
    """
    interrupt({"job_run_id": state.get("job_run_id"), "publish_failure": state.get("publish_failure")})
    return State()
