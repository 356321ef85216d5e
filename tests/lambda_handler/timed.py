"""An engine whose runs take two minutes of the world's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.glue_runs import Course
from tests.faults.planned_glue import StagingEngine
from tests.faults.world_clock import WorldClock

JOB_SECONDS = 120.0


@dataclass
class Until:
    """A course that is not at its end before a time."""

    course: Course
    clock: WorldClock
    ends: float

    def state(self) -> str:
        """RUNNING, then as the course has it."""
        return self.course.state() if self.clock.now() >= self.ends else "RUNNING"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.course, name)


@dataclass
class TimedEngine(StagingEngine):
    """Every run takes two minutes."""

    clock: WorldClock | None = None

    def start(self, job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        """Start a run that ends after its time."""
        assert self.clock is not None
        job_run_id, course = super().start(job, arguments)
        course.look()
        return job_run_id, Until(course, self.clock, self.clock.now() + JOB_SECONDS)
