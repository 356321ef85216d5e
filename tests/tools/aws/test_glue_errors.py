"""Refusals of Glue, and the way out that the user is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from agent.errors import DatamorphError, EngineError, UnavailableError
from agent.settings import load_settings
from tests.fakes.glue_faults import Fault
from tests.fakes.moto_server import Aws
from tests.tools.aws.scene import JOB, PREFIX, GlueScene, glue_scene
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner

_DENIED = "User: arn:aws:sts::123456789012:assumed-role/fn/x is not authorized to perform:"
_PASS_ROLE = f"{_DENIED} iam:PassRole on resource: arn:aws:iam::123456789012:role/lambdaroles"
RUN = "jr_" + 64 * "0"

CALLS: dict[str, Callable[[GlueScene, GlueJobRunner], object]] = {
    "CreateJob": lambda scene, runner: runner.create(scene.job()),
    "StartJobRun": lambda scene, runner: runner.start(JOB, PREFIX),
    "GetJobRun": lambda scene, runner: runner.get(JOB, RUN),
    "GetJobRuns": lambda scene, runner: runner.list_runs(JOB),
    "BatchStopJobRun": lambda scene, runner: runner.stop(JOB, RUN),
    "DeleteJob": lambda scene, runner: runner.delete(JOB),
}
"""A call of the engine for each operation of Glue's that it uses."""


@pytest.fixture
def scene(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[GlueScene]:
    """Give an engine with the settings' defaults."""
    with glue_scene(aws, monkeypatch) as made:
        yield made


def refused(scene: GlueScene, operation: str) -> DatamorphError:
    """The error that the engine raises when it uses an operation."""
    with pytest.raises((EngineError, UnavailableError)) as caught:
        CALLS[operation](scene, scene.runner())
    return caught.value


@pytest.mark.parametrize("operation", list(CALLS))
def test_a_lack_of_permission_names_the_action(scene: GlueScene, operation: str) -> None:
    """The advice says what to grant on which job; AWS's own words say to whom."""
    message = f"{_DENIED} glue:{operation}"
    scene.glue.faults = [Fault(operation, error="AccessDeniedException", message=message)]
    error = refused(scene, operation)
    assert isinstance(error, UnavailableError) and error.service == "glue"
    assert f"grant glue:{operation} on job {JOB}" in str(error)
    assert "assumed-role/fn" in str(error) and "us-east-1" in str(error)


@pytest.mark.parametrize(
    ("message", "action"), [(f"{_DENIED} glue:TagResource", "glue:TagResource"), ("no", "glue:CreateJob")]
)
def test_the_action_is_the_one_that_aws_names(scene: GlueScene, message: str, action: str) -> None:
    """CreateJob tags the job, too; where AWS names no action it is the operation's own."""
    scene.glue.faults = [Fault("CreateJob", error="AccessDeniedException", message=message)]
    assert f"grant {action} on job" in str(refused(scene, "CreateJob"))


@pytest.mark.parametrize("operation", list(CALLS))
def test_expired_credentials_are_to_be_renewed(scene: GlueScene, operation: str) -> None:
    """Every call tells it the same way."""
    scene.glue.faults = [Fault(operation, error="ExpiredTokenException", message="The security token is expired")]
    error = refused(scene, operation)
    assert isinstance(error, UnavailableError) and "renew them" in str(error)


def test_a_role_that_must_not_be_passed_is_named(scene: GlueScene) -> None:
    """The permission is the caller's, on the Glue role."""
    scene.glue.faults = [Fault("CreateJob", error="AccessDeniedException", message=_PASS_ROLE)]
    error = refused(scene, "CreateJob")
    assert isinstance(error, UnavailableError)
    assert "grant iam:PassRole on the role lambdaroles, for glue.amazonaws.com" in str(error)


def test_a_missing_role_is_to_be_created_or_named(scene: GlueScene) -> None:
    """Glue says that it may not assume it, whether it is there or not."""
    scene.glue.account.roles = {"another"}
    error = refused(scene, "CreateJob")
    assert isinstance(error, UnavailableError)
    assert "create the IAM role lambdaroles" in str(error) and "DATAMORPH_ROLE" in str(error)
    scene.runner(role="another").create(scene.job())


def test_a_missing_connection_is_to_be_created_or_named(scene: GlueScene) -> None:
    """It is told apart from a missing job, which has the same code."""
    scene.runner().create(scene.job())
    scene.glue.account.missing_connections = {"dmdb-connection"}
    error = refused(scene, "StartJobRun")
    assert isinstance(error, UnavailableError)
    assert "create the Glue connection dmdb-connection in us-east-1" in str(error)
    assert "DATAMORPH_CONNECTION" in str(error)


def test_no_credentials_are_to_be_given(scene: GlueScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    scene.clients.close()
    error = _with_new_clients(scene, "DeleteJob")
    assert isinstance(error, UnavailableError) and "aws sso login" in str(error)
    assert scene.glue.calls == []


def test_an_endpoint_that_cannot_be_reached_started_nothing(scene: GlueScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never came about leaves nothing open: the network is to be looked at."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:1")
    error = _with_new_clients(scene, "StartJobRun")
    assert isinstance(error, UnavailableError) and "in a VPC its endpoints" in str(error)


def test_the_quota_of_jobs_is_named(scene: GlueScene) -> None:
    """It is another one than that of runs."""
    scene.glue.account.max_jobs = 0
    error = refused(scene, "CreateJob")
    assert isinstance(error, EngineError) and error.code == "ResourceNumberLimitExceededException"
    assert "'Max jobs per account'" in str(error)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidInputException", "DATAMORPH_WORKERS"),
        ("ValidationException", "DATAMORPH_WORKERS"),
        ("OperationTimeoutException", "may have been applied"),
        ("ConcurrentModificationException", "ask again"),
    ],
)
def test_other_refusals_keep_glues_code(scene: GlueScene, code: str, told: str) -> None:
    """The workflow acts on the code; the message says what may be done."""
    scene.glue.faults = [Fault("CreateJob", error=code)]
    error = refused(scene, "CreateJob")
    assert isinstance(error, EngineError) and error.code == code
    assert JOB in str(error) and told in str(error)


def test_a_passing_fault_of_a_repeatable_call_is_not_told(scene: GlueScene) -> None:
    """All calls but a start are sent again; a job that was created by the lost answer is ours."""
    scene.glue.faults = [Fault("CreateJob", error="InternalServiceException", applied=True)]
    error = refused(scene, "CreateJob")
    assert isinstance(error, EngineError) and error.code == "AlreadyExistsException"
    scene.glue.faults = [Fault("GetJobRuns", error="InternalServiceException")]
    assert scene.runner().list_runs(JOB) == []


def test_no_secret_of_glues_message_is_told(scene: GlueScene) -> None:
    """A message that quotes a connection's address is shown without its password."""
    message = "bad jdbc:postgresql://etl:hush4711@db/x"
    scene.glue.faults = [Fault("CreateJob", error="InvalidInputException", message=message)]
    assert "hush4711" not in str(refused(scene, "CreateJob"))


def _with_new_clients(scene: GlueScene, operation: str) -> DatamorphError:
    """The error that the engine raises when its clients are made now."""
    with closing(AwsClients("us-east-1")) as clients:
        runner = GlueJobRunner(clients, scene.artifacts, load_settings({}, {}), scene.clock)
        with pytest.raises((EngineError, UnavailableError)) as caught:
            CALLS[operation](scene, runner)
    return caught.value
