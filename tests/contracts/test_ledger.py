"""Ledger: what the workflow relies on, on this machine and on AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from agent.errors import ConflictError
from tests.contracts.scene import Place
from tools.ports import Ledger
from tools.records import Launch, LaunchKey, LaunchState, RunRecord

RECORD = RunRecord("r1", 1, "sha", "ref", "compiler", "local", "embedded", "2026-01-01T00:00:00.000+00:00", "running")
SECOND = replace(RECORD, generation=2, earlier=RECORD.accepted_at)
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
    assert ledger.launches("nobody", 1) == []
    with pytest.raises(LookupError):
        ledger.new_generation(RECORD, RECORD)
    ledger.finish("nobody", 1, "success", "{}")
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
        ledger.finish(page[-1].run_id, 1, "success", "{}")
        page = ledger.runs(2, page[-1])
    assert (sorted(listed), listed[0]) == ([f"r{number}" for number in range(7)], "r6")


def test_a_finished_run_keeps_its_response(ledger: Ledger) -> None:
    """Being accepted again does not change it; other runs are not concerned."""
    ledger.accept(RECORD)
    ledger.accept(replace(RECORD, run_id="r2"))
    response = json.dumps({"statusCode": 200, "body": "grüße 🦊 " * 1000})
    ledger.finish("r1", 1, "success", response, ended_at="2026-01-02")
    done = replace(RECORD, status="success", response=response, ended_at="2026-01-02")
    assert ledger.run("r1") == done
    assert ledger.accept(RECORD) == done
    assert ledger.run("r2") == replace(RECORD, run_id="r2")


def test_a_new_generation_counts_up(ledger: Ledger) -> None:
    """And replaces the run's record, which keeps when the earlier ones were accepted."""
    ledger.accept(RECORD)
    ledger.finish("r1", 1, "failed", "{}")
    second = replace(RECORD, accepted_at="2026-01-02")
    stands = ledger.new_generation(RECORD, second)
    assert stands == ledger.run("r1") == replace(second, generation=2, earlier=RECORD.accepted_at)
    third = replace(RECORD, payload_sha="other", accepted_at="2026-01-03")
    assert ledger.new_generation(stands, third).generation == 3
    earlier = f"{RECORD.accepted_at} 2026-01-02"
    assert ledger.run("r1") == replace(third, generation=3, earlier=earlier)


def test_a_generation_follows_the_one_that_was_superseded_alone(ledger: Ledger) -> None:
    """A worker that slept while another one began the next is refused; what the other one began stands."""
    ledger.accept(RECORD)
    theirs = ledger.new_generation(RECORD, replace(RECORD, accepted_at="2026-01-02"))
    ledger.hop("r1", 2)
    with pytest.raises(ConflictError, match="restarted meanwhile"):
        ledger.new_generation(RECORD, replace(RECORD, accepted_at="2026-01-03"))
    assert ledger.run("r1") == replace(theirs, hops=1, lost=1)


@pytest.mark.parametrize("late", ["running", "failed", "cancelling", "success"])
def test_what_has_ended_stays_as_it_ended(ledger: Ledger, late: str) -> None:
    """A worker that was asleep while its run was cancelled changes nothing."""
    ledger.accept(RECORD)
    ledger.finish("r1", 1, "cancelled", "{}")
    ledger.finish("r1", 1, late, '{"late": true}')
    assert ledger.run("r1") == replace(RECORD, status="cancelled", response="{}")
    assert ledger.due() == []


@pytest.mark.parametrize("late", ["running", "publish_pending", "failed", "success", "announcing"])
@pytest.mark.parametrize("intent", ["cancelling", "overdue"])
def test_who_stops_a_run_alone_says_how_it_stands(ledger: Ledger, intent: str, late: str) -> None:
    """A worker that slept records nothing over the intent."""
    ledger.accept(RECORD)
    assert ledger.finish("r1", 1, intent, "", stopping=True)
    assert not ledger.finish("r1", 1, late, "{}")
    assert ledger.run("r1") == replace(RECORD, status=intent)
    assert ledger.finish("r1", 1, late, "{}", stopping=True)
    assert ledger.run("r1") == replace(RECORD, status=late, response="{}")


@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("late", ["running", "cancelling", "success", "announcing"])
def test_an_end_that_is_to_be_told_of_stands(ledger: Ledger, late: str, stopping: bool) -> None:  # noqa: FBT001
    """It is due until listeners know of it."""
    ledger.accept(RECORD)
    ledger.announced("r1", 1, "failed")
    assert ledger.finish("r1", 1, "announcing", "{}", ended_at="then")
    assert not ledger.finish("r1", 1, late, '{"late": true}', stopping=stopping, ended_at="later")
    ended = replace(RECORD, status="announcing", response="{}", ended_at="then")
    assert ledger.hop("r1", 1) == ledger.run("r1") == ended
    assert ledger.due() == ["r1"]
    ledger.announced("r1", 2, "cancelled")
    ledger.announced("r1", 1, "failed")
    ledger.announced("r1", 1, "success")
    assert ledger.run("r1") == replace(ended, status="failed")
    assert ledger.due() == []


@pytest.mark.parametrize("status", ["interrupted", "cancelling", "overdue", "publish_pending", "running"])
def test_what_has_not_ended_is_due(ledger: Ledger, status: str) -> None:
    """It has to be woken."""
    ledger.accept(RECORD)
    ledger.finish("r1", 1, status, "{}")
    assert ledger.due() == ["r1"]


def test_a_late_end_of_an_old_generation_changes_nothing(ledger: Ledger) -> None:
    """The newer one stands."""
    ledger.accept(RECORD)
    ledger.new_generation(RECORD, RECORD)
    ledger.finish("r1", 1, "failed", "{}")
    assert ledger.runs() == [SECOND]


def test_only_open_runs_are_due(ledger: Ledger) -> None:
    """Those that run, and those whose publish is to be tried again."""
    statuses = ("running", "publish_pending", "success", "failed", "cancelled", "awaiting_approval")
    for status in statuses:
        ledger.accept(replace(RECORD, run_id=status))
        ledger.finish(status, 1, status, "{}")
    ledger.accept(replace(RECORD, run_id="over", status="failed"))
    assert sorted(ledger.due()) == ["publish_pending", "running"]


def test_a_run_is_due_until_it_has_ended(ledger: Ledger) -> None:
    """And again when a new generation begins."""
    ledger.accept(RECORD)
    assert ledger.due() == ledger.due() == ["r1"]
    ledger.finish("r1", 1, "success", "{}")
    assert ledger.due() == []
    ledger.new_generation(RECORD, RECORD)
    assert ledger.due() == ["r1"]


def test_deadline_and_counts_come_back(ledger: Ledger) -> None:
    """As they were accepted; a new generation brings its own."""
    limited = replace(RECORD, deadline="2026-01-01T07:00:00.000+00:00")
    assert ledger.accept(limited) == limited
    ledger.hop("r1", 1)
    later = replace(RECORD, deadline="2026-01-02T07:00:00.000+00:00")
    following = ledger.new_generation(RECORD, later)
    assert following == ledger.run("r1") == replace(later, generation=2, earlier=RECORD.accepted_at)


def test_each_invocation_is_counted_until_the_run_gets_on(ledger: Ledger) -> None:
    """All of them in `hops`; in `lost` those since it got on."""
    ledger.accept(RECORD)
    counts = [(record.hops, record.lost) for record in (ledger.hop("r1", 1), ledger.hop("r1", 1))]
    ledger.settle("r1", 1)
    third = ledger.hop("r1", 1)
    assert [*counts, (third.hops, third.lost)] == [(1, 1), (2, 2), (3, 1)]
    assert ledger.run("r1") == third
    ledger.finish("r1", 1, "publish_pending", "{}")
    assert ledger.run("r1") == replace(third, status="publish_pending", response="{}")


@pytest.mark.parametrize("status", ["unavailable", "interrupted", "publish_pending", "running"])
def test_an_invocation_makes_its_run_running(ledger: Ledger, status: str) -> None:
    """Should it die, the run is woken; the deadline is the old one unless another is given."""
    ledger.accept(replace(RECORD, deadline="then"))
    ledger.finish("r1", 1, status, "{}")
    assert (ledger.hop("r1", 1).status, ledger.due()) == ("running", ["r1"])
    assert [ledger.hop("r1", 1).deadline, ledger.hop("r1", 1, "later").deadline] == ["then", "later"]


@pytest.mark.parametrize("status", ["success", "failed", "cancelled", "cancelling", "overdue"])
def test_what_ends_or_has_ended_is_not_counted(ledger: Ledger, status: str) -> None:
    """Nor an older generation; what stands recorded is told."""
    ledger.accept(RECORD)
    ledger.finish("r1", 1, status, "{}")
    assert ledger.hop("r1", 1, "later") == ledger.run("r1") == replace(RECORD, status=status, response="{}")
    ledger.new_generation(RECORD, RECORD)
    assert ledger.hop("r1", 1) == SECOND
    ledger.hop("r1", 2)
    ledger.settle("r1", 1)
    assert ledger.run("r1") == replace(SECOND, hops=1, lost=1)


@pytest.mark.parametrize("intent", ["cancelling", "overdue"])
def test_a_run_that_is_being_stopped_does_not_get_on(ledger: Ledger, intent: str) -> None:
    """A worker that slept finishes its step: why the run is being stopped stays on record."""
    ledger.accept(RECORD)
    counted = [ledger.hop("r1", 1) for _ in range(5)][-1]
    ledger.finish("r1", 1, intent, "", stopping=True)
    ledger.settle("r1", 1)
    assert ledger.run("r1") == replace(counted, status=intent)


@pytest.mark.parametrize("status", ["unavailable", "invalid", "interrupted", "running", "publish_pending"])
def test_how_a_run_stands_is_the_newest_invocation_s_to_say(ledger: Ledger, status: str) -> None:
    """Who counted itself in and was overtaken changes nothing; who does not count itself, or stops the run, does."""
    ledger.accept(RECORD)
    late, newest = ledger.hop("r1", 1), ledger.hop("r1", 1)
    assert not ledger.finish("r1", 1, status, "{}", hops=late.hops)
    assert (ledger.run("r1"), ledger.due()) == (newest, ["r1"])
    assert ledger.finish("r1", 1, status, "{}", hops=newest.hops)
    assert ledger.run("r1") == replace(newest, status=status, response="{}")
    assert ledger.finish("r1", 1, "running", "")


def test_an_unknown_run_is_not_counted(ledger: Ledger) -> None:
    """It is an error, and leaves no trace."""
    with pytest.raises(LookupError):
        ledger.hop("nobody", 1)
    ledger.settle("nobody", 1)
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
    assert [launch.key for launch in ledger.launches("r1", 1)] == keys[::-1]


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
    assert ledger.launches("r1", 1) == [replace(started, state="CLEANED")]


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


def test_every_state_of_a_launch_comes_back(ledger: Ledger) -> None:
    """In the order in which a launch passes through them."""
    states: tuple[LaunchState, ...] = ("PLANNED", "INTENT", "STARTED", "TERMINAL", "CLEANED")
    for state in states:
        launch = Launch(KEY, state, "job", "" if state in ("PLANNED", "INTENT") else "jr_1")
        ledger.advance(launch)
        assert ledger.launch(KEY) == launch
