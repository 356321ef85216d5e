"""A check of the doctor: its name, status and detail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.errors import DatamorphError


@dataclass(frozen=True)
class Check:
    """The result of a check."""

    name: str
    status: Literal["ok", "warning", "missing", "not needed"]
    detail: str
    """Finding in words; for a warning or a missing thing, the remedy too."""


class MissingError(DatamorphError):
    """A check failed; the message names the remedy."""


class WarningError(DatamorphError):
    """A check passed with a reservation; the message names the improvement."""


def check(name: str, look: Callable[[], str], *, needed: bool = True) -> Check:
    """Run a check: `look` returns the finding, and raises an error of this project for a defect."""
    try:
        return Check(name, "ok", look())
    except WarningError as error:
        return Check(name, "warning", str(error))
    except DatamorphError as error:
        return Check(name, "missing" if needed else "not needed", str(error))
