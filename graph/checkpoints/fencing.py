"""Fencing: a worker that has lost its lease to another cannot write checkpoints."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from langgraph.checkpoint.base import BaseCheckpointSaver


@runtime_checkable
class Fenced(Protocol):
    """A saver whose store checks at each write that the lease is still the writer's."""

    def held_by(self, run_id: str, owner: str) -> BaseCheckpointSaver[str]:
        """The saver for one hold of the run. Its writes raise ConflictError once the owner has lost the lease."""
        ...

    def demand_held(self) -> None:
        """Raise ConflictError when the owner has lost the lease; a saver without an owner checks nothing."""
        ...


def fenced(saver: BaseCheckpointSaver[str], run_id: str, owner: str | None) -> BaseCheckpointSaver[str]:
    """The saver for one hold; the same saver where `owner` is None: the kernel's file lock cannot expire."""
    if owner is None or not isinstance(saver, Fenced):
        return saver
    return saver.held_by(run_id, owner)


def demand_held(saver: BaseCheckpointSaver[str]) -> None:
    """Raise ConflictError when the saver's hold is over: another worker records how the run stands."""
    if isinstance(saver, Fenced):
        saver.demand_held()
