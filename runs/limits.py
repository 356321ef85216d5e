"""The limits of a whole run: its deadline, and the invocations that may be lost in a row (watchdog)."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.findings import Diagnosis, FailureClass
from agent.run_status import allows
from tools.records import RunRecord

MAX_LOST = 5
"""Invocations in a row that may die or break before a step is complete. The next one ends the run as failed."""


def deadline(now: float, minutes: int) -> str:
    """The deadline of a run that is accepted now, as the ledger has it."""
    return datetime.fromtimestamp(now + 60 * minutes, UTC).isoformat(timespec="milliseconds")


def limit_reached(record: RunRecord, now: float) -> Diagnosis | None:
    """The diagnosis of a run that has reached a limit; None for a run that may go on."""
    late = datetime.fromisoformat(record.deadline).timestamp() <= now
    # The worker that began to stop it may have had a faster clock.
    if late or (allows(record.status, "end_overrun") and record.lost < MAX_LOST):
        cause = f"the run had not ended by its deadline, {record.deadline}"
        hint = "look at what it waited for; raise DATAMORPH_DEADLINE_MINUTES, or set options.restart to begin anew"
        return _diagnosis("deadline", cause, hint, f"{record.hops} invocations worked on it")
    if record.lost >= MAX_LOST:
        cause = f"{record.lost} invocations in a row died or broke before they completed a step"
        hint = "the function's log has their errors; when the cause is mended, set options.restart to begin anew"
        return _diagnosis("no_progress", cause, hint, f"invocation {record.hops} was the last")
    return None


def _diagnosis(kind: FailureClass, cause: str, hint: str, evidence: str) -> Diagnosis:
    return Diagnosis(
        failure_class=kind,
        root_cause=cause,
        line=None,
        hint=hint,
        repairable_by="nobody",
        evidence=evidence,
        signature=kind,
        phase="engine",
    )
