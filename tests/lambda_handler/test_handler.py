"""The handler around an answer: wrong settings, and its log of a refusal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lambda_handler
from agent.errors import InvalidRequestError, Problem, UnavailableError
from agent.settings import load_settings
from graph.response import Response
from runs.respond import respond
from runs.service import Service
from tests.lambda_handler.scene import CANARY, URL_CANARY, Context

RESUME = {"action": "resume", "run_id": "run_1"}


def handled(event: object) -> Response:
    return lambda_handler.handler(event, Context())  # type: ignore[arg-type]


def logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, response: Response | Exception) -> list[dict[str, Any]]:
    """The log of an invocation that is so answered, in a function that knows its database."""
    log = io.StringIO()
    monkeypatch.setattr(lambda_handler.logger.registered_handler, "stream", log)
    given = {"home": tmp_path, "database_url": f"postgresql://etl:{URL_CANARY}@h/d"}
    service = Service(SimpleNamespace(), load_settings(given, {}), SimpleNamespace(), "h/d")  # type: ignore[arg-type]
    kept = service, SimpleNamespace()
    monkeypatch.setattr(lambda_handler._door, "kept", kept)

    def answered(*_: object) -> Response:
        if isinstance(response, Exception):
            raise response
        return response

    monkeypatch.setattr("lambda_handler.answer", answered)
    told = handled(RESUME)
    assert isinstance(response, dict) or CANARY not in json.dumps(told)
    assert CANARY not in log.getvalue()
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("event", [RESUME, {"action": "doctor"}, {"detail-type": "Scheduled Event"}])
def test_a_setting_that_is_wrong_is_503(monkeypatch: pytest.MonkeyPatch, event: object) -> None:
    """The sender of an event can do nothing about it: the variable is named, whatever was asked for."""
    lambda_handler.close()
    monkeypatch.setenv("DATAMORPH_WORKERS", "one")
    answer = handled(event)
    assert (answer["statusCode"], answer["body"]["execution_status"]) == (503, "unavailable")
    assert (answer["body"]["service"], "DATAMORPH_WORKERS" in answer["body"]["message"]) == ("datamorph", True)


def test_the_log_tells_why_nothing_was_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody hears the answer to a sweep's wake, to a job event or to a tick."""
    refused = respond(UnavailableError("s3", f"AccessDenied for {CANARY}; grant s3:GetObject"), "run_1")
    (line,) = logged(monkeypatch, tmp_path, refused)
    assert (line["message"], line["level"], line["status_code"]) == ("handler.answered", "INFO", 503)
    assert (line["refused_by"], line["reason"]) == ("s3", "AccessDenied for ***; grant s3:GetObject")
    wrong = respond(InvalidRequestError([Problem("specs.filters", "is free text"), Problem("event", "no")]), "run_1")
    (line,) = logged(monkeypatch, tmp_path, wrong)
    assert (line["status_code"], line["reason"]) == (400, "specs.filters: is free text; event: no")


def test_the_log_of_an_answer_tells_no_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is none."""
    done = Response(statusCode=200, body={"execution_status": "ignored", "message": "no run is known here"})
    (line,) = logged(monkeypatch, tmp_path, done)
    assert (line["status_code"], "reason" in line, "refused_by" in line) == (200, False, False)


def test_a_bug_tells_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor where nothing around it says what it is."""
    failed, answered = logged(monkeypatch, tmp_path, ZeroDivisionError(f"in {CANARY}"))
    assert (failed["message"], "ZeroDivisionError: in ***" in failed["trace"]) == ("handler.failed", True)
    assert answered["reason"].startswith("unexpected ZeroDivisionError: in ***; ")
