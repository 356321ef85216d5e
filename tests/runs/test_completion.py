"""One end of a run, whatever comes between: what is on record is what everybody hears."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.errors import ConflictError, UnavailableError
from agent.names import RunKey
from tests.runs.racing import LIVE, Killed, Scene
from tests.runs.scene import REPLY, Bench, event
from tools.fakes import FakeClock, FakeDatabase, FakeJobs, FakeModel, PlannedRun
from tools.local.ledger import SqliteLedger
from tools.records import Change, Completion, Launch, ModelCall, PublishOrder, RunEnded, RunRecord

MakeBench = Callable[..., Bench]

TIMEOUT = PlannedRun("TIMEOUT", "timed out")
RESTART = {"restart": True}
DAY = 86_400


@pytest.mark.parametrize("how", ["cancel", "restart"])
def test_a_worker_that_finds_its_job_stopped_tells_nobody(bench: MakeBench, how: str) -> None:
    """It slept while its run was cancelled or restarted; what it found is void."""
    scene = Scene(bench(jobs=FakeJobs(PlannedRun(looks=9), PlannedRun())))

    def other() -> None:
        scene.act("cancel", "theirs") if how == "cancel" else scene.ask(event(options=RESTART), "theirs")

    scene.meanwhile(other)
    assert scene.ask(event())["statusCode"] == 409
    assert scene.heard == ([(1, "cancelled")] if how == "cancel" else [(2, "success")])
    assert scene.record().status == ("cancelled" if how == "cancel" else "success")


def test_who_is_cancelled_while_listeners_are_away_has_ended_all_the_same(bench: MakeBench) -> None:
    """The caller was told, and is told the same again."""
    scene = Scene(bench(jobs=FakeJobs(TIMEOUT)), deaf=True)
    first = scene.ask(event())
    assert (first["statusCode"], scene.record().status) == (422, "announcing")
    scene.deaf = False
    assert scene.act("cancel") == scene.ask(event()) == first
    assert (scene.heard, scene.record().status) == ([(1, "failed")], "failed")


def test_an_end_is_the_same_past_the_deadline(bench: MakeBench) -> None:
    """The run had ended before."""
    scene = Scene(bench(jobs=FakeJobs(TIMEOUT)), deaf=True)
    first = scene.ask(event())
    scene.deaf, scene.later = False, 8 * 3600
    assert scene.act("resume") == first
    assert scene.heard == [(1, "failed")]


def test_a_bus_that_is_away_has_a_day_from_the_end(bench: MakeBench) -> None:
    """However long ago the run was accepted: a refused request may be sent again days later."""
    scene = Scene(bench(model=FakeModel([])), later=time.time() - FakeClock().now())
    assert scene.ask(event())["statusCode"] == 503
    scene.made.model, scene.deaf = FakeModel([REPLY]), True
    scene.later += 2 * DAY
    assert (scene.ask(event())["statusCode"], scene.record().status) == (200, "announcing")
    scene.later += DAY - 60
    assert (scene.act("resume")["statusCode"], scene.record().status) == (200, "announcing")
    scene.later += 120
    assert (scene.act("resume")["statusCode"], scene.record().status) == (200, "success")


@pytest.mark.parametrize("action", ["cancel", "resume", "restart"])
def test_who_died_between_record_and_event_is_told_of(
    bench: MakeBench, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever comes next."""
    scene = Scene(bench(jobs=FakeJobs(TIMEOUT, PlannedRun())))

    def killed(scene: Scene, ended: RunEnded) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Scene, "announce", killed)
        with pytest.raises(Killed):
            scene.ask(event())
    assert scene.made.service().tools.ledger.due() == ["run_1"]
    told = scene.ask(event(options=RESTART)) if action == "restart" else scene.act(action)
    assert told["statusCode"] == (200 if action == "restart" else 422)
    assert scene.heard == [(1, "failed"), *([(2, "success")] if action == "restart" else [])]


def test_a_restart_waits_until_the_end_before_it_is_told(bench: MakeBench) -> None:
    """Or listeners would never hear of it."""
    scene = Scene(bench(jobs=FakeJobs(TIMEOUT)), deaf=True)
    scene.ask(event())
    refused = scene.ask(event(options=RESTART))
    assert (refused["statusCode"], refused["body"]["service"]) == (503, "events")
    assert (scene.record().generation, scene.record().status) == (1, "announcing")


def test_a_cancel_that_was_cut_off_is_not_forgotten(bench: MakeBench) -> None:
    """A worker that slept meanwhile suspends, and records nothing over it."""
    scene = Scene(bench(jobs=FakeJobs(LIVE)))
    stop = scene.made.jobs.stop

    def throttled(*_: object) -> None:
        raise UnavailableError("glue", "throttled")

    def cut_off() -> None:
        scene.made.jobs.stop = throttled  # type: ignore[method-assign, assignment]
        assert scene.act("cancel", "theirs")["statusCode"] == 503
        scene.made.jobs.stop = stop  # type: ignore[method-assign]

    scene.meanwhile(cut_off)
    scene.ask(event())
    assert scene.record().status == "cancelling"
    assert scene.act("resume")["statusCode"] == 410
    assert (scene.heard, scene.record().status) == ([(1, "cancelled")], "cancelled")


def test_an_invalid_run_that_is_sent_again_is_no_cancelled_one(bench: MakeBench) -> None:
    """Nothing had begun; the database is away for a moment."""
    scene = Scene(bench())
    scene.ask(event())
    ledger = scene.made.service().tools.ledger
    fresh = replace(scene.record(), run_id="run_2", status="running", response="")
    ledger.accept(fresh)
    ledger.change(RunKey("run_2", 1), Change("reject", "{}"))
    assert isinstance(scene.made.database, FakeDatabase)
    scene.made.database.reachable = False
    assert scene.ask(event(run_id="run_2"))["statusCode"] == 503
    scene.made.database.reachable = True
    assert scene.ask(event(run_id="run_2"))["statusCode"] == 200


def test_a_restart_from_another_database_is_refused(bench: MakeBench) -> None:
    """The open generation's staging there could not be dropped; once it has ended, any database will do."""
    scene = Scene(bench(jobs=FakeJobs(LIVE)))
    assert scene.ask(event())["statusCode"] == 202
    scene.database = "another"
    assert scene.ask(event(options=RESTART))["statusCode"] == 409
    assert (scene.record().generation, scene.made.database.withdrawn) == (1, {})
    scene.database = "test"
    scene.act("cancel")
    scene.database = "another"
    assert scene.ask(event(options=RESTART))["statusCode"] == 200


def test_a_restart_that_sleeps_replaces_no_generation_but_the_one_it_ended(bench: MakeBench) -> None:
    """Another worker has begun the next one meanwhile, and its job is live: that one goes on."""
    scene = Scene(bench(jobs=FakeJobs(LIVE, LIVE)))
    assert scene.ask(event())["statusCode"] == 202
    restart = event(options={**RESTART, "wait": "event"})
    delete = scene.made.jobs.delete

    def asleep(job_name: str) -> None:
        scene.made.jobs.delete = delete  # type: ignore[method-assign]
        assert scene.ask(restart, "theirs")["statusCode"] == 202
        delete(job_name)

    scene.made.jobs.delete = asleep  # type: ignore[method-assign]
    late = scene.ask(restart)
    assert (late["statusCode"], "has changed meanwhile" in late["body"]["message"]) == (409, True)
    assert (scene.record().generation, len(scene.made.jobs.started)) == (2, 2)
    assert scene.made.database.withdrawn == {("run_1", 1): "superseded"}


def test_a_restart_that_may_not_append_again_leaves_the_run_as_it_is(bench: MakeBench) -> None:
    """Published, and still to be finished: it is no run that is being cancelled, and goes on."""
    scene = Scene(bench(jobs=FakeJobs(LIVE)))
    specs = event()["specs"]
    appended = event(specs={**specs, "target_table": {**specs["target_table"], "write_mode": "append"}})
    assert scene.ask(appended)["statusCode"] == 202
    assert isinstance(scene.made.database, FakeDatabase)
    order = PublishOrder("run_1", 1, "s_0_0", (), (), "append", True, (), 3, False, "totals")
    scene.made.database.published[order.key] = order
    for _ in range(2):
        refused = scene.ask({**appended, "options": RESTART})
        assert (refused["statusCode"], "appended again" in refused["body"]["message"]) == (409, True)
        assert scene.record().status == "running"
    assert scene.act("resume")["statusCode"] == 202


def test_a_restart_of_an_unknown_run_that_comes_twice_begins_once(bench: MakeBench) -> None:
    """As callers and Lambda deliver; a restart of what began without one is one."""
    scene = Scene(bench(jobs=FakeJobs(LIVE, LIVE)))
    options = {**RESTART, "wait": "event"}
    assert [scene.ask(event(options=options))["statusCode"] for _ in range(2)] == [202, 202]
    assert (scene.record().generation, len(scene.made.jobs.started)) == (1, 1)
    scene.ask(event(run_id="run_2", options={"wait": "event"}))
    scene.ask(event(run_id="run_2", options=options))
    assert len(scene.made.jobs.started) == 3


def test_an_answer_always_fits_on_record(bench: MakeBench) -> None:
    """A prompt of many signs that JSON escapes, beside many warnings."""
    signs = random.Random(1)
    specs = event()["specs"]
    specs["target_table"]["description"] = "".join(chr(signs.randrange(0x4E00, 0x9FA5)) for _ in range(185_000))
    scene = Scene(bench(jobs=FakeJobs(PlannedRun(notes=tuple("日" * 500 for _ in range(300))))))
    body = scene.ask(event(specs=specs))["body"]
    assert (body["execution_status"], body["generation_prompt"]) == ("success", None)
    assert any("generation_prompt is left out" in warning for warning in body["warnings"])
    assert any("more warnings are left out" in warning for warning in body["warnings"])
    assert len(json.dumps({"statusCode": 200, "body": body})) < 390_000


@pytest.mark.parametrize(
    "error", [ConflictError("run_1", "another process holds the run"), UnavailableError("ledger", "throttled")]
)
def test_a_worker_that_breaks_and_cannot_record_it_tells_why_it_broke(
    bench: MakeBench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The first error is not hidden by the conflict or refusal, and nothing is recorded over another worker's run."""
    scene = Scene(bench())

    def broken(_: ModelCall) -> Completion:
        raise RuntimeError("a defect of ours")

    def lost(_: object) -> None:
        raise error

    monkeypatch.setattr(scene.made.model, "complete", broken)
    monkeypatch.setattr("runs.service.demand_held", lost)
    with pytest.raises(RuntimeError, match="a defect of ours"):
        scene.service().run(event())
    assert scene.record().status == "running"


@pytest.mark.parametrize("how", ["cancel", "restart"])
def test_a_worker_that_comes_late_drives_no_step(bench: MakeBench, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The run was cancelled or restarted between its look at the record and its first count."""
    scene = Scene(bench(jobs=FakeJobs(LIVE)))
    hop = SqliteLedger.hop

    def late(ledger: SqliteLedger, key: RunKey, deadline: str = "") -> RunRecord:
        monkeypatch.setattr(SqliteLedger, "hop", hop)
        if how == "cancel":
            scene.act("cancel", "theirs")
        else:
            ledger.change(key, Change("cancel"))
            ledger.new_generation(scene.record(), scene.record())
        return hop(ledger, key, deadline)

    monkeypatch.setattr(SqliteLedger, "hop", late)
    answered = scene.ask(event())
    assert (answered["statusCode"], scene.made.model.calls, scene.record().hops) == (409, [], 0)


def test_who_was_overtaken_takes_no_run_out_of_the_open_ones(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was refused and slept; the other one started a job, and died before it could record how the run stands."""
    scene = Scene(bench(model=FakeModel([]), jobs=FakeJobs(LIVE)))
    launches = SqliteLedger.launches

    def killed(*_: object, **__: object) -> None:
        raise Killed

    def late(ledger: SqliteLedger, key: RunKey) -> list[Launch]:
        found = launches(ledger, key)
        monkeypatch.setattr(SqliteLedger, "launches", launches)
        scene.made.model = FakeModel([REPLY])
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(SqliteLedger, "change", killed)
            scene.act("resume", "theirs")
        return found

    monkeypatch.setattr(SqliteLedger, "launches", late)
    assert scene.ask(event(options={"wait": "event"}))["statusCode"] == 503
    assert (len(scene.made.jobs.started), scene.record().status) == (1, "running")
    assert scene.made.service().tools.ledger.due() == ["run_1"]
