"""Selection of a model by the value of `--model`."""

from __future__ import annotations

from pathlib import Path

from agent.errors import InvalidRequestError, Problem
from agent.nearest import nearest
from agent.settings import Settings
from tools.ports import Model

_FORMS = "`compiler`, `recorded:FILE`, `bedrock`, `bedrock:MODEL_ID` or LangChain's `provider:model`"
_WORDS = ("compiler", "recorded", "bedrock")


def model_of(settings: Settings) -> Model:
    """The model that the settings name. Raises InvalidRequestError for an unknown one."""
    return make_model(
        settings.model,
        region=settings.region,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        timeout_seconds=settings.model_timeout_seconds,
    )


def make_model(
    choice: str,
    *,
    region: str,
    max_tokens: int = 8000,
    temperature: float = 0.2,
    timeout_seconds: float = 300,
    endpoint_url: str | None = None,
) -> Model:
    """The model that a choice names; each kind is imported only when it is chosen.

    `endpoint_url` replaces Bedrock's address. Raises InvalidRequestError for a choice that names no model, a recording
    that cannot be read, or a provider whose package is not installed.
    """
    word, colon, rest = choice.partition(":")
    if choice == "compiler":
        from tools.models.compiled import CompilerModel

        return CompilerModel()
    if word == "recorded" and rest:
        from tools.models.recorded import RecordedModel

        return RecordedModel(Path(rest))
    if word == "bedrock" and (rest or not colon):
        from tools.models.bedrock import BedrockModel

        return BedrockModel(
            choice,
            region=region,
            max_tokens=max_tokens,
            temperature=temperature,
            timeout_seconds=timeout_seconds,
            endpoint_url=endpoint_url,
        )
    if word and rest and not _slip(word):
        from tools.models.chat_model import ChatModel

        return ChatModel(choice, max_tokens=max_tokens, temperature=temperature, timeout_seconds=timeout_seconds)
    raise InvalidRequestError([Problem("--model", _unknown(choice, word))])


def _slip(word: str) -> bool:
    return word in _WORDS or nearest(word, _WORDS) is not None


def _unknown(choice: str, word: str) -> str:
    near = "recorded:FILE" if choice.startswith("recorded") else nearest(word, _WORDS)
    prefix = f"did you mean {near!r}? Known" if near else "known"
    return f"{choice!r} names no model; {prefix} forms are {_FORMS}"
