"""Events from files and standard input: JSON or YAML, as UTF-8 or as UTF-16 with a byte order mark."""

from __future__ import annotations

import codecs
import json
import sys
from pathlib import Path
from typing import Any

from agent.errors import INSTALL_LOCAL, InvalidRequestError, Problem, UnavailableError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32's mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_YAML = (".yaml", ".yml")
_HINTS = {
    "'": "write texts and names in double quotes",
    "“": 'write straight quotes: "',
    "”": 'write straight quotes: "',
    "/": "JSON has no comments; remove it, or name the file .yaml and begin comments with #",
    "#": "JSON has no comments; remove it, or name the file .yaml",
    "}": "remove the comma before it",
    "]": "remove the comma before it",
    "True": "write true",
    "False": "write false",
    "None": "write null",
}
"""The right form, by the beginning of what JSON's parser does not take."""


def read_event(source: str) -> Any:
    """The event in a file, or on standard input for `-`, with a run_id.

    Raises InvalidRequestError naming line and column, UnavailableError for YAML without its package.
    """
    from runs.accept import new_run_id

    text = _text(_content(source), source)
    if not text.strip():
        raise InvalidRequestError([Problem(source, "is empty; an event is needed")])
    event = _yaml(text, source) if _is_yaml(source, text) else _json(text, source)
    if isinstance(event, dict):
        event.setdefault("run_id", new_run_id())
    return event


def _content(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InvalidRequestError([Problem(source, f"cannot be read: {error.strerror}")]) from None


def _text(content: bytes, source: str) -> str:
    mark, encoding = next((found for found in _MARKS if content.startswith(found[0])), (b"", "utf-8"))
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        told = f"is not UTF-8 text: {error.reason} at byte {error.start}, line {line}; save it as UTF-8"
        raise InvalidRequestError([Problem(source, told)]) from None


def _is_yaml(source: str, text: str) -> bool:
    return Path(source).suffix.lower() in _YAML or (source == "-" and text.lstrip()[0] not in "{[\"'")


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise InvalidRequestError([Problem(source, "is nested too deeply")]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        hint = _hint(text, error.pos)
        raise InvalidRequestError([Problem(source, f"is not JSON: {error.msg} at {where}{hint}")]) from None
    except _RepeatedKeyError as error:
        raise InvalidRequestError([Problem(source, str(error))]) from None


def _hint(text: str, position: int) -> str:
    rest = text[position:]
    if rest.startswith(","):  # Python 3.13 points at the comma, older ones at the bracket behind it
        rest = rest[1:].lstrip()
    if not rest.strip():
        return "; the text ends before the last { or [ is closed"
    return next((f"; {hint}" for begin, hint in _HINTS.items() if rest.startswith(begin)), "")


class _RepeatedKeyError(Exception):
    """An object has a key twice; JSON's parser would drop the first value."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        key = next(name for name in names if names.count(name) > 1)
        shown = ", ".join(f"`{name}`" for name in [*found][:5])
        raise _RepeatedKeyError(f"has the key `{key}` twice in the object of {shown}; keep one of them")
    return found


def _yaml(text: str, source: str) -> Any:
    try:
        from cli.yaml_text import YamlTextError, json_of
    except ModuleNotFoundError as error:
        raise UnavailableError("datamorph", f"a YAML file needs {error.name}: {INSTALL_LOCAL}") from None
    try:
        return json_of(text)
    except YamlTextError as error:
        raise InvalidRequestError([Problem(source, f"is not YAML: {error}")]) from None
