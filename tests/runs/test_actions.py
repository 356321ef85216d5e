"""Actions on a known run, and the events that wake runs."""

from __future__ import annotations

import pytest
from langgraph.runtime import RunControl

from agent.errors import PublishError
from graph.response import Response
from runs.dispatch import JOB_EVENT
from tests.runs.scene import LONG, SCRIPT_FAILED, MakeBench, Woken, act, ask, event, job_event
from tools.fakes import FakeJobs, PlannedRun


def paths(response: Response) -> set[str]:
    assert response["statusCode"] == 400
    return {error["path"] for error in response["body"]["errors"]}


def test_status_tells_how_far_a_run_is_and_starts_nothing(bench: MakeBench) -> None:
    """A suspended run is running, with its job run; one that has ended gives its recorded answer."""
    made = bench(jobs=FakeJobs(LONG))
    begun = ask(made, event())
    before = made.jobs.list_runs(made.jobs.started[0])
    status = act(made, "status")
    assert (status["statusCode"], status["body"]["execution_status"]) == (202, "running")
    assert status["body"]["job_run_id"] == begun["body"]["job_run_id"] == before[0].job_run_id
    assert made.jobs.list_runs(made.jobs.started[0]) == before
    ended = act(made, "resume")
    assert ended["statusCode"] == 200
    assert act(made, "status") == ended


@pytest.mark.parametrize("run_id", ["nobody", "x" * 3000, "\ud800", "../run_1", "run_1\n", "a\0b"])
def test_an_unknown_run_is_refused_by_every_action(bench: MakeBench, run_id: str) -> None:
    """400 at `run_id`, also where it could be no run's; no lease is taken for it."""
    made = bench()
    for action in ("status", "resume", "cancel"):
        assert paths(act(made, action, run_id)) == {"run_id"}
    assert not (made.folder / "leases").exists()


def test_cancelling_stops_the_job_and_leaves_the_target(bench: MakeBench) -> None:
    """410; staging is dropped, the definition deleted, and no later request or event brings the run back."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    late = job_event(made)
    cancelled = act(made, "cancel")
    assert (cancelled["statusCode"], cancelled["body"]["execution_status"]) == (410, "cancelled")
    (job_name,) = made.jobs.started
    assert [run.state for run in made.jobs.list_runs(job_name)] == ["STOPPED"]
    assert made.database.published == {}
    assert len(made.database.dropped) == 1
    assert act(made, "resume") == act(made, "cancel") == ask(made, event()) == cancelled
    assert ask(made, late)["body"]["execution_status"] == "ignored"
    assert made.jobs.started == [job_name]


def test_cancelling_a_run_that_has_ended_changes_nothing(bench: MakeBench) -> None:
    """Its answer stands."""
    made = bench()
    done = ask(made, event())
    assert act(made, "cancel") == done


def test_cancelling_what_is_published_already_finishes_it(bench: MakeBench) -> None:
    """The rows are in the target: to call it cancelled would be a lie."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    made.database.withdraw = lambda key, why: False  # type: ignore[method-assign]
    assert act(made, "cancel")["body"]["execution_status"] == "success"
    assert list(made.database.published) == [("run_1", 1)]


def test_a_busy_run_is_not_cancelled(bench: MakeBench) -> None:
    """409, and the worker that holds it goes on."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    with made.service().tools.lease.hold("run_1"):
        assert act(made, "cancel")["statusCode"] == 409
    assert act(made, "resume")["statusCode"] == 200


def test_an_event_lets_its_run_look_at_its_job(bench: MakeBench) -> None:
    """With `options.wait: event` the call suspends at once, and the event's call publishes."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=1)))
    begun = ask(made, event(options={"wait": "event"}))
    assert begun["statusCode"] == 202
    assert made.database.published == {}
    assert ask(made, job_event(made))["statusCode"] == 200
    assert list(made.database.published) == [("run_1", 1)]
    assert len(made.jobs.started) == 1


def test_an_early_event_changes_nothing(bench: MakeBench) -> None:
    """It says SUCCEEDED while the job still runs: the job is asked, not the event."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=3)))
    ask(made, event(options={"wait": "event"}))
    assert ask(made, job_event(made))["statusCode"] == 202
    assert made.database.published == {}


@pytest.mark.parametrize("again", [1, 2])
def test_a_duplicate_event_is_ignored(bench: MakeBench, again: int) -> None:
    """The run does not wait for that job run any more."""
    made = bench()
    ask(made, event())
    told = [ask(made, job_event(made)) for _ in range(again)]
    assert {t["body"]["execution_status"] for t in told} == {"ignored"}
    assert len(made.jobs.started) == 1


def test_an_event_of_another_job_run_is_ignored(bench: MakeBench) -> None:
    """As one that was forged, or one of the first attempt while the second runs."""
    made = bench(jobs=FakeJobs(SCRIPT_FAILED, LONG))
    ask(made, event())
    first, second = made.jobs.started
    stale = job_event(made, jobName=first, jobRunId=made.jobs.list_runs(first)[0].job_run_id)
    for late in (stale, job_event(made, jobRunId="jr_" + 64 * "0"), job_event(made, jobName=first)):
        assert ask(made, late)["body"]["execution_status"] == "ignored"
    assert ask(made, job_event(made, jobName=second))["statusCode"] == 200


@pytest.mark.parametrize(
    "name",
    [
        "datamorph-job-other-g1-a1-l1-01234567",
        "nightly-load",
        "datamorph-job-x",
        f"datamorph-job-{'x' * 3000}-g1-a1-l1-01234567",
        "datamorph-job-\ud800-g1-a1-l1-01234567",
    ],
)
def test_an_event_of_an_unknown_run_is_ignored(bench: MakeBench, name: str) -> None:
    """200, and the message names the job."""
    made = bench()
    ask(made, event())
    told = ask(made, job_event(made, jobName=name))
    assert (told["statusCode"], told["body"]["execution_status"]) == (200, "ignored")
    assert name in told["body"]["message"]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (None, {"detail.jobName", "detail.jobRunId"}),
        ("text", {"detail.jobName", "detail.jobRunId"}),
        ({"jobName": "j"}, {"detail.jobRunId"}),
        ({"jobName": 7, "jobRunId": "jr_1"}, {"detail.jobName"}),
    ],
)
def test_a_malformed_event_is_refused_with_its_paths(bench: MakeBench, detail: object, expected: set[str]) -> None:
    """400."""
    assert paths(ask(bench(), {"detail-type": JOB_EVENT, "detail": detail})) == expected


def test_an_event_of_another_kind_is_refused(bench: MakeBench) -> None:
    """It names what the rule should send."""
    told = ask(bench(), {"detail-type": "Glue Crawler State Change", "detail": {}})
    assert paths(told) == {"detail-type"}
    assert JOB_EVENT in told["body"]["errors"][0]["message"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"action": "stat"}, {"action"}),
        ({"action": None}, {"action"}),
        ({"action": ["status"]}, {"action"}),
        ({"action": "status"}, {"run_id"}),
        ({"action": "status", "run_id": 7}, {"run_id"}),
        ({"action": "cancel", "run_id": "r", "specs": {}}, {"specs"}),
        ({"action": "sweep", "run_id": "r"}, {"run_id"}),
        (None, {"event"}),
        ([], {"event"}),
        ({}, {"run_id", "specs"}),
    ],
)
def test_a_malformed_input_is_refused_with_its_paths(bench: MakeBench, given: object, expected: set[str]) -> None:
    """400, whatever it is."""
    assert paths(ask(bench(), given)) == expected


def test_a_sweep_wakes_each_open_run_once(bench: MakeBench) -> None:
    """Those that run, and those whose publish is pending; not those that have ended."""
    made = bench(jobs=FakeJobs(PlannedRun(), LONG, PlannedRun()))
    ask(made, event(run_id="done"))
    ask(made, event(run_id="running"))
    made.database.refusals = [PublishError("transient", "lock timeout")] * 4
    assert ask(made, event(run_id="pending"))["statusCode"] == 202
    waker = Woken()
    told = ask(made, {"action": "sweep"}, waker)
    assert told["statusCode"] == 200
    assert sorted(waker.runs) == sorted(told["body"]["woken"]) == ["pending", "running"]
    by_schedule = Woken()
    ask(made, {"detail-type": "Scheduled Event", "detail": {}}, by_schedule)
    assert sorted(by_schedule.runs) == ["pending", "running"]


def test_a_sweep_that_may_not_wake_says_so(bench: MakeBench) -> None:
    """503, with those that were woken before."""
    made = bench(jobs=FakeJobs(LONG, LONG))
    for run_id in ("a", "b"):
        ask(made, event(run_id=run_id))
    told = ask(made, {"action": "sweep"}, Woken(refuse_at=1))
    assert told["statusCode"] == 503
    assert len(told["body"]["woken"]) == 1
    assert "no right to invoke" in told["body"]["message"]


def test_a_call_without_time_left_begins_nothing(bench: MakeBench) -> None:
    """It is suspended before its first step, and the next call does all of it."""
    made = bench()
    control = RunControl()
    control.request_drain("deadline")
    assert ask(made, event(), control=control)["statusCode"] == 202
    assert made.model.calls == []
    assert act(made, "resume")["statusCode"] == 200
    assert len(made.jobs.started) == 1
