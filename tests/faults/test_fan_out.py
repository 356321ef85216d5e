"""One sweep tick gets all due runs going, each in an invocation of its own, and they all end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runs.actions import Actions
from runs.service import Service
from tests.faults.tally import Tally
from tests.runs.scene import Bench, Woken, event
from tools.fakes import FakeJobs, PlannedRun

PROCESSES = 4


@dataclass
class Crowd:
    """So many runs that wait for their jobs, and the processes that are woken for them."""

    services: list[Service]
    names: list[str]
    waker: Woken = field(default_factory=Woken)

    def begin(self) -> None:
        """Let every run begin and suspend at once."""
        for name in self.names:
            began = self.services[0].run(event(run_id=name, options={"wait": "event"}))
            assert began["statusCode"] == 202

    def tick(self) -> list[str]:
        """The runs that one tick woke."""
        self.waker.runs.clear()
        Actions(self.services[0], self.waker).sweep()
        return list(self.waker.runs)

    def resumed(self, woken: list[str]) -> dict[str, int]:
        """The status of every run that was woken, by several processes at once; 409 is another one's at work."""

        def work(number: int) -> list[tuple[str, int]]:
            service = self.services[number]
            return [(name, service.resume(name)["statusCode"]) for name in woken[number::PROCESSES]]

        with ThreadPoolExecutor(PROCESSES) as processes:
            return {name: code for part in processes.map(work, range(PROCESSES)) for name, code in part}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A workflow on stand-ins, over the real ledger and checkpoints of this machine."""
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def fan_out(bench: Bench, runs: int, tally: Tally) -> None:
    """Count every run that a tick did not wake once, or that did not end well."""
    bench.jobs = FakeJobs(*[PlannedRun(looks=1)] * runs)
    names = [f"r{number:03}" for number in range(runs)]
    crowd = Crowd([bench.service() for _ in range(PROCESSES)], names)
    crowd.begin()
    woken = crowd.tick()
    codes = crowd.resumed(woken)
    for name in names:
        wrong = (woken.count(name), codes.get(name)) != (1, 200) or (name, 1) not in bench.database.published
        tally.case("runs woken by one sweep tick", not wrong, f"{name}: {woken.count(name)} wakes, {codes.get(name)}")
    tally.check()
    assert len(bench.jobs.started) == runs
    assert crowd.tick() == []


@pytest.mark.faults
def test_one_tick_ends_200_runs(bench: Bench, tally: Tally) -> None:
    """They are woken once each, and nothing is started a second time."""
    fan_out(bench, 200, tally)


def test_one_tick_ends_some_runs(bench: Bench, tally: Tally) -> None:
    """A sample of the same."""
    fan_out(bench, 12, tally)
