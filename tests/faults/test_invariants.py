"""The invariants see what they are there for: evidence of each kind of damage is told under its number."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.invariants import Evidence, Expected, Tables, ended_in_time, violations
from tests.faults.tables import NEW, OLD

JOB = "datamorph-job-r1-g1-a1-l1-01234567"
RESPONSE: dict[str, Any] = {"statusCode": 200, "body": {"execution_status": "success", "job_run_id": "jr_01234567"}}
EVENT = {"run_id": "r1", "generation": 1, "execution_status": "success"}
SOUND = Evidence(
    run_id="r1",
    runs={JOB: 1},
    live_at_starts=[0],
    jobs=[],
    staging=[],
    leases=[],
    seen=[OLD, NEW],
    published=1,
    state={"status": "success", "accepted_at": "2026-01-01T00:00:00.000+00:00", "job_run_id": "jr_01234567"},
    response=RESPONSE,
    status="success",
    recorded=json.dumps(RESPONSE),
    launches=["CLEANED"],
    due=[],
    events=[EVENT],
    texts=[("log", "handler.answered")],
)
EXPECTED = Expected(SOUND, OLD, NEW, canary="s3/cret")
OTHER = {**RESPONSE, "body": {**RESPONSE["body"], "execution_status": "failed"}}

DAMAGE: list[tuple[str, dict[str, Any]]] = [
    ("I1", {"runs": {JOB: 2}}),
    ("I1", {"runs": {JOB: 1, JOB.replace("01234567", "89abcdef"): 1}}),
    ("I1", {"live_at_starts": [0, 1]}),
    ("I2", {"runs": {JOB.replace("-a1-", f"-a{attempt}-"): 1 for attempt in (1, 2, 3)}}),
    ("I3", {"jobs": [JOB]}),
    ("I3", {"staging": ["s_20260101_012345678901_012345678901"]}),
    ("I3", {"leases": ["r1"]}),
    ("I3", {"launches": ["TERMINAL"]}),
    ("I3", {"due": ["r1"]}),
    ("I4", {"seen": [OLD, Tables([], []), NEW]}),
    ("I4", {"seen": [Tables([("a", Decimal("3.50"))], NEW.referencing), NEW]}),
    ("I4", {"seen": [Tables(NEW.target, []), NEW]}),
    ("I4", {"seen": [OLD]}),
    ("I4", {"published": 2}),
    ("I4", {"published": 0}),
    ("I4", {"status": "failed", "seen": [OLD]}),
    ("I5", {"state": {**SOUND.state, "attempt": 2}}),
    ("I5", {"response": OTHER, "recorded": json.dumps(OTHER)}),
    ("I6", {"recorded": ""}),
    ("I6", {"recorded": json.dumps(OTHER)}),
    ("I6", {"status": "running"}),
    ("I6", {"events": []}),
    ("I6", {"events": [EVENT, EVENT]}),
    ("I6", {"events": [EVENT, {**EVENT, "execution_status": "failed"}]}),
    ("I7", {"texts": [("log", "password=s3/cret")]}),
    ("I7", {"texts": [("log", "postgresql%3A%2F%2Fetl%3As3%2Fcret%40db")]}),
    *[("I7", {"texts": [("log", b64encode(b"etl:"[n:] + b"s3/cret@db").decode())]}) for n in range(3)],
]


def test_what_is_sound_breaks_nothing() -> None:
    """Also at another time and under another job run's id."""
    state = {"status": "success", "accepted_at": "2027-01-01T00:00:00.000+00:00", "job_run_id": "jr_76543210"}
    response = json.loads(json.dumps(RESPONSE).replace("jr_01234567", "jr_76543210"))
    other = replace(SOUND, state=state, response=response, recorded=json.dumps(response))
    assert violations(SOUND, EXPECTED) == violations(other, EXPECTED) == []


@pytest.mark.parametrize(("invariant", "damage"), DAMAGE)
def test_damage_is_seen(invariant: str, damage: dict[str, Any]) -> None:
    """Under the number of the invariant that it breaks."""
    told = violations(replace(SOUND, **damage), EXPECTED)
    assert invariant in {one.partition(":")[0] for one in told}, told


@pytest.mark.parametrize(("status", "told"), [("running", 1), ("overdue", 1), ("announcing", 1), ("failed", 0)])
def test_a_run_past_a_limit_is_open_no_more(status: str, told: int) -> None:
    """I8, of a run that was woken after its deadline, or after too many invocations that came to nothing."""
    assert len(ended_in_time(status, "its deadline")) == told


def test_an_event_may_come_again_only_where_that_is_said() -> None:
    """And then it is the same one."""
    assert violations(replace(SOUND, events=[EVENT] * 3), EXPECTED, told_again=True) == []
    differing = replace(SOUND, events=[EVENT, {**EVENT, "attempts": 2}])
    assert violations(differing, EXPECTED, told_again=True) != []
