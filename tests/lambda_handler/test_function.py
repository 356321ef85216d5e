"""The function over the wire: event, Bedrock, S3, Glue, real Spark, PostgreSQL, published table."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from agent.names import temp_prefix
from runs.service import Service
from tests.fakes.bedrock import reply
from tests.fakes.glue_faults import Fault
from tests.lambda_handler.scene import REPLY, TOO_LARGE, TRANSFORM, Deployment, event
from tools.fakes import PlannedRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

RUN = "20261125_100000_abc123"
TOTALS = [("a", Decimal("3.50")), ("b", Decimal("4.00"))]
LONG = PlannedRun(looks=8)


def totals(deployment: Deployment) -> list[tuple[object, ...]]:
    return deployment.sql("SELECT customer, total FROM totals ORDER BY customer")


def test_an_event_becomes_a_published_table(image: Deployment) -> None:
    """Through nothing but boto3 and HTTP: one question, one job, one publish, and everybody is told."""
    listener = image.aws.subscribed("default")
    answer = image.invoke(event())
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"]) == (200, "success"), body
    assert (body["attempts"], body["rewrites"], body["rows_written"], body["preflight"]) == (1, 0, 2, "ok")
    assert totals(image) == TOTALS
    assert body["glue_code_path"] == f"s3://dmbckt/glue/codes/{RUN}_glue.py"
    stored = image.aws.clients.get("s3").get_object(Bucket="dmbckt", Key=f"glue/codes/{RUN}_glue.py")["Body"].read()
    assert TRANSFORM in stored.decode()
    assert body["usage"]["input_tokens"] == 2000
    assert body["usage"]["dpu_seconds"] > 0
    assert body["usage"]["usd"] > image.model_usd
    assert len(image.glue.requests("StartJobRun")) == 1
    assert image.aws.clients.get("glue").list_jobs()["JobNames"] == []
    assert image.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'datamorph_staging'") == [(1,)]
    titles = [entry["title"] for entry in image.journal(RUN)]
    assert titles[0] == "prepare"
    assert titles.index("create_job") < titles.index("publish")
    assert image.journal(RUN)[-1].keys() == {"timestamp", "type", "title", "description", "metadata"}
    (heard,) = image.aws.clients.get("sqs").receive_message(QueueUrl=listener)["Messages"]
    detail = json.loads(heard["Body"])["detail"]
    assert (detail["run_id"], detail["execution_status"], detail["rows_written"]) == (RUN, "success", 2)


@pytest.mark.slow
def test_a_first_attempt_that_fails_on_the_engine_is_repaired(image: Deployment) -> None:
    """Right on sample rows, too large on the table's own: diagnosed, repaired, and run as attempt 2."""
    image.bedrock.answers = [reply(TOO_LARGE), reply(f"ROOT CAUSE: a stray factor.\n\n{REPLY}")]
    samples = {"orders": [{"customer": "x", "amount": "1.00"}, {"customer": "y", "amount": "2.00"}]}
    answer = image.invoke(event(source_data_samples=samples))
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"]) == (200, "success"), body
    assert (body["attempts"], body["rewrites"]) == (2, 0)
    assert totals(image) == TOTALS
    assert len(image.glue.requests("StartJobRun")) == 2
    asked = json.dumps(image.bedrock.bodies[1])
    assert "do not fit numeric(12,2)" in asked


@pytest.mark.slow
def test_the_small_variant_runs_without_preflight_and_says_so(deployment: Deployment) -> None:
    """`preflight: skipped`, with the reason among the warnings."""
    body = deployment.invoke(event())["body"]
    assert (body["execution_status"], body["preflight"]) == ("success", "skipped")
    assert any("Spark is not installed" in warning for warning in body["warnings"])
    assert totals(deployment) == TOTALS


@pytest.mark.slow
def test_two_failed_attempts_leave_the_old_rows(deployment: Deployment) -> None:
    """422, with the diagnosis; the target is as it was."""
    deployment.sql("CREATE TABLE totals (customer text, total numeric(12,2))")
    deployment.sql("INSERT INTO totals VALUES ('old', 1)")
    deployment.bedrock.answers = [reply(TOO_LARGE), reply(f"ROOT CAUSE: none.\n\n{TOO_LARGE}")]
    answer = deployment.invoke(event())
    assert (answer["statusCode"], answer["body"]["attempts"]) == (422, 2)
    assert answer["body"]["diagnosis"]["failure_class"] == "value_does_not_fit"
    assert totals(deployment) == [("old", Decimal("1.00"))]


def test_the_job_has_the_figures_that_are_promised(deployment: Deployment) -> None:
    """Names, versions, limits and arguments of the definition, and a start that is narrowed to its run."""
    deployment.glue.plans.append(PlannedRun("STOPPED"))
    deployment.invoke(event())
    (job,) = deployment.glue.requests("CreateJob")
    assert job["Name"].startswith(f"datamorph-job-{RUN}-g1-a1-l1-")
    assert job["Command"]["Name"] == "glueetl"
    assert job["Command"]["ScriptLocation"].startswith(f"s3://dmbckt/glue/codes/{RUN}/g1-a1-")
    assert (job["GlueVersion"], job["WorkerType"], job["NumberOfWorkers"]) == ("4.0", "G.1X", 2)
    assert (job["Timeout"], job["MaxRetries"], job["Role"]) == (60, 0, "lambdaroles")
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert job["Connections"] == {"Connections": ["dmdb-connection"]}
    assert job["DefaultArguments"]["--job-bookmark-option"] == "job-bookmark-disable"
    (start,) = deployment.glue.requests("StartJobRun")
    assert start["Arguments"]["--TempDir"] == f"s3://dmbckt/{temp_prefix(job['Name'])}"
    assert RUN in start["ExecutionRoleSessionPolicy"]
    assert temp_prefix(job["Name"])[:-1] in start["ExecutionRoleSessionPolicy"]


def test_an_event_wakes_a_run_that_does_not_poll(deployment: Deployment) -> None:
    """`options.wait: event` answers 202 at once; Glue's event, from whatever process, publishes."""
    begun = deployment.invoke(event(options={"wait": "event"}))
    assert (begun["statusCode"], begun["body"]["execution_status"]) == (202, "running")
    glue = deployment.aws.clients.get("glue")
    job = deployment.glue.started[0]
    while glue.get_job_run(JobName=job, RunId=begun["body"]["job_run_id"])["JobRun"]["JobRunState"] != "SUCCEEDED":
        pass
    deployment.cold_start()
    late = deployment.job_event()
    done = deployment.invoke(late)
    assert (done["statusCode"], done["body"]["execution_status"]) == (200, "success")
    assert totals(deployment) == TOTALS
    assert deployment.invoke(late)["body"]["execution_status"] == "ignored"
    assert len(deployment.glue.requests("StartJobRun")) == 1


@pytest.mark.slow
def test_a_call_lets_go_before_its_time_is_over(deployment: Deployment) -> None:
    """With a minute left it suspends and frees the run; a sweep lets it go on in an invocation of its own."""
    deployment.glue.plans.append(PlannedRun("STOPPED", looks=40))
    deployment.configure(wait_seconds=0)
    deployment.invoke(event())
    deployment.configure()
    begun = deployment.invoke({"run_id": RUN, "action": "resume"}, seconds_left=64)
    assert (begun["statusCode"], begun["body"]["execution_status"]) == (202, "running")
    swept = deployment.invoke({"action": "sweep"})
    assert swept["body"]["woken"] == [RUN]
    deployment.functions.settle()
    (resumed,) = deployment.answers
    assert resumed["body"]["diagnosis"]["failure_class"] == "stopped"
    assert deployment.invoke({"action": "sweep"})["body"]["woken"] == []
    assert deployment.functions.errors == []
    assert len(deployment.glue.started) == 1


@pytest.mark.slow
def test_a_call_without_time_for_the_model_asks_nothing(deployment: Deployment) -> None:
    """The run is left for the sweep, which wakes it, and no refusal is told."""
    begun = deployment.invoke(event(), seconds_left=80)
    assert (begun["statusCode"], begun["body"]["execution_status"]) == (202, "running")
    assert deployment.bedrock.bodies == []
    assert deployment.invoke({"action": "sweep"})["body"]["woken"] == [RUN]
    deployment.functions.settle()
    (resumed,) = deployment.answers
    assert resumed["body"]["execution_status"] == "success"
    assert len(deployment.bedrock.bodies) == 1


def test_a_run_is_cancelled(deployment: Deployment) -> None:
    """410: the job is stopped and deleted, the target was never made."""
    deployment.glue.plans.append(LONG)
    deployment.configure(wait_seconds=0)
    begun = deployment.invoke(event())
    assert begun["statusCode"] == 202
    cancelled = deployment.invoke({"run_id": RUN, "action": "cancel"})
    assert (cancelled["statusCode"], cancelled["body"]["execution_status"]) == (410, "cancelled")
    assert deployment.aws.clients.get("glue").list_jobs()["JobNames"] == []
    assert deployment.sql("SELECT to_regclass('totals')") == [(None,)]
    assert deployment.invoke({"run_id": RUN, "action": "status"}) == cancelled


def test_asking_twice_gives_the_recorded_answer(deployment: Deployment) -> None:
    """Also in a new process; nothing is asked of the model or of Glue again."""
    first = deployment.invoke(event())
    deployment.cold_start()
    assert deployment.invoke(event()) == first
    assert len(deployment.bedrock.bodies) == len(deployment.glue.requests("StartJobRun")) == 1


def test_a_start_whose_answer_is_lost_is_adopted(deployment: Deployment) -> None:
    """Glue started the run and the connection broke: it is found by its job, not started again."""
    deployment.glue.faults.append(Fault("StartJobRun", dropped=True, applied=True))
    assert deployment.invoke(event())["statusCode"] == 200
    assert len(deployment.glue.started) == 1
    assert totals(deployment) == TOTALS


@pytest.mark.slow
def test_after_a_refusal_the_next_invocation_looks_anew(deployment: Deployment) -> None:
    """In the same process: a secret was rotated, a role changed."""
    working = deployment.database_url
    deployment.put_secret("datamorph/database", {"url": "postgresql://etl@127.0.0.1:1/sales"})
    assert deployment.invoke({"run_id": "nobody", "action": "resume"})["statusCode"] == 400
    assert deployment.invoke(event("first"))["statusCode"] == 503
    secrets = deployment.aws.clients.get("secretsmanager")
    secrets.put_secret_value(SecretId="datamorph/database", SecretString=working)
    assert deployment.invoke(event("second"))["statusCode"] == 200


def test_a_lease_outlives_its_invocation_and_not_by_much(deployment: Deployment) -> None:
    """A minute beyond the time that is left: a process that died keeps nobody waiting longer."""
    deployment.glue.plans.append(LONG)
    deployment.invoke(event(options={"wait": "event"}))
    seen: list[float] = []
    whole = Service.resume

    def looking(self: Any, *arguments: Any, **more: Any) -> Any:
        with self.tools.lease.hold("another"):
            table = deployment.aws.clients.get("dynamodb")
            key = {"pk": {"S": "RUN#another"}, "sk": {"S": "LEASE"}}
            item = table.get_item(TableName="datamorph-ledger", Key=key)["Item"]
            seen.append(float(item["expires"]["N"]) - time.time())
        return whole(self, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "resume", looking)
        deployment.invoke({"run_id": RUN, "action": "resume"}, seconds_left=300)
    assert 340 < seen[0] <= 361


@pytest.mark.slow
def test_a_recorded_run_goes_on_with_its_own_model(deployment: Deployment) -> None:
    """A deployment that changed the model meanwhile does not strand the runs that began before."""
    deployment.configure(model="bedrock:us.anthropic.claude-opus-4", wait_seconds=0)
    assert deployment.invoke(event())["statusCode"] == 202
    deployment.configure()
    assert deployment.invoke({"run_id": RUN, "action": "resume"})["statusCode"] == 200
    assert set(deployment.bedrock.models) == {"us.anthropic.claude-opus-4"}
