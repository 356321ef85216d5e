"""What may follow what in a ledger: the states of a launch, and the generations of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from agent.errors import ConflictError
from tools.records import Launch, LaunchState, RunRecord

_STATES: tuple[str, ...] = get_args(LaunchState)
_REMEMBERED = 50
"""Of so many generations, the newest before the one that stands, it is kept when they were accepted."""


def check_step(known: Launch | None, launch: Launch) -> None:
    """Raise ValueError when `launch` is a step back from what is known, or belongs to another job run."""
    if known is None:
        return
    if _STATES.index(launch.state) < _STATES.index(known.state):
        raise ValueError(f"launch {launch.key} is {known.state} already; it cannot go back to {launch.state}")
    if known.job_run_id and known.job_run_id != launch.job_run_id:
        raise ValueError(f"launch {launch.key} belongs to job run {known.job_run_id}, not to {launch.job_run_id!r}")


def next_generation(known: RunRecord, record: RunRecord) -> RunRecord:
    """`record` as the generation that follows a known one."""
    earlier = [*known.earlier.split(), known.accepted_at][-_REMEMBERED:]
    return replace(record, generation=known.generation + 1, earlier=" ".join(earlier))


def restarted_meanwhile(record: RunRecord) -> ConflictError:
    """The error for a generation that was to follow another one than stands."""
    told = "another process has begun another generation of it; ask again"
    return ConflictError(record.run_id, f"run {record.run_id} was restarted meanwhile: {told}")


def acceptances(record: RunRecord) -> list[tuple[int, str]]:
    """The run's generations that are remembered, each with when it was accepted; the newest last."""
    times = [*record.earlier.split(), record.accepted_at]
    return list(enumerate(times, record.generation - len(times) + 1))
