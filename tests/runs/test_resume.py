"""Runs that stop on the way, and how they go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from langgraph.runtime import RunControl

from agent.errors import PublishError
from agent.names import RunKey, thread_id
from runs.progress import Step
from tests.runs.scene import SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE, Bench, event
from tools.fakes import FakeDatabase, FakeJobs, PlannedRun

MakeBench = Callable[..., Bench]


def test_a_database_that_is_locked_suspends_the_publish(bench: MakeBench) -> None:
    """202 publish_pending keeps staging; the same request goes on and computes nothing again."""
    made = bench(database=FakeDatabase([PublishError("transient", "lock timeout")] * 4))
    response = made.service().run(event())
    assert (response["statusCode"], response["body"]["execution_status"]) == (202, "publish_pending")
    assert made.database.dropped == []
    assert made.service().run(event())["statusCode"] == 200
    assert len(made.jobs.started) == 1


def test_a_long_job_suspends_and_is_adopted(bench: MakeBench) -> None:
    """202 running after `wait_seconds`; resuming looks at the same run."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=70)))
    answers = [made.service().run(event()), made.service().resume("run_1"), made.service().resume("run_1")]
    assert [a["statusCode"] for a in answers] == [202, 202, 200]
    assert len(made.jobs.started) == 1


@pytest.mark.parametrize("node", ["generate", "start_run", "await_run"])
def test_a_caller_who_asks_to_stop_is_answered_at_once(bench: MakeBench, node: str) -> None:
    """The run is suspended, with its job live, and one resume brings it to its end."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=5)))
    control = RunControl()

    def stop(step: Step) -> None:
        if (step.phase, step.node) == ("start", node):
            control.request_drain("test")

    assert made.service().run(event(), stop, control)["statusCode"] == 202
    assert made.service().resume("run_1")["statusCode"] == 200
    assert len(made.jobs.started) == 1


def test_an_unreachable_database_is_503_and_the_same_request_goes_on_later(bench: MakeBench) -> None:
    """Nothing was changed, and nothing has to be cleaned up."""
    made = bench(database=FakeDatabase(reachable=False))
    assert made.service().run(event())["statusCode"] == 503
    made.database.reachable = True
    assert made.service().run(event())["statusCode"] == 200


def test_a_run_that_is_being_worked_on_is_busy(bench: MakeBench) -> None:
    """409 for the second worker, which does nothing."""
    made = bench()
    service = made.service()
    with service.tools.lease.hold("run_1"):
        response = made.service().run(event())
    assert (response["statusCode"], made.jobs.started) == (409, [])


def test_a_suspended_answer_tells_what_runs(bench: MakeBench) -> None:
    """The job run and the attempt, although the subgraph has not ended."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=200)))
    body = made.service().run(event())["body"]
    assert (body["attempts"], body["job_run_id"][:3]) == (1, "jr_")


def test_a_restart_ends_what_the_old_generation_left(bench: MakeBench) -> None:
    """Its live job is stopped, its staging dropped, before the new one starts."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=200)))
    first = made.service()
    old = first.run(event())["body"]["job_run_id"]
    assert old is not None
    assert made.service().run(event(options={"restart": True}))["statusCode"] == 200
    assert first.tools.jobs.get(made.jobs.started[0], old).state == "STOPPED"
    assert [launch.state for launch in first.tools.ledger.launches(RunKey("run_1", 1))] == ["CLEANED"]
    assert len(made.database.dropped) == 2


def test_a_restart_that_is_asked_twice_restarts_once(bench: MakeBench) -> None:
    """Callers and Lambda send an event again when its answer is late: it then goes on with the same run."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=200), PlannedRun(looks=200)))
    made.service().run(event())
    again = event(options={"restart": True})
    assert [made.service().run(again)["statusCode"] for _ in range(3)] == [202] * 3
    assert len(made.jobs.started) == 2
    assert made.service().tools.ledger.run("run_1").generation == 2  # type: ignore[union-attr]


def test_a_restart_never_runs_beside_a_job_that_does_not_stop(bench: MakeBench) -> None:
    """503, nothing new is started, and the old generation stands."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=10_000)))
    made.service().run(event())
    response = made.service().run(event(options={"restart": True}))
    assert (response["statusCode"], len(made.jobs.started)) == (503, 1)
    known = made.service().tools.ledger.run("run_1")
    assert known is not None
    assert known.generation == 1


def test_a_run_goes_on_only_with_the_database_it_began_with(bench: MakeBench) -> None:
    """409 names both."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=70)))
    made.service().run(event())
    response = replace(made.service(), database="elsewhere").resume("run_1")
    assert response["statusCode"] == 409
    assert "database 'test', not 'elsewhere'" in response["body"]["message"]


def test_checkpoints_are_small_plain_data(bench: MakeBench) -> None:
    """Each stays under 50 KB, whatever the sizes of scripts and logs."""
    long_log = PlannedRun("FAILED", "x" * 100_000, log="y" * 1_000_000)
    made = bench(jobs=FakeJobs(long_log))
    service = made.service()
    service.run(event())
    config = {"configurable": {"thread_id": thread_id(RunKey("run_1", 1))}}
    checkpoints = list(service.checkpointer.list(config))  # type: ignore[arg-type]
    assert len(checkpoints) > 8
    assert max(len(json.dumps(c.checkpoint["channel_values"])) for c in checkpoints) < 50_000


@pytest.mark.parametrize("path", ["right at once", "repaired", "given up"])
def test_a_crash_anywhere_is_resumed_to_the_same_end(bench: MakeBench, path: str) -> None:
    """A process that dies after any step leaves a run that the next one finishes, with nothing done twice."""
    plans = {"right at once": [], "repaired": [SCRIPT_FAILED], "given up": [SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE]}
    made = bench(jobs=FakeJobs(*plans[path]))
    crashes, response = 0, None
    while response is None:
        service = made.service()
        steps = 0

        def die(step: object) -> None:
            nonlocal steps
            steps += 1
            if steps == 2:
                raise _Crash

        try:
            response = service.run(event(), die) if crashes == 0 else service.resume("run_1", die)
        except _Crash:
            crashes += 1
            assert crashes < 100
    assert crashes > 8
    assert response["body"]["attempts"] == (1 if path == "right at once" else 2)
    assert len(made.jobs.started) == (1 if path == "right at once" else 2)
    assert len(made.database.published) == (0 if path == "given up" else 1)


class _Crash(BaseException):
    """The process dies."""
