"""Sweeps over a run: every call to AWS, every answer of a service, every call of the checkpointer."""

from __future__ import annotations

from botocore.session import get_session

from tests.faults.aws_world import AwsWorld
from tests.faults.invariants import Expected, violations
from tests.faults.paths import CANCELLED, ENDS, PATHS, SWEPT
from tests.faults.saver_calls import Moment
from tests.faults.strikes import Strike
from tests.faults.struck_runs import Course
from tests.faults.tables import NEW, OLD
from tests.faults.tally import Tally
from tests.faults.terminal_world import TerminalWorld
from tests.lambda_handler.scene import CANARY

FAULTS = {
    "killed before": Strike("killed before"),
    "killed after": Strike("killed after"),
    "applied, the answer lost, sent again": Strike("answer lost once"),
    "applied, every answer lost": Strike("answers lost"),
    "refused": Strike("refused", "AccessDeniedException"),
    "throttled": Strike("refused", "ThrottlingException"),
    "answered in half": Strike("broken"),
}


def sweep_calls(way: Course, spots: list[tuple[str, int]], fault: str, tally: Tally) -> None:
    """Strike calls of a course in turn."""
    for operation, number in spots:
        strike = FAULTS[fault].at(operation, number)
        wrong = way.struck(strike)
        tally.case(f"at every AWS call: {fault}", not wrong, way.told(strike, wrong))


OPERATIONS = [
    "secretsmanager.GetSecretValue", "dynamodb.PutItem", "dynamodb.GetItem", "dynamodb.Query", "dynamodb.UpdateItem",
    "dynamodb.DeleteItem", "dynamodb.TransactWriteItems", "s3.PutObject", "s3.GetObject", "s3.ListObjectsV2",
    "bedrock-runtime.InvokeModel", "glue.CreateJob", "glue.StartJobRun", "glue.GetJobRuns", "glue.GetJobRun",
    "glue.DeleteJob", "logs.DescribeLogStreams", "logs.GetLogEvents", "lambda.Invoke", "events.PutEvents",
]  # fmt: skip
"""All that a run asks of AWS; test_samples.py compares with what it does ask."""
OF_OTHERS = {"glue.BatchStopJobRun": CANCELLED, "glue.ListJobs": SWEPT, "glue.GetJob": SWEPT}
"""Operations beyond those, and the paths that call them."""
ANYWHERE = [
    Strike("refused", "AccessDeniedException", 403),
    Strike("refused", "ExpiredTokenException", 400),
    Strike("refused", "ServiceUnavailable", 503),
    Strike("no endpoint"),
    Strike("broken"),
]
"""Errors of any service, whatever its model says."""
REASONS = (
    "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded",
    "ItemCollectionSizeLimitExceeded", "ValidationError",
)  # fmt: skip
"""Why a transaction is cancelled: API_CancellationReason."""


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


def sweep_errors(way: Course, operation: str, tally: Tally, step: int = 1) -> None:
    """Answer the first and the last call of an operation with each error in turn."""
    for strike in answers_of(operation)[::step]:
        for spot in way.first_and_last(operation):
            struck = strike.at(*spot)
            wrong = way.struck(struck)
            tally.case(f"every error: {operation}", not wrong, way.told(struck, wrong))


MOMENTS: tuple[Moment, ...] = ("before", "after")

World = AwsWorld | TerminalWorld


def sweep_saver(world: World, path: str, tally: Tally, step: int = 1) -> None:
    """Kill the run of a path at every call in turn, or at every so-manieth, and let it be woken."""
    world.begin(PATHS[path])
    calls = world.saver_calls()
    undisturbed = world.recovered()
    assert undisturbed.response["statusCode"] == ENDS[path]
    expected = Expected(undisturbed, OLD, NEW, CANARY, announces=isinstance(world, AwsWorld))
    assert violations(undisturbed, expected) == []
    kills = [(number, moment) for number in range(1, len(calls) + 1) for moment in MOMENTS]
    for number, moment in kills[::step]:
        world.begin(PATHS[path])
        killed = world.killed_at_saver(number, moment)
        wrong = violations(world.recovered(), expected)
        wrong += [] if killed else ["the process was not killed"]
        name = f"SIGKILL at the checkpointer, {world.saver_name}, {path}"
        tally.case(name, not wrong, f"{moment} call {number}, {calls[number - 1]}: {'; '.join(wrong)}")
    tally.check()
