"""The course of a run: drives its workflow in the thread of its checkpoints, and reads how far it has come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

from agent.names import thread_id
from graph.builder import Workflow
from graph.state import InputState, State
from runs.accept import first_state
from tools.records import RunRecord

_RECURSION_LIMIT = 120
"""Steps of a workflow in one invocation; the caps in routes.py end a run long before."""


@dataclass(frozen=True)
class Step:
    """A node that began or ended."""

    phase: Literal["start", "end"]
    node: str
    seconds: float
    """0 at the start."""
    update: State
    """State update of the node; empty at the start."""
    failed: bool = False
    """True when the node raised an error or an interrupt."""


@dataclass(frozen=True)
class Course:
    """A run's workflow with the thread of its checkpoints."""

    workflow: Workflow
    config: RunnableConfig
    begin: InputState
    """Input of a run that has left no checkpoint yet."""
    nested: bool = False
    """True for a subgraph: the graph around it decides whether it begins or resumes."""

    def reached(self) -> tuple[State, bool]:
        """The state that the run has reached, and whether it has ended."""
        found = self.workflow.get_state(self.config, subgraphs=True)
        # The outer state gets what a subgraph has done only when the subgraph ends.
        inner = [task.state.values for task in found.tasks if isinstance(task.state, StateSnapshot)]
        begun = {"run_id": self.begin["run_id"], "model": self.begin["model"]}  # before the first checkpoint
        state = {key: value for values in (begun, found.values, *inner) for key, value in values.items()}
        return cast(State, state), bool(found.values) and not found.next

    def steps(self, control: RunControl | None) -> Iterator[Step]:
        """Drive the workflow, and give each node of it and of its subgraph as it begins and ends.

        `control` lets the caller ask for a stop after the current step.
        """
        began: dict[str, float] = {}
        tasks = self.workflow.stream(
            self._input(), self.config, stream_mode="tasks", subgraphs=True, durability="sync", control=control
        )
        for _, task in tasks:
            yield _step(cast("dict[str, Any]", task), began)

    def _input(self) -> InputState | Command[Any] | None:
        """The first state without checkpoints, a resume after an interrupt, else None: go on after the last step."""
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


def _step(task: dict[str, Any], began: dict[str, float]) -> Step:
    """The step of a task event; `began` holds the start of each task that has not ended."""
    if "result" not in task and "error" not in task:
        began[task["id"]] = time.monotonic()
        return Step("start", task["name"], 0.0, State())
    seconds = time.monotonic() - began.get(task["id"], time.monotonic())
    failed = bool(task.get("error") or task.get("interrupts"))
    return Step("end", task["name"], seconds, cast(State, dict(task.get("result") or {})), failed)
