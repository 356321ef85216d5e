"""The state machine of a run as a table: each event, the statuses that allow it, and the status that follows.

A status outside the event's list refuses the event: the ledgers write on this condition, so that a worker that slept
past its lease, or a second one, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

RunStatus = Literal[
    "running", "publish_pending", "interrupted", "cancelling", "overdue", "announcing",
    "success", "failed", "cancelled", "invalid", "unavailable",
]  # fmt: skip
RunEvent = Literal[
    "drive", "settle", "suspend", "postpone", "interrupt", "reject", "refuse", "succeed", "fail", "announce",
    "cancel", "overrun", "spare", "end_cancel", "end_overrun", "announce_cancel", "announce_overrun",
    "told_success", "told_failed", "told_cancelled", "restart",
]  # fmt: skip

STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)
EVENTS: tuple[RunEvent, ...] = get_args(RunEvent)

_AT_WORK: tuple[RunStatus, ...] = ("running", "publish_pending", "interrupted")
"""A worker drives the run, or the next wake does."""
_STOPPING: tuple[RunStatus, ...] = ("cancelling", "overdue")
"""The run is being stopped. If stopping is cut off, the next wake continues it."""
_ANNOUNCING: RunStatus = "announcing"
"""The end is recorded for good, and listeners are still to be told."""
_ENDED: tuple[RunStatus, ...] = ("success", "failed", "cancelled")
_REFUSED: tuple[RunStatus, ...] = ("invalid", "unavailable")
"""The run was refused before anything was launched. Only its caller goes on with it."""

TABLE: dict[RunEvent, tuple[tuple[RunStatus, ...], RunStatus]] = {
    # The worker that holds the run.
    "drive": ((*_AT_WORK, *_REFUSED), "running"),  # an invocation begins to work on the run
    "settle": (("running",), "running"),  # a step is complete: no invocation counts as lost any more
    "suspend": (_AT_WORK, "running"),  # the job has not ended
    "postpone": (_AT_WORK, "publish_pending"),  # staging waits for a publish
    "interrupt": (_AT_WORK, "interrupted"),  # a refusal or a crash after something was launched
    "reject": (_AT_WORK, "invalid"),  # the request is wrong, and nothing was launched
    "refuse": (_AT_WORK, "unavailable"),  # a service refused, and nothing was launched
    "succeed": (_AT_WORK, "success"),
    "fail": (_AT_WORK, "failed"),
    "announce": (_AT_WORK, "announcing"),  # succeed or fail where listeners are to be told
    # The worker that stops the run.
    "cancel": ((*_AT_WORK, *_STOPPING, *_REFUSED), "cancelling"),  # by its caller, or for a restart
    "overrun": ((*_AT_WORK, "overdue"), "overdue"),  # the deadline, or no progress
    "spare": (_STOPPING, "running"),  # the run turned out to be published: only its finish is left
    "end_cancel": (("cancelling",), "cancelled"),
    "end_overrun": (("overdue",), "failed"),
    "announce_cancel": (("cancelling",), "announcing"),
    "announce_overrun": (("overdue",), "announcing"),
    # Whoever tells the listeners.
    "told_success": (("announcing",), "success"),
    "told_failed": (("announcing",), "failed"),
    "told_cancelled": (("announcing",), "cancelled"),
    # The caller, with `options.restart` or with a corrected request: a new generation.
    "restart": (("cancelling", *_ENDED, "invalid"), "running"),
}

_OF_WORKER: dict[str, RunEvent] = {
    "running": "suspend",
    "publish_pending": "postpone",
    "invalid": "reject",
    "unavailable": "refuse",
    "success": "succeed",
    "failed": "fail",
}
_OF_STOP: dict[str, tuple[RunEvent, RunEvent]] = {
    "cancelled": ("end_cancel", "announce_cancel"),
    "failed": ("end_overrun", "announce_overrun"),
}
"""Without and with listeners."""
_OF_TELLING: dict[str, RunEvent] = {"success": "told_success", "failed": "told_failed", "cancelled": "told_cancelled"}


def allowed_from(event: RunEvent) -> tuple[RunStatus, ...]:
    """The statuses in which an event may happen."""
    return TABLE[event][0]


def allows(status: RunStatus, event: RunEvent) -> bool:
    """True when an event may happen in a status."""
    return status in allowed_from(event)


def target(event: RunEvent) -> RunStatus:
    """The status after an event."""
    return TABLE[event][1]


def after(status: RunStatus, event: RunEvent) -> RunStatus | None:
    """The status that follows an event in a status; None where the status refuses the event."""
    return target(event) if allows(status, event) else None


def worked(answer: str, launches: Callable[[], Sequence[object]]) -> RunEvent:
    """The event of a worker that leaves a run with an answer, its `execution_status`.

    `launches` is called only after a refusal. A refusal does not end a run that has launches: it is resumed until it
    ends or reaches a limit.
    """
    event = _OF_WORKER[answer]
    return "interrupt" if target(event) in _REFUSED and launches() else event


def concluded(answer: str, *, stopped: bool, listeners: bool) -> RunEvent:
    """The event of a run's end: by its own worker, or by the worker that stopped it."""
    if stopped:
        return _OF_STOP[answer][listeners]
    return "announce" if listeners else _OF_WORKER[answer]


def told(answer: str) -> RunEvent:
    """The event of an announced end."""
    return _OF_TELLING[answer]


def open_statuses() -> tuple[RunStatus, ...]:
    """The statuses of runs that a sweep resumes."""
    return (*_AT_WORK, *_STOPPING, _ANNOUNCING)


def is_open(status: RunStatus) -> bool:
    """True when a sweep must resume the run."""
    return status in open_statuses()


def at_work(status: RunStatus) -> bool:
    """True when the run is open, is not being stopped, and has no recorded end."""
    return status in _AT_WORK


def is_stopping(status: RunStatus) -> bool:
    """True when the run is being stopped."""
    return status in _STOPPING


def has_end(status: RunStatus) -> bool:
    """True when the run's end is recorded for good, announced or not."""
    return status in _ENDED or is_announcing(status)


def is_announcing(status: RunStatus) -> bool:
    """True when the run's end is recorded and not announced yet."""
    return status == _ANNOUNCING


def is_invalid(status: RunStatus) -> bool:
    """True when the run's request was refused; a corrected request replaces it."""
    return status == "invalid"


def was_interrupted(status: RunStatus) -> bool:
    """True when the last invocation was refused or broke after a launch."""
    return status == "interrupted"


def has_ended(status: str) -> bool:
    """True for the status, or the answer's `execution_status`, of a run whose end is recorded and announced."""
    return status in _ENDED


def answer_while_open(status: RunStatus) -> Literal["running", "publish_pending"]:
    """The `execution_status` in the answer for an open run."""
    return "publish_pending" if status == "publish_pending" else "running"
