"""The definitions of ours on Glue, found by their tag among those of everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.moto_server import DEFAULTS, Aws
from tests.tools.aws.scene import JOB, GlueScene, glue_scene
from tools.aws.glue_jobs import GlueJobList
from tools.fakes import FakeClock


@pytest.fixture
def scene(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[GlueScene]:
    """Give an empty Glue."""
    with glue_scene(aws, monkeypatch) as made:
        yield made


def listed(scene: GlueScene, clock: FakeClock | None = None) -> GlueJobList:
    return GlueJobList(scene.clients, DEFAULTS, clock or FakeClock())


def test_definitions_are_found_by_tag_and_name(scene: GlueScene) -> None:
    """Over as many pages as there are; what others made is not looked at."""
    names = sorted(f"datamorph-job-r{number}-g1-a1-l1-01234567" for number in range(60))
    for name in names:
        scene.runner().create(scene.job(name))
    own = dict(scene.glue.account.jobs[JOB])
    scene.glue.account.jobs["datamorph-job-by-hand-g1-a1-l1-01234567"] = own
    scene.glue.account.tags["datamorph-job-by-hand-g1-a1-l1-01234567"] = {}
    scene.glue.account.tags["nightly"] = {"application": "datamorph"}
    assert listed(scene).ours() == names
    assert all(request["Tags"] == {"application": "datamorph"} for request in scene.glue.requests("ListJobs"))


def test_a_definition_expires_when_its_tag_says(scene: GlueScene) -> None:
    """A day after its last possible run, and not before."""
    scene.runner().create(scene.job())
    made = scene.glue.account.jobs[JOB]["CreatedOn"]
    clock = FakeClock()
    clock.sleep(made + 25 * 3600 - 60 - clock.now())
    found = listed(scene, clock).look(JOB)
    assert found is not None
    assert not found.expired
    clock.sleep(120)
    later = listed(scene, clock).look(JOB)
    assert later is not None
    assert later.expired


def test_a_definition_that_is_gone_is_none(scene: GlueScene) -> None:
    """Somebody was faster."""
    assert listed(scene).look(JOB) is None
