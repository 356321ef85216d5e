"""The terminal on AWS: the same commands with `--engine glue`, and a look from inside a deployed function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import main as cli
from tests.fixtures.postgres import Users
from tests.lambda_handler.scene import CANARY, URL_CANARY, Deployment, event
from tools.fakes import PlannedRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

RUN = "20261125_100000_abc123"
ON_GLUE = ["--engine", "glue", "--json"]


@pytest.fixture
def terminal(deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that runs a command and gives its code and its JSON answer."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event()))

    def command(*arguments: str) -> tuple[int, Any]:
        words = [str(path) if word == "EVENT" else word for word in arguments]
        code = cli.main([*words, "--home", str(tmp_path / "home")])
        return code, json.loads(capsys.readouterr().out)

    return command


def test_a_run_on_glue_is_suspended_looked_at_and_resumed(
    deployment: Deployment, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ledger and checkpoints are in DynamoDB: another process goes on, and asks the model that the run began with."""
    monkeypatch.setenv("DATAMORPH_WAIT_SECONDS", "0")
    code, begun = terminal("run", "EVENT", *ON_GLUE, "--model", "bedrock")
    assert (code, begun["body"]["execution_status"]) == (5, "running"), begun
    code, status = terminal("status", RUN, *ON_GLUE)
    assert (code, status["run_id"], status["engine"], status["model"]) == (0, RUN, "glue", "bedrock")
    assert [record["run_id"] for record in terminal("status", *ON_GLUE)[1]] == [RUN]
    monkeypatch.delenv("DATAMORPH_WAIT_SECONDS")
    code, done = terminal("resume", RUN, *ON_GLUE)
    assert (code, done["body"]["execution_status"], done["body"]["rows_written"]) == (0, "success", 2), done
    assert len(deployment.glue.started) == len(deployment.bedrock.bodies) == 1
    assert deployment.invoke({"run_id": RUN, "action": "status"}) == done


@pytest.mark.slow
def test_a_run_of_the_function_is_cancelled_from_the_terminal(deployment: Deployment, terminal: Any) -> None:
    """Both doors share ledger and checkpoints; exit code 3, and nothing is left."""
    deployment.glue.plans.append(PlannedRun(looks=8))
    assert deployment.invoke(event(options={"wait": "event"}))["statusCode"] == 202
    code, cancelled = terminal("cancel", RUN, *ON_GLUE)
    assert (code, cancelled["statusCode"], cancelled["body"]["execution_status"]) == (3, 410, "cancelled")
    assert deployment.aws.clients.get("glue").list_jobs()["JobNames"] == []


def test_an_unknown_run_is_told(terminal: Any) -> None:
    """As on this machine."""
    code, answer = terminal("cancel", "nobody", *ON_GLUE)
    assert (code, answer["statusCode"]) == (2, 400)


def test_a_deployed_function_is_looked_at_from_inside(deployment: Deployment, terminal: Any) -> None:
    """Database, model, bucket, role, connection, tables and Logger Lambda, and nothing is left of the look.

    The one user of the database, who runs jobs and publishes, is worth a warning, and nothing is missing for it.
    """
    deployment.functions.functions["datamorph"] = deployment.invoked
    code, checks = terminal("doctor", "--lambda", "datamorph", "--json")
    found = {check["name"]: check["status"] for check in checks}
    assert (code, found.pop("database users"), set(found.values())) == (0, "warning", {"ok"}), checks
    assert {
        "secrets",
        "database",
        "model access",
        "bucket",
        "role",
        "connection",
        "ledger table",
        "checkpoints",
    } <= set(found)
    assert deployment.aws.clients.get("glue").list_jobs()["JobNames"] == []
    assert deployment.glue.started == []


def test_what_a_deployed_function_lacks_is_told(deployment: Deployment, terminal: Any) -> None:
    """By name, with what to do and exit code 4; secrets stay secret."""
    deployment.functions.functions["datamorph"] = deployment.invoked
    deployment.configure(bucket="nobodys-bucket", ledger_table="nobodys-ledger")
    deployment.put_secret("datamorph/database", {"url": f"postgresql://etl:{URL_CANARY}@127.0.0.1:1/sales"})
    code, checks = terminal("doctor", "--lambda", "datamorph", "--json")
    missing = {check["name"]: check["detail"] for check in checks if check["status"] == "missing"}
    assert (code, set(missing)) == (4, {"database", "bucket", "role", "ledger table"}), checks
    assert "DATAMORPH_BUCKET" in missing["bucket"]
    assert CANARY not in json.dumps(checks) and URL_CANARY not in json.dumps(checks)


@pytest.fixture
def two_users(deployment: Deployment, users: Users) -> Users:
    """Let the Glue connection name a secret of the jobs' user, and the function's secret name the publisher."""
    deployment.functions.functions["datamorph"] = deployment.invoked
    deployment.put_secret("datamorph/jobs", {"url": users.jobs})
    deployment.put_secret("datamorph/database", {"url": users.publisher})
    deployment.glue.account.engine.connections["dmdb-connection"] = users.jobs
    deployment.glue.account.connection_secrets["dmdb-connection"] = "datamorph/jobs"
    deployment.configure(job_database_secret="datamorph/jobs")
    deployment.sql(f"GRANT SELECT ON orders TO {users.job_role}, {users.job_role.replace('_jobs', '_publisher')}")
    return users


def database_users(terminal: Any) -> tuple[int, str, str]:
    """Let the function look: the exit code, and what it says of the database's users."""
    code, checks = terminal("doctor", "--lambda", "datamorph", "--json")
    (found,) = (check for check in checks if check["name"] == "database users")
    return code, found["status"], found["detail"]


@pytest.mark.slow
def test_a_run_with_two_users(deployment: Deployment, terminal: Any, two_users: Users) -> None:
    """The job logs in by the connection's secret, and the function publishes what the jobs' user has staged."""
    done = deployment.invoke(event())
    assert (done["statusCode"], done["body"]["rows_written"]) == (200, 2), done
    code, status, detail = database_users(terminal)
    assert (code, status) == (0, "ok"), detail
    assert f"{two_users.job_role!r} runs the jobs" in detail


def test_users_that_do_not_go_together_are_told(deployment: Deployment, terminal: Any, two_users: Users) -> None:
    """A connection that logs in as somebody else, and a secret of the connection that cannot be read."""
    deployment.glue.account.connection_secrets["dmdb-connection"] = "datamorph/database"
    code, status, detail = database_users(terminal)
    assert (code, status) == (4, "missing")
    assert f"and staging of {two_users.job_role!r} is published: name the connection's secret" in detail
    deployment.glue.account.connection_secrets["dmdb-connection"] = "nobodys"
    code, status, detail = database_users(terminal)
    assert (code, status, "cannot be seen: secret nobodys" in detail) == (0, "warning", True), detail


def test_secrets_that_cannot_be_read_are_one_check_among_others(deployment: Deployment, terminal: Any) -> None:
    """From inside and from the terminal: before anything is deployed this is what everybody meets."""
    deployment.functions.functions["datamorph"] = deployment.invoked
    deployment.put_secret("datamorph/config", "{")
    for words in (["--lambda", "datamorph"], ["--engine", "glue", "--model", "bedrock"]):
        code, checks = terminal("doctor", *words, "--json")
        found = {check["name"]: check for check in checks}
        assert (code, found["secrets"]["status"], found["bucket"]["status"]) == (4, "missing", "ok"), checks
        assert "it is not JSON" in found["secrets"]["detail"]


def test_without_credentials_the_doctor_still_lists(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor lists the parts of this machine, and those that are missing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    code, checks = terminal("doctor", "--engine", "glue", "--json")
    found = {check["name"]: check["status"] for check in checks}
    assert (code, found["Python"], found["AWS credentials"]) == (4, "ok", "missing"), checks


def test_a_function_that_is_not_there_is_told(terminal: Any) -> None:
    """With the region that was looked in."""
    code, answer = terminal("doctor", "--lambda", "nobody", "--json")
    assert (code, answer["statusCode"]) == (4, 503)
    assert "deploy it first" in answer["body"]["message"]
