"""SIGKILL before and after every call of the checkpointer: the run goes on from wherever its process died."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.invariants import Expected, violations
from tests.faults.paths import ENDS, PATHS
from tests.faults.saver_calls import Moment
from tests.faults.tables import NEW, OLD
from tests.faults.tally import Tally
from tests.faults.terminal_world import TerminalWorld, terminal_world
from tests.lambda_handler.scene import CANARY

pytestmark = pytest.mark.postgres

MOMENTS: tuple[Moment, ...] = ("before", "after")

World = AwsWorld | TerminalWorld


@pytest.fixture(params=["DynamoDB", "SQLite"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str
) -> Iterator[World]:
    """Give the world of each saver in turn."""
    if request.param == "SQLite":
        with terminal_world(tmp_path, postgres_url) as terminal:
            yield terminal
    else:
        with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as aws:
            yield aws


def sweep(world: World, path: str, tally: Tally, step: int = 1) -> None:
    """Kill the run of a path at every call in turn, or at every so-manieth, and let it be woken."""
    world.begin(PATHS[path])
    calls = world.saver_calls()
    undisturbed = world.recovered()
    assert undisturbed.response["statusCode"] == ENDS[path]
    expected = Expected(undisturbed, OLD, NEW, CANARY, announces=isinstance(world, AwsWorld))
    assert violations(undisturbed, expected) == []
    kills = [(number, moment) for number in range(1, len(calls) + 1) for moment in MOMENTS]
    for number, moment in kills[::step]:
        world.begin(PATHS[path])
        killed = world.killed_at_saver(number, moment)
        wrong = violations(world.recovered(), expected)
        wrong += [] if killed else ["the process was not killed"]
        name = f"SIGKILL at the checkpointer, {world.saver_name}, {path}"
        tally.case(name, not wrong, f"{moment} call {number}, {calls[number - 1]}: {'; '.join(wrong)}")
    tally.check()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.faults
def test_killed_at_every_call_of_the_checkpointer(world: World, path: str, tally: Tally) -> None:
    """Before and after, on all three ways that a run can go: the end is that of a run which nothing disturbed."""
    sweep(world, path, tally)
