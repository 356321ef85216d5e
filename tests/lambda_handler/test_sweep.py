"""The sweep over the wire: the runs that it wakes, and the leftovers that it drops."""

from __future__ import annotations

import pytest

from agent.names import LaunchKey, date_of_table, staging_prefix
from tests.lambda_handler.scene import FUNCTION_ARN, Deployment, event
from tools.aws.lease import DynamoLease
from tools.aws.ledger import DynamoLedger
from tools.fakes import FakeClock, PlannedRun
from tools.records import RunRecord

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

RUN = "20261125_100000_abc123"
RECORD = RunRecord("r", 1, "sha", "ref", "compiler", "glue", "db", "2026-01-01T00:00:00.000+00:00", "running")


@pytest.mark.parametrize("runs", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_one_tick_wakes_all_runs(deployment: Deployment, runs: int) -> None:
    """Each once, in an invocation of its own that nobody waits for."""
    deployment.functions.functions[FUNCTION_ARN] = None
    ledger = DynamoLedger(deployment.aws.clients, "datamorph-ledger", 90)
    names = [f"r{number:03}" for number in range(runs)]
    for name in names:
        ledger.accept(RunRecord(**{**vars(RECORD), "run_id": name}))
    answer = deployment.invoke({"action": "sweep"})
    assert (answer["statusCode"], sorted(answer["body"]["woken"])) == (200, names)
    woken = [call for call in deployment.functions.invocations if call.function == FUNCTION_ARN]
    assert {call.kind for call in woken} == {"Event"}
    assert sorted(call.payload["run_id"] for call in woken) == names
    assert {call.payload["action"] for call in woken} == {"resume"}


def test_a_tick_without_time_left_says_so(deployment: Deployment) -> None:
    """It wakes nobody that it has no time for; the next one does."""
    deployment.glue.plans.append(PlannedRun(looks=8))
    deployment.invoke(event(options={"wait": "event"}))
    answer = deployment.invoke({"action": "sweep"}, seconds_left=0)
    assert (answer["statusCode"], answer["body"]["woken"]) == (503, [])
    assert "the next sweep wakes the other runs" in answer["body"]["message"]
    assert deployment.invoke({"action": "sweep"})["body"]["woken"] == [RUN]
    deployment.functions.settle()


def test_a_tick_leaves_nothing_of_a_run_that_has_ended(deployment: Deployment) -> None:
    """Definition, staging table and lease go, though the process died before it could put them away."""
    assert deployment.invoke(event())["statusCode"] == 200
    (created,) = deployment.glue.requests("CreateJob")
    deployment.glue.account.create_job(created)
    ledger = DynamoLedger(deployment.aws.clients, "datamorph-ledger", 90)
    record = ledger.run(RUN)
    assert record is not None
    table = staging_prefix(LaunchKey(RUN, 1, 1, 1), record.accepted_at) + 12 * "0"
    deployment.sql(f"CREATE TABLE datamorph_staging.{table} (customer text)")
    others = f"s_{date_of_table(table)}_0123456789ab_0123456789ab"
    deployment.sql(f"CREATE TABLE datamorph_staging.{others} (customer text)")
    dead = DynamoLease(deployment.aws.clients, "datamorph-ledger", lambda: 60.0, FakeClock()).hold(RUN)
    dead.__enter__()
    answer = deployment.invoke({"action": "sweep"})
    assert answer["body"]["cleaned"] == [created["Name"], table, "1 leases"], answer
    assert deployment.aws.clients.get("glue").list_jobs()["JobNames"] == []
    left = deployment.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'datamorph_staging' ORDER BY 1")
    assert left == [("publishes",), (others,)]
    assert deployment.invoke({"action": "sweep"})["body"]["cleaned"] == []
    dead.__exit__(None, None, None)
