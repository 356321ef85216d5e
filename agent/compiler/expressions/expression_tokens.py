"""The tokens of an expression in PostgreSQL's or Spark's SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.problems import USE_A_MODEL, cannot, refuse

ExpressionTokenKind = Literal["word", "name", "text", "number", "sign", "end"]

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
    | (?P<comment>--|/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<single>'(?:[^'\\]|\\.|'')*')
    | (?P<double>"(?:[^"\\]|\\.|"")*")
    | (?P<back>`(?:[^`]|``)+`)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign>::|->>|->|\#>>|\#>|<=>|<=|>=|<>|!=|==|!~~\*|!~~|~~\*|~~|!~\*|!~|~\*|\|\||[-+*/%^&|<>=()\[\],.!~])
    """,
    re.VERBOSE | re.DOTALL,
)
_STANDARD = re.compile(r"(?P<single>'(?:[^']|'')*')", re.DOTALL)
"""A text as PostgreSQL reads it: a backslash is a plain character."""
_SUFFIX = re.compile(r"\w+")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


@dataclass(frozen=True)
class ExpressionToken:
    """A token: its kind, its meaning, and its place in the text."""

    kind: ExpressionTokenKind
    value: str
    """A name or a text without its quotes, else the token as it was written."""
    start: int
    end: int
    spark_value: str | None = None
    """Spark's reading of a text, where it differs and the dialect does not decide."""
    in_double_quotes: bool = False

    @property
    def word(self) -> str:
        """A word or a sign in small letters; empty for quoted names and texts."""
        return self.value.casefold() if self.kind in ("word", "sign") else ""


def tokens_of(text: str, dialect: DialectChoice) -> list[ExpressionToken]:
    """The tokens, and one of kind `end`. Refuses characters that belong to no expression."""
    found: list[ExpressionToken] = []
    place = 0
    while place < len(text):
        match = _match(text, place, dialect)
        if match.lastgroup != "blank":
            found.append(_token(match, dialect))
        place = match.end()
    found.append(ExpressionToken("end", "", len(text), len(text)))
    return found


def _match(text: str, place: int, dialect: DialectChoice) -> re.Match[str]:
    found = _TOKEN.match(text, place)
    if text[place] == "'" and (dialect == "postgres" or found is None):
        found = _STANDARD.match(text, place)
    if found is None:
        _refuse_character(text, place)
    if found.lastgroup == "comment":
        refuse("holds a comment; leave it out")
    suffix = _SUFFIX.match(text, found.end()) if found.lastgroup == "number" else None
    if suffix is not None:
        refuse(f"'{found[0]}{suffix[0]}' is a number with a suffix; write CAST({found[0]} AS type)")
    return found


def _refuse_character(text: str, place: int) -> NoReturn:
    sign = text[place]
    if sign in "'\"`":
        refuse(f"cannot be read as a SQL expression: the quote at character {place + 1} is never closed")
    cannot(f"{sign!r} is not a part of an expression that the compiler knows; {USE_A_MODEL}")


def _token(found: re.Match[str], dialect: DialectChoice) -> ExpressionToken:
    raw, start, end = found[0], found.start(), found.end()
    match found.lastgroup:
        case "escaped":
            return ExpressionToken("text", _unescaped(raw[2:-1].replace("''", "'"), keep=""), start, end)
        case "single":
            return _single(raw[1:-1], start, end, dialect)
        case "double":
            return _double(raw, start, end, dialect)
        case "back":
            return ExpressionToken("name", raw[1:-1].replace("``", "`"), start, end)
        case "word" | "number" as kind:
            return ExpressionToken(kind, raw, start, end)
    return ExpressionToken("sign", raw, start, end)


def _single(inner: str, start: int, end: int, dialect: DialectChoice) -> ExpressionToken:
    standard = inner.replace("''", "'")
    if dialect == "postgres" or "\\" not in inner:
        return ExpressionToken("text", standard, start, end)
    spark = _unescaped(standard, keep="%_")
    if dialect == "spark" or spark == standard or "\\'" in inner:
        return ExpressionToken("text", spark, start, end)
    return ExpressionToken("text", standard, start, end, spark_value=spark)


def _double(raw: str, start: int, end: int, dialect: DialectChoice) -> ExpressionToken:
    """`"word"`: a name to PostgreSQL, a text to Spark."""
    if dialect == "spark":
        return ExpressionToken("text", _unescaped(raw[1:-1], keep="%_"), start, end)
    name = raw[1:-1].replace('""', '"')
    return ExpressionToken("name", name, start, end, in_double_quotes=dialect == "auto")


def _unescaped(inner: str, keep: str) -> str:
    """The text with its backslashes applied. Those before a character in `keep` stay, as Spark leaves them."""

    def one(match: re.Match[str]) -> str:
        sign = match[1]
        if len(sign) == 5:
            return chr(int(sign[1:], 16))
        return match[0] if sign in keep else _ESCAPES.get(sign, sign)

    return _ESCAPE.sub(one, inner)
