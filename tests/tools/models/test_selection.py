"""The words that `--model` takes, recordings, the compiler, and LangChain's providers."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from agent.errors import InvalidRequestError, UnavailableError
from agent.request import Request, parse_request
from agent.snapshot import Column, Snapshot, Source, Target
from tools.models.selection import make_model
from tools.ports import Model
from tools.records import Completion, ModelCall

REQUEST = parse_request(
    {
        "run_id": "r1",
        "specs": {
            "source_tables": ["orders"],
            "target_table": {"name": "big_orders", "columns": ["order_id", "amount"]},
            "filters": [{"column": "amount", "operator": ">", "value": 10}],
        },
    }
)
SNAPSHOT = Snapshot(
    sources=(
        Source(
            key="orders",
            table="orders",
            columns=(Column(name="order_id", type="integer"), Column(name="amount", type="numeric(10,2)")),
        ),
    ),
    target=Target(name="big_orders", exists=False),
    origin="event",
)


def a_call(
    index: int = 0, purpose: Literal["generate", "repair"] = "generate", request: Request = REQUEST
) -> ModelCall:
    """A question."""
    return ModelCall(purpose, "system", "user", index, request, SNAPSHOT)


def model(choice: str) -> Model:
    """The model of a choice."""
    return make_model(choice, region="us-east-1")


def refused(choice: str) -> list[tuple[str, str]]:
    """The problems with a choice."""
    with pytest.raises(InvalidRequestError) as caught:
        model(choice)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[str], str]:
    """A function that writes a recording and returns the choice that names it."""

    def write(text: str) -> str:
        path = tmp_path / "replies.jsonl"
        path.write_text(text, encoding="utf-8")
        return f"recorded:{path}"

    return write


Recording = Callable[[str], str]


@pytest.mark.parametrize("choice", ["compiler", "bedrock", "bedrock:eu.anthropic.claude-sonnet-4-5-20250929-v1:0"])
def test_is_named_as_it_was_chosen(choice: str) -> None:
    """`name` is the choice."""
    assert model(choice).name == choice


@pytest.mark.parametrize(
    ("choice", "hint"),
    [
        ("compilr", "did you mean 'compiler'?"),
        ("Bedrock", "did you mean 'bedrock'?"),
        ("bedrok:us.anthropic.x", "did you mean 'bedrock'?"),
        ("bedrock:", "did you mean 'bedrock'?"),
        ("compiler:x", "did you mean 'compiler'?"),
        ("recorded", "did you mean 'recorded:FILE'?"),
        ("recorded:", "did you mean 'recorded:FILE'?"),
        ("recoreded:replies.jsonl", "did you mean 'recorded'?"),
    ],
)
def test_names_the_nearest_choice(choice: str, hint: str) -> None:
    """A slip of the pen is told with the word that is meant, and never taken for a provider."""
    [(path, message)] = refused(choice)
    assert path == "--model"
    assert message.startswith(f"{choice!r} names no model; {hint}")


@pytest.mark.parametrize("choice", ["gpt", "", ":x", "openai:"])
def test_lists_the_known_forms(choice: str) -> None:
    """A word near to none of them is told with all forms."""
    [(_, message)] = refused(choice)
    assert message == (
        f"{choice!r} names no model; known forms are `compiler`, `recorded:FILE`, `bedrock`, `bedrock:MODEL_ID` or "
        "LangChain's `provider:model`"
    )


def test_choosing_imports_no_client_library() -> None:
    """The module of the choices loads neither boto3 nor LangChain nor sqlglot."""
    libraries = {"boto3", "botocore", "langchain_aws", "sqlglot"}
    code = f"import sys, tools.models.selection; print({libraries} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_answers_by_the_number_of_the_call(recording: Recording) -> None:
    """A resumed run that asks for reply 1 first gets line 1; comments and blank lines do not count."""
    replies = model(recording('# recorded by hand\n{"completion": "zero"}\n\n  # a\n{"completion": "one"}\n'))
    assert [replies.complete(a_call(index)).text for index in (1, 0, 1)] == ["one", "zero", "one"]


def test_tells_what_was_recorded(recording: Recording) -> None:
    """Stop reason and tokens are those of the recording; a replay costs nothing."""
    line = (
        '{"completion": "cut", "model": "m", "date": "2025-01-13", "stop_reason": "max_tokens", "input_tokens": 7, '
        '"output_tokens": 9, "note": "n"}'
    )
    assert model(recording(line)).complete(a_call()) == Completion("cut", "max_tokens", 7, 9, 0.0)


def test_keeps_line_separators_within_a_reply(recording: Recording) -> None:
    """U+2028 in a JSON string does not end the line."""
    assert model(recording('{"completion": "a\u2028b"}')).complete(a_call()).text == "a\u2028b"


def test_running_out_is_told(recording: Recording) -> None:
    """The message counts the replies and names the one that was asked for, and why."""
    choice = recording('{"completion": "zero"}')
    with pytest.raises(UnavailableError) as caught:
        model(choice).complete(a_call(1, "repair"))
    assert caught.value.service == "model"
    assert str(caught.value) == (
        f"recorded file {choice.removeprefix('recorded:')} holds 1 reply; reply 2 was asked for (purpose repair): "
        "add a line, or choose another --model"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "{",
            "not JSON: Expecting property name enclosed in double quotes at column 2; one object on one line is needed",
        ),
        ('"text"', 'not an object; a reply is {"completion": "…"}'),
        ("{}", "'completion' is required"),
        ('{"completion": 5}', "'completion': input should be a valid string"),
        ('{"completion": "x", "stop_reson": "end_turn"}', "unknown key 'stop_reson'; did you mean 'stop_reason'?"),
        ('{"completion": "x", "input_tokens": "9"}', "'input_tokens': input should be a valid integer"),
    ],
)
def test_names_the_line_that_is_no_reply(recording: Recording, line: str, message: str) -> None:
    """Each bad line is told with its file and number."""
    choice = recording('{"completion": "fine"}\n' + line)
    assert refused(choice) == [(f"{choice.removeprefix('recorded:')}:2", message)]


def test_an_unknown_key_near_to_none_lists_them(recording: Recording) -> None:
    """The known keys are told."""
    [(_, message)] = refused(recording('{"completion": "x", "zzz": 1}'))
    assert message == (
        "unknown key 'zzz'; known are completion, model, date, stop_reason, input_tokens, output_tokens, note"
    )


def test_a_missing_recording_is_told(tmp_path: Path) -> None:
    """The file is named before any run starts."""
    path = tmp_path / "none.jsonl"
    message = f"recorded file {path} cannot be read: No such file or directory; a JSONL file of replies is needed"
    assert refused(f"recorded:{path}") == [("--model", message)]


def test_a_recording_that_is_not_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are told as such."""
    path = tmp_path / "bytes.jsonl"
    path.write_bytes(b"\xff\xfe")
    [(_, message)] = refused(f"recorded:{path}")
    assert "not UTF-8 text" in message


def test_compiles_a_structured_specification() -> None:
    """The compiler's reply is one Python fence that defines transform, and costs nothing."""
    completion = model("compiler").complete(a_call())
    fence, code = completion.text.split("\n", 1)
    assert (fence, code.rstrip().endswith("```")) == ("```python", True)
    compile(code.rstrip().removesuffix("```"), "transform.py", "exec")
    assert "def transform(sources" in code
    assert (completion.stop_reason, completion.input_tokens, completion.usd) == ("end_turn", 0, 0.0)


def test_the_compiler_does_not_repair() -> None:
    """It would write the same again, so it says what to choose instead."""
    with pytest.raises(UnavailableError, match="the compiler cannot repair: .* choose a model with --model"):
        model("compiler").complete(a_call(1, "repair"))


@pytest.mark.parametrize(
    ("choice", "package"),
    [
        ("openai:gpt-5", "langchain-openai"),
        ("mistralai:large", "langchain-mistralai"),
        ("google_vertexai:gemini", "langchain-google-vertexai"),
        ("azure_ai:x", "langchain-azure-ai"),
    ],
)
def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch, choice: str, package: str) -> None:
    """A provider's choice says what to install."""
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    [(path, message)] = refused(choice)
    assert path == "--model"
    assert message.startswith(f"{choice} needs `pip install langchain {package}`")


def langchain_with(monkeypatch: pytest.MonkeyPatch, init_chat_model: Callable[..., Any]) -> None:
    """Put a `langchain` in place whose `init_chat_model` is this one."""
    module = types.ModuleType("langchain.chat_models")
    module.__dict__["init_chat_model"] = init_chat_model
    monkeypatch.setitem(sys.modules, "langchain", types.ModuleType("langchain"))
    monkeypatch.setitem(sys.modules, "langchain.chat_models", module)


def test_passes_the_choice_and_the_limits_to_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    """`init_chat_model` gets the words as they are, with temperature and without top_p."""
    asked: list[tuple[str, dict[str, Any]]] = []
    langchain_with(monkeypatch, lambda choice, **limits: asked.append((choice, limits)))
    assert model("ollama:qwen3:8b").name == "ollama:qwen3:8b"
    assert asked == [("ollama:qwen3:8b", {"max_tokens": 8000, "temperature": 0.2, "timeout": 300})]


@pytest.mark.parametrize(
    ("metadata", "stop_reason"),
    [
        ({"finish_reason": "length"}, "max_tokens"),
        ({"finish_reason": "MAX_TOKENS"}, "max_tokens"),
        ({"done_reason": "stop"}, "end_turn"),
        ({"stop_reason": "end_turn"}, "end_turn"),
        ({"stop_reason": "refusal"}, "refusal"),
        ({}, "end_turn"),
    ],
)
def test_reads_each_providers_stop_reason(
    monkeypatch: pytest.MonkeyPatch, metadata: dict[str, str], stop_reason: str
) -> None:
    """A cut reply is `max_tokens`, however the provider calls it."""
    usage: Any = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    message = AIMessage("hello", response_metadata=metadata, usage_metadata=usage)
    langchain_with(monkeypatch, lambda choice, **limits: FakeMessagesListChatModel(responses=[message]))
    assert model("fake:model").complete(a_call()) == Completion("hello", stop_reason, 3, 4)


def test_an_unsupported_provider_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """LangChain's own words are kept."""

    def init(choice: str, **limits: Any) -> Any:
        raise ValueError("Unsupported provider='nobody'.")

    langchain_with(monkeypatch, init)
    assert refused("nobody:x") == [("--model", "nobody:x cannot be set up: ValueError: Unsupported provider='nobody'.")]


def test_a_providers_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's own exception becomes UnavailableError with its words."""

    class Broken(FakeMessagesListChatModel):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("quota used up")

    langchain_with(monkeypatch, lambda choice, **limits: Broken(responses=[]))
    with pytest.raises(UnavailableError, match="fake:model: RuntimeError: quota used up; check the provider's key"):
        model("fake:model").complete(a_call())
