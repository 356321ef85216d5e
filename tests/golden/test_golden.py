"""Runs that an earlier version left waiting are brought to the right end by the code as it is."""

from __future__ import annotations

import ast
import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.golden.record import HERE, version
from tests.golden.scenes import LONG, RUN, SCENES, MemoryArtifacts, World, to_its_end
from tests.golden.stores import DynamoStore, SqliteStore, Store
from tools.fakes import FakeJobs, PlannedRun, _Run
from tools.local.ledger import SqliteLedger
from tools.records import JobDefinition, Launch, LaunchKey, RunRecord

ROOT = HERE.parents[1]
FILES = sorted(HERE.glob("*/*.json.gz"))


def restored(told: dict[str, Any], folder: Path) -> World:
    """The world as the recorded run left it."""
    jobs = FakeJobs()
    with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
        ledger.accept(RunRecord(**told["run"]))
        for recorded in told["launches"]:
            launch = Launch(**{**recorded, "key": LaunchKey(**recorded["key"])})
            ledger.advance(launch)
            live = launch.state == "STARTED"
            jobs._runs[launch.job_name] = [_Run(launch.job_run_id, LONG if live else PlannedRun())]
            jobs.started.append(launch.job_name)
            if live:
                jobs.create(JobDefinition(launch.job_name, "ref", 60))
    return World(folder, jobs, MemoryArtifacts(told["artifacts"]))


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name} {path.name}" for path in FILES])
def test_a_run_that_an_earlier_version_left_waiting_ends(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """As it ended there, with the same job run: nothing is started that had been started."""
    told = json.loads(gzip.decompress(path.read_bytes()))
    scene, kind = path.name.split(".")[:2]
    store: Store = SqliteStore(tmp_path / "c.sqlite")
    if kind == "dynamodb":
        store = DynamoStore(request.getfixturevalue("aws").clients)
    store.fill(told["rows"])
    world = restored(told, tmp_path)
    with store.saver() as saver:
        end = to_its_end(SCENES[scene], world, saver)
    assert end == told["end"]
    assert list(world.database.published) == [(RUN, 1)]


def test_every_place_where_a_run_waits_is_recorded() -> None:
    """With both checkpointers, by the version as it is: `python -m tests.golden.record` records a new one."""
    made = {path.name for path in FILES if path.parent.name == version()}
    assert made == {f"{name}.{kind}.json.gz" for name in SCENES for kind in ("sqlite", "dynamodb")}


def test_a_new_interrupt_needs_a_scene() -> None:
    """There is one node that interrupts; another one in the code has to be recorded too."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "graph").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "interrupt"
    ]
    assert [place.partition(":")[0] for place in found] == ["graph/nodes/suspend.py"], found
