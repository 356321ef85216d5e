"""Bedrock over real HTTP on loopback: replies, tokens, retries, refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import boto3
import pytest

from agent.errors import OutOfTimeError, UnavailableError
from agent.request import parse_request
from agent.snapshot import Snapshot, Target
from tests.fakes.bedrock import Answer, fake_bedrock, refusal, reply
from tests.tools.models.scene import FakeClock, Scene
from tools.models.bedrock import DEFAULT_MODEL_ID, BedrockModel
from tools.records import ModelCall

CALL = ModelCall(
    purpose="generate",
    system="You write PySpark.",
    user="Write transform.",
    index=0,
    request=parse_request({"run_id": "r1", "specs": {"source_tables": ["t"], "target_table": {"name": "x"}}}),
    snapshot=Snapshot(sources=(), target=Target(name="x", exists=False), origin="event"),
)
THROTTLED = refusal(429, "ThrottlingException", "Too many requests")
BROKEN = refusal(500, "InternalServerException", "Oops")


Play = Callable[..., Scene]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def play() -> Iterator[Play]:
    """A function that starts a server with these answers and a model in front of it."""
    with ExitStack() as stack:

        def start(*answers: Answer, choice: str = "bedrock", region: str = "us-east-1", seconds: float = 60) -> Scene:
            server, clock = stack.enter_context(fake_bedrock(*answers)), FakeClock()
            model = BedrockModel(
                choice,
                region=region,
                timeout_seconds=seconds,
                endpoint_url=server.endpoint_url,
                clock=clock,
                jitter=lambda: 1.0,
            )
            stack.callback(model.close)
            return Scene(model, server, clock)

        yield start


def test_sends_both_prompts_and_the_limits_to_the_default_model(play: Play) -> None:
    """The body is InvokeModel's for Claude, with temperature and without top_p."""
    scene = play(reply("ok"))
    scene.model.complete(CALL)
    assert scene.server.models == [DEFAULT_MODEL_ID]
    assert scene.server.bodies == [
        {
            "anthropic_version": "bedrock-2023-05-31",
            "system": "You write PySpark.",
            "messages": [{"role": "user", "content": "Write transform."}],
            "max_tokens": 8000,
            "temperature": 0.2,
        }
    ]


@pytest.mark.parametrize(
    "model_id",
    ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model-x"],
)
def test_sends_the_chosen_model_id(play: Play, model_id: str) -> None:
    """`bedrock:MODEL_ID` takes ids with colons and ARNs."""
    scene = play(reply("ok"), choice=f"bedrock:{model_id}")
    scene.model.complete(CALL)
    assert scene.server.models == [model_id]
    assert scene.model.name == f"bedrock:{model_id}"


def test_returns_text_tokens_and_price(play: Play) -> None:
    """The tokens come from the headers; a geographic profile costs a tenth more than the global one."""
    completion = play(reply("def transform", tokens=(2000, 1000))).model.complete(CALL)
    assert (completion.text, completion.stop_reason) == ("def transform", "end_turn")
    assert (completion.input_tokens, completion.output_tokens) == (2000, 1000)
    assert completion.usd == pytest.approx(1.1 * (2000 * 3 + 1000 * 15) / 1e6)


def test_tells_that_a_reply_was_cut(play: Play) -> None:
    """A reply that ran into max_tokens says so."""
    assert play(reply("def tr", stop_reason="max_tokens")).model.complete(CALL).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    "fault",
    [
        THROTTLED,
        BROKEN,
        refusal(503, "ServiceUnavailableException"),
        refusal(429, "ModelNotReadyException"),
        refusal(424, "ModelErrorException"),
        refusal(408, "ModelTimeoutException"),
        Answer(0, {}, dropped=True),
    ],
)
def test_tries_again_after_a_passing_fault(play: Play, fault: Answer) -> None:
    """One fault, then a reply: two requests."""
    scene = play(fault, reply("ok"))
    assert scene.model.complete(CALL).text == "ok"
    assert len(scene.server.bodies) == 2


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        (THROTTLED, 3),
        (BROKEN, 3),
        (refusal(408, "ModelTimeoutException", "slow"), 2),
        (Answer(0, {}, dropped=True), 2),
    ],
)
def test_gives_up_after_its_tries(play: Play, fault: Answer, requests: int) -> None:
    """Three requests and no more; two where the first may have been billed."""
    scene = play(fault)
    with pytest.raises(UnavailableError, match=rf"\(tried {requests} times\)$") as caught:
        scene.model.complete(CALL)
    assert len(scene.server.bodies) == requests
    assert caught.value.service == "model"


def test_waits_longer_each_time(play: Play) -> None:
    """Without luck in the jitter the delays double."""
    scene = play(THROTTLED)
    with pytest.raises(UnavailableError):
        scene.model.complete(CALL)
    assert scene.clock.slept == [2.0, 4.0]


def test_begins_no_try_beyond_the_deadline(play: Play) -> None:
    """With 3 seconds in all, the wait of 2 seconds fits and that of 4 does not."""
    scene = play(THROTTLED, seconds=3)
    with pytest.raises(UnavailableError):
        scene.model.complete(CALL)
    assert scene.clock.slept == [2.0]


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (refusal(403, "AccessDeniedException"), "grant model access in the Bedrock console for us.anthropic.* in us-"),
        (refusal(400, "ValidationException"), "check the model id and the region: `aws bedrock list-inference-prof"),
        (refusal(404, "ResourceNotFoundException"), "check the model id and the region"),
        (refusal(403, "ExpiredTokenException"), "credentials are expired or not valid: renew them"),
        (refusal(403, "UnrecognizedClientException"), "credentials are expired or not valid: renew them"),
        (refusal(400, "ServiceQuotaExceededException"), "raise the model's quota in us-east-1"),
    ],
)
def test_gives_up_at_once_on_a_refusal(play: Play, fault: Answer, advice: str) -> None:
    """A refusal is asked once, and told with AWS's words and what to do."""
    scene = play(fault)
    with pytest.raises(UnavailableError, match=f"no; .*{advice}"):
        scene.model.complete(CALL)
    assert len(scene.server.bodies) == 1


def test_gives_up_on_a_reply_that_does_not_come(play: Play) -> None:
    """A read time-out is not tried again: the first reply is being written, and billed."""
    scene = play(Answer(200, {}, held=True), seconds=0.3)
    with pytest.raises(UnavailableError, match=r"no reply within 0.3 s: raise DATAMORPH_MODEL_TIMEOUT_SECONDS"):
        scene.model.complete(CALL)
    assert len(scene.server.bodies) == 1


def test_tries_an_endpoint_that_does_not_listen(play: Play) -> None:
    """A refused connection costs nothing and is tried again, then told as a network's fault."""
    scene = play(reply("never asked"))
    clock = FakeClock()
    # Port 9 of loopback: no service listens there.
    model = BedrockModel("bedrock", region="us-east-1", endpoint_url="http://127.0.0.1:9", clock=clock)
    with pytest.raises(UnavailableError, match=r"the endpoint cannot be reached.*\(tried 3 times\)"):
        model.complete(CALL)
    model.close()
    assert (len(clock.slept), scene.server.bodies) == (2, [])


def test_asks_for_credentials(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent, and the message says how to give them."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    scene = play(reply("ok"))
    with pytest.raises(UnavailableError, match="Unable to locate credentials; give AWS credentials: `aws configure`"):
        scene.model.complete(CALL)
    assert scene.server.bodies == []


def test_asks_for_a_region() -> None:
    """Without a region the message names the option."""
    model = BedrockModel("bedrock", region="")
    with pytest.raises(UnavailableError, match="in no region: You must specify a region; name a region .* --region"):
        model.complete(CALL)


def test_refuses_an_answer_that_is_no_reply(play: Play) -> None:
    """A proxy's `{}` is not taken for an empty reply."""
    with pytest.raises(UnavailableError, match="answered without a stop reason"):
        play(Answer(200, {})).model.complete(CALL)


def test_keeps_tracebacks_off_the_terminal(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """A retried fault leaves no ERROR in the log."""
    with caplog.at_level(logging.DEBUG):
        play(BROKEN, reply("ok")).model.complete(CALL)
    assert [record for record in caplog.records if record.name.startswith("langchain_aws")] == []


def test_makes_its_clients_at_the_first_call_and_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls share one pair of clients."""
    made: list[str] = []
    client = boto3.Session.client

    def counted(self: boto3.Session, service: str, **kwargs: Any) -> Any:
        made.append(service)
        return client(self, service, **kwargs)

    monkeypatch.setattr(boto3.Session, "client", counted)
    scene = play(reply("one"), reply("two"))
    assert made == []
    assert [scene.model.complete(CALL).text, scene.model.complete(CALL).text] == ["one", "two"]
    assert made == ["bedrock-runtime", "bedrock"]


def test_goes_on_after_close(play: Play) -> None:
    """A closed model connects again."""
    scene = play(reply("one"), reply("two"))
    scene.model.complete(CALL)
    scene.model.close()
    assert scene.model.complete(CALL).text == "two"


def test_a_question_ends_with_its_invocation(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for until the model's own limit: the next invocation asks again, with all its time."""
    monkeypatch.setattr("tools.models.bedrock._LEAST_SECONDS", 0.2)
    scene = play(Answer(200, {}, held=True), reply("ok"), seconds=60)
    with pytest.raises(OutOfTimeError, match="this invocation ends before the answer"):
        scene.model.complete(replace(CALL, seconds=0.4))
    assert len(scene.server.bodies) == 1
    assert scene.model.complete(replace(CALL, seconds=840)).text == "ok"
    assert scene.model._clients[0].meta.config.read_timeout == 60


def test_a_question_without_time_for_an_answer_is_not_asked(play: Play) -> None:
    """Nobody pays for what nobody would read."""
    scene = play(reply("ok"))
    with pytest.raises(OutOfTimeError):
        scene.model.complete(replace(CALL, seconds=29))
    assert scene.server.bodies == []
    assert scene.model.complete(replace(CALL, seconds=31)).text == "ok"
    assert scene.model._clients[0].meta.config.read_timeout == 31


def test_tries_end_with_their_invocation(play: Play) -> None:
    """A throttled question is tried again only while there is time for an answer."""
    scene = play(THROTTLED, THROTTLED, THROTTLED, reply("ok"))
    with pytest.raises(OutOfTimeError):
        scene.model.complete(replace(CALL, seconds=31.5))
    assert len(scene.server.bodies) == 1
    with pytest.raises(UnavailableError, match="tried 3 times"):
        play(THROTTLED).model.complete(replace(CALL, seconds=840))
