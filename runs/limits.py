"""The limits of a whole run: its deadline, and the invocations that may be lost in a row (watchdog)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.errors import ConflictError
from agent.findings import Diagnosis, FailureClass
from agent.run_status import allows
from agent.settings import LONGEST_DEADLINE_MINUTES
from tools.records import RunRecord

MAX_LOST = 5
"""Invocations in a row that may die or break before a step is complete. The next one ends the run as failed."""

_BEGINS_WITHIN = timedelta(days=7)
"""Time after its acceptance in which a run may begin: so long its caller may send it again after a refusal."""
_ORPHAN_AGE = _BEGINS_WITHIN + timedelta(minutes=LONGEST_DEADLINE_MINUTES) + timedelta(days=2)
"""Age of a staging table that belongs to no open run. Two days are for clocks that differ, and for the time of day."""


def deadline(now: float, minutes: int) -> str:
    """The deadline of a run that is accepted now, as the ledger has it."""
    return _at(now + 60 * minutes).isoformat(timespec="milliseconds")


def renewed_deadline(record: RunRecord, now: float, minutes: int) -> str:
    """The deadline of a run that begins anew after a refusal. Raises ConflictError a week after its acceptance.

    The names of its staging tables bear the date of its acceptance, and `orphan_date` counts on this limit.
    """
    if _at(now) - datetime.fromisoformat(record.accepted_at) > _BEGINS_WITHIN:
        message = f"run {record.run_id} was accepted on {record.accepted_at} and refused: set options.restart"
        raise ConflictError(record.run_id, f"{message} to begin a new generation")
    return deadline(now, minutes)


def orphan_date(now: float) -> str:
    """The date, `YYYYMMDD`, before which a staging table belongs to no run that is open anywhere."""
    return f"{_at(now) - _ORPHAN_AGE:%Y%m%d}"


def _at(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


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
