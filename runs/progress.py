"""How far a run has come, as its checkpoints have it, and where its workflow goes on."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, StateSnapshot

from agent.names import thread_id
from graph.builder import Workflow
from graph.state import State
from runs.accept import first_state
from tools.records import RunRecord

_RECURSION_LIMIT = 120
"""A belt; the caps in routes.py end a run long before."""


def config_of(record: RunRecord) -> RunnableConfig:
    """The thread of a run's generation."""
    thread = thread_id(record.run_id, record.generation)
    return {"configurable": {"thread_id": thread}, "recursion_limit": _RECURSION_LIMIT}


def reached(workflow: Workflow, record: RunRecord) -> tuple[State, bool]:
    """The state that a run has reached, and whether it has ended."""
    found = workflow.get_state(config_of(record), subgraphs=True)
    # What a subgraph has done so far reaches the outer state only when it ends.
    inner = [task.state.values for task in found.tasks if isinstance(task.state, StateSnapshot)]
    begun = {"run_id": record.run_id, "model": record.model}  # all there is before the first checkpoint
    state = {key: value for values in (begun, found.values, *inner) for key, value in values.items()}
    return cast(State, state), bool(found.values) and not found.next


def begin_or_go_on(workflow: Workflow, config: RunnableConfig, record: RunRecord) -> Any:
    """The input of a run that left no checkpoint yet; a resume for an interrupt; else None, to go on."""
    found = workflow.get_state(config)
    if not found.values:
        return first_state(record)
    return Command(resume="look again") if found.interrupts else None
