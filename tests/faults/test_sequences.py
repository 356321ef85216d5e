"""Every sequence of up to four happenings, and after each of them exactly what was promised."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent.run_status import is_open
from tests.faults.expected_course import KINDS, ExpectedCourse, Kind
from tests.faults.mortal import Life
from tests.faults.quick_world import CANCEL, REQUEST, RESTART, MemoryWorld, quick_world
from tests.faults.saver_calls import Moment
from tests.faults.tally import Tally

COURSES = {"right at once": ("SUCCEEDED", "SUCCEEDED"), "repaired": ("FAILED", "SUCCEEDED")}
"""In which state the job of each attempt ends."""
LONGEST = 4
SAMPLE_STEP = 97
"""The default run takes every 97th sequence, which is none of the ways in which seven kinds repeat."""

_DOES: dict[Kind, Callable[[MemoryWorld], object]] = {
    "start": lambda world: world.ask(REQUEST),
    "restart": lambda world: world.ask(RESTART),
    "cancel": lambda world: world.act("cancel"),
    "sweep": lambda world: world.sweep(),
    "job event": lambda world: world.ask(world.job_event()),
    "foreign event": lambda world: world.ask(world.job_event(foreign=True)),
    "job ends": lambda world: world.jobs.end(),
}
_KEYS = re.compile(r"-g(\d+)-a(\d+)-l1-")


def sequences() -> list[tuple[Kind, ...]]:
    """All of them, the shortest first."""
    return [one for length in range(1, LONGEST + 1) for one in itertools.product(KINDS, repeat=length)]


def differing(world: MemoryWorld, expected: ExpectedCourse) -> list[str]:
    """Differences between the run and the reference model."""
    record = world.record()
    status = "" if record is None else "open" if is_open(record.status) else record.status
    pairs = {
        "generation": (record.generation if record else 0, expected.generation),
        "status": (status, expected.status),
        "starts": ([_keys(name) for name in world.jobs.started], expected.starts),
        "published": ([order.generation for order in world.database.moved], expected.published),
        "told": ([(one.generation, one.execution_status) for one in world.listener.told], expected.told),
    }
    return [f"{name} {found}, not {right}" for name, (found, right) in pairs.items() if found != right]


def _keys(job_name: str) -> tuple[int, int]:
    found = _KEYS.search(job_name)
    assert found is not None, job_name
    return int(found[1]), int(found[2])


def unclear(told: object) -> list[str]:
    """Why an answer is none: nothing here goes wrong, so none is a refusal for want of a service."""
    code = told["statusCode"] if isinstance(told, dict) else 200
    return [] if code in (200, 202, 400, 410) else [f"the answer is {told}"]


def wrong(folder: Path, course: str, kinds: Iterable[Kind]) -> list[str]:
    """Violations after any happening of a sequence, and when the run has been brought to its end."""
    expected = ExpectedCourse(COURSES[course])
    with quick_world(folder, *COURSES[course]) as world:
        for number, kind in enumerate(kinds, 1):
            told = _DOES[kind](world)
            expected.happens(kind)
            if found := [*unclear(told), *differing(world, expected)]:
                return [f"after {number}: {one}" for one in found]
        return [*_looked_at(world, expected), *_ended(world, expected)]


def _looked_at(world: MemoryWorld, expected: ExpectedCourse) -> list[str]:
    """Violations after a look at the run, which changes nothing."""
    told = world.act("status")
    right = {"": 400, "open": 202, "success": 200, "cancelled": 410}[expected.status]
    found = [] if told["statusCode"] == right else [f"status tells {told}"]
    return [*found, *differing(world, expected)]


def _ended(world: MemoryWorld, expected: ExpectedCourse) -> list[str]:
    found = world.recover()
    while expected.status == "open":
        expected.happens("job ends")
        expected.happens("sweep")
    return [*found, *differing(world, expected)]


def sweep(folder: Path, course: str, tried: Iterable[tuple[Kind, ...]], tally: Tally) -> None:
    """Let each sequence happen."""
    for kinds in tried:
        found = wrong(folder, course, kinds)
        tally.case(f"sequences of {len(KINDS)} kinds, {course}", not found, f"{', '.join(kinds)}: {'; '.join(found)}")
    tally.check()


@pytest.mark.parametrize("course", COURSES)
def test_some_sequences(tmp_path: Path, course: str, tally: Tally) -> None:
    """A sample of all lengths, on both ways."""
    sweep(tmp_path, course, sequences()[::SAMPLE_STEP], tally)


def test_an_event_wakes_a_run_whose_start_is_not_on_record(tmp_path: Path) -> None:
    """Its process died right after the start: the event's job is one that was intended."""
    with quick_world(tmp_path, "SUCCEEDED") as world:
        world.dies(REQUEST, Life(1, frozenset({"jobs.start"}), "after"))
        world.jobs.end()
        told = world.ask(world.job_event())
        assert told["body"]["execution_status"] == "success"
        assert world.recover() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_cancel_that_dies_at_its_withdrawal_is_gone_on_with(tmp_path: Path, moment: Moment) -> None:
    """Its intent is on record before: whoever wakes the run ends it as cancelled, though its job has succeeded."""
    with quick_world(tmp_path, "SUCCEEDED") as world:
        world.ask(REQUEST)
        assert world.dies(CANCEL, Life(1, frozenset({"database.withdraw"}), moment))
        world.jobs.end()
        assert world.recover() == []
        record = world.record()
        assert record is not None
        assert (record.status, world.database.moved) == ("cancelled", [])


@pytest.mark.faults
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("course", COURSES)
def test_every_sequence(tmp_path: Path, course: str, part: int, tally: Tally) -> None:
    """All 2,800, in four parts for as many processes: the run did what was promised after every single happening."""
    sweep(tmp_path, course, sequences()[part::4], tally)
