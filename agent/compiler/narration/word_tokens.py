"""Tokens of a description: quoted texts, dates, numbers, names and words, in the order of the text."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<quoted>(?<!\w)'[^'\n]{1,100}'(?!\w)|\"[^\"\n]{1,100}\"|“[^”\n]{1,100}”|‘[^’\n]{1,100}’(?!\w))"
    r"|`(?P<ticked>[^`\n]{1,100})`"
    r"|(?P<date>(?<!\w)\d{4}-\d{1,2}-\d{1,2}(?:T[\d:.]{1,20}Z?)?(?!\w))"
    r"|(?P<time>(?<![\w:])\d{1,2}:\d{2}(?::\d{2})?(?![\w:]))"
    r"|(?P<month>(?<!\w)\d{4}-\d{2}(?![\w-]))"
    r"|(?P<number>(?<![\w.])\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,20})?(?!\d|,\d)"
    r"|(?<![\w.])\d{1,30}(?:\.\d{1,20})?|(?<!\w)\.\d{1,20})"
    r"|(?P<name>[^\W\d_]\w*(?:\.[^\W\d]\w*)+|\w*_\w*)"
    r"|(?P<word>[^\W\d_][^\W_]*(?:['’-][^\W\d_]+)*)"
    r"|(?P<sign><=|>=|!=|<>|=>|[^\w\s])"
)  # no alternative can match an empty text, and each repetition ends where the next part begins


class WordToken(NamedTuple):
    """A token, with its text in lower case beside the text as written."""

    kind: str
    text: str
    written: str
    start: int
    end: int


_BESIDE = 15
"""Tokens on each side that can tell the sense of one between them."""


def texts_beside(tokens: list[WordToken], position: int) -> set[str]:
    """The texts around a position."""
    return {token.text for token in tokens[max(0, position - _BESIDE) : position + _BESIDE]}


_STEM = 5
"""Letters that two words of one family share at least, as `carrier` and `carriers`."""


def stem(word: str) -> str:
    """The letters that words of one family share."""
    return word[:_STEM]


def word_list(words: str) -> list[str]:
    """The words of a line of a table."""
    return words.split()


def word_set(words: str) -> frozenset[str]:
    """The words of a line of a table, as a set."""
    return frozenset(words.split())


LETTERS = word_set("digit digits letter letters character characters char chars initial initials")
"""Nouns for the parts of a text."""


def tokens_of(description: str) -> list[WordToken]:
    """The tokens of a description."""
    found = []
    for match in _TOKEN.finditer(description):
        kind = str(match.lastgroup)
        written = match[kind]
        text = written[1:-1] if kind == "quoted" else written
        kind = "name" if kind == "ticked" else kind
        found.append(WordToken(kind, text.lower().replace("’", "'"), written, match.start(), match.end()))
    return found
