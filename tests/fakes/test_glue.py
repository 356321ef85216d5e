"""The Glue endpoint of the tests: the rules of Glue that it keeps, seen through boto3."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.moto_server import REGION, Aws
from tests.tools.aws.scene import ImpatientClients
from tools.fakes import PlannedRun

LIVE = PlannedRun(looks=1_000)


def define(client: Any, name: str = "job", **more: Any) -> None:
    command = {"Name": "glueetl", "ScriptLocation": "s3://dmbckt/script.py", "PythonVersion": "3"}
    figures = {"GlueVersion": "4.0", "WorkerType": "G.1X", "NumberOfWorkers": 2, "Timeout": 5}
    client.create_job(Name=name, Role="role", Command=command, **figures, **more)


def start(client: Any, name: str = "job") -> str:
    return str(client.start_job_run(JobName=name)["JobRunId"])


def state(client: Any, run: str, name: str = "job") -> str:
    return str(client.get_job_run(JobName=name, RunId=run)["JobRun"]["JobRunState"])


def refusal(call: Any, *given: Any, **more: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*given, **more)
    return str(caught.value.response["Error"]["Code"])


def test_a_name_is_taken_once(client: Any) -> None:
    """A second CreateJob is refused and changes nothing."""
    define(client, Description="first")
    assert refusal(define, client, Description="second") == "AlreadyExistsException"
    assert client.get_job(JobName="job")["Job"]["Description"] == "first"


def test_what_is_not_there_is_told(client: Any) -> None:
    """Jobs, runs, tags and connections."""
    assert refusal(start, client) == "EntityNotFoundException"
    assert refusal(client.get_job, JobName="job") == "EntityNotFoundException"
    assert refusal(client.get_job_runs, JobName="job") == "EntityNotFoundException"
    define(client)
    assert refusal(state, client, "jr_0") == "EntityNotFoundException"
    assert refusal(client.get_connection, Name="none") == "EntityNotFoundException"
    arn = f"arn:aws:glue:{REGION}:123456789012:job/none"
    assert refusal(client.get_tags, ResourceArn=arn) == "EntityNotFoundException"


def test_a_live_run_keeps_its_job_busy(glue: FakeGlue, client: Any) -> None:
    """MaxConcurrentRuns is one unless the job says otherwise; an ended run leaves its place."""
    glue.plans[:] = [LIVE] * 3
    define(client)
    define(client, "two", ExecutionProperty={"MaxConcurrentRuns": 2})
    run = start(client)
    assert refusal(start, client) == "ConcurrentRunsExceededException"
    start(client, "two")
    start(client, "two")
    assert refusal(start, client, "two") == "ConcurrentRunsExceededException"
    glue.account.runs["job"][0].course.stop()
    while state(client, run) != "STOPPED":
        pass
    start(client)


def test_a_run_passes_through_its_states(glue: FakeGlue, client: Any) -> None:
    """STARTING, RUNNING, the planned end with its error, and it stays there."""
    glue.plans[:] = [PlannedRun("FAILED", "Error Category: X; Failed Line Number: 3; no", looks=2)]
    define(client)
    run = start(client)
    assert [state(client, run) for _ in range(4)] == ["STARTING", "RUNNING", "FAILED", "FAILED"]
    assert client.get_job_run(JobName="job", RunId=run)["JobRun"]["ErrorMessage"].endswith("Number: 3; no")


@pytest.mark.parametrize("end", ["STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED", "WAITING"])
def test_a_run_ends_as_planned(glue: FakeGlue, client: Any, end: str) -> None:
    """Each terminal state frees the job; WAITING is none."""
    glue.plans[:] = [PlannedRun(end)]
    define(client)
    assert state(client, start(client)) == end
    if end == "WAITING":
        assert refusal(start, client) == "ConcurrentRunsExceededException"
    else:
        start(client)


def test_stopping_takes_its_time(glue: FakeGlue, client: Any) -> None:
    """STOPPING first; stopping again is fine; what has ended or never was is told in a successful answer."""
    glue.plans[:] = [PlannedRun(looks=3)]
    define(client)
    run = start(client)
    assert state(client, run) == "STARTING"
    for _ in range(2):
        answer = client.batch_stop_job_run(JobName="job", JobRunIds=[run])
        assert (answer["SuccessfulSubmissions"], answer["Errors"]) == ([{"JobName": "job", "JobRunId": run}], [])
    assert [state(client, run) for _ in range(3)] == ["STOPPING", "STOPPING", "STOPPED"]
    errors = client.batch_stop_job_run(JobName="job", JobRunIds=[run, "jr_0"])["Errors"]
    codes = [error["ErrorDetail"]["ErrorCode"] for error in errors]
    assert codes == ["JobRunInTerminalStateException", "EntityNotFoundException"]


def test_deleting_a_job_leaves_its_runs(glue: FakeGlue, client: Any) -> None:
    """Any number of times; the live run goes on and is there to be read."""
    glue.plans[:] = [LIVE]
    define(client)
    run = start(client)
    for _ in range(2):
        assert client.delete_job(JobName="job")["JobName"] == "job"
    assert state(client, run) == "STARTING"
    assert [each["Id"] for each in client.get_job_runs(JobName="job")["JobRuns"]] == [run]
    assert refusal(start, client) == "EntityNotFoundException"


def test_quotas_are_kept(glue: FakeGlue, client: Any) -> None:
    """Glue limits the jobs, and the live runs over all jobs."""
    glue.account.max_jobs, glue.account.max_runs = 2, 1
    glue.plans[:] = [LIVE]
    define(client, "one")
    define(client, "two")
    assert refusal(define, client, "three") == "ResourceNumberLimitExceededException"
    start(client, "one")
    assert refusal(start, client, "two") == "ResourceNumberLimitExceededException"


def test_role_and_connection_are_looked_for(glue: FakeGlue, client: Any) -> None:
    """Where the test says that they are missing."""
    glue.account.roles = {"role"}
    define(client, Connections={"Connections": ["dmdb-connection"]})
    glue.account.roles, glue.account.missing_connections = set(), {"dmdb-connection"}
    assert refusal(define, client, "other") == "InvalidInputException"
    assert refusal(start, client) == "EntityNotFoundException"
    assert client.get_connections()["ConnectionList"] == []


def test_a_connection_hides_its_password(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is asked to, and only then."""
    with (
        fake_glue(aws.endpoint, database_url="postgresql://etl:secret@db:5433/sales") as glue,
        closing(ImpatientClients(REGION)) as clients,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", glue.endpoint_url)
        client = clients.get("glue")
        shown, hidden = (
            client.get_connection(Name="dmdb-connection", HidePassword=hide)["Connection"]["ConnectionProperties"]
            for hide in (False, True)
        )
    assert hidden == {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5433/sales", "USERNAME": "etl"}
    assert shown == hidden | {"PASSWORD": "secret"}


def test_runs_come_in_pages_newest_first(client: Any) -> None:
    """A page is as long as is asked for, and its token leads to the next."""
    define(client)
    runs = [start(client) for _ in range(5)]
    pages = client.get_paginator("get_job_runs").paginate(JobName="job", PaginationConfig={"PageSize": 2})
    assert [[run["Id"] for run in page["JobRuns"]] for page in pages] == [runs[:2:-1], runs[2:0:-1], runs[:1]]
    assert refusal(client.get_job_runs, JobName="job", NextToken="made up") == "InvalidInputException"


def test_jobs_are_found_by_tags(client: Any) -> None:
    """ListJobs filters, GetJobs does not; tags are added and go with their job."""
    define(client, "one", Tags={"run_id": "r1"})
    define(client, "two", Tags={"run_id": "r2"})
    arn = f"arn:aws:glue:{REGION}:123456789012:job/two"
    client.tag_resource(ResourceArn=arn, TagsToAdd={"more": "x"})
    assert client.get_tags(ResourceArn=arn)["Tags"] == {"run_id": "r2", "more": "x"}
    assert client.list_jobs(Tags={"run_id": "r2"})["JobNames"] == ["two"]
    assert [job["Name"] for job in client.get_jobs(MaxResults=1)["Jobs"]] == ["one"]
    client.delete_job(JobName="two")
    assert client.list_jobs()["JobNames"] == ["one"]


def test_a_run_is_told_as_glue_tells_it(client: Any) -> None:
    """With the figures of its job, its arguments and its policy."""
    define(client)
    policy = '{"Version":"2012-10-17","Statement":[]}'
    given = {"Arguments": {"--a": "b"}, "ExecutionRoleSessionPolicy": policy}
    run_id = client.start_job_run(JobName="job", **given)["JobRunId"]
    run = client.get_job_run(JobName="job", RunId=run_id)["JobRun"]
    assert {name: run[name] for name in ("Attempt", "ExecutionTime", "WorkerType", "NumberOfWorkers", "Timeout")} == {
        "Attempt": 0, "ExecutionTime": 90, "WorkerType": "G.1X", "NumberOfWorkers": 2, "Timeout": 5,
    }  # fmt: skip
    assert (run["GlueVersion"], run["LogGroupName"]) == ("4.0", "/aws-glue/jobs")
    assert (run["Arguments"], run["ExecutionRoleSessionPolicy"]) == ({"--a": "b"}, policy)
    assert run["StartedOn"] <= run["CompletedOn"]
