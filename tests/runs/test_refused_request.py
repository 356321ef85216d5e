"""Answers and events of a start that was refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from agent.errors import ConflictError, InvalidRequestError, Problem, UnavailableError
from graph.response import Response
from runs.refused_request import refusal
from runs.respond import respond

START = {"run_id": "r1", "specs": {}}
BAD = respond(InvalidRequestError([Problem("specs.filters", "is free text")]), "r1")


@pytest.mark.parametrize(
    ("response", "status", "service", "path", "message"),
    [
        (BAD, "invalid", None, "specs.filters", "is free text"),
        (respond(ConflictError("r1", "is busy")), "conflict", None, "run_id", "is busy"),
        (respond(UnavailableError("s3", "no bucket"), "r1"), "unavailable", "s3", "event", "no bucket"),
    ],
)
def test_a_refusal_is_told_with_path_and_message(
    response: Response, status: str, service: str | None, path: str, message: str
) -> None:
    """Also where the answer has no path: a conflict is about the run_id, a service that is away about all of it."""
    told = refusal(START, response, "7a4c")
    assert told is not None
    assert asdict(told) == {
        "run_id": "r1",
        "request_id": "7a4c",
        "statusCode": response["statusCode"],
        "execution_status": status,
        "service": service,
        "errors": [{"path": path, "message": message}],
    }


@pytest.mark.parametrize("event", [START, {"spec": {}}, {}, [], None, "x", {"action": "start", "specs": {}}])
def test_a_start_is_whatever_asks_for_a_run(event: object) -> None:
    """Misspelt or malformed, it was meant to start something."""
    assert refusal(event, BAD, "7a4c") is not None


@pytest.mark.parametrize(
    "event",
    [
        {"action": "resume", "run_id": "r1"},
        {"action": "sweep"},
        {"action": "doctor"},
        {"detail-type": "Glue Job State Change"},
        {"detail-type": "DataMorph Request Refused"},
    ],
)
def test_what_starts_nothing_is_not_told_of(event: object) -> None:
    """A rule that sends the event back here makes no circle."""
    assert refusal(event, BAD, "7a4c") is None


@pytest.mark.parametrize(("code", "status"), [(200, "success"), (202, "running"), (410, "cancelled"), (422, "failed")])
def test_an_answer_that_is_no_refusal_is_not_told_of(code: int, status: str) -> None:
    """Its run is told of when it ends."""
    assert refusal(START, Response(statusCode=code, body={"run_id": "r1", "execution_status": status}), "7a4c") is None


def test_no_secret_is_told() -> None:
    """Neither one that looks like one nor one that the settings hold."""
    answer = respond(InvalidRequestError([Problem("specs.x", "pwd=hunter22 or Xyzzy17")]), "r1")
    for response in (answer, respond(ValueError("pwd=hunter22 or Xyzzy17"), "r1")):
        told = json.dumps(asdict(refusal(START, response, "7a4c", ["Xyzzy17"])))  # type: ignore[arg-type]
        assert "hunter22" not in told and "Xyzzy17" not in told and "pwd=***" in told


@pytest.mark.slow
def test_an_event_fits_on_the_bus() -> None:
    """However long names and messages are, and whatever they take as JSON; what is left out is counted."""
    problems = [Problem("ä" * 10_000, "\U0001f600" * 10_000) for _ in range(100)]
    told = refusal({"run_id": "r" * 900_000}, respond(InvalidRequestError(problems), "r" * 900_000), "7a4c")
    assert told is not None
    assert len(json.dumps(asdict(told))) < 220_000
    assert len(told.errors) > 5
    assert told.errors[-1]["message"].endswith("more problems; correct these and try again")
