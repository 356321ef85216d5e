"""The weight of SQL text: tokens, counted twice for each bracket around them that sqlglot reads twice.

sqlglot reads a bracket behind a type's name, as in `array[`, `struct(` or `date(`, first as a type and then as an
expression: each level doubles its steps. Its tokenizer is linear, so the tokens are weighed before the parser starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import Token, TokenType
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

_CLOSES = {
    TokenType.R_PAREN: TokenType.L_PAREN,
    TokenType.R_BRACKET: TokenType.L_BRACKET,
    TokenType.R_BRACE: TokenType.L_BRACE,
    TokenType.END: TokenType.CASE,
}
_OPENERS = frozenset(_CLOSES.values())
_READ_TWICE_AFTER = Spark.parser_class.TYPE_TOKENS | {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.GT}


def weigh(text: str, max_levels: int, max_work: int) -> str:
    """The message of the limit that the text exceeds; empty below the limits, and when the tokenizer refuses it."""
    try:
        # In parentheses, because a word such as `show` at the beginning would swallow the rest as one token.
        return _Scale(max_levels, max_work).weigh(f"({text}\n)") or ""
    except SqlglotError:
        return ""


@dataclass
class _Scale:
    """The weight of the tokens seen so far, and the openers around the next one."""

    max_levels: int
    max_work: int
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
        if len(self.openers) > self.max_levels + 1:  # the outermost one was added here
            return f"is nested too deeply {place}: at most {self.max_levels} levels of brackets and CASE are read"
        if self.work <= self.max_work:
            return None
        if any(self.twice):
            nested = f"nests lists, structs and calls named as types {sum(self.twice)} deep {place}"
            return f"{nested}: `array[`, `struct(`, `date(` and the like are read only a few levels deep"
        return f"is too long {place}: at most {self.max_work:,} words and signs are read"

    def _inside_name(self, token: Token) -> str | None:
        """The parser reads a quoted name as a type where one may stand, as in CAST(x AS `array<int>`)."""
        if token.token_type is not TokenType.IDENTIFIER:
            return None
        try:
            return self.weigh(token.text)
        except SqlglotError:
            return None
