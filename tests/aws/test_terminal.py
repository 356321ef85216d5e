"""The terminal on AWS: the same commands with `--engine glue`, and a look from inside a deployed function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cli
from tests.aws.deployment import CANARY, URL_CANARY, Deployment, event
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
    """Database, model, bucket, role, connection, tables and Logger Lambda, and nothing is left of the look."""
    deployment.functions.functions["datamorph"] = deployment.invoked
    code, checks = terminal("doctor", "--lambda", "datamorph", "--json")
    found = {check["name"]: check["status"] for check in checks}
    assert (code, set(found.values())) == (0, {"ok"}), checks
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
    """What this machine has, and what is missing."""
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
