"""The limits of a run: its deadline, and invocations that come to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.errors import ConflictError, EngineError, PublishError, UnavailableError
from agent.names import RunKey
from agent.settings import LONGEST_DEADLINE_MINUTES, load_settings
from runs.actions import Actions
from runs.limits import MAX_LOST, orphan_date, renewed_deadline
from runs.service import Service
from tests.runs.scene import (
    LONG,
    MINUTES,
    REPLY,
    SETTINGS,
    Bench,
    Listening,
    Woken,
    act,
    ask,
    event,
    job_event,
    later,
    recorded,
    refused,
    swept,
    wake,
)
from tools.fakes import FakeJobs, FakeModel, PlannedRun
from tools.records import RunRecord

MakeBench = Callable[..., Bench]


def test_a_run_that_is_woken_after_its_deadline_is_stopped_and_fails(bench: MakeBench) -> None:
    """422 with class `deadline`: the job is stopped, definition and staging are gone, and listeners hear it once."""
    made, listener = bench(jobs=FakeJobs(LONG)), Listening()
    begun = ask(made, event(options={"wait": "event"}))
    answer = wake(later(made, MINUTES, listener))
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"]) == (422, "failed")
    assert (body["diagnosis"]["failure_class"], body["attempts"]) == ("deadline", 1)
    assert body["job_run_id"] == begun["body"]["job_run_id"]
    (name,) = made.jobs.started
    assert [run.state for run in made.jobs.list_runs(name)] == ["STOPPED"]
    assert made.jobs._jobs == {}
    assert (len(made.database.dropped), made.database.published) == (1, {})
    assert [(one.run_id, one.execution_status) for one in listener.told] == [("run_1", "failed")]
    assert swept(made) == []
    assert act(made, "status") == wake(later(made, MINUTES, listener)) == ask(made, event()) == answer
    assert len(listener.told) == 1
    lines = (made.folder / "journal" / "run_1.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["log_entry"]["title"] == "run failed"


def test_a_run_goes_on_until_its_deadline(bench: MakeBench) -> None:
    """A minute before it there is time."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=1)))
    ask(made, event(options={"wait": "event"}))
    assert wake(later(made, MINUTES - 1))["statusCode"] == 200


def test_the_deadline_is_a_setting(bench: MakeBench) -> None:
    """In minutes from the acceptance; a restart has all of it again."""
    made = bench(jobs=FakeJobs(LONG, LONG), settings=load_settings({**SETTINGS, "deadline_minutes": 30}, {}))
    ask(made, event(options={"wait": "event"}))
    assert recorded(made).deadline == "2023-11-14T22:43:20.000+00:00"
    assert wake(later(made, 29))["statusCode"] == 202
    restarted = Actions(later(made, 29), Woken()).service.run(event(options={"restart": True, "wait": "event"}))
    assert restarted["statusCode"] == 202
    assert recorded(made).deadline == "2023-11-14T23:12:20.000+00:00"
    assert wake(later(made, 60))["body"]["diagnosis"]["failure_class"] == "deadline"


def test_an_event_after_the_deadline_ends_the_run(bench: MakeBench) -> None:
    """The event wakes it too late."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=1)))
    ask(made, event(options={"wait": "event"}))
    answer = Actions(later(made, MINUTES), Woken()).on_job_event(job_event(made))
    assert answer["body"]["diagnosis"]["failure_class"] == "deadline"


def test_what_is_published_already_is_finished_after_the_deadline(bench: MakeBench) -> None:
    """The rows are in the target: to call it failed would be a lie."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    made.database.withdraw = lambda key, why: False  # type: ignore[method-assign]
    answer = wake(later(made, MINUTES))
    assert answer["body"]["execution_status"] == "success"


def test_a_pending_publish_ends_at_the_deadline(bench: MakeBench) -> None:
    """The target stays as it is, and its staging is dropped."""
    made = bench()
    made.database.refusals = [PublishError("transient", "lock timeout")] * 9
    assert ask(made, event())["body"]["execution_status"] == "publish_pending"
    assert wake(later(made, MINUTES))["statusCode"] == 422
    assert (made.database.published, len(made.database.dropped)) == ({}, 1)


def test_an_end_that_is_cut_off_is_gone_on_with(bench: MakeBench) -> None:
    """The job did not stop in time; the next wake ends the run, and it still is `failed`, not cancelled."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=300)))
    ask(made, event())
    assert wake(later(made, MINUTES))["statusCode"] == 503
    assert (recorded(made).status, swept(made)) == ("overdue", ["run_1"])
    answer = wake(later(made, MINUTES))
    assert (answer["statusCode"], answer["body"]["diagnosis"]["failure_class"]) == (422, "deadline")


def test_an_overdue_run_is_not_ended_from_another_database(bench: MakeBench) -> None:
    """Its rows cannot be seen from there."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    assert replace(later(made, MINUTES), database="elsewhere").resume("run_1")["statusCode"] == 409
    assert recorded(made).status == "running"


def test_a_refused_start_has_all_its_time_when_it_is_asked_for_again(bench: MakeBench) -> None:
    """Nothing was launched before: a day later the same request goes on, and what it launches is not overdue."""
    made = bench(model=FakeModel([]), jobs=FakeJobs(LONG))
    assert ask(made, event())["statusCode"] == 503
    made.model._answers = [REPLY]
    begun = later(made, 1440).run(event())
    assert begun["statusCode"] == 202
    assert wake(later(made, 1450))["statusCode"] == 200


def test_a_step_that_keeps_breaking_is_not_woken_for_ever(bench: MakeBench) -> None:
    """After so many invocations that came to nothing the run fails, its job is stopped, and nothing is left."""
    made, listener = bench(jobs=FakeJobs(LONG)), Listening()
    ask(made, event(options={"wait": "event"}))
    with refused(made, "get", ZeroDivisionError("a bug")):
        for _ in range(MAX_LOST):
            with pytest.raises(ZeroDivisionError):
                wake(later(made, 0, listener))
            assert swept(made) == ["run_1"]
    answer = wake(later(made, 0, listener))
    assert (answer["statusCode"], answer["body"]["diagnosis"]["failure_class"]) == (422, "no_progress")
    assert (swept(made), made.jobs._jobs, len(listener.told)) == ([], {}, 1)


def test_a_process_that_keeps_dying_is_not_begun_for_ever(bench: MakeBench) -> None:
    """As one that takes more memory than the function has: it leaves no error, and is counted all the same."""
    made = bench(jobs=FakeJobs(LONG))

    def die(*_: Any) -> None:
        raise SystemExit

    ask(made, event(options={"wait": "event"}))
    whole, made.jobs.get = made.jobs.get, die  # type: ignore[assignment,method-assign]
    deaths = 0
    while recorded(made).lost < MAX_LOST and deaths < 20:
        with pytest.raises(SystemExit):
            wake(made.service())
        deaths += 1
    made.jobs.get = whole  # type: ignore[method-assign]
    diagnosis = wake(made.service())["body"]["diagnosis"]
    assert (diagnosis["failure_class"], deaths) == ("no_progress", 5)
    assert diagnosis["root_cause"].startswith("5 invocations in a row")


def cut_off(made: Bench, service: Service) -> None:
    """Let a process die right after it recorded that it ends the run."""

    def die(*_: Any) -> None:
        raise SystemExit

    whole, made.database.withdraw = made.database.withdraw, die  # type: ignore[assignment,method-assign]
    with pytest.raises(SystemExit):
        wake(service)
    made.database.withdraw = whole  # type: ignore[method-assign]
    assert recorded(made).status == "overdue"


def test_a_worker_that_slept_keeps_no_run_from_its_end(bench: MakeBench) -> None:
    """It completes its step while the run is being ended for the invocations that were lost."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event(options={"wait": "event"}))
    ledger = made.service().tools.ledger
    while recorded(made).lost < MAX_LOST:
        ledger.hop(RunKey("run_1", 1))
    cut_off(made, made.service())
    ledger.settle(RunKey("run_1", 1))
    assert wake(made.service())["body"]["diagnosis"]["failure_class"] == "no_progress"


def test_an_end_that_was_begun_is_gone_on_with_by_a_slower_clock(bench: MakeBench) -> None:
    """By that one the deadline is still to come."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event(options={"wait": "event"}))
    cut_off(made, later(made, MINUTES))
    answer = wake(later(made, MINUTES - 1))
    assert (answer["statusCode"], answer["body"]["diagnosis"]["failure_class"]) == (422, "deadline")


def test_an_outage_is_outlasted(bench: MakeBench) -> None:
    """A service that refuses for hours costs no run: the deadline is its limit."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=1)))
    ask(made, event(options={"wait": "event"}))
    for error in (UnavailableError("glue", "throttled"), EngineError("InternalServiceException", "no")):
        with refused(made, "get", error, times=99):
            for _ in range(MAX_LOST + 2):
                assert wake(made.service())["statusCode"] == 503
    assert wake(made.service())["statusCode"] in (200, 202)
    assert recorded(made).hops > 2 * MAX_LOST


def test_many_wakes_of_a_long_job_are_no_loss(bench: MakeBench) -> None:
    """It is looked at every few minutes for hours."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=40)))
    ask(made, event(options={"wait": "event"}))
    for _ in range(3 * MAX_LOST):
        assert wake(made.service())["statusCode"] == 202
    assert (recorded(made).hops, recorded(made).lost) == (3 * MAX_LOST + 1, 0)


def test_no_open_run_has_a_staging_table_that_counts_as_an_orphan() -> None:
    """A refused run may begin anew for a week, with the longest deadline. Its tables bear the date of acceptance."""
    day, accepted = 86_400.0, datetime(2026, 1, 1, tzinfo=UTC)
    record = RunRecord("r1", 1, "sha", "ref", "fake", "glue", "db", accepted.isoformat(), "unavailable")
    begins = accepted.timestamp() + 7 * day
    ends = datetime.fromisoformat(renewed_deadline(record, begins, LONGEST_DEADLINE_MINUTES)).timestamp()
    assert orphan_date(ends) < "20260101" < orphan_date(ends + 4 * day)
    with pytest.raises(ConflictError, match=r"accepted on 2026-01-01.*set options\.restart"):
        renewed_deadline(record, begins + 1, 60)
