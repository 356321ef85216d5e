"""A reader of SQL text that takes only what Spark and sqlglot cut into the same tokens.

Where the two could disagree on where a string or a comment ends, text that one takes as a string the other could take
as code. Spark's lexer is SqlBaseLexer.g4 of Spark 3.3 and 3.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["word", "quoted", "string", "number", "operator"]

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\n]+)
    | (?P<comment>--[^\n\r\\]*(?:\n|\Z)             # Spark goes on after a backslash at the end of the line
      | /\*(?!\+)(?:[^*/\\]|\*(?!/)|/(?!\*))*\*/)   # Spark nests these; the same reading holds without an inner one
    | (?P<string>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:BD|[LSYDF])?(?![A-Za-z0-9_]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><=>|<=|>=|<>|!=|==|\|\||->|-(?!-)|/(?!\*)|\*(?!/)|[+%=<>()\[\],.&|^~])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_ELSE = {
    "$": ("a variable outside a string, which Spark would replace", "write the value itself"),
    ";": ("more than one statement", "write one expression"),
    "::": ("`::`, which Spark 3.3 does not know", "write CAST(x AS type)"),
    ":": ("a parameter or a path with a colon", "write the value itself; for JSON get_json_object(x, '$.name')"),
    "?": ("a parameter", "write the value itself"),
    "{": ("braces", "write the value itself"),
    "\r": ("a carriage return", "end lines with a line feed"),
    "--": ("a comment that ends in a backslash", "leave the comment out"),
    "*/": ("the end of a comment that did not begin", "leave the comment out"),
    "/*": ("a hint, or a comment that holds another one or does not end", "leave the comment out"),
    "'": ("a string that does not end", "close it with a single quote"),
    '"': ("a string that does not end", "close it with a double quote"),
    "`": ("a quoted name that does not end", "close it with a backquote"),
}


class SqlTokenError(ValueError):
    """SQL text that Spark and this reader might not read alike: what it holds, and what to write instead."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True)
class SqlToken:
    """One token, with its text as it stands there."""

    kind: TokenKind
    text: str

    @property
    def word(self) -> str:
        """A name or word in lower case without its quotes; of other tokens the text."""
        return self.text.strip("`").lower() if self.kind in ("word", "quoted") else self.text


def sql_tokens(text: str) -> list[SqlToken]:
    """The tokens of SQL text, comments left out. Raises SqlTokenError."""
    tokens: list[SqlToken] = []
    start = 0
    for match in _TOKEN.finditer(text):
        if match.start() != start:
            raise _unreadable(text, start)
        kind = match.lastgroup
        if kind == "string" and start and text[start - 1] == text[start]:
            raise SqlTokenError("a doubled quote, which Spark 3 drops", "write \\' for a quote inside a string")
        if kind in ("word", "quoted", "string", "number", "operator"):
            tokens.append(SqlToken(kind, match.group()))  # type: ignore[arg-type]
        start = match.end()
    if start != len(text):
        raise _unreadable(text, start)
    return tokens


def _unreadable(text: str, start: int) -> SqlTokenError:
    rest = text[start : start + 2]
    what, hint = _ELSE.get(rest) or _ELSE.get(rest[:1]) or (f"the character {rest[:1]!r}", "write plain Spark SQL")
    return SqlTokenError(what, hint)
