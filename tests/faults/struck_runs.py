"""A run of the function with one call struck, and what must hold when it has ended after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.aws_world import EVENT, PAST_A_LEASE, RUN, SWEEP, AwsWorld
from tests.faults.invariants import Expected, violations
from tests.faults.paths import CANCELLED, ENDS, PATHS, SUCCEEDS, SWEPT, WAITS, WOKEN_BY_EVENT, WOKEN_BY_TICK
from tests.faults.strikes import Strike
from tests.faults.tables import NEW, OLD
from tests.lambda_handler.scene import CANARY

CANCEL = {"run_id": RUN, "action": "cancel"}
WAITING = {**EVENT, "options": {"wait": "event"}}
"""The same request, which does not wait for its job."""

_TOLD = ("success", "running", "publish_pending", "failed", "cancelled", "swept")
_UNTOLD = ("unavailable", "conflict")
"""Statuses whose message says what is wrong."""


@dataclass(frozen=True)
class ByDesign:
    """A fault that changes the end of a run on purpose."""

    operation: str
    code: str
    """The error; empty for any fault."""
    told: tuple[str, ...]
    """The change as the answer tells it; nothing else is excused."""
    why: str
    last: bool = False
    """True: by design at the last call of the operation alone."""
    path: str = ""
    """The only way of a run that is meant; empty for any."""

    def excuses(self, one: str, strike: Strike, path: str, calls: list[str]) -> bool:
        """Whether a violation is the change that was meant."""
        here = strike.operation == self.operation and self.code in ("", strike.code) and self.path in ("", path)
        there = not self.last or strike.call == calls.count(self.operation)
        return here and there and any(told in one for told in self.told)


BY_DESIGN = [
    ByDesign("logs.DescribeLogStreams", "ResourceNotFoundException", ("I5: state outcome:",), "a job may write no log"),
    ByDesign("logs.GetLogEvents", "ResourceNotFoundException", ("I5: state outcome:",), "a job may write no log"),
    ByDesign("events.PutEvents", "AccessDeniedException", ("I6: 0 completion events:",), "it is logged"),
    ByDesign(
        "s3.GetObject",
        "NoSuchKey",
        ("I5: response body.generation_prompt: None,", "generation_prompt is left out:"),
        "the answer leaves the prompt out, and says so",
        last=True,
    ),
    ByDesign(
        "s3.GetObject",
        "",
        ("I5: response body.generation_prompt: None,", "generation_prompt is left out:"),
        "a cancel waits for no prompt, and says so",
        last=True,
        path=CANCELLED,
    ),
    ByDesign("s3.PutObject", "", ("the report was not stored:",), "a published run succeeds, and says so", last=True),
]


@dataclass(frozen=True)
class Course:
    """One way of a run, as it goes when nothing disturbs it."""

    world: AwsWorld
    path: str
    cold: bool
    """In a process that has still to read its settings."""
    calls: list[str]
    """All that it asks of AWS, in order."""
    expected: Expected

    def struck(self, strike: Strike) -> list[str]:
        """The invariants that are broken when the run ends after a fault."""
        begin(self.world, self.path)
        answer = self.world.invoke(asked(self.world, self.path), strike, self.cold)
        struck = self.world.struck
        found = self.world.recovered(CANCEL if self.path == CANCELLED else None)
        # Before its event is known to be sent and recorded, a run that is cut off sends it again.
        told_again = "events.PutEvents" in self.calls[: self._index(strike) + 1]
        wrong = violations(found, self.expected, told_again=told_again)
        meant = [one for one in wrong if any(known.excuses(one, strike, self.path, self.calls) for known in BY_DESIGN)]
        return [*(one for one in wrong if one not in meant), *unclear(answer, strike, struck)]

    def spots(self) -> list[tuple[str, int]]:
        """Every call: its operation, and the how-manieth of that it is."""
        return [(name, self.calls[: index + 1].count(name)) for index, name in enumerate(self.calls)]

    def first_and_last(self, operation: str) -> list[tuple[str, int]]:
        """The first and the last call of an operation, as `s3.PutObject`; one where there is but one."""
        return sorted({(operation, 1), (operation, self.calls.count(operation))})

    def told(self, strike: Strike, wrong: list[str]) -> str:
        """A case in words."""
        return f"{self.path}, {strike}: {'; '.join(wrong)}"

    def _index(self, strike: Strike) -> int:
        return self.spots().index((strike.operation, strike.call))


def unclear(answer: dict[str, Any] | None, strike: Strike, struck: bool) -> list[str]:
    """Why what the caller of the struck run got is no answer that helps; a killed one got none.

    Where the call that was to be struck never came, nothing was tried.
    """
    if not struck:
        return ["nothing was struck"]
    if strike.kills:
        return [] if answer is None else [f"the process lived on: {answer}"]
    body = answer["body"] if answer else {}
    if body.get("execution_status") in _UNTOLD and "unexpected" not in body["message"]:
        return []
    return [] if body.get("execution_status") in _TOLD else [f"an answer that does not help: {answer}"]


def begin(world: AwsWorld, path: str) -> None:
    """Begin anew, up to the invocation that is to be struck."""
    world.begin(WAITS if path == CANCELLED else PATHS.get(path, [SUCCEEDS]))
    if path in (CANCELLED, WOKEN_BY_EVENT, WOKEN_BY_TICK):
        world.invoke(WAITING)
    if path == SWEPT:
        # The last call of a run gives its lease back.
        world.invoke(EVENT, Strike("killed before", operation="dynamodb.DeleteItem", call=1))
        world.leave()
    if path in (SWEPT, WOKEN_BY_TICK):
        world.clock.sleep(PAST_A_LEASE)


def asked(world: AwsWorld, path: str) -> dict[str, Any]:
    """The event of the invocation that is to be struck."""
    if path == WOKEN_BY_EVENT:
        return world.job_event()
    return {CANCELLED: CANCEL, SWEPT: SWEEP, WOKEN_BY_TICK: SWEEP}.get(path, EVENT)


def course(world: AwsWorld, path: str, cold: bool = False) -> Course:
    """Let a run go undisturbed, and note how it went."""
    begin(world, path)
    calls = world.calls(asked(world, path), cold)
    undisturbed = world.recovered()
    expected = Expected(undisturbed, OLD, NEW, CANARY)
    assert undisturbed.response["statusCode"] == ENDS[path], undisturbed.response
    assert violations(undisturbed, expected) == []
    return Course(world, path, cold, calls, expected)
