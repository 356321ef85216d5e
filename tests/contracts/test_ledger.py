"""Ledger: what the workflow relies on, on this machine and on AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from agent.errors import ConflictError
from agent.launch_status import STATES, may_follow
from agent.names import LaunchKey, RunKey
from agent.run_status import EVENTS, STATUSES, RunEvent, after, allowed_from, is_open, target
from tests.contracts.scene import Place
from tools.ports import Ledger
from tools.records import Change, Launch, RunRecord

RECORD = RunRecord("r1", 1, "sha", "ref", "compiler", "local", "embedded", "2026-01-01T00:00:00.000+00:00", "running")
RUN, RUN2, NOBODY = RunKey("r1", 1), RunKey("r1", 2), RunKey("nobody", 1)
KEY = LaunchKey("r1", 1, 1, 1)


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    """Open an empty ledger."""
    with place.ledger() as made:
        yield made


def test_a_run_is_accepted_once(ledger: Ledger) -> None:
    """The second one is told what stands recorded."""
    assert ledger.accept(RECORD) == RECORD
    assert ledger.accept(replace(RECORD, payload_sha="other")) == RECORD


def test_an_unknown_run_is_none(ledger: Ledger) -> None:
    """It has no launches, and no generation can follow."""
    assert ledger.run("nobody") is None
    assert ledger.runs() == []
    assert ledger.due() == []
    assert ledger.launches(NOBODY) == []
    with pytest.raises(LookupError):
        ledger.new_generation(RECORD, RECORD)
    assert not ledger.change(NOBODY, Change("succeed", "{}"))
    assert ledger.run("nobody") is None


def test_the_newest_runs_are_listed_first(ledger: Ledger) -> None:
    """As many as were asked for."""
    for day in (2, 1, 3):
        ledger.accept(replace(RECORD, run_id=f"r{day}", accepted_at=f"2026-01-0{day}T00:00:00.000+00:00"))
    assert [record.run_id for record in ledger.runs()] == ["r3", "r2", "r1"]
    assert [record.run_id for record in ledger.runs(limit=2)] == ["r3", "r2"]


def test_older_runs_are_listed_page_by_page(ledger: Ledger) -> None:
    """Each once, also where many were accepted in one moment, and where one of an earlier page has changed since."""
    for number in range(7):
        ledger.accept(replace(RECORD, run_id=f"r{number}", accepted_at=f"2026-01-01T00:00:00.00{number // 3}+00:00"))
    listed: list[str] = []
    page = ledger.runs(limit=2)
    while page:
        listed += [record.run_id for record in page]
        ledger.change(page[-1].key, Change("succeed", "{}"))
        page = ledger.runs(2, page[-1])
    assert (sorted(listed), listed[0]) == ([f"r{number}" for number in range(7)], "r6")


def happen(ledger: Ledger, record: RunRecord, event: RunEvent) -> bool:
    """Let an event happen to a run; whether the ledger recorded it."""
    if event == "drive":
        return ledger.hop(record.key) != record
    if event == "settle":
        ledger.settle(record.key)
        return ledger.run(record.run_id) != record
    if event == "restart":
        try:
            return ledger.new_generation(record, replace(record, status="running")).generation == 2
        except ConflictError:
            return False
    return ledger.change(record.key, Change(event, "{}", "then"))


@pytest.mark.parametrize("event", EVENTS)
def test_the_table_of_statuses_is_what_a_ledger_records(ledger: Ledger, event: RunEvent) -> None:
    """For every status: an event that the table allows leads where the table says; another one changes nothing."""
    for status in STATUSES:
        record = replace(RECORD, run_id=status, status=status, response="{1}", hops=1, lost=1)
        ledger.accept(record)
        recorded, stands = happen(ledger, record, event), ledger.run(status)
        expected = after(status, event)
        assert (recorded, stands == record) == (expected is not None, expected is None), status
        assert stands is not None
        assert stands.status == (expected or status), status
        assert (status in ledger.due()) == is_open(stands.status), status


def test_an_end_keeps_its_response(ledger: Ledger) -> None:
    """Being accepted again does not change it; other runs are not concerned."""
    ledger.accept(RECORD)
    ledger.accept(replace(RECORD, run_id="r2"))
    response = json.dumps({"statusCode": 200, "body": "grüße 🦊 " * 1000})
    ledger.change(RUN, Change("succeed", response, "2026-01-02"))
    done = replace(RECORD, status="success", response=response, ended_at="2026-01-02")
    assert ledger.run("r1") == done
    assert ledger.accept(RECORD) == done
    assert ledger.run("r2") == replace(RECORD, run_id="r2")


def test_an_event_without_a_response_keeps_the_recorded_one(ledger: Ledger) -> None:
    """And the time of the end: whoever tells listeners changes nothing else."""
    ledger.accept(RECORD)
    ledger.change(RUN, Change("announce", "{}", "then"))
    ledger.change(RUN, Change("told_failed"))
    assert ledger.run("r1") == replace(RECORD, status="failed", response="{}", ended_at="then")


def test_a_new_generation_counts_up(ledger: Ledger) -> None:
    """And replaces the run's record."""
    ledger.accept(RECORD)
    ledger.change(RUN, Change("fail", "{}"))
    second = replace(RECORD, accepted_at="2026-01-02")
    stands = ledger.new_generation(RECORD, second)
    assert stands == ledger.run("r1") == replace(second, generation=2)
    ledger.change(RUN2, Change("fail", "{}"))
    third = replace(RECORD, payload_sha="other", accepted_at="2026-01-03")
    assert ledger.new_generation(stands, third).generation == 3
    assert ledger.run("r1") == replace(third, generation=3)


def test_a_generation_follows_the_one_that_was_superseded_alone(ledger: Ledger) -> None:
    """A worker that slept while another one began the next is refused; what the other one began stands."""
    ledger.accept(RECORD)
    ledger.change(RUN, Change("cancel"))
    theirs = ledger.new_generation(RECORD, replace(RECORD, accepted_at="2026-01-02"))
    ledger.change(RUN2, Change("cancel"))
    with pytest.raises(ConflictError, match="has changed meanwhile"):
        ledger.new_generation(RECORD, replace(RECORD, accepted_at="2026-01-03"))
    assert ledger.run("r1") == replace(theirs, status="cancelling")


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "restart"])
def test_an_event_of_an_old_generation_changes_nothing(ledger: Ledger, event: RunEvent) -> None:
    """The newer one stands, whatever its status allows."""
    for status in allowed_from(event):
        record = replace(RECORD, run_id=status, status=status, generation=2, hops=1, lost=1)
        ledger.accept(record)
        happen(ledger, replace(record, generation=1), event)
        assert ledger.run(status) == record


def test_a_run_is_due_until_it_has_ended(ledger: Ledger) -> None:
    """And again when a new generation begins."""
    ledger.accept(RECORD)
    assert ledger.due() == ledger.due() == ["r1"]
    ledger.change(RUN, Change("succeed", "{}"))
    assert ledger.due() == []
    ledger.new_generation(RECORD, RECORD)
    assert ledger.due() == ["r1"]


def test_deadline_and_counts_come_back(ledger: Ledger) -> None:
    """As they were accepted; a new generation brings its own."""
    limited = replace(RECORD, deadline="2026-01-01T07:00:00.000+00:00")
    assert ledger.accept(limited) == limited
    ledger.hop(RUN)
    ledger.change(RUN, Change("cancel"))
    later = replace(RECORD, deadline="2026-01-02T07:00:00.000+00:00")
    following = ledger.new_generation(RECORD, later)
    assert following == ledger.run("r1") == replace(later, generation=2)


def test_each_invocation_is_counted_until_the_run_gets_on(ledger: Ledger) -> None:
    """All of them in `hops`; in `lost` those since it got on."""
    ledger.accept(RECORD)
    counts = [(record.hops, record.lost) for record in (ledger.hop(RUN), ledger.hop(RUN))]
    ledger.settle(RUN)
    third = ledger.hop(RUN)
    assert [*counts, (third.hops, third.lost)] == [(1, 1), (2, 2), (3, 1)]
    assert ledger.run("r1") == third
    ledger.change(RUN, Change("postpone", "{}"))
    assert ledger.run("r1") == replace(third, status="publish_pending", response="{}")


def test_an_invocation_may_bring_another_deadline(ledger: Ledger) -> None:
    """The old one stands unless another is given."""
    ledger.accept(replace(RECORD, deadline="then"))
    assert [ledger.hop(RUN).deadline, ledger.hop(RUN, "later").deadline] == ["then", "later"]


@pytest.mark.parametrize("event", ["refuse", "reject", "interrupt", "suspend", "postpone"])
def test_how_a_run_stands_is_the_newest_invocation_s_to_say(ledger: Ledger, event: RunEvent) -> None:
    """A worker that counted itself in and was overtaken changes nothing; one that does not count itself does."""
    ledger.accept(RECORD)
    late, newest = ledger.hop(RUN), ledger.hop(RUN)
    assert not ledger.change(RUN, Change(event, "{}", hops=late.hops))
    assert (ledger.run("r1"), ledger.due()) == (newest, ["r1"])
    assert ledger.change(RUN, Change(event, "{}", hops=newest.hops))
    assert ledger.run("r1") == replace(newest, status=target(event), response="{}")
    assert ledger.change(RUN, Change("cancel"))


def test_an_unknown_run_is_not_counted(ledger: Ledger) -> None:
    """It is an error, and leaves no trace."""
    with pytest.raises(LookupError):
        ledger.hop(NOBODY)
    ledger.settle(NOBODY)
    assert ledger.run("nobody") is None


def test_runs_fall_due_in_turn(ledger: Ledger) -> None:
    """Where there are more than are asked for none is left out; a new one comes first."""
    for number in range(4):
        ledger.accept(replace(RECORD, run_id=f"r{number}"))
    first, second = ledger.due(limit=2), ledger.due(limit=2)
    assert sorted(first + second) == ["r0", "r1", "r2", "r3"]
    assert sorted(ledger.due(limit=2)) == sorted(first)
    ledger.accept(replace(RECORD, run_id="r9"))
    assert ledger.due(limit=1) == ["r9"]


def test_launches_are_listed_in_order(ledger: Ledger) -> None:
    """By attempt and launch, of one generation."""
    keys = [LaunchKey("r1", 1, attempt, launch) for attempt, launch in ((2, 1), (1, 10), (1, 2))]
    for key in [*keys, LaunchKey("r1", 2, 1, 1), LaunchKey("r1", 10, 1, 1), LaunchKey("r2", 1, 1, 1)]:
        ledger.advance(Launch(key, "PLANNED", "job"))
    assert [launch.key for launch in ledger.launches(RUN)] == keys[::-1]


def test_a_launch_s_state_may_be_recorded_again(ledger: Ledger) -> None:
    """A node that runs twice after a crash says the same again; a refused step changes nothing."""
    started = Launch(KEY, "STARTED", "job", "jr_1")
    ledger.advance(started)
    ledger.advance(started)
    with pytest.raises(ValueError, match="cannot go back"):
        ledger.advance(replace(started, state="PLANNED"))
    assert ledger.launch(KEY) == started
    assert ledger.launch(replace(KEY, attempt=2)) is None
    ledger.advance(replace(started, state="CLEANED"))
    assert ledger.launches(RUN) == [replace(started, state="CLEANED")]


@pytest.mark.parametrize("step", [Launch(KEY, "INTENT", "job", "jr_1"), Launch(KEY, "TERMINAL", "job", "jr_2")])
def test_a_launch_never_goes_back_nor_changes_its_job_run(ledger: Ledger, step: Launch) -> None:
    """Either would mean that two workers are at it."""
    ledger.advance(Launch(KEY, "STARTED", "job", "jr_1"))
    with pytest.raises(ValueError, match="launch"):
        ledger.advance(step)


def test_of_two_workers_one_records_its_job_run(ledger: Ledger) -> None:
    """However close they are, the others are refused."""
    ledger.advance(Launch(KEY, "INTENT", "job"))
    refused: list[str] = []
    at_once = threading.Barrier(4)

    def start(job_run_id: str) -> None:
        at_once.wait()
        try:
            ledger.advance(Launch(KEY, "STARTED", "job", job_run_id))
        except ValueError:
            refused.append(job_run_id)

    workers = [threading.Thread(target=start, args=(f"jr_{number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    launch = ledger.launch(KEY)
    assert launch is not None
    assert sorted([*refused, launch.job_run_id]) == ["jr_0", "jr_1", "jr_2", "jr_3"]


def test_the_table_of_states_is_what_a_ledger_records(ledger: Ledger) -> None:
    """For every two states of a launch: a step that the table allows is recorded; another one changes nothing."""
    for number, (before, state) in enumerate(product(STATES, STATES)):
        known = Launch(replace(KEY, launch=number), before, "job")
        step = replace(known, state=state)
        ledger.advance(known)
        if may_follow(before, state):
            ledger.advance(step)
        else:
            with pytest.raises(ValueError, match="cannot go back"):
                ledger.advance(step)
        assert ledger.launch(known.key) == (step if may_follow(before, state) else known)
