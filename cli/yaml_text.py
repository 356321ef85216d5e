"""YAML as JSON has it: a scalar is true, false, null or a number only where JSON writes it so, and else a text.

Dates stay texts, and so do `yes`, `012` and `12:30`, which YAML's older rules take for other values.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_CASES = {word for plain in ("true", "false", "null") for word in (plain, plain.capitalize(), plain.upper())} | {
    "~",
    "",
}
_NODES = 1_000_000
"""Limit of values, with those that aliases repeat: ten lines of aliases can stand for billions."""
_HINTS = (
    ("mapping values are not allowed", "put a text that holds `: ` in quotes"),
    ("found character '\\t'", "indent with blanks"),
    ("cannot start any token", "put the text in quotes"),
    ("while scanning an alias", "put a text that begins with * in quotes"),
    ("while scanning an anchor", "put a text that begins with & in quotes"),
    ("expected <block end>", "items of one list or object begin in one column"),
    ("could not find expected ':'", "write `key: value`"),
    ("expected a single document", "a file holds one event: remove what follows `---`"),
)


class YamlTextError(Exception):
    """A text that cannot be read: the message names line and column, and the right form where that is known."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Leaves every scalar a text, and refuses tags."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if getattr(event, "tag", None):
            raise YamlTextError(f"the tag {event.tag!r} {_at(event.start_mark)}; write the value without a tag")
        return super().compose_node(parent, index)


def json_of(text: str) -> Any:
    """The one value in a YAML text. Raises YamlTextError."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        return _Reader().value(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        told = " ".join(filter(None, (error.context, error.problem)))
        hint = next((f"; {hint}" for words, hint in _HINTS if words in told), "")
        raise YamlTextError(f"{told} {_at(error.problem_mark or error.context_mark)}{hint}") from None
    except yaml.YAMLError as error:
        raise YamlTextError(f"{error}; remove the character") from None
    except RecursionError:
        raise YamlTextError("it is nested too deeply") from None


class _Reader:
    def __init__(self) -> None:
        self._seen = 0

    def value(self, node: Any) -> Any:
        """The JSON value of a node."""
        self._seen += 1
        if self._seen > _NODES:
            raise YamlTextError(f"its aliases stand for more than {_NODES:,} values; write them out")
        if isinstance(node, yaml.MappingNode):
            return self._object(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return node.value if node.style else _plain(node.value)

    def _object(self, node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlTextError(f"a key that is no text {_at(key.start_mark)}; put a text with {{ or [ in quotes")
            if key.value in found:
                raise YamlTextError(f"the key `{key.value}` a second time {_at(key.start_mark)}; keep one of them")
            found[key.value] = self.value(value)
        return found


def _plain(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _CASES:
        return _WORDS[text.lower()]
    return json.loads(text) if _NUMBER.fullmatch(text) else text


def _at(mark: Any) -> str:
    return f"at line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
