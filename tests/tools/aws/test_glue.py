"""GlueJobRunner: what it asks of Glue, and what it makes of the answers."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from agent.errors import ArtifactError, EngineError, UnavailableError
from tests.fakes.glue_faults import Fault
from tests.fakes.moto_server import Aws
from tests.tools.aws.scene import JOB, PREFIX, GlueScene, glue_scene
from tools.aws.glue_runs import job_run
from tools.fakes import PlannedRun
from tools.records import JobReport

LONG_JOB = f"datamorph-job-{'r' * 100}-g1-a1-l1-01234567"
SECRET = "Hunter'2/sécret"


@pytest.fixture
def scene(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[GlueScene]:
    """Give an engine with the settings' defaults."""
    with glue_scene(aws, monkeypatch) as made:
        yield made


def test_a_job_is_created_with_all_figures(scene: GlueScene) -> None:
    """CreateJob's request, word for word: no retries, one run at a time, no queue, no bookmark, nothing of a user's."""
    job = scene.job(tags={"run_id": "r1", "generation": "1", "attempt": "1"})
    scene.runner().create(job)
    assert scene.glue.requests("CreateJob") == [
        {
            "Name": JOB,
            "Role": "lambdaroles",
            "ExecutionProperty": {"MaxConcurrentRuns": 1},
            "Command": {
                "Name": "glueetl",
                "ScriptLocation": "s3://dmbckt/glue/codes/r1/5ad83658_glue.py",
                "PythonVersion": "3",
            },
            "DefaultArguments": {
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
            },
            "Connections": {"Connections": ["dmdb-connection"]},
            "MaxRetries": 0,
            "Timeout": 60,
            "GlueVersion": "4.0",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
            "JobRunQueuingEnabled": False,
            "Tags": {
                "run_id": "r1",
                "generation": "1",
                "attempt": "1",
                "application": "datamorph",
                "expires": "2023-11-15T23:13:20Z",
            },
        }
    ]


def test_a_job_follows_the_settings_and_its_definition(scene: GlueScene) -> None:
    """Role, connection, Glue version and workers are the settings'; the worker type is the job's own."""
    runner = scene.runner(role="arn:aws:iam::1:role/glue", connection="other", glue_version="5.0", workers=5)
    runner.create(scene.job(worker_type="G.2X"))
    asked = scene.glue.requests("CreateJob")[0]
    assert asked["Role"] == "arn:aws:iam::1:role/glue"
    assert asked["Connections"] == {"Connections": ["other"]}
    assert (asked["GlueVersion"], asked["NumberOfWorkers"], asked["WorkerType"]) == ("5.0", 5, "G.2X")


def test_a_script_that_was_changed_is_not_run(scene: GlueScene) -> None:
    """Glue is not asked when the object is not what was stored."""
    job = scene.job()
    key = job.script_ref.partition("#")[0].removeprefix("s3://dmbckt/")
    scene.clients.get("s3").put_object(Bucket="dmbckt", Key=key, Body=b"print('something else')")
    with pytest.raises(ArtifactError, match="was changed"):
        scene.runner().create(job)
    assert scene.glue.calls == []


@pytest.mark.parametrize("code", ["AlreadyExistsException", "IdempotentParameterMismatchException"])
def test_a_name_that_is_ours_is_told_as_such(scene: GlueScene, code: str) -> None:
    """Whichever way Glue refuses the name, the script's address tells that the job is the same."""
    runner, job = scene.runner(), scene.job()
    runner.create(job)
    scene.glue.faults = [Fault("CreateJob", error=code, call=2)]
    with pytest.raises(EngineError) as caught:
        runner.create(job)
    assert caught.value.code == "AlreadyExistsException"


def test_a_name_that_is_anothers_is_a_collision(scene: GlueScene) -> None:
    """A job of the name with another script is neither taken for ours nor overwritten; both scripts are named."""
    runner = scene.runner()
    runner.create(scene.job(script="print('theirs')"))
    there = scene.glue.account.jobs[JOB]["Command"]["ScriptLocation"]
    with pytest.raises(EngineError) as caught:
        runner.create(scene.job())
    assert caught.value.code == "IdempotentParameterMismatchException"
    for told in (JOB, there, "5ad83658", "another run_id"):
        assert told in str(caught.value)
    assert scene.glue.account.jobs[JOB]["Command"]["ScriptLocation"] == there


def test_a_run_is_started_with_its_prefix_and_nothing_else(scene: GlueScene) -> None:
    """StartJobRun's request, word for word, with the narrowing of the role switched off; the TempDir is the run's."""
    scene.started(session_policy=False)
    arguments = PREFIX | {"--TempDir": "s3://dmbckt/glue/temp/4cfbfdf8b065/"}
    assert scene.glue.requests("StartJobRun") == [
        {"JobName": JOB, "Arguments": arguments, "JobRunQueuingEnabled": False}
    ]


@pytest.mark.parametrize("name", ["--extra-py-files", "--conf", "--additional-python-modules", "--TempDir"])
def test_no_argument_of_glues_own_is_passed(scene: GlueScene, name: str) -> None:
    """Arguments that would change how Glue runs a script never reach it."""
    runner = scene.runner()
    runner.create(scene.job())
    with pytest.raises(EngineError, match=name):
        runner.start(JOB, PREFIX | {name: "s3://elsewhere/x"})
    assert scene.glue.requests("StartJobRun") == []


def test_a_run_gets_the_role_for_itself_only(scene: GlueScene) -> None:
    """The session policy names this run's scripts and its TempDir."""
    scene.started()
    policy = json.loads(scene.glue.requests("StartJobRun")[0]["ExecutionRoleSessionPolicy"])
    assert policy["Statement"][0]["Resource"][0] == "arn:aws:s3:::dmbckt/glue/codes/r1/*"
    assert policy["Statement"][1]["Resource"][0] == "arn:aws:s3:::dmbckt/glue/temp/4cfbfdf8b065*"


def test_a_role_that_cannot_be_narrowed_stops_the_launch(scene: GlueScene) -> None:
    """No job is defined and no run started; switched off by the operator, the run starts."""
    names = {"connection": "c" * 255, "bucket": "b" * 63}
    runner, job = scene.runner(**names), scene.job(LONG_JOB)
    for ask in (lambda: runner.create(job), lambda: runner.start(LONG_JOB, PREFIX)):
        with pytest.raises(UnavailableError, match="shorten the run_id"):
            ask()
    assert scene.glue.calls == []
    wide = scene.runner(**names, session_policy=False)
    wide.create(job)
    assert wide.start(LONG_JOB, PREFIX)


def test_a_run_costs_what_its_workers_cost(scene: GlueScene) -> None:
    """Ninety seconds of two G.1X are 180 DPU-seconds, at 0.44 USD an hour; while it runs nothing is told."""
    runner, job_run_id = scene.started(PlannedRun(looks=1))
    assert (runner.get(JOB, job_run_id).dpu_seconds, runner.get(JOB, job_run_id).dpu_seconds) == (0.0, 180.0)
    assert runner.get(JOB, job_run_id).usd == 0.022


@pytest.mark.parametrize(
    ("described", "dpu_seconds", "usd"),
    [
        ({"ExecutionTime": 7, "NumberOfWorkers": 2, "WorkerType": "G.1X"}, 120.0, 0.0147),
        ({"ExecutionTime": 3600, "NumberOfWorkers": 10, "WorkerType": "G.2X"}, 72_000.0, 8.8),
        ({"ExecutionTime": 3600, "NumberOfWorkers": 10, "WorkerType": "G.2X", "DPUSeconds": 36_000.0}, 36_000.0, 4.4),
        ({"ExecutionTime": 0, "NumberOfWorkers": 2, "WorkerType": "G.1X"}, 0.0, 0.0),
    ],
)
def test_the_cost_is_glues_own_figure_or_reckoned(described: dict[str, object], dpu_seconds: float, usd: float) -> None:
    """DPUSeconds where Glue gives them; else time by workers, a minute at least, and nothing for what never began."""
    run = job_run({"JobName": "j", "Id": "jr_0", "JobRunState": "SUCCEEDED", **described})
    assert (run.dpu_seconds, run.usd) == (dpu_seconds, usd)


def test_a_state_that_glue_invents_is_not_an_end() -> None:
    """It is told as it is, and waited for."""
    run = job_run({"JobName": "j", "Id": "jr_0", "JobRunState": "PONDERING"})
    assert (run.state, run.terminal) == ("PONDERING", False)


def test_the_databases_password_is_in_no_error_and_no_log(scene: GlueScene) -> None:
    """In none of the forms in which a driver or a script may write it."""
    told = f"no {SECRET}, {quote(SECRET, safe='')}, {b64encode(f'etl:{SECRET}'.encode()).decode()} fits"
    url = f"postgresql://etl:{quote(SECRET, safe='')}@db/x"
    runner, run_id = scene.started(PlannedRun("FAILED", told, log=f"{told}\n"), database_url=url)
    masked = "no ***, ***, ZXRsO*** fits"
    assert runner.get(JOB, run_id).error == runner.list_runs(JOB)[0].error == masked
    assert runner.log_tail(JOB, run_id) == f"{masked}\n"


def test_an_endless_error_is_cut(scene: GlueScene) -> None:
    """The first 8,000 characters of an ErrorMessage are kept."""
    runner, job_run_id = scene.started(PlannedRun("FAILED", "Error Category: X; " + "y" * 20_000))
    error = runner.get(JOB, job_run_id).error
    assert error.startswith("Error Category: X; y") and len(error) == 8_000


def test_all_pages_of_runs_are_listed(scene: GlueScene) -> None:
    """More runs than a page holds, newest first."""
    runner, first = scene.started()
    rest = [runner.start(JOB, PREFIX) for _ in range(60)]
    assert [run.job_run_id for run in runner.list_runs(JOB)] == [*reversed(rest), first]
    assert len(scene.glue.requests("GetJobRuns")) == 2


def test_a_run_that_cannot_be_stopped_is_told(scene: GlueScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Glue says so in an answer that is a success; a run that lives on is an error with Glue's code."""
    runner, job_run_id = scene.started(PlannedRun(looks=5))
    detail = {"ErrorCode": "JobRunInvalidStateTransitionException", "ErrorMessage": "not now"}
    refused = {"JobName": JOB, "JobRunId": job_run_id, "ErrorDetail": detail}
    monkeypatch.setattr(scene.glue.account, "batch_stop_job_run", lambda request: {"Errors": [refused]})
    with pytest.raises(EngineError, match="not now") as caught:
        runner.stop(JOB, job_run_id)
    assert caught.value.code == "JobRunInvalidStateTransitionException"


def test_a_report_in_parts_is_put_together(scene: GlueScene) -> None:
    """The parts that Spark wrote, in their order, without its markers; another run's is not read."""
    runner, job_run_id = scene.started(PlannedRun(rows=None))
    text = json.dumps({"rows": 7, "columns": ["a"], "job_run_id": job_run_id})
    s3 = scene.clients.get("s3")
    folder = f"glue/temp/4cfbfdf8b065/reports/{job_run_id}"
    for key, body in {"part-00001": text[10:], "part-00000": text[:10], "_SUCCESS": "!"}.items():
        s3.put_object(Bucket="dmbckt", Key=f"{folder}/{key}", Body=body.encode())
    s3.put_object(Bucket="dmbckt", Key=f"{folder}0/part-00000", Body=b"{}")
    assert runner.report(JOB, job_run_id) == JobReport(7, ("a",), job_run_id)
