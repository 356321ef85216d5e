"""Runs that a refusal, a bug, a cancel or a restart cut off: each is gone on with, and nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import ConflictError, EngineError, PublishError, UnavailableError
from agent.names import LaunchKey, RunKey
from agent.run_status import RunEvent
from graph.nodes.publish import publish
from graph.state import State
from runs.actions import Actions
from runs.completion import tell
from tests.runs.scene import LONG, Bench, act, ask, event, job_event, refused, swept
from tools.fakes import FakeClock, FakeJobs, FakeModel, PlannedRun
from tools.records import Change, RunEnded

MakeBench = Callable[..., Bench]


def test_a_refusal_after_a_launch_is_woken(bench: MakeBench) -> None:
    """503, and the next sweep lets the run go on: its job is alive, or its rows are staged."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=2)))
    with refused(made, "get", UnavailableError("glue", "throttled")):
        assert ask(made, event())["statusCode"] == 503
        status = act(made, "status")
        assert (status["statusCode"], status["body"]["execution_status"]) == (202, "running")
    assert swept(made) == ["run_1"]
    assert act(made, "resume")["statusCode"] == 200
    assert swept(made) == []
    assert len(made.jobs.started) == 1


def test_a_refusal_before_any_launch_is_the_caller_s(bench: MakeBench) -> None:
    """Nothing was begun that would have to be ended; status tells the reason."""
    made = bench(model=FakeModel([]))
    answered = ask(made, event())
    assert answered["statusCode"] == 503
    assert swept(made) == []
    assert act(made, "status") == answered


def test_a_bug_is_not_paid_for_again_and_again(bench: MakeBench) -> None:
    """It leaves the door as it is, and no sweep wakes the run."""
    made = bench()

    def bug(call: object) -> None:
        raise ZeroDivisionError

    made.model.complete = bug  # type: ignore[assignment,method-assign]
    with pytest.raises(ZeroDivisionError):
        ask(made, event())
    assert swept(made) == []


def test_a_run_that_is_resumed_and_dies_is_woken(bench: MakeBench) -> None:
    """That an earlier call ended with 503 is over when the next one begins."""
    made = bench(model=FakeModel([]))
    ask(made, event())
    service = made.service()
    with pytest.raises(SystemExit):
        service.resume("run_1", watch=lambda step: (_ for _ in ()).throw(SystemExit))
    assert swept(made) == ["run_1"]


def test_the_event_of_a_start_whose_answer_was_lost_is_taken(bench: MakeBench) -> None:
    """The ledger knows the job alone of an intended launch."""
    made = bench()
    whole, listed = made.jobs.start, made.jobs.list_runs

    def lost(job_name: str, arguments: Any) -> str:
        whole(job_name, arguments)
        raise EngineError("OperationTimeoutException", "no answer")

    made.jobs.start, made.jobs.list_runs = lost, lambda job_name: []  # type: ignore[method-assign]
    assert ask(made, event())["statusCode"] == 503
    made.jobs.start, made.jobs.list_runs = whole, listed  # type: ignore[method-assign]
    assert swept(made) == ["run_1"]
    assert ask(made, job_event(made))["statusCode"] == 200
    assert len(made.jobs.started) == 1


@pytest.mark.parametrize("how", ["cancel", "restart"])
def test_a_job_that_no_list_shows_yet_is_stopped(bench: MakeBench, how: str) -> None:
    """The ledger knows it."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=40), PlannedRun()))
    ask(made, event())
    first = made.jobs.started[0]
    listed = made.jobs.list_runs
    made.jobs.list_runs = lambda job_name: [] if job_name == first else listed(job_name)  # type: ignore[method-assign]
    act(made, "cancel") if how == "cancel" else ask(made, event(options={"restart": True}))
    assert [run.state for run in listed(first)] == ["STOPPED"]


def test_a_start_that_shows_late_is_stopped_by_a_cancel(bench: MakeBench) -> None:
    """It is looked for longer than a start waits: afterwards nobody would look any more."""
    made = bench(jobs=FakeJobs(LONG))
    listed, looks = made.jobs.list_runs, [0]
    with refused(made, "start", UnavailableError("glue", "no network"), times=1):
        ask(made, event())
    (job_name,) = [launch.job_name for launch in made.service().tools.ledger.launches(RunKey("run_1", 1))]
    made.jobs.start(job_name, {})

    def late(job_name: str) -> Any:
        looks[0] += 1
        return listed(job_name) if looks[0] > 4 else []

    made.jobs.list_runs = late  # type: ignore[method-assign]
    assert act(made, "cancel")["statusCode"] == 410
    assert [run.state for run in listed(job_name)] == ["STOPPED"]


@pytest.mark.parametrize("how", ["cancel", "restart"])
def test_staging_that_was_never_published_is_dropped(bench: MakeBench, how: str) -> None:
    """Its launch had ended well."""
    made = bench()
    made.database.refusals = [PublishError("transient", "lock timeout")] * 4
    assert ask(made, event())["body"]["execution_status"] == "publish_pending"
    act(made, "cancel") if how == "cancel" else ask(made, event(options={"restart": True}))
    assert len(made.database.dropped) >= 1


def test_a_run_is_not_cancelled_from_where_its_rows_cannot_be_seen(bench: MakeBench) -> None:
    """409 at another database, 503 without one: it may be published."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    service = made.service()
    elsewhere = Actions(type(service)(service.tools, service.settings, service.checkpointer, "elsewhere"))
    assert elsewhere.cancel("run_1")["statusCode"] == 409
    made.database = None  # type: ignore[assignment]
    answer = act(made, "cancel")
    assert (answer["statusCode"], answer["body"]["service"]) == (503, "database")


def test_a_cancel_that_is_cut_off_is_ended_by_the_next_wake(bench: MakeBench) -> None:
    """The job did not stop in time: the run does not go on, and is not published when the job wins the race."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=400)))
    ask(made, event())
    assert act(made, "cancel")["statusCode"] == 503
    assert ask(made, event())["statusCode"] == 409
    assert swept(made) == ["run_1"]
    assert act(made, "resume")["statusCode"] == 410
    assert made.database.published == {}
    assert swept(made) == []


def test_a_launch_that_was_put_away_is_not_started(bench: MakeBench) -> None:
    """By a restart that was cut off before the new generation stood recorded."""
    made = bench()
    with refused(made, "start", UnavailableError("glue", "no network"), times=1):
        ask(made, event())
    tools = made.service().tools
    (launch,) = tools.ledger.launches(RunKey("run_1", 1))
    tools.ledger.advance(type(launch)(launch.key, "CLEANED", launch.job_name))
    answer = act(made, "resume")
    assert (answer["statusCode"], "ask for that again" in answer["body"]["message"]) == (409, True)
    assert made.jobs.started == []
    assert ask(made, event(options={"restart": True}))["statusCode"] == 200


def test_a_definition_that_vanished_is_made_again(bench: MakeBench) -> None:
    """Between its making and the start."""
    made = bench()
    with refused(made, "start", UnavailableError("glue", "no network"), times=1):
        ask(made, event())
    (launch,) = made.service().tools.ledger.launches(RunKey("run_1", 1))
    made.jobs.delete(launch.job_name)
    assert act(made, "resume")["statusCode"] == 200


@pytest.mark.parametrize("events", [("cancel",), ("cancel", "end_cancel")])
def test_a_worker_that_lost_its_run_does_not_publish(bench: MakeBench, events: tuple[RunEvent, ...]) -> None:
    """It was asleep while the run was cancelled."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    tools = made.service().tools
    for each in events:
        tools.ledger.change(RunKey("run_1", 1), Change(each, "{}"))
    state = State(run_id="run_1", generation=1)
    with pytest.raises(ConflictError, match="publishes nothing more"):
        publish(state, artifacts=tools.artifacts, database=made.database, clock=FakeClock(), ledger=tools.ledger)
    tools.ledger.change(RunKey("run_1", 1), Change("succeed", "{}"))
    record = tools.ledger.run("run_1")
    assert record is not None
    assert (record.status == "cancelled") is ("end_cancel" in events)


def test_a_cancel_is_told(bench: MakeBench) -> None:
    """To the journal, and once to whoever listens."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    told: list[RunEnded] = []

    class Listening:
        def announce(self, ended: RunEnded) -> bool:
            told.append(ended)
            return True

    service = made.service()
    tools = type(service.tools)(**{**vars(service.tools), "announcer": Listening()})
    listening = Actions(type(service)(tools, service.settings, service.checkpointer, "test"))
    assert listening.cancel("run_1")["statusCode"] == 410
    assert [(one.run_id, one.execution_status, one.attempts) for one in told] == [("run_1", "cancelled", 1)]
    lines = (made.folder / "journal" / "run_1.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["log_entry"]["title"] == "run cancelled"


def test_an_end_that_nobody_could_hear_is_told_again(bench: MakeBench) -> None:
    """The caller has the answer; the run stays open until listeners have it too, or for a day."""
    made = bench()
    heard: list[RunEnded] = []

    class Deaf:
        def announce(self, ended: RunEnded) -> bool:
            heard.append(ended)
            return len(heard) > 2

    def actions() -> Actions:
        service = made.service()
        tools = type(service.tools)(**{**vars(service.tools), "announcer": Deaf()})
        return Actions(type(service)(tools, service.settings, service.checkpointer, "test"))

    answers = [actions().service.run(event())]
    for _ in range(2):
        assert actions().status("run_1") == answers[0]
        assert swept(made) == ["run_1"]
        answers.append(actions().resume("run_1"))
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    assert swept(made) == []
    assert [one.execution_status for one in heard] == ["success"] * 3
    assert len(made.jobs.started) == 1
    late = type(made.service().tools.clock)()
    late.sleep(10**9)
    record = made.service().tools.ledger.run("run_1")
    assert record is not None
    tools = type(made.service().tools)(**{**vars(made.service().tools), "announcer": Deaf(), "clock": late})
    heard.clear()
    assert tell(tools, record) is True


def test_a_cancel_without_the_prompt_is_a_cancel(bench: MakeBench) -> None:
    """An artifact that is gone does not keep a run alive."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, event())
    for path in (made.folder / "artifacts").rglob("*prompt*"):
        path.unlink()
    answer = act(made, "cancel")
    assert (answer["statusCode"], answer["body"]["generation_prompt"]) == (410, None)
    assert any("generation_prompt is left out" in warning for warning in answer["body"]["warnings"])


def test_a_sweep_wakes_so_many_runs_at_most(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are given out by the next one."""
    monkeypatch.setattr("runs.actions.SWEEP_LIMIT", limit := 20)
    made = bench(jobs=FakeJobs(LONG))
    ledger = made.service().tools.ledger
    ask(made, event(options={"wait": "event"}))
    record = ledger.run("run_1")
    assert record is not None
    for number in range(limit):
        ledger.accept(type(record)(**{**vars(record), "run_id": f"r{number}", "status": "running"}))
    first, second = swept(made), swept(made)
    assert len(first) == limit
    assert set(first) | set(second) == {"run_1", *(f"r{number}" for number in range(limit))}


def test_a_long_prompt_is_left_out_of_the_answer(bench: MakeBench) -> None:
    """Lambda's answer takes 6 MB; the artifact has all of it."""
    made = bench()
    specs = event()["specs"]
    specs["target_table"]["description"] = "x" * 400_000
    body = ask(made, event(specs=specs))["body"]
    assert (body["execution_status"], body["generation_prompt"]) == ("success", None)
    assert any("left out: it has 4" in warning for warning in body["warnings"])


def test_very_many_unknown_keys_are_told_in_part(bench: MakeBench) -> None:
    """A checkpoint stays small."""
    specs = {**event()["specs"], **{f"k{number}": 1 for number in range(20_000)}}
    warnings = bench().service().run(event(specs=specs))["body"]["warnings"]
    assert len(warnings) < 60
    assert "specs: 19950 more unknown keys; only the model sees them" in warnings


def test_launches_are_those_of_their_generation(bench: MakeBench) -> None:
    """A restart leaves the first generation's record of launches as it was."""
    made = bench(jobs=FakeJobs(LONG, PlannedRun()))
    ask(made, event())
    assert ask(made, event(options={"restart": True}))["statusCode"] == 200
    launch = made.service().tools.ledger.launch(LaunchKey("run_1", 1, 1, 1))
    assert launch is not None
    assert launch.state == "CLEANED"
