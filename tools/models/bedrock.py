"""Claude on Amazon Bedrock, through LangChain's ChatBedrock."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from agent.errors import OutOfTimeError, UnavailableError
from tools.aws.clients import new_session
from tools.local.clock import SystemClock
from tools.models.bedrock_errors import explain, tries_worth
from tools.ports import Clock
from tools.records import Completion, ModelCall

if TYPE_CHECKING:
    from langchain_aws import ChatBedrock
    from langchain_core.messages import AIMessage

DEFAULT_MODEL_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

_USD_PER_MILLION_TOKENS = {"anthropic.claude-sonnet-4-5": (3.0, 15.0)}
"""Input and output, global inference: https://aws.amazon.com/bedrock/pricing/"""
_NOT_GLOBAL = 1.1
"""A geographic profile (`us.…`, `eu.…`) or a single region costs a tenth more.

https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

_FIRST_DELAY, _LONGEST_DELAY = 1.0, 20.0
_CONNECT_SECONDS = 10
_LEAST_SECONDS = 30.0
"""Least time for an answer; with less left the model is not called, because an answer cut off is billed too."""


class BedrockModel:
    """A Model on Bedrock. Its two clients are made at the first call and shared by all later ones."""

    def __init__(
        self,
        choice: str,
        *,
        region: str,
        max_tokens: int = 8000,
        temperature: float = 0.2,
        timeout_seconds: float = 300,
        endpoint_url: str | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`choice` is `bedrock` or `bedrock:MODEL_ID`; `timeout_seconds` is the read time-out of one try.

        No further try begins once as many seconds have passed since the first one.
        """
        self._choice = choice
        self.model_id = choice.partition(":")[2] or DEFAULT_MODEL_ID
        self._region = region
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._timeout_seconds = timeout_seconds
        self._endpoint_url = endpoint_url
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._clients: list[Any] = []
        self._read_seconds = timeout_seconds
        self._chat: ChatBedrock | None = None

    @property
    def name(self) -> str:
        """`bedrock` or `bedrock:MODEL_ID`, as it was chosen."""
        return self._choice

    def complete(self, call: ModelCall) -> Completion:
        """Answer. Throttling and faults of the service are retried; other errors raise UnavailableError at once.

        Raises OutOfTimeError when `call.seconds` end before the model's own time limit and before its answer.
        """
        return self._answer(call.system, call.user, call.seconds)

    def ping(self) -> None:
        """Check access to the model by a question of a few tokens. Raises UnavailableError."""
        self._answer("Answer with one word.", "Ready?")

    def _answer(self, system: str, user: str, seconds: float | None = None) -> Completion:
        began, tried = self._clock.now(), 0
        last_try = began + self._timeout_seconds
        ends = math.inf if seconds is None else began + seconds
        while True:
            tried += 1
            self._limit_reading(ends - self._clock.now())
            try:
                return self._completion(self._ask(system, user))
            except (ClientError, BotoCoreError) as error:
                delay = self._delay(tried)
                cut_short = isinstance(error, ReadTimeoutError) and self._read_seconds < self._timeout_seconds
                if not cut_short and (tried >= tries_worth(error) or self._clock.now() + delay >= last_try):
                    raise self._unavailable(error, tried) from error
                if cut_short or self._clock.now() + delay >= ends:
                    raise self._out_of_time() from error
                self._clock.sleep(delay)

    def _limit_reading(self, seconds: float) -> None:
        """Limit the next try to `seconds`. Raises OutOfTimeError when they are too few for an answer."""
        wanted = min(self._timeout_seconds, seconds)
        if wanted < min(self._timeout_seconds, _LEAST_SECONDS):
            raise self._out_of_time()
        if wanted != self._read_seconds:
            self.close()
            self._read_seconds = wanted

    def _out_of_time(self) -> OutOfTimeError:
        return OutOfTimeError(f"model {self.model_id}: this invocation ends before the answer; the next one asks again")

    def close(self) -> None:
        """Close the connections; the next call makes new ones."""
        for client in self._clients:
            client.close()
        self._clients, self._chat = [], None

    def _delay(self, tried: int) -> float:
        # Jitter of half the delay: callers that were throttled together must not return together.
        longest: float = min(_LONGEST_DELAY, _FIRST_DELAY * 2**tried)
        return longest * (0.5 + self._jitter() / 2)

    def _unavailable(self, error: ClientError | BotoCoreError, tried: int) -> UnavailableError:
        message = explain(error, self.model_id, self._region, self._timeout_seconds)
        return UnavailableError("model", message if tried == 1 else f"{message} (tried {tried} times)")

    def _ask(self, system: str, user: str) -> AIMessage:
        # Imported here: it takes a second, and a run that asks no model should not wait for it.
        from langchain_core.messages import HumanMessage, SystemMessage

        if self._chat is None:
            self._chat = self._connect()
        return self._chat.invoke([SystemMessage(system), HumanMessage(user)])

    def _connect(self) -> ChatBedrock:
        from langchain_aws import ChatBedrock

        _quieten(["langchain_aws.llms.bedrock", "langchain_aws.chat_models.bedrock"])
        # One try per request: botocore would repeat a request that timed out, and each of them is billed.
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=self._read_seconds,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
        )
        session = new_session(self._region or None)
        names = ("bedrock-runtime", "bedrock")
        self._clients = [session.client(name, config=config, endpoint_url=self._endpoint_url) for name in names]
        return ChatBedrock(
            model=self.model_id,
            # An ARN does not tell whose model it is.
            provider="anthropic" if self.model_id.startswith("arn:") else None,
            client=self._clients[0],
            bedrock_client=self._clients[1],
            max_tokens=self._max_tokens,
            temperature=self._temperature,
        )

    def _completion(self, message: AIMessage) -> Completion:
        metadata = message.response_metadata
        stop_reason = metadata.get("stop_reason") or metadata.get("stopReason")
        if not stop_reason:
            # ChatBedrock makes an empty text of any JSON, also of a proxy's.
            raise UnavailableError(
                "model",
                f"model {self.model_id} in {self._region}: the endpoint answered without a stop reason, so it is no "
                "reply of the model; check the endpoint and the proxy",
            )
        usage = message.usage_metadata
        asked, answered = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        return Completion(message.text, str(stop_reason), asked, answered, usd(self.model_id, asked, answered))


def _quieten(names: Iterable[str]) -> None:
    """Silence LangChain's loggers: they print a traceback for each failure, and the prompt at debug level.

    The error is raised as well and reported in one line.
    """
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def usd(model_id: str, input_tokens: int, output_tokens: int) -> float:
    """The price of one call; 0.0 for a model whose price is not known here."""
    for part, (per_input, per_output) in _USD_PER_MILLION_TOKENS.items():
        if part in model_id:
            factor = 1.0 if "global." in model_id else _NOT_GLOBAL
            return factor * (input_tokens * per_input + output_tokens * per_output) / 1_000_000
    return 0.0
