"""A worker that loses its lease while its model answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.errors import UnavailableError
from graph.checkpoints.dynamodb import dynamodb_checkpoints
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import answer
from runs.service import Service
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.faults.world import MAX_ROWS, World, asked
from tests.runs.scene import REPLY
from tools.aws.lease import DynamoLease
from tools.fakes import FakeClock, FakeModel, PlannedRun
from tools.records import Completion, ModelCall

RUN = "run_1"
_LEASE, _WAKES = 90.0, 7
OTHERWISE = REPLY.replace("Totals by id.", "Totals by id, in other words.")
"""No model answers twice alike: another script."""
RESUME = {"action": "resume", "run_id": RUN}


def told(made: World, aws: Aws, event: object, ahead: float = 0.0) -> Response:
    """The answer of a fresh process, whose clock may be ahead."""
    clock, service = FakeClock(), made.service()
    clock.sleep(ahead)
    lease = DynamoLease(aws.clients, DEFAULTS.ledger_table, lambda: _LEASE, clock)
    tools = replace(service.tools, lease=lease, clock=clock)
    saver = dynamodb_checkpoints(DEFAULTS, aws.clients)
    return answer(Actions(Service(tools, service.settings, saver, service.database)), event)


def taken_over(made: World, aws: Aws, sleeps: Callable[[World], Completion | None]) -> list[str]:
    """Violations of a run that another worker takes over, which starts its job and lets go of it."""
    made.jobs.plans = [PlannedRun(looks=3)]
    asleep, complete = made.model, made.model.complete

    def late(call: ModelCall) -> Completion:
        asleep.complete = complete  # type: ignore[method-assign]
        made.model = FakeModel([OTHERWISE] * 9)
        assert told(made, aws, RESUME, ahead=_LEASE + 1)["statusCode"] == 202
        return sleeps(made) or complete(call)

    asleep.complete = late  # type: ignore[method-assign]
    first = told(made, aws, asked(RUN, options={"wait": "event"}))
    record = made.service().tools.ledger.run(RUN)
    wrong = [] if first["statusCode"] == 409 else [f"the late worker was told {first}"]
    wrong += [] if record and record.status == "running" else [f"on record as {record}"]
    for _ in range(_WAKES):
        if (ended := told(made, aws, RESUME))["statusCode"] in (200, 422):
            break
    rows = [(id_, 1) for id_ in range(1, MAX_ROWS + 1)]
    right = (ended["statusCode"], made.rows(), len(made.jobs.started)) == (200, rows, 1)
    return wrong + ([] if right else [f"I5: {ended}, {made.rows()}, {made.jobs.started}"])


def wakes(_: World) -> None:
    """The model answers in the end."""


def fails(_: World) -> Completion:
    """The model does not answer at all."""
    raise UnavailableError("model", "nobody answers")
