"""Billed time of a run: waiting for a job is free where an event wakes the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.tables import STAGED
from tests.faults.world_clock import WorldClock
from tests.lambda_handler.scene import Deployment, event
from tests.lambda_handler.timed import JOB_SECONDS, TimedEngine
from tools.models.bedrock import BedrockModel

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

MODEL_SECONDS = 20.0
MOST_SECONDS = 3.0


@dataclass
class Bill:
    """The function's time: what it waited on the clock, and what its code computed, the servers around it included."""

    deployment: Deployment
    clock: WorldClock
    waited: float = 0.0
    computed: float = 0.0

    def invoke(self, given: object) -> dict[str, Any]:
        """An invocation that is paid for."""
        passed, used = self.clock.passed, time.process_time()
        answer = self.deployment.invoke(given)
        self.waited += self.clock.passed - passed
        self.computed += time.process_time() - used
        return answer


@pytest.fixture
def bill(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Bill:
    """A warm function, and a clock on which waiting takes no time: for the job, the model and between looks."""
    clock = WorldClock()
    clock.install(monkeypatch)
    engine = deployment.glue.account.engine
    deployment.glue.account.engine = TimedEngine(
        engine.deliveries, engine.connections, None, None, rows=STAGED, clock=clock
    )
    whole = BedrockModel._ask

    def ask(self: BedrockModel, system: str, user: str) -> Any:
        clock.sleep(MODEL_SECONDS)
        return whole(self, system, user)

    monkeypatch.setattr(BedrockModel, "_ask", ask)
    made = Bill(deployment, clock)
    deployment.invoke(event("warm", options={"wait": "event"}))
    return made


def test_a_job_of_two_minutes_costs_three_seconds_and_the_model(
    bill: Bill, record_property: Callable[[str, object], None]
) -> None:
    """Two invocations: one until the job has started, and one from its event to the end."""
    begun = bill.invoke(event(options={"wait": "event"}))
    assert (begun["statusCode"], begun["body"]["execution_status"]) == (202, "running")
    bill.clock.sleep(JOB_SECONDS)
    done = bill.invoke(bill.deployment.job_event())
    assert (done["statusCode"], done["body"]["execution_status"]) == (200, "success")
    told = f"{bill.waited:.2f} s of waiting, {MODEL_SECONDS:.0f} s of them for the model, and {bill.computed:.2f} s CPU"
    record_property("figures", f"a job of {JOB_SECONDS:.0f} s with options.wait event: {told}")
    assert bill.waited + bill.computed <= MOST_SECONDS + MODEL_SECONDS, told


def test_a_call_that_polls_pays_for_the_job(bill: Bill) -> None:
    """The same run without an event: it is waited for, and that is what the figure above would show."""
    done = bill.invoke(event())
    assert (done["statusCode"], done["body"]["execution_status"]) == (200, "success")
    assert bill.waited >= JOB_SECONDS
    assert bill.deployment.sql("SELECT total FROM totals ORDER BY 1") == [(Decimal("3.50"),), (Decimal("4.00"),)]
