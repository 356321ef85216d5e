"""Replies from a file: a JSONL recording, answered by the number of the model call.

A line is `{"completion": "…"}`, optionally with `model`, `date`, `stop_reason`, `input_tokens`, `output_tokens` and
`note`. Blank lines and lines that begin with `#` are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import InvalidRequestError, Problem, UnavailableError
from agent.nearest import did_you_mean
from tools.records import Completion, ModelCall


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    completion: str
    model: str = ""
    date: str = ""
    stop_reason: str = "end_turn"
    input_tokens: int = 0
    output_tokens: int = 0
    note: str = ""


class RecordedModel:
    """A Model that answers with line `call.index` of its file, so that a resumed run continues at the right one."""

    def __init__(self, path: Path) -> None:
        """Load the file. Raises InvalidRequestError that names the file and each malformed line."""
        self._path = path
        self._replies = _read(path)

    @property
    def name(self) -> str:
        """`recorded:` and the file."""
        return f"recorded:{self._path}"

    def complete(self, call: ModelCall) -> Completion:
        """The reply of that number. Raises UnavailableError when the file holds no more."""
        if call.index >= len(self._replies):
            raise UnavailableError(
                "model",
                f"recorded file {self._path} holds {_count(len(self._replies))}; reply {call.index + 1} was asked for "
                f"(purpose {call.purpose}): add a line, or choose another --model",
            )
        reply = self._replies[call.index]
        # The tokens were paid for at the recording: they are reported at no cost.
        return Completion(reply.completion, reply.stop_reason, reply.input_tokens, reply.output_tokens)


def _count(replies: int) -> str:
    return "1 reply" if replies == 1 else f"{replies or 'no'} replies"


def _read(path: Path) -> list[_Reply]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        message = f"recorded file {path} cannot be read: {reason}; a JSONL file of replies is needed"
        raise InvalidRequestError([Problem("--model", message)]) from error
    replies: list[_Reply] = []
    problems: list[Problem] = []
    # Not splitlines(): JSON strings may hold U+2028 and the like unescaped.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                replies.append(_Reply.model_validate(json.loads(line)))
            except (json.JSONDecodeError, ValidationError) as error:
                problems.append(Problem(f"{path}:{number}", _why(error)))
    if problems:
        raise InvalidRequestError(problems)
    return replies


def _why(error: json.JSONDecodeError | ValidationError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}; one object on one line is needed"
    return "; ".join(_detail(str(detail["type"]), detail["loc"], detail["msg"]) for detail in error.errors())


def _detail(kind: str, location: tuple[int | str, ...], message: str) -> str:
    if not location:
        return 'not an object; a reply is {"completion": "…"}'
    key, known = str(location[0]), list(_Reply.model_fields)
    if kind == "extra_forbidden":
        return f"unknown key {key!r}{did_you_mean(key, known, listed=True)}"
    if kind == "missing":
        return f"{key!r} is required"
    return f"{key!r}: {message[0].lower()}{message[1:]}"
