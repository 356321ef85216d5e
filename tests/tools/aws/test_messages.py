"""Messages to functions and buses: journal entries, completion events, calls to go on."""

from __future__ import annotations

import json

import pytest

from agent.errors import UnavailableError
from tests.fakes.aws_lambda import FakeLambda, Invocation
from tests.fakes.moto_server import Aws
from tests.fakes.wire import answered, refused
from tools.aws.announcer import EventBridgeAnnouncer
from tools.aws.invocations import LambdaJournal, LambdaWaker
from tools.records import RunEnded

ENDED = RunEnded("r1", 2, "success", "totals", 1234, "jr_1", 1)


def warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Event name and reason of each warning."""
    return [(record.message, vars(record)["reason"]) for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("bus", ["default", "mine"])
def test_a_listener_hears_that_a_run_has_ended(aws: Aws, bus: str) -> None:
    """On whichever bus is configured; the detail is what a program needs to go on."""
    if bus != "default":
        aws.clients.get("events").create_event_bus(Name=bus)
    queue = aws.subscribed(bus)
    EventBridgeAnnouncer(aws.clients, bus).announce(ENDED)
    (message,) = aws.clients.get("sqs").receive_message(QueueUrl=queue)["Messages"]
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("datamorph", "DataMorph Run State Change")
    assert event["detail"] == {
        "run_id": "r1",
        "generation": 2,
        "execution_status": "success",
        "target_table": "totals",
        "rows_written": 1234,
        "job_run_id": "jr_1",
        "attempts": 1,
    }


def test_a_bus_that_cannot_be_reached_is_only_logged(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """The run has ended all the same."""
    with refused(aws.clients.get("events"), "PutEvents", 400, "AccessDeniedException", "not authorized"):
        assert EventBridgeAnnouncer(aws.clients, "mine").announce(ENDED) is True
    ((event, reason),) = warnings(caplog)
    assert event == "announce.failed"
    assert "event bus mine" in reason
    assert "grant the action of PutEvents" in reason


@pytest.mark.parametrize(
    ("status", "code", "later"),
    [
        (500, "InternalException", True),
        (503, "ServiceUnavailable", True),
        (400, "ThrottlingException", True),
        (400, "ExpiredTokenException", True),
        (400, "ResourceNotFoundException", False),
    ],
)
def test_a_refusal_that_passes_is_no_last_word(aws: Aws, status: int, code: str, later: bool) -> None:
    """The same event is to be sent once more; who may not send it, or to nowhere, need not try again."""
    with refused(aws.clients.get("events"), "PutEvents", status, code):
        assert EventBridgeAnnouncer(aws.clients, "mine").announce(ENDED) is not later


def test_an_event_that_the_bus_did_not_take_is_logged(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """PutEvents answers 200 and says so in the entry."""
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "no"}]}
    with answered(aws.clients.get("events"), "PutEvents", 200, json.dumps(answer)):
        EventBridgeAnnouncer(aws.clients, "mine").announce(ENDED)
    ((event, reason),) = warnings(caplog)
    assert event == "announce.failed"
    assert "NotAuthorizedForSource: no" in reason


def test_a_journal_entry_is_an_asynchronous_call(aws: Aws, fake_lambda: FakeLambda) -> None:
    """An event invocation of the Logger function, which nobody waits for."""
    fake_lambda.functions["logger"] = None
    LambdaJournal(aws.clients, "logger").write("r1", "status", "prepare")
    (invocation,) = fake_lambda.invocations
    assert (invocation.function, invocation.kind) == ("logger", "Event")


def test_a_logger_that_refuses_is_told_of_once(
    aws: Aws, fake_lambda: FakeLambda, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each kind of failure: a run has many steps."""
    journal = LambdaJournal(aws.clients, "logger")
    for _ in range(3):
        journal.write("r1", "status", "prepare")
    fake_lambda.refuse_with = (403, "AccessDeniedException")
    for _ in range(2):
        journal.write("r1", "status", "prepare")
    (missing, denied) = warnings(caplog)
    assert missing[0] == denied[0] == "journal.write_failed"
    assert "function logger in us-east-1: ResourceNotFoundException" in missing[1]
    assert "DATAMORPH_LOGGER_FUNCTION" in missing[1]
    assert "grant the action of Invoke" in denied[1]


def test_a_logger_that_nobody_serves_is_only_logged(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run goes on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    LambdaJournal(aws.clients, "logger").write("r1", "status", "prepare")
    ((event, reason),) = warnings(caplog)
    assert event == "journal.write_failed"
    assert "the endpoint cannot be reached" in reason


def test_a_run_is_woken_by_an_asynchronous_call(aws: Aws, fake_lambda: FakeLambda) -> None:
    """An invocation of this function by itself, with the action that resumes the run."""
    woken: list[object] = []
    fake_lambda.functions["arn:aws:lambda:us-east-1:1:function:datamorph"] = woken.append
    LambdaWaker(aws.clients, "arn:aws:lambda:us-east-1:1:function:datamorph").wake("r1")
    fake_lambda.settle()
    call = {"run_id": "r1", "action": "resume"}
    assert fake_lambda.invocations == [Invocation("arn:aws:lambda:us-east-1:1:function:datamorph", "Event", call)]
    assert woken == [call]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDeniedException", "grant lambda:InvokeFunction on me"),
        (404, "ResourceNotFoundException", "create it, or name another one"),
        (429, "TooManyRequestsException", "wait, or raise the service's quota"),
    ],
)
def test_a_call_that_is_refused_says_what_to_do(
    aws: Aws, fake_lambda: FakeLambda, status: int, code: str, words: str
) -> None:
    """The next sweep tries again."""
    fake_lambda.refuse_with = (status, code)
    with pytest.raises(UnavailableError, match=f"function me in us-east-1: {code}: .*{words}") as raised:
        LambdaWaker(aws.clients, "me").wake("r1")
    assert raised.value.service == "lambda"
