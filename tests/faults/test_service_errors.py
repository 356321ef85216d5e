"""Every error that a service may answer with, at the first and at the last call of each operation of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.paths import CANCELLED, SWEPT
from tests.faults.strikes import Strike
from tests.faults.struck_runs import Course, course
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres

OPERATIONS = [
    "secretsmanager.GetSecretValue", "dynamodb.PutItem", "dynamodb.GetItem", "dynamodb.Query", "dynamodb.UpdateItem",
    "dynamodb.DeleteItem", "dynamodb.TransactWriteItems", "s3.PutObject", "s3.GetObject", "s3.ListObjectsV2",
    "bedrock-runtime.InvokeModel", "glue.CreateJob", "glue.StartJobRun", "glue.GetJobRuns", "glue.GetJobRun",
    "glue.DeleteJob", "logs.DescribeLogStreams", "logs.GetLogEvents", "lambda.Invoke", "events.PutEvents",
]  # fmt: skip
"""All that a run asks of AWS; test_samples.py compares with what it does ask."""
OF_OTHERS = {"glue.BatchStopJobRun": CANCELLED, "glue.ListJobs": SWEPT, "glue.GetJob": SWEPT}
"""What is asked beyond that, and where."""
ANYWHERE = [
    Strike("refused", "AccessDeniedException", 403),
    Strike("refused", "ExpiredTokenException", 400),
    Strike("refused", "ServiceUnavailable", 503),
    Strike("no endpoint"),
    Strike("broken"),
]
"""What any service may answer, whatever its model says."""
REASONS = (
    "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded",
    "ItemCollectionSizeLimitExceeded", "ValidationError",
)  # fmt: skip
"""Why a transaction is cancelled: API_CancellationReason."""


@pytest.fixture
def world(tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str) -> Iterator[AwsWorld]:
    """Give the deployed function in its world."""
    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as made:
        yield made


def answers_of(operation: str) -> list[Strike]:
    """Every error that botocore's model lists for an operation, and those that come from anywhere."""
    service, _, name = operation.partition(".")
    shapes = get_session().get_service_model(service).operation_model(name).error_shapes
    listed = [
        Strike("refused", shape.error_code, shape.metadata.get("error", {}).get("httpStatusCode", 400))
        for shape in shapes
    ]
    if operation == "dynamodb.TransactWriteItems":
        cancelled = [Strike("refused", "TransactionCanceledException", 400, (reason,)) for reason in REASONS]
        listed = [strike for strike in listed if strike.code != "TransactionCanceledException"] + cancelled
    return listed + ANYWHERE


def sweep(way: Course, operation: str, tally: Tally, step: int = 1) -> None:
    """Answer the first and the last call of an operation with each error in turn."""
    for strike in answers_of(operation)[::step]:
        for spot in way.first_and_last(operation):
            struck = strike.at(*spot)
            wrong = way.struck(struck)
            tally.case(f"every error: {operation}", not wrong, way.told(struck, wrong))


@pytest.mark.faults
@pytest.mark.parametrize("operation", [*OPERATIONS, *OF_OTHERS])
def test_every_error_of_an_operation(world: AwsWorld, operation: str, tally: Tally) -> None:
    """Once it is over, the run that is woken ends as if nothing had been."""
    path = OF_OTHERS.get(operation, "right at once")
    sweep(course(world, path, cold=operation.startswith("secretsmanager")), operation, tally)
    tally.check()
