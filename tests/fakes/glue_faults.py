"""Faults that a test plans for a Glue endpoint: what goes wrong, in which call, and whether the call is applied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault of an operation."""

    operation: str
    error: str = ""
    """The code to refuse with, as `OperationTimeoutException`."""
    message: str = "planned by the test"
    status: int = 0
    """The HTTP status of the refusal; 0: 500 for Glue's own internal errors, else 400."""
    applied: bool = False
    """True: the operation takes effect before the fault."""
    dropped: bool = False
    """True: the connection is closed without an answer."""
    held: bool = False
    """True: no answer comes until the caller gives up or the endpoint closes."""
    delay: float = 0.0
    """Seconds by which the answer is late."""
    call: int = 1
    """From which call of the operation on, counted from 1 since the endpoint began to listen."""
    times: int = 1
    """How many calls in a row."""

    def hits(self, operation: str, call: int) -> bool:
        """Whether this call of the operation is to be struck."""
        return operation == self.operation and self.call <= call < self.call + self.times

    @property
    def silent(self) -> bool:
        """Whether the caller gets no answer."""
        return self.dropped or self.held

    @property
    def http_status(self) -> int:
        """The status of the refusal."""
        return self.status or (500 if self.error in ("InternalServiceException", "InternalFailure") else 400)
