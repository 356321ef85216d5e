"""A point on the clock that watches go by: it never jumps, and stands still while the machine is suspended."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Moment:
    """A reading of `time.monotonic`, which all processes of one boot of one machine share."""

    boot: str
    """Which boot of which machine; empty where the system does not tell."""
    seconds: float

    @classmethod
    def now(cls) -> Self:
        """Read the clock."""
        return cls(_boot(), time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since then; 0 for a moment of another boot or machine, whose clock says nothing here."""
        return time.monotonic() - self.seconds if self.boot == _boot() else 0.0


@cache
def _boot() -> str:
    with suppress(OSError):
        return _BOOT_ID.read_text(encoding="ascii").strip()
    return ""
