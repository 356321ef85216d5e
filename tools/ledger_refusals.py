"""Errors of both ledgers for a refused write."""

from __future__ import annotations

from agent.errors import ConflictError
from agent.launch_status import may_follow
from tools.records import Launch, RunRecord


def check_step(known: Launch | None, launch: Launch) -> None:
    """Raise ValueError when `launch` is a step back from the known one, or belongs to another job run."""
    if known is None:
        return
    if not may_follow(known.state, launch.state):
        raise ValueError(f"launch {launch.key} is {known.state} already; it cannot go back to {launch.state}")
    if known.job_run_id and known.job_run_id != launch.job_run_id:
        raise ValueError(f"launch {launch.key} belongs to job run {known.job_run_id}, not to {launch.job_run_id!r}")


def restarted_meanwhile(record: RunRecord) -> ConflictError:
    """The error for a restart of a generation that is not recorded any more, or that is not ready for a restart."""
    hint = "another process has restarted it, or is about to end it; ask again"
    return ConflictError(record.run_id, f"run {record.run_id} has changed meanwhile: {hint}")
