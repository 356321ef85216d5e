"""Progress of a run by its checkpoints, and resumption of its workflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

from agent.names import thread_id
from graph.builder import Workflow
from graph.state import InputState, State
from runs.accept import first_state
from tools.records import RunRecord

_RECURSION_LIMIT = 120
"""A belt; the caps in routes.py end a run long before."""


@dataclass(frozen=True)
class Course:
    """A run's workflow with the thread of its checkpoints."""

    workflow: Workflow
    config: RunnableConfig
    begin: InputState
    """Input of a run that has left no checkpoint yet."""
    nested: bool = False
    """True for a subgraph: the graph around it knows whether it begins or goes on, and gives it what it waits for."""

    def reached(self) -> tuple[State, bool]:
        """The state that the run has reached, and whether it has ended."""
        found = self.workflow.get_state(self.config, subgraphs=True)
        # The outer state gets what a subgraph has done only when the subgraph ends.
        inner = [task.state.values for task in found.tasks if isinstance(task.state, StateSnapshot)]
        begun = {"run_id": self.begin["run_id"], "model": self.begin["model"]}  # before the first checkpoint
        state = {key: value for values in (begun, found.values, *inner) for key, value in values.items()}
        return cast(State, state), bool(found.values) and not found.next

    def stream(self, control: RunControl | None) -> Iterator[Any]:
        """Drive the workflow, and tell of each node of it and of its subgraph that begins or ends."""
        return self.workflow.stream(
            self._input(), self.config, stream_mode="tasks", subgraphs=True, durability="sync", control=control
        )

    def _input(self) -> InputState | Command[Any] | None:
        """The first state; a resume for an interrupt; else None, to go on after the last checkpoint."""
        if self.nested:
            return self.begin
        found = self.workflow.get_state(self.config)
        if not found.values:
            return self.begin
        return Command(resume="look again") if found.interrupts else None


def own_course(workflow: Workflow, record: RunRecord) -> Course:
    """The course of a run whose generation has a thread of its own."""
    thread = thread_id(record.key)
    return Course(
        workflow, {"configurable": {"thread_id": thread}, "recursion_limit": _RECURSION_LIMIT}, first_state(record)
    )
