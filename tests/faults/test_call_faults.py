"""Every call that a run makes to AWS fails in turn: never sent, never answered, answered in half, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.paths import CANCELLED, SWEPT, WOKEN_BY_EVENT, WOKEN_BY_TICK
from tests.faults.struck_runs import course
from tests.faults.sweeps import FAULTS, sweep_calls
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str) -> Iterator[AwsWorld]:
    """Give the deployed function in its world."""
    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as made:
        yield made


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["right at once", "repaired", CANCELLED, WOKEN_BY_EVENT, WOKEN_BY_TICK, SWEPT])
def test_a_fault_at_every_call(world: AwsWorld, path: str, fault: str, tally: Tally) -> None:
    """The run that is woken ends as if nothing had been; of the repaired one, from the end of its first job on."""
    way = course(world, path)
    first = way.calls.index("glue.DeleteJob") if path == "repaired" else 0
    sweep_calls(way, way.spots()[first:], fault, tally)
    tally.check()
