"""Limits on SQL text before sqlglot parses it: the parser's steps stay below five times `MAX_WORK`."""

from __future__ import annotations

from typing import NamedTuple

from agent.errors import COMPUTE_APART

MAX_CHARACTERS = 200_000
"""Characters of one SQL text."""
MAX_LEVELS = 32
"""Brackets and CASEs around one token. The parser needs about 25 Python frames a level, and Python allows 1,000."""
MAX_WORK = 20_000
"""Tokens of one SQL text; each counts twice for each bracket around it that the parser reads twice."""
HINT = COMPUTE_APART


class Excess(NamedTuple):
    """The reason why a text is not parsed, and the form to write instead."""

    message: str
    hint: str


def excess(text: str) -> Excess | None:
    """The limit that the SQL text exceeds; None when it may be parsed, and when the tokenizer refuses it."""
    if len(text) > MAX_CHARACTERS:
        return Excess(f"is {len(text):,} characters long; at most {MAX_CHARACTERS:,} are read", HINT)
    if _is_small(text):
        return None
    from agent.sql_weight import weigh  # it loads sqlglot, which short texts do without

    message = weigh(text, MAX_LEVELS, MAX_WORK)
    return Excess(message, HINT) if message else None


def _is_small(text: str) -> bool:
    """True when the limits hold whatever the tokens are: one for each character, and each opener around all of them."""
    openers = sum(text.count(sign) for sign in "([{") + text.casefold().count("case")
    return openers < MAX_LEVELS and len(text) << (openers + 1) <= MAX_WORK
