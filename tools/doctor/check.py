"""One thing that a doctor looks at, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.errors import DatamorphError


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    status: Literal["ok", "warning", "missing", "not needed"]
    detail: str
    """What was found, or what is missing or could be better, and what to do."""


class MissingError(DatamorphError):
    """A check that failed; the message says what to do."""


class WarningError(DatamorphError):
    """A check that found what works, and ought to be bettered; the message says how."""


def check(name: str, look: Callable[[], str], *, needed: bool = True) -> Check:
    """Look; what `look` returns was found, and an error of this project says what is missing or could be better."""
    try:
        return Check(name, "ok", look())
    except WarningError as error:
        return Check(name, "warning", str(error))
    except DatamorphError as error:
        return Check(name, "missing" if needed else "not needed", str(error))
