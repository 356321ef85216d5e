"""Answers of the function on bad days: the status, the fault, and what to do; never a stack trace."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import lambda_handler
from tests.fakes.bedrock import Answer, reply
from tests.fixtures.postgres import as_role
from tests.lambda_handler.bad_days import ENDED, UNAVAILABLE, Break
from tests.lambda_handler.scene import CANARY, REPLY, URL_CANARY, Context, Deployment, event
from tools.fakes import PlannedRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]


@pytest.mark.parametrize(("name", "broken", "service", "words"), UNAVAILABLE, ids=[case[0] for case in UNAVAILABLE])
def test_a_refusal_is_503_and_says_what_to_do(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: Break,
    service: str,
    words: list[str],
) -> None:
    """The message names the thing and the way out; no job was left, and no secret is told."""
    broken(deployment, monkeypatch)
    answer = deployment.invoke(event())
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"]) == (503, "unavailable"), body
    assert body["service"] == service or not service
    assert [word for word in words if word not in body["message"]] == [], body["message"]
    assert body["run_id"] == event()["run_id"]
    assert CANARY not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)
    assert deployment.glue.started == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Glue quota reached", "throttled to the end", "database unreachable"])
def test_the_same_request_goes_on_when_the_refusal_is_over(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing has to be cleaned up, and no option given."""
    working = deployment.database_url
    answers = list(deployment.bedrock.answers)
    next(case for case in UNAVAILABLE if case[0] == name)[1](deployment, monkeypatch)
    assert deployment.invoke(event())["statusCode"] == 503
    deployment.glue.faults.clear()
    deployment.bedrock.answers = answers
    deployment.put_secret("datamorph/database", {"url": working})
    answer = deployment.invoke(event())
    if name == "database unreachable":
        # It was accepted for the database that could not be reached: another one is another run.
        assert answer["statusCode"] == 409
        assert "options.restart" in answer["body"]["message"] or "give the same again" in answer["body"]["message"]
        answer = deployment.invoke(event(options={"restart": True}))
    assert answer["statusCode"] == 200, answer["body"]
    assert len(deployment.glue.started) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "plans", "expected", "starts", "words"), ENDED, ids=[case[0] for case in ENDED])
def test_a_job_that_code_cannot_mend_is_422(
    deployment: Deployment, name: str, plans: list[PlannedRun], expected: str, starts: int, words: list[str]
) -> None:
    """The diagnosis says what ended it; a launch that failed for the engine's sake was repeated twice."""
    deployment.glue.plans.extend(plans)
    answer = deployment.invoke(event())
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"], body["attempts"]) == (422, "failed", 1), body
    assert body["diagnosis"]["failure_class"] == expected
    told = json.dumps(body["diagnosis"])
    assert [word for word in words if word not in told] == [], told
    assert len(deployment.glue.started) == starts
    assert deployment.aws.clients.get("glue").list_jobs()["JobNames"] == []
    assert len(deployment.bedrock.bodies) == 1


def test_a_launch_error_that_passes_costs_no_attempt(deployment: Deployment) -> None:
    """The second launch of the first attempt succeeds."""
    deployment.glue.plans.extend([PlannedRun("FAILED", "LAUNCH ERROR | out of addresses"), None])
    body = deployment.invoke(event())["body"]
    assert (body["execution_status"], body["attempts"]) == ("success", 1)
    assert len(deployment.glue.started) == 2


def test_a_model_that_does_not_answer_in_time_is_503(deployment: Deployment) -> None:
    """It is asked once more and no longer than the time limit allows; the message names the setting."""
    deployment.configure(model_timeout_seconds=0.4)
    deployment.bedrock.answers = [Answer(200, {}, held=True)]
    answer = deployment.invoke(event())
    assert (answer["statusCode"], answer["body"]["service"]) == (503, "model")
    assert "0.4 s" in answer["body"]["message"]
    assert "DATAMORPH_MODEL_TIMEOUT_SECONDS" in answer["body"]["message"]
    assert deployment.glue.started == []


def test_a_reply_that_is_cut_is_asked_for_anew(deployment: Deployment) -> None:
    """Half a function runs nowhere: one rewrite, and the reason is told to the model."""
    half = reply(REPLY[:120], stop_reason="max_tokens")
    deployment.bedrock.answers = [half, reply(f"ROOT CAUSE: too long.\n\n{REPLY}")]
    body = deployment.invoke(event())["body"]
    assert (body["execution_status"], body["attempts"], body["rewrites"]) == ("success", 1, 1), body
    assert "cut at the token limit" in json.dumps(deployment.bedrock.bodies[1])


def test_replies_that_stay_cut_are_422(deployment: Deployment) -> None:
    """Nothing ran; the diagnosis names the limit."""
    deployment.bedrock.answers = [reply(REPLY[:120], stop_reason="max_tokens")]
    answer = deployment.invoke(event())
    body = answer["body"]
    assert (answer["statusCode"], body["attempts"]) == (422, 0)
    assert body["diagnosis"]["failure_class"] == "reply_truncated"
    assert deployment.glue.started == []


def test_an_event_for_an_unknown_run_is_ignored(deployment: Deployment) -> None:
    """As one for the job of another account or of a run that was forgotten."""
    detail = {"jobName": "datamorph-job-nobody-g1-a1-l1-01234567", "jobRunId": "jr_1", "state": "FAILED"}
    told = deployment.invoke({"source": "aws.glue", "detail-type": "Glue Job State Change", "detail": detail})
    assert (told["statusCode"], told["body"]["execution_status"]) == (200, "ignored")
    assert "datamorph-job-nobody" in told["body"]["message"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"detail-type": "Glue Job State Change"}, "detail.jobName"),
        ({"detail-type": "Glue Job State Change", "detail": {"jobName": "x"}}, "detail.jobRunId"),
        ({"action": "status"}, "run_id"),
        ({"action": "explode", "run_id": "r"}, "action"),
        ({"run_id": "r"}, "specs"),
        ({"specs": {}}, "run_id"),
        ([1, 2], "event"),
        (None, "event"),
        ("text", "event"),
    ],
)
def test_a_malformed_event_is_400_with_its_path(deployment: Deployment, given: Any, path: str) -> None:
    """Whatever it is."""
    answer = deployment.invoke(given)
    assert answer["statusCode"] == 400
    assert path in {error["path"] for error in answer["body"]["errors"]}


def test_a_bug_is_503_and_only_the_log_has_its_trace(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer names the error; the function's log has the rest."""
    log = io.StringIO()
    monkeypatch.setattr(lambda_handler.logger.registered_handler, "stream", log)

    def bug(*arguments: object) -> None:
        raise ZeroDivisionError(f"password={CANARY}") from ValueError(f"postgresql://etl:{CANARY}@h/d")

    monkeypatch.setattr("lambda_handler.answer", bug)
    answer = lambda_handler.handler(event(), Context())  # type: ignore[arg-type]
    assert answer["statusCode"] == 503
    assert "ZeroDivisionError" in answer["body"]["message"]
    assert CANARY not in json.dumps(answer)
    (told,) = [line for line in map(json.loads, log.getvalue().splitlines()) if line["message"] == "handler.failed"]
    assert "in bug" in told["trace"]
    assert CANARY not in log.getvalue()


def test_no_secret_is_told_anywhere(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in the answer, artifacts, checkpoints, ledger, prompts, job definitions, journal or log."""
    deployment.sql(f"CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{CANARY}'")
    url = as_role(deployment.database_url, "canary", URL_CANARY)
    assert URL_CANARY in url
    deployment.put_secret("datamorph/database", {"url": url})
    log = io.StringIO()
    monkeypatch.setattr(lambda_handler.logger.registered_handler, "stream", log)
    answer = deployment.invoke(event())
    assert "handler.answered" in log.getvalue()
    told = [json.dumps(answer), capsys.readouterr().out, log.getvalue(), json.dumps(deployment.bedrock.bodies)]
    told += [json.dumps(call) for call in deployment.glue.calls]
    told += [json.dumps(call.payload) for call in deployment.functions.invocations]
    s3, dynamodb = (deployment.aws.clients.get(name) for name in ("s3", "dynamodb"))
    for item in s3.list_objects_v2(Bucket="dmbckt")["Contents"]:
        told.append(s3.get_object(Bucket="dmbckt", Key=item["Key"])["Body"].read().decode())
    for table in dynamodb.list_tables()["TableNames"]:
        told.append(repr(dynamodb.scan(TableName=table)["Items"]))
    assert len(told) > 15
    assert [text[:200] for text in told if CANARY in text or URL_CANARY in text] == []
