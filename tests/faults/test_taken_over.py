"""A worker that lost its lease on DynamoDB while its model answered: what it stores then is the run's newest state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.moto_server import Aws
from tests.faults.quick_world import postgres_world
from tests.faults.taken_over import answered, taken_over, unanswered
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("wakes", [answered, unanswered])
def test_a_late_worker_stores_nothing(
    postgres_url: str, tmp_path: Path, aws: Aws, wakes: Callable[[], None], tally: Tally
) -> None:
    """It is told that the run is another's, and the run ends as the other one left it."""
    with postgres_world(tmp_path, postgres_url) as made:
        wrong = taken_over(made, aws, wakes)
    tally.case("taken over while the model answers", not wrong, "; ".join(wrong))
    tally.check()
