"""The Glue endpoint of the tests: what it holds against its callers and itself, and the faults it can be given."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.glue_faults import Fault
from tests.fakes.moto_server import Aws

GOOD: dict[str, Any] = {"Name": "job", "Role": "role", "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Nmae": "x"}, "CreateJob has no member Nmae"),
        ({"Timeout": "5"}, "CreateJob.Timeout is '5', not a integer"),
        ({"Timeout": True}, "CreateJob.Timeout is True, not a integer"),
        ({"Timeout": 0}, "CreateJob.Timeout is 0, below the minimum of 1"),
        ({"Name": "x" * 256}, "CreateJob.Name is 256, above the maximum of 255"),
        ({"Name": "a\nb"}, "CreateJob.Name is 'a\\nb', which does not match"),
        ({"WorkerType": "G.3X"}, "CreateJob.WorkerType is 'G.3X', none of"),
        ({"GlueVersion": "four"}, "which does not match"),
        ({"Command": {"PythonVersion": "4"}}, "CreateJob.Command.PythonVersion is '4', which does not match"),
        ({"Tags": {str(n): "" for n in range(51)}}, "CreateJob.Tags is 51, above the maximum of 50"),
        ({"DefaultArguments": {"--a": 1}}, "CreateJob.DefaultArguments[--a] is 1, not a string"),
        ({"Connections": {"Connections": [None]}}, "CreateJob.Connections.Connections[0] is None"),
    ],
)
def test_a_request_outside_the_model_is_refused_and_remembered(
    glue: FakeGlue, change: dict[str, Any], told: str
) -> None:
    """Unknown members, types, lengths, patterns and enumerations, also deep within."""
    answer = glue.answer("CreateJob", GOOD | change)
    assert (answer.status, answer.body["__type"]) == (400, "ValidationException")
    assert told in answer.body["Message"]
    assert [told in violation for violation in glue.violations] == [True]
    assert glue.account.jobs == {} and glue.calls == []
    glue.violations.clear()


def test_a_missing_member_is_told(glue: FakeGlue) -> None:
    """As an unknown operation is."""
    assert glue.answer("CreateJob", {"Name": "job"}).status == 400
    assert glue.answer("CreateJbo", {}).body["__type"] == "UnknownOperationException"
    assert [violation.rpartition(": ")[2] for violation in glue.violations] == [
        "CreateJob lacks Role", "CreateJob lacks Command", "operation 'CreateJbo' is not known here",
    ]  # fmt: skip
    glue.violations.clear()


def test_an_answer_outside_the_model_is_an_internal_failure(
    glue: FakeGlue, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint does not teach its callers what Glue never says."""
    monkeypatch.setattr(glue.account, "delete_job", lambda request: {"JobName": 7})
    with pytest.raises(ClientError, match="not a string"):
        client.delete_job(JobName="job")
    assert glue.violations == ["DeleteJob answer: DeleteJob.JobName is 7, not a string"]
    glue.violations.clear()


def test_a_request_that_is_not_glues_is_remembered(glue: FakeGlue) -> None:
    """Another path, another content type, no target, no signature."""
    request = urllib.request.Request(f"{glue.endpoint_url}/x", json.dumps({}).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    caught.value.close()
    assert len(glue.violations) == 5
    glue.violations.clear()


def test_violations_fail_the_test_at_its_end(aws: Aws) -> None:
    """Also when nobody looked at the answer."""
    with pytest.raises(AssertionError, match="no member Nmae"), fake_glue(aws.endpoint) as glue:
        glue.answer("CreateJob", GOOD | {"Nmae": "x"})


@pytest.mark.parametrize("applied", [False, True])
def test_an_operation_is_refused_before_or_after_it_is_applied(glue: FakeGlue, client: Any, applied: bool) -> None:
    """The caller cannot tell which."""
    glue.faults = [Fault("CreateJob", error="OperationTimeoutException", applied=applied)]
    with pytest.raises(ClientError, match="OperationTimeoutException"):
        client.create_job(**GOOD)
    assert ("job" in glue.account.jobs) == applied


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(("silence", "error"), [("dropped", ConnectionClosedError), ("held", ReadTimeoutError)])
def test_an_answer_never_comes(
    glue: FakeGlue, client: Any, silence: str, error: type[Exception], applied: bool
) -> None:
    """The connection breaks, or the caller waits in vain; the operation may be applied all the same."""
    glue.faults = [Fault("CreateJob", applied=applied, dropped=silence == "dropped", held=silence == "held")]
    with pytest.raises(error):
        client.create_job(**GOOD)
    assert ("job" in glue.account.jobs) == applied


def test_an_answer_is_late(glue: FakeGlue, client: Any) -> None:
    """By so many seconds, and right."""
    glue.faults = [Fault("CreateJob", delay=0.2)]
    began = time.monotonic()
    assert client.create_job(**GOOD)["Name"] == "job"
    assert time.monotonic() - began >= 0.2


def test_a_fault_strikes_certain_calls_of_one_operation(glue: FakeGlue, client: Any) -> None:
    """The second and the third DeleteJob, with a server error; other operations do not count."""
    glue.faults = [Fault("DeleteJob", error="InternalServiceException", call=2, times=2)]
    client.create_job(**GOOD)
    statuses = []
    for _ in range(4):
        try:
            statuses.append(client.delete_job(JobName="job")["ResponseMetadata"]["HTTPStatusCode"])
        except ClientError as error:
            statuses.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
    assert statuses == [200, 500, 500, 200]
