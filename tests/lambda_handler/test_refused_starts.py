"""A refused start is heard of on the bus, as nobody hears the answer to an asynchronous invocation."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

import lambda_handler
from agent.errors import UnavailableError
from agent.names import RunKey
from runs.respond import respond
from tests.fakes.moto_server import REFUSED_PATTERN, Aws
from tests.lambda_handler.scene import Context, event
from tools.aws.announcer import EventBridgeAnnouncer
from tools.records import Change, RunRecord

RUN = "20261125_100000_abc123"
BAD = {"run_id": RUN, "specs": {"source_tables": ["orders"], "target_table": {"name": "t", "colums": []}}}


@pytest.fixture
def function(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Give an account with a function that has no database, and a bus of its own."""
    aws.clients.get("events").create_event_bus(Name="mine")
    given = {"CONFIG_SECRET": "none", "MODEL": "compiler", "EVENT_BUS": "mine"}
    for name, value in given.items():
        monkeypatch.setenv(f"DATAMORPH_{name}", value)
    lambda_handler.close()
    yield aws
    lambda_handler.close()


def asked(event: object) -> dict[str, Any]:
    return dict(lambda_handler.handler(event, Context()))  # type: ignore[arg-type]


def heard(aws: Aws, queue: str) -> list[dict[str, Any]]:
    """The details of the events that came meanwhile."""
    received = aws.clients.get("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"])["detail"] for message in received.get("Messages", [])]


def test_a_start_that_is_wrong_is_told_with_its_paths(function: Aws) -> None:
    """By the rule of docs/lambda.md; the caller's answer is the same as ever."""
    queue = function.subscribed("mine", REFUSED_PATTERN)
    answer = asked(BAD)
    assert answer["statusCode"] == 400
    (told,) = heard(function, queue)
    assert told == {
        "run_id": RUN,
        "request_id": Context.aws_request_id,
        "statusCode": 400,
        "execution_status": "invalid",
        "service": None,
        "errors": answer["body"]["errors"],
    }
    assert "did you mean 'columns'" in told["errors"][0]["message"]


@pytest.mark.parametrize(
    ("variable", "value", "service"),
    [
        ("DATAMORPH_WORKERS", "one", "datamorph"),
        ("DATAMORPH_CONFIG_SECRET", "gone", "secrets"),
        ("DATAMORPH_BUCKET", "gone", "s3"),
    ],
)
def test_a_function_that_cannot_work_tells_so(
    function: Aws, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, service: str
) -> None:
    """Also where its settings are not known: region and bus stand in its environment."""
    monkeypatch.setenv(variable, value)
    queue = function.subscribed("mine", REFUSED_PATTERN)
    answer = asked(event(RUN))
    (told,) = heard(function, queue)
    assert (told["statusCode"], told["execution_status"], told["service"]) == (503, "unavailable", service)
    assert told["errors"] == [{"path": "event", "message": answer["body"]["message"]}]


def test_a_busy_run_is_told_as_a_conflict(function: Aws) -> None:
    """An event that Lambda delivers twice at once."""
    queue = function.subscribed("mine", REFUSED_PATTERN)
    asked({"action": "status", "run_id": RUN})
    service, _ = lambda_handler._door.open(Context())  # type: ignore[arg-type]
    with service.tools.lease.hold(RUN):
        assert asked(event(RUN))["statusCode"] == 409
    (told,) = heard(function, queue)
    assert (told["statusCode"], told["errors"][0]["path"]) == (409, "run_id")


def test_a_run_that_goes_on_by_itself_is_not_refused(function: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its 503 interrupts it, the sweep wakes it, and its end is told; asked for anew elsewhere, it would run twice."""
    queue = function.subscribed("mine", REFUSED_PATTERN)
    monkeypatch.setattr("lambda_handler.answer", lambda *_: respond(UnavailableError("s3", "no"), RUN))
    record = RunRecord(RUN, 1, "sha", "ref", "compiler", "glue", "none", "2026-01-01T00:00:00+00:00", "running")
    asked({"action": "status", "run_id": RUN})
    service, _ = lambda_handler._door.open(Context())  # type: ignore[arg-type]
    ledger = service.tools.ledger
    ledger.accept(record)
    ledger.change(RunKey(RUN, 1), Change("interrupt", "{}"))
    asked(event(RUN))
    assert heard(function, queue) == []
    ledger.change(RunKey(RUN, 1), Change("refuse", "{}"))
    asked(event(RUN))
    (told,) = heard(function, queue)
    assert told["statusCode"] == 503


def test_what_starts_nothing_is_not_told_of(function: Aws) -> None:
    """An action has its caller, or a sweep that asks again."""
    queue = function.subscribed("mine", REFUSED_PATTERN)
    assert asked({"action": "status", "run_id": "nobody"})["statusCode"] == 400
    assert asked({"action": "statsu"})["statusCode"] == 400
    assert heard(function, queue) == []


@pytest.mark.parametrize(("bus", "event_name"), [("gone", "refusal.untold"), ("mine", "refusal.failed")])
def test_a_refusal_that_cannot_be_told_leaves_the_answer(
    function: Aws, monkeypatch: pytest.MonkeyPatch, bus: str, event_name: str
) -> None:
    """A bus that is not there, or a bug in the telling: it stands in the log."""
    monkeypatch.setenv("DATAMORPH_EVENT_BUS", bus)
    if event_name == "refusal.failed":
        monkeypatch.setattr(EventBridgeAnnouncer, "tell_refusal", None)
    log = io.StringIO()
    monkeypatch.setattr(lambda_handler.logger.registered_handler, "stream", log)
    assert asked(BAD)["statusCode"] == 400
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert event_name in [line["message"] for line in lines]
