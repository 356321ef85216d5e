"""Every error that a service may answer with, at the first and at the last call of each operation of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.struck_runs import course
from tests.faults.sweeps import OF_OTHERS, OPERATIONS, sweep_errors
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str) -> Iterator[AwsWorld]:
    """Give the deployed function in its world."""
    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as made:
        yield made


@pytest.mark.faults
@pytest.mark.parametrize("operation", [*OPERATIONS, *OF_OTHERS])
def test_every_error_of_an_operation(world: AwsWorld, operation: str, tally: Tally) -> None:
    """Once it is over, the run that is woken ends as if nothing had been."""
    path = OF_OTHERS.get(operation, "right at once")
    sweep_errors(course(world, path, cold=operation.startswith("secretsmanager")), operation, tally)
    tally.check()
