"""A worker that lost its lease on DynamoDB while its model answered: what it stores then is the run's newest state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.moto_server import Aws
from tests.faults.taken_over import fails, taken_over, wakes
from tests.faults.tally import Tally
from tests.faults.world import World, world

pytestmark = pytest.mark.postgres


@pytest.fixture
def made(postgres_url: str, tmp_path: Path, aws: Aws) -> Iterator[World]:
    """Make a world without other runs."""
    with world(postgres_url, tmp_path) as made:
        yield made


@pytest.mark.parametrize("sleeps", [wakes, fails])
def test_a_late_worker_stores_nothing(made: World, aws: Aws, sleeps: Callable[[World], None], tally: Tally) -> None:
    """It is told that the run is another's, and the run ends as the other one left it."""
    wrong = taken_over(made, aws, sleeps)
    tally.case("taken over while the model answers", not wrong, "; ".join(wrong))
    tally.check()
