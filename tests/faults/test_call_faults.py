"""Every call that a run makes to AWS fails in turn: never sent, never answered, answered in half, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.paths import CANCELLED
from tests.faults.strikes import Strike
from tests.faults.struck_runs import course
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres

FAULTS = {
    "killed before": Strike("killed before"),
    "killed after": Strike("killed after"),
    "applied, the answer lost, sent again": Strike("answer lost once"),
    "applied, every answer lost": Strike("answers lost"),
    "refused": Strike("refused", "AccessDeniedException"),
    "throttled": Strike("refused", "ThrottlingException"),
    "answered in half": Strike("broken"),
}
SAMPLE_STEP = 60


@pytest.fixture
def world(tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str) -> Iterator[AwsWorld]:
    """Give the deployed function in its world."""
    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as made:
        yield made


def sweep(world: AwsWorld, path: str, fault: str, tally: Tally, step: int = 1, start: int = 0) -> None:
    """Strike each call of a path in turn, or every so-manieth."""
    way = course(world, path)
    first = way.calls.index("glue.DeleteJob") if path == "repaired" else 0
    for operation, number in way.spots()[first + start :: step]:
        strike = FAULTS[fault].at(operation, number)
        wrong = way.struck(strike)
        tally.case(f"at every AWS call: {fault}", not wrong, way.told(strike, wrong))


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["right at once", "repaired", CANCELLED])
def test_a_fault_at_every_call(world: AwsWorld, path: str, fault: str, tally: Tally) -> None:
    """The run that is woken ends as if nothing had been; of the repaired one, from the end of its first job on."""
    sweep(world, path, fault, tally)
    tally.check()


def test_a_fault_at_some_calls(world: AwsWorld, tally: Tally) -> None:
    """A sample of the sweep: a few calls for each kind of fault, not the same ones."""
    for number, fault in enumerate(FAULTS):
        sweep(world, "right at once", fault, tally, SAMPLE_STEP, start=9 * number)
    tally.check()
