"""Checkpoints that only the holder of a run stores: who slept past its lease must not write over another's."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from langgraph.checkpoint.base import BaseCheckpointSaver


@runtime_checkable
class Fenced(Protocol):
    """A saver whose store can tell whether the lease is still the writer's."""

    def held_by(self, run_id: str, owner: str) -> BaseCheckpointSaver[str]:
        """The saver for one hold. Its writes raise ConflictError once the run is not the owner's any more."""
        ...

    def demand_held(self) -> None:
        """Raise ConflictError when the run is not the owner's any more; without an owner nothing is asked."""
        ...


def fenced(saver: BaseCheckpointSaver[str], run_id: str, owner: str | None) -> BaseCheckpointSaver[str]:
    """The saver for one hold; the same one where `owner` is None: a lock of the kernel is not lost by sleeping."""
    if owner is None or not isinstance(saver, Fenced):
        return saver
    return saver.held_by(run_id, owner)


def demand_held(saver: BaseCheckpointSaver[str]) -> None:
    """Raise ConflictError when the saver is that of a hold which is over: how the run stands is another's to record."""
    if isinstance(saver, Fenced):
        saver.demand_held()
