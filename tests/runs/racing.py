"""Workers of one run whose leases ended while they slept, and listeners to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from graph.response import Response
from runs.actions import Actions
from runs.dispatch import answer
from runs.service import Service
from tests.runs.scene import Bench, Woken
from tools.fakes import FakeClock, PlannedRun
from tools.records import JobRun, RunEnded, RunRecord

LIVE = PlannedRun(looks=100)


class Killed(BaseException):
    """Nothing of ours catches it."""


@dataclass
class Scene:
    """A bench with listeners, and with workers whose leases ended while they slept."""

    made: Bench
    heard: list[tuple[int, str]] = field(default_factory=list)
    """Generation and status of each completion event."""
    deaf: bool = False
    database: str = "test"
    later: float = 0.0
    """Seconds by which the clock is ahead."""

    def announce(self, ended: RunEnded) -> bool:
        """Hear of an end."""
        if not self.deaf:
            self.heard.append((ended.generation, ended.execution_status))
        return not self.deaf

    def service(self, leases: str = "leases") -> Service:
        """Serve as the next process; with other `leases`, while one that holds the run sleeps."""
        service, clock = self.made.service(leases), FakeClock()
        clock.sleep(self.later)
        tools = replace(service.tools, announcer=self, clock=clock)
        return replace(service, tools=tools, database=self.database)

    def ask(self, what: object, leases: str = "leases") -> Response:
        """Answer an event."""
        return answer(Actions(self.service(leases), Woken()), what)

    def act(self, action: str, leases: str = "leases") -> Response:
        """Ask for an action on the run."""
        return self.ask({"run_id": "run_1", "action": action}, leases)

    def record(self) -> RunRecord:
        """The run as it stands recorded."""
        record = self.made.service().tools.ledger.run("run_1")
        assert record is not None
        return record

    def meanwhile(self, do: Callable[[], object]) -> None:
        """Let something happen while the next worker sleeps at its second look at the job."""
        get, looks = self.made.jobs.get, [0]

        def late(job_name: str, job_run_id: str) -> JobRun:
            looks[0] += 1
            if looks[0] == 2:
                self.made.jobs.get = get  # type: ignore[method-assign]
                do()
            return get(job_name, job_run_id)

        self.made.jobs.get = late  # type: ignore[method-assign]
