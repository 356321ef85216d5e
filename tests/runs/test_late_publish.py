"""A worker that slept before its publish, while another one went on to the next attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import PublishError
from agent.snapshot import Snapshot
from graph.nodes import publish as node
from graph.state import State
from tests.runs.racing import LIVE, Killed, Scene
from tests.runs.scene import Bench, event
from tools.fakes import FakeDatabase, FakeJobs, PlannedRun
from tools.records import Published, PublishOrder

MakeBench = Callable[..., Bench]


@pytest.fixture
def scene(bench: MakeBench) -> Scene:
    """A run whose first attempt's rows PostgreSQL refuses once, and whose second one takes a while."""
    refusal = PublishError("columns", "summary has no column 'total'")
    return Scene(bench(jobs=FakeJobs(PlannedRun(), LIVE), database=FakeDatabase(refusals=[refusal])))


def other_worker(scene: Scene) -> None:
    """Take the run over: the publish is refused, and the second attempt's job begins."""
    told = scene.act("resume", "theirs")
    assert (told["statusCode"], told["body"]["attempts"]) == (202, 2)


def ended(scene: Scene) -> dict[str, Any]:
    """The body of the run's end."""
    while (told := scene.act("resume"))["statusCode"] == 202:
        pass
    return dict(told["body"])


def test_who_slept_before_its_look_publishes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next attempt is on record: its rows are those to publish."""

    def late(state: State, **ports: Any) -> State:
        monkeypatch.setattr("graph.builder.publish", node.publish)
        other_worker(scene)
        return node.publish(state, **ports)

    monkeypatch.setattr("graph.builder.publish", late)
    told = scene.ask(event())
    assert (told["statusCode"], scene.made.database.published) == (409, {})
    assert "-a2-l1-" in told["body"]["message"]
    body = ended(scene)
    assert (body["execution_status"], body["attempts"], body["warnings"]) == ("success", 2, [])


def test_who_slept_after_its_look_has_published_for_the_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows in the target are this run's, and nobody else's: the end says so, and of which attempt they are."""
    database = scene.made.database
    publish = database.publish

    def late(order: PublishOrder, snapshot: Snapshot) -> Published:
        monkeypatch.setattr(database, "publish", publish)
        other_worker(scene)
        publish(order, snapshot)
        raise Killed

    monkeypatch.setattr(database, "publish", late)
    with pytest.raises(Killed):
        scene.ask(event())
    body = ended(scene)
    assert (body["execution_status"], body["rows_written"]) == ("success", 3)
    (warning,) = body["warnings"]
    assert "another attempt" in warning
