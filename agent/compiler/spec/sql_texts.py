"""Short SQL texts inside a specification: cut into parts, without reading the expressions in them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"'(?:[^']|'')*'"  # a text
    r'|"(?:[^"]|"")*"|`(?:[^`]|``)*`'  # a quoted name
    r"|\d+(?:\.\d+)?|\.\d+|\w+"  # a number, a word
    r"|<=>|<>|!=|<=|>=|==|::|\|\||\S"  # operators
)
_OPENING = {"(", "[", "{", "CASE"}
_CLOSING = {")", "]", "}", "END"}
_NAME = r'(?:[^\W\d]\w*|"(?:[^"]|"")+"|`(?:[^`]|``)+`)'
_COLUMN = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME}){{0,3}}")
_CALL = re.compile(r"\s*([^\W\d]\w*)\s*\(")
_ALIASED = re.compile(rf"(?s)(.+?)\s+AS\s+({_NAME})\s*", re.IGNORECASE)
_NOT_A_COLUMN = frozenset(
    ("and", "between", "case", "current_date", "current_timestamp", "distinct", "else", "end", "false", "from", "in",
     "is", "like", "not", "null", "or", "over", "then", "true", "when")
)  # fmt: skip


class Token(NamedTuple):
    """A word, a number, a quoted text or an operator."""

    word: str
    """In upper case where it is not quoted."""
    start: int
    end: int
    depth: int
    """Number of brackets and CASEs around it; a bracket has the depth that it stands in."""


def tokens(text: str) -> list[Token]:
    """The tokens of a text; empty when its brackets do not match."""
    found, depth = [], 0
    for match in _TOKEN.finditer(text):
        word = match[0] if match[0][0] in "'\"`" else match[0].upper()
        depth -= word in _CLOSING
        if depth < 0:
            return []
        found.append(Token(word, match.start(), match.end(), depth))
        depth += word in _OPENING
    return found if depth == 0 else []


def split_at(text: str, separator: str) -> list[str]:
    """The parts of a text between separators outside brackets and quotes, as `a, f(b, c)`."""
    parts, start = [], 0
    for token in tokens(text):
        if token.depth == 0 and token.word == separator:
            parts.append(text[start : token.start].strip())
            start = token.end
    return [*parts, text[start:].strip()]


def is_column(text: str) -> bool:
    """True for a column's name, alone or qualified."""
    return _COLUMN.fullmatch(text.strip()) is not None and text.strip().casefold() not in _NOT_A_COLUMN


def bare(name: str) -> str:
    """A name without its quotes, which stand for nothing but the name."""
    name = name.strip()
    if len(name) > 2 and name[0] == name[-1] and name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


def column_parts(text: str) -> tuple[str, str]:
    """Qualifier and name of a column, both without quotes; the qualifier is empty where there is none."""
    parts = [bare(part[0]) for part in re.finditer(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|[^.]+', text.strip())]
    return ".".join(parts[:-1]), parts[-1] if parts else ""


def call_parts(text: str) -> tuple[str, str, str] | None:
    """Function, arguments and rest of a text that begins with a call, as `sum(x) FILTER (WHERE y)`; else None."""
    match = _CALL.match(text)
    if match is None:
        return None
    found = tokens(text)
    closing = next((token for token in found if token.word == ")" and token.depth == 0), None)
    if closing is None:
        return None
    return match[1], text[match.end() : closing.start].strip(), text[closing.end :].strip()


def aliased(text: str) -> tuple[str, str | None]:
    """Expression and name of `expression AS name`; the name is None where there is none."""
    found = [token for token in tokens(text) if token.depth == 0 and token.word == "AS"]
    if not found:
        return text.strip(), None
    match = _ALIASED.fullmatch(text[: found[-1].start].rstrip() + " AS " + text[found[-1].end :].strip())
    return (match[1].strip(), bare(match[2])) if match else (text.strip(), None)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """A text to compare expressions by: without case, blanks and qualifiers outside quotes."""
    found = tokens(text) or [Token(text.strip(), 0, 0, 0)]
    words = [token.word if token.word[:1] == "'" else bare(token.word).casefold() for token in found]
    kept: list[str] = []
    for word in words:
        if len(kept) > 1 and kept[-1] == "." and re.fullmatch(r"\w+|\*", word):
            del kept[-2:]
        kept.append({"<>": "!=", "==": "="}.get(word, word))
    return " ".join(kept)
