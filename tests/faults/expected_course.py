"""Reference model: the promises of a run after each of a sequence of happenings, written a second time.

It knows nothing of ledgers, leases, checkpoints and jobs' names; what it tells is compared after every happening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["start", "restart", "cancel", "sweep", "job event", "foreign event", "job ends"]
KINDS: tuple[Kind, ...] = ("start", "restart", "cancel", "sweep", "job event", "foreign event", "job ends")
"""Again is a kind twice; an early event is one before the job ends, a late one comes after the end or a restart."""

_WAKING = ("start", "restart", "sweep", "job event")


@dataclass
class ExpectedCourse:
    """A run whose attempts end in the given states, in every generation."""

    states: tuple[str, ...]
    generation: int = 0
    """0: nobody has asked for it."""
    restarted: bool = False
    """True when a restart began the generation."""
    status: str = ""
    """`open`, `success` or `cancelled`."""
    attempt: int = 0
    over: bool = False
    """True when the job of the attempt has ended."""
    starts: list[tuple[int, int]] = field(default_factory=list)
    """Generation and attempt of every start of the engine, in order."""
    published: list[int] = field(default_factory=list)
    """The generations that were published, in order."""
    told: list[tuple[int, str]] = field(default_factory=list)
    """Generation and end of every completion event, in order."""

    def happens(self, kind: Kind) -> None:
        """Go on as one happening makes the run go on."""
        if kind == "job ends":
            self.over = True
        elif self._new(kind):
            self.restarted = kind == "restart"
            self._begin()
        elif kind == "cancel" and self.status == "open":
            self._end("cancelled")
        elif kind in _WAKING and self.status == "open" and self.over:
            self._go_on()

    def _new(self, kind: Kind) -> bool:
        """Whether a generation begins: a restart asked for again, while it is at work, is the same one."""
        if kind == "restart":
            return self.status != "open" or not self.restarted
        return kind == "start" and not self.generation

    def _begin(self) -> None:
        self.generation += 1
        self.status = "open"
        self.attempt = 0
        self._launch()

    def _launch(self) -> None:
        self.attempt += 1
        self.over = False
        self.starts.append((self.generation, self.attempt))

    def _go_on(self) -> None:
        if self.states[self.attempt - 1] != "SUCCEEDED":
            self._launch()
            return
        self.published.append(self.generation)
        self._end("success")

    def _end(self, status: str) -> None:
        self.status = status
        self.told.append((self.generation, status))
