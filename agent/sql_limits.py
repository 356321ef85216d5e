"""Limits on SQL text before sqlglot parses it: the parser's steps stay below five times `MAX_WORK`.

sqlglot reads a bracket behind a type's name, as in `array[`, `struct(` or `date(`, first as a type and then as an
expression: each level doubles its steps. Its tokenizer is linear, so the tokens are weighed before the parser starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import Token, TokenType
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

MAX_CHARACTERS = 200_000
"""Characters of one SQL text."""
MAX_LEVELS = 32
"""Brackets and CASEs around one token. The parser needs about 25 Python frames a level, and Python allows 1,000."""
MAX_WORK = 20_000
"""Tokens of one SQL text; each counts twice for each bracket around it that the parser reads twice."""
HINT = "compute an inner part as a column of its own first, and name that column here"

_CLOSES = {
    TokenType.R_PAREN: TokenType.L_PAREN,
    TokenType.R_BRACKET: TokenType.L_BRACKET,
    TokenType.R_BRACE: TokenType.L_BRACE,
    TokenType.END: TokenType.CASE,
}
_OPENERS = frozenset(_CLOSES.values())
_READ_TWICE_AFTER = Spark.parser_class.TYPE_TOKENS | {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.GT}


class Excess(NamedTuple):
    """The reason why a text is not parsed, and the form to write instead."""

    message: str
    hint: str


def excess(text: str) -> Excess | None:
    """The limit that the SQL text exceeds; None when it may be parsed, and when the tokenizer refuses it."""
    if len(text) > MAX_CHARACTERS:
        return Excess(f"is {len(text):,} characters long; at most {MAX_CHARACTERS:,} are read", HINT)
    scale = _Scale()
    try:
        # In parentheses, because a word such as `show` at the beginning would swallow the rest as one token.
        message = scale.weigh(f"({text}\n)")
    except SqlglotError:
        return None
    return Excess(message, HINT) if message else None


@dataclass
class _Scale:
    """The weight of the tokens seen so far, and the openers around the next one."""

    work: int = 0
    openers: list[TokenType] = field(default_factory=list)
    twice: list[bool] = field(default_factory=list)

    def weigh(self, text: str) -> str | None:
        """Add the tokens of the text. The message of the limit that they exceed; None below the limits."""
        before = None
        outer = len(self.openers)
        for token in Spark().tokenize(text):
            self.work += 1 << sum(self.twice)
            if token.token_type in _OPENERS:
                self._open(token, before)
            elif token.token_type in _CLOSES:
                self._close(_CLOSES[token.token_type], outer)
            message = self._too_much(token) or self._inside_name(token)
            if message:
                return message
            before = token.token_type
        del self.openers[outer:], self.twice[outer:]
        return None

    def _open(self, token: Token, before: TokenType | None) -> None:
        bracket = token.token_type is TokenType.L_BRACKET
        self.openers.append(token.token_type)
        self.twice.append(bracket or (token.token_type is TokenType.L_PAREN and before in _READ_TWICE_AFTER))

    def _close(self, opener: TokenType, outer: int) -> None:
        """Close the innermost opener of that kind, and those inside it that were never closed."""
        for position in range(len(self.openers) - 1, outer - 1, -1):
            if self.openers[position] is opener:
                del self.openers[position:], self.twice[position:]
                return

    def _too_much(self, token: Token) -> str | None:
        place = f"at character {max(token.start, 1)}, `{token.text[:40]}`"
        if len(self.openers) > MAX_LEVELS + 1:  # the outermost one was added here
            return f"is nested too deeply {place}: at most {MAX_LEVELS} levels of brackets and CASE are read"
        if self.work <= MAX_WORK:
            return None
        if any(self.twice):
            nested = f"nests lists, structs and calls named as types {sum(self.twice)} deep {place}"
            return f"{nested}: `array[`, `struct(`, `date(` and the like are read only a few levels deep"
        return f"is too long {place}: at most {MAX_WORK:,} words and signs are read"

    def _inside_name(self, token: Token) -> str | None:
        """The parser reads a quoted name as a type where one may stand, as in CAST(x AS `array<int>`)."""
        if token.token_type is not TokenType.IDENTIFIER:
            return None
        try:
            return self.weigh(token.text)
        except SqlglotError:
            return None
