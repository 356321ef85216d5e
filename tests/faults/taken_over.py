"""A worker that loses its lease while its model answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.errors import UnavailableError
from graph.checkpoints.dynamodb import dynamodb_checkpoints
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import answer
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.faults.mortal import Life
from tests.faults.quick_databases import written_by
from tests.faults.quick_world import REQUEST, RUN, PostgresWorld
from tests.runs.scene import REPLY
from tools.aws.lease import DynamoLease
from tools.fakes import FakeModel, PlannedRun

_LEASE, _WAKES = 90.0, 7
OTHERWISE = REPLY.replace("Totals by id.", "Totals by id, in other words.")
"""No model answers twice alike: another script."""
RESUME = {"action": "resume", "run_id": RUN}


def told(made: PostgresWorld, aws: Aws, event: object, life: Life | None = None) -> Response:
    """The answer of a fresh process, whose lease and checkpoints are on DynamoDB."""
    service = made.service(life)
    lease = DynamoLease(aws.clients, DEFAULTS.ledger_table, lambda: _LEASE, made.clock)
    saver = dynamodb_checkpoints(DEFAULTS, aws.clients)
    return answer(Actions(replace(service, tools=replace(service.tools, lease=lease), checkpointer=saver)), event)


def taken_over(made: PostgresWorld, aws: Aws, wakes: Callable[[], None]) -> list[str]:
    """Violations of a run that another worker takes over, which starts its job and lets go of it."""
    made.jobs.plans = [PlannedRun(looks=3)]

    def asleep() -> None:
        made.clock.sleep(_LEASE + 1)
        made.model = FakeModel([OTHERWISE] * 9)
        assert told(made, aws, RESUME)["statusCode"] == 202
        wakes()

    first = told(made, aws, REQUEST, Life(before={"model.complete": asleep}))
    record = made.record()
    wrong = [] if first["statusCode"] == 409 else [f"the late worker was told {first}"]
    wrong += [] if record and record.status == "running" else [f"on record as {record}"]
    for _ in range(_WAKES):
        if (ended := told(made, aws, RESUME))["statusCode"] in (200, 422):
            break
    rows = made.database.rows()
    right = (ended["statusCode"], rows, len(made.jobs.started)) == (200, written_by(1), 1)
    return wrong + ([] if right else [f"I5: {ended}, {rows}, {made.jobs.started}"])


def answered() -> None:
    """The model answers in the end."""


def unanswered() -> None:
    """The model does not answer at all."""
    raise UnavailableError("model", "nobody answers")
