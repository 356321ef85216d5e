"""What may follow what in a launch: the check that every ledger makes before it records a step."""

from __future__ import annotations

from typing import get_args

from tools.records import Launch, LaunchState

_STATES: tuple[str, ...] = get_args(LaunchState)


def check_step(known: Launch | None, launch: Launch) -> None:
    """Raise ValueError when `launch` is a step back from what is known, or belongs to another job run."""
    if known is None:
        return
    if _STATES.index(launch.state) < _STATES.index(known.state):
        raise ValueError(f"launch {launch.key} is {known.state} already; it cannot go back to {launch.state}")
    if known.job_run_id and known.job_run_id != launch.job_run_id:
        raise ValueError(f"launch {launch.key} belongs to job run {known.job_run_id}, not to {launch.job_run_id!r}")
