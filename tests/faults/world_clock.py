"""A clock that all processes of a test share, on which waiting takes no time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest


@dataclass
class WorldClock:
    """Real time, and what was waited for; a forked child goes on from its parent's."""

    passed: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.passed

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.passed += seconds

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the real clock's place, and let boto3 wait for nothing between two tries."""
        patch.setattr("tools.local.clock.SystemClock.now", lambda _: self.now())
        patch.setattr("tools.local.clock.SystemClock.sleep", lambda _, seconds: self.sleep(seconds))
        patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
        patch.setattr("tools.aws.table._CONFLICT_WAITS", (0.0, 0.0))
