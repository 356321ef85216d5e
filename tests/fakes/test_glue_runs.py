"""The Glue endpoint of the tests: scripts that are really executed, and where they leave what they leave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.names import temp_prefix
from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.moto_server import Aws
from tests.tools.aws.scene import JOB, PREFIX, GlueScene
from tests.tools.spark.scene import script
from tools.aws.artifacts import S3Artifacts
from tools.fakes import PlannedRun
from tools.records import JobReport, JobRun
from tools.spark.jvm import SparkJvm

pytestmark = pytest.mark.spark


@contextmanager
def executing(aws: Aws, patch: pytest.MonkeyPatch, **more: Any) -> Iterator[GlueScene]:
    """A scene whose Glue executes scripts."""
    with fake_glue(aws.endpoint, **more) as glue:
        patch.setenv("AWS_ENDPOINT_URL_GLUE", glue.endpoint_url)
        yield GlueScene(glue, aws.clients, S3Artifacts(aws.clients, "dmbckt"))


@pytest.fixture
def scene(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spark_jvm: SparkJvm) -> Iterator[GlueScene]:
    """Give a scene without a database."""
    with executing(aws, monkeypatch, folder=tmp_path, jvm=spark_jvm) as made:
        yield made


def ended(scene: GlueScene, text: str, **settings: Any) -> JobRun:
    """A script's run, once it has ended."""
    runner = scene.runner(**settings)
    runner.create(scene.job(script=text))
    job_run_id = runner.start(JOB, PREFIX)
    deadline = time.monotonic() + 60
    while not (run := runner.get(JOB, job_run_id)).terminal:
        assert time.monotonic() < deadline, run
        time.sleep(0.05)
    return run


def streams(scene: GlueScene, group: str) -> dict[str, str]:
    """The streams of a log group by name, each with its lines."""
    logs = scene.clients.get("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=f"/aws-glue/jobs/{group}")["logGroups"]:
        return {}
    names = {"logGroupName": f"/aws-glue/jobs/{group}"}
    return {
        each["logStreamName"]: "\n".join(
            event["message"]
            for event in logs.get_log_events(**names, logStreamName=each["logStreamName"], startFromHead=True)["events"]
        )
        for each in logs.describe_log_streams(**names)["logStreams"]
    }


@pytest.mark.postgres
def test_a_script_runs_from_s3_to_the_database(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spark_jvm: SparkJvm, postgres_url: str
) -> None:
    """The connection that the job names leads to the database; the report lands under the TempDir on S3."""
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 10) AS g")
        text = script('write(read("t"), "copied"); report(10, ["id"]); print(args["JOB_NAME"])')
        with executing(aws, monkeypatch, database_url=postgres_url, folder=tmp_path, jvm=spark_jvm) as scene:
            run = ended(scene, text)
            runner = scene.runner()
            assert (run.state, run.error) == ("SUCCEEDED", ""), runner.log_tail(JOB, run.job_run_id)
            assert sql.execute("SELECT sum(id) FROM copied").fetchone() == (55,)
            assert runner.report(JOB, run.job_run_id) == JobReport(10, ("id",), run.job_run_id)
            assert runner.log_tail(JOB, run.job_run_id).splitlines()[-1] == JOB
    listed = aws.clients.get("s3").list_objects_v2(Bucket="dmbckt", Prefix="glue/temp/")["Contents"]
    names = [each["Key"].removeprefix(f"{temp_prefix(JOB)}reports/{run.job_run_id}/") for each in listed]
    assert [name.partition("-")[0] for name in names] == ["_SUCCESS", "part"]


@pytest.mark.parametrize("version", ["4.0", "5.0"])
def test_a_failing_script_leaves_its_traceback_where_the_version_puts_it(scene: GlueScene, version: str) -> None:
    """ErrorMessage in Glue's words with the line; the traceback in the version's log groups, and in our log tail."""
    run = ended(scene, "print('before')\nraise ValueError('no such luck')\n", glue_version=version)
    assert run.state == "FAILED"
    assert run.error == "Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 2; ValueError: no such luck"
    driver = f"{run.job_run_id}-driver"
    if version == "4.0":
        assert streams(scene, "output") == {run.job_run_id: "before"}
        assert "Error from Python:Traceback" in streams(scene, "logs-v2")[driver]
        assert streams(scene, "error")[run.job_run_id].endswith("ValueError: no such luck")
    else:
        assert streams(scene, "output")[driver].startswith("before\nTraceback")
        assert streams(scene, "error") == streams(scene, "logs-v2") == {}
    tail = scene.runner(glue_version=version).log_tail(JOB, run.job_run_id)
    assert tail.count("before\n") == tail.count("ValueError: no such luck\n") == 1


def test_a_script_that_is_gone_is_a_launch_error(scene: GlueScene) -> None:
    """The run is there, and failed before it began; it costs nothing."""
    runner, job = scene.runner(), scene.job()
    runner.create(job)
    key = job.script_ref.partition("#")[0].removeprefix("s3://dmbckt/")
    scene.clients.get("s3").delete_object(Bucket="dmbckt", Key=key)
    run = runner.get(JOB, runner.start(JOB, PREFIX))
    assert (run.state, run.usd) == ("FAILED", 0.0)
    assert run.error == f"LAUNCH ERROR | Error downloading from S3 for s3://dmbckt/{key}: NoSuchKey"


def test_a_plan_comes_before_the_execution(scene: GlueScene) -> None:
    """A first run that fails as planned, and a second one that is executed."""
    scene.glue.plans[:] = [PlannedRun("FAILED", "Resource unavailable"), None]
    assert ended(scene, "print('done')\n").error == "Resource unavailable"
    scene.runner().delete(JOB)
    run = ended(scene, "print('done')\n")
    assert (run.state, scene.runner().log_tail(JOB, run.job_run_id)) == ("SUCCEEDED", "done\n")
    assert scene.glue.started == [JOB, JOB]


def test_no_process_outlives_the_endpoint(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run that lives at the end of a test is stopped; also one that brought its own JVM."""
    with executing(aws, monkeypatch, folder=tmp_path) as scene:
        runner = scene.runner()
        runner.create(scene.job(script="import time; time.sleep(60)"))
        runner.start(JOB, PREFIX)
        glue: FakeGlue = scene.glue
    assert glue.account.runs[JOB][0].course.state() == "STOPPED"
