"""SIGKILL before and after every call of the checkpointer: the run goes on from wherever its process died."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import aws_world
from tests.faults.paths import PATHS
from tests.faults.sweeps import World, sweep_saver
from tests.faults.tally import Tally
from tests.faults.terminal_world import terminal_world

pytestmark = pytest.mark.postgres


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


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.faults
def test_killed_at_every_call_of_the_checkpointer(world: World, path: str, tally: Tally) -> None:
    """Before and after, on all three ways that a run can go: the end is that of a run which nothing disturbed."""
    sweep_saver(world, path, tally)
