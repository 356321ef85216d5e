"""Job events at the function: those that are not what the run waits for change nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lambda_handler.scene import Deployment, event
from tools.fakes import PlannedRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

RUN = "20261125_100000_abc123"
NO_ADDRESS = PlannedRun("FAILED", "LAUNCH ERROR | out of addresses")
FAILED = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 60; JobPhaseError: [datamorph phase="cast" line=60] '
    "ValueError: column total: 3 values do not fit numeric(12,2)",
)
LIVE = PlannedRun("STOPPED", looks=4)
_CHANGING = ("CreateJob", "StartJobRun", "BatchStopJobRun", "DeleteJob")


def everything(deployment: Deployment) -> dict[str, Any]:
    """All that a run can change: tables, objects, jobs, the database, and what was told to others."""
    dynamodb, s3 = (deployment.aws.clients.get(name) for name in ("dynamodb", "s3"))
    items = [
        item
        for table in dynamodb.list_tables()["TableNames"]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
    ]
    tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'datamorph_staging')"
    return {
        "items": sorted(map(repr, items)),
        "objects": [(found["Key"], found["ETag"]) for found in s3.list_objects_v2(Bucket="dmbckt")["Contents"]],
        "jobs": [call for call in deployment.glue.calls if call[0] in _CHANGING],
        "tables": sorted(deployment.sql(tables)),
        "told": list(deployment.functions.invocations),
        "asked": len(deployment.bedrock.bodies),
    }


def waits(deployment: Deployment, *plans: PlannedRun) -> list[tuple[str, str]]:
    """Let a run wait for the last of its planned launches; gives job name and job run of each."""
    deployment.glue.plans.extend(plans)
    begun = deployment.invoke(event(options={"wait": "event"}))
    assert begun["statusCode"] == 202, begun
    names = deployment.glue.started
    assert len(names) == len(plans)
    return [(name, deployment.glue.account.runs[name][0].job_run_id) for name in names]


def told(deployment: Deployment, job_name: object, job_run_id: object, state: str = "SUCCEEDED") -> dict[str, Any]:
    """An event as EventBridge sends it, with these names."""
    return deployment.job_event(state, jobName=job_name, jobRunId=job_run_id)


FORGED: dict[str, Callable[[list[tuple[str, str]]], tuple[str, str]]] = {
    "of the launch before": lambda launches: launches[0],
    "of the launch before, with this one's job run": lambda launches: (launches[0][0], launches[1][1]),
    "of this job, with the job run before": lambda launches: (launches[1][0], launches[0][1]),
    "of a job run that never was": lambda launches: (launches[1][0], "jr_" + 64 * "0"),
    "of an empty job run": lambda launches: (launches[1][0], ""),
    "of another generation": lambda launches: (launches[1][0].replace("-g1-", "-g2-"), launches[1][1]),
    "of an unknown run": lambda launches: (launches[1][0].replace(RUN, "nobody"), launches[1][1]),
    "of somebody else's job": lambda launches: ("nightly-load", launches[1][1]),
    "of a job named by a statement": lambda launches: ("'; DROP TABLE orders; --", launches[1][1]),
}


@pytest.mark.slow
@pytest.mark.parametrize("plans", [(NO_ADDRESS, LIVE), (FAILED, LIVE)], ids=["launch 2", "attempt 2"])
def test_an_event_that_the_run_does_not_wait_for_changes_nothing(
    deployment: Deployment, plans: tuple[PlannedRun, ...]
) -> None:
    """200 `ignored`: late, of another launch or attempt, of an unknown run, or forged, whatever state it tells."""
    launches = waits(deployment, *plans)
    before = everything(deployment)
    for name, forged in FORGED.items():
        for state in ("SUCCEEDED", "FAILED", "NO_SUCH_STATE"):
            answer = deployment.invoke(told(deployment, *forged(launches), state))
            assert (answer["statusCode"], answer["body"]["execution_status"]) == (200, "ignored"), name
    assert everything(deployment) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "detail",
    [None, {}, [], "text", {"jobName": "x"}, {"jobRunId": "jr_1"}, {"jobName": 7, "jobRunId": "jr_1"}],
    ids=json.dumps,
)
def test_an_event_without_its_names_changes_nothing(deployment: Deployment, detail: object) -> None:
    """400, with the path of what is missing."""
    waits(deployment, LIVE)
    before = everything(deployment)
    answer = deployment.invoke(deployment.job_event() | {"detail": detail})
    assert answer["statusCode"] == 400
    assert all(error["path"].startswith("detail.job") for error in answer["body"]["errors"])
    assert everything(deployment) == before


def test_an_early_event_brings_no_end(deployment: Deployment) -> None:
    """It says that the job has ended, and Glue says that it runs: the run waits on, and ends as the job does."""
    ((name, job_run_id),) = waits(deployment, LIVE)
    for state in ("SUCCEEDED", "FAILED"):
        answer = deployment.invoke(told(deployment, name, job_run_id, state))
        assert (answer["statusCode"], answer["body"]["execution_status"]) == (202, "running")
    assert len(deployment.glue.requests("StartJobRun")) == 1
    assert deployment.sql("SELECT to_regclass('totals')") == [(None,)]
    while (answer := deployment.invoke(told(deployment, name, job_run_id)))["statusCode"] == 202:
        pass
    assert answer["body"]["diagnosis"]["failure_class"] == "stopped"


def test_a_duplicate_event_changes_nothing(deployment: Deployment) -> None:
    """The run has ended: not even when the second one tells another end."""
    ((name, job_run_id),) = waits(deployment, PlannedRun("TIMEOUT", "Job run timed out", looks=1))
    right = told(deployment, name, job_run_id, "TIMEOUT")
    ended = deployment.invoke(right)
    assert ended["body"]["diagnosis"]["failure_class"] == "timeout"
    before = everything(deployment)
    for again in (right, told(deployment, name, job_run_id, "SUCCEEDED")):
        assert deployment.invoke(again)["body"]["execution_status"] == "ignored"
    assert everything(deployment) == before
    assert deployment.invoke({"run_id": RUN, "action": "status"}) == ended
