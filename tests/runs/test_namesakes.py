"""Two installations in one account that were given the same run_id and write the same script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.settings import load_settings
from graph.response import Response
from tests.runs.scene import LONG, Bench, act, ask, event, sweep
from tools.fakes import FakeDatabase, FakeJobs

MakeBench = Callable[..., Bench]


def elsewhere(made: Bench) -> Bench:
    """The other installation: the same engine, and tables, bucket and database of its own."""
    return replace(made, folder=made.folder / "elsewhere", database=FakeDatabase())


def cancelled(other: Bench) -> Response:
    return act(other, "cancel")


def restarted(other: Bench) -> Response:
    return ask(other, event(options={"restart": True}))


def overdue(other: Bench) -> Response:
    other.settings = load_settings({"model": "fake", "wait_seconds": 0, "poll_seconds": 1}, {})
    service = other.service()
    service.tools.clock.sleep(10**9)
    return service.resume("run_1")


@pytest.mark.parametrize(("how", "code"), [(cancelled, 410), (restarted, 200), (overdue, 422)])
def test_who_ends_a_run_leaves_the_job_of_a_namesake_alone(
    bench: MakeBench, how: Callable[[Bench], Response], code: int
) -> None:
    """It runs to its end, and is published over there."""
    made = bench(jobs=FakeJobs(LONG, LONG))
    other = elsewhere(made)
    assert [ask(one, event())["statusCode"] for one in (made, other)] == [202, 202]
    theirs, own = made.jobs.started
    assert how(other)["statusCode"] == code
    assert theirs not in sweep(other)["body"]["cleaned"]
    assert [[run.state for run in made.jobs.list_runs(name)] for name in (theirs, own)] == [["RUNNING"], ["STOPPED"]]
    assert act(made, "resume")["statusCode"] == 200
    assert list(made.database.published) == [("run_1", 1)]
