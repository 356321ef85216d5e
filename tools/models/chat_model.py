"""Any other model that LangChain's `init_chat_model` knows, as `anthropic:claude-sonnet-4-5` or `ollama:qwen3`.

The package `langchain` is optional: install it with the provider's own package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from agent.errors import InvalidRequestError, Problem, UnavailableError
from tools.records import Completion, ModelCall

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PACKAGES = {
    "azure_openai": "langchain-openai",
    "bedrock_converse": "langchain-aws",
    "google_anthropic_vertex": "langchain-google-vertexai",
    "google_genai": "langchain-google-genai",
    "google_vertexai": "langchain-google-vertexai",
    "mistralai": "langchain-mistralai",
}

_REASONS = ("stop_reason", "finish_reason", "done_reason", "stopReason")
_CUT = ("length", "max_tokens")


class ChatModel:
    """A Model behind LangChain's common interface."""

    def __init__(self, choice: str, *, max_tokens: int, temperature: float, timeout_seconds: float) -> None:
        """Load the provider. Raises InvalidRequestError when a package is missing or the provider is unknown."""
        self._choice = choice
        limits = {"max_tokens": max_tokens, "temperature": temperature, "timeout": timeout_seconds}
        try:
            langchain = importlib.import_module("langchain.chat_models")
            self._chat = cast("BaseChatModel", langchain.init_chat_model(choice, **limits))
        except ImportError as error:
            message = f"{choice} needs `pip install langchain {_package(choice)}` ({error})"
            raise InvalidRequestError([Problem("--model", message)]) from error
        except Exception as error:  # each provider has its own errors, for a missing key for example
            message = f"{choice} cannot be set up: {_described(error)}"
            raise InvalidRequestError([Problem("--model", message)]) from error

    @property
    def name(self) -> str:
        """`provider:model`, as it was chosen."""
        return self._choice

    def complete(self, call: ModelCall) -> Completion:
        """Answer; the provider's package tries again by itself. Raises UnavailableError with the provider's words."""
        from langchain_core.messages import HumanMessage, SystemMessage

        try:
            message = self._chat.invoke([SystemMessage(call.system), HumanMessage(call.user)])
        except Exception as error:  # each provider has its own errors: there is no common class to name
            text = f"{self._choice}: {_described(error)}; check the provider's key, quota and address"
            raise UnavailableError("model", text) from error
        usage = message.usage_metadata
        asked, answered = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        return Completion(message.text, _stop_reason(message.response_metadata), asked, answered)


def _package(choice: str) -> str:
    provider = choice.partition(":")[0]
    return _PACKAGES.get(provider, f"langchain-{provider.replace('_', '-')}")


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"


def _stop_reason(metadata: dict[str, object]) -> str:
    reason = next((str(metadata[key]) for key in _REASONS if metadata.get(key)), "end_turn").lower()
    return "max_tokens" if reason in _CUT else "end_turn" if reason == "stop" else reason
