"""A reader of tokens: its place, the words that it expects, and the parts of the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NoReturn, TypeVar

from agent.compiler.expressions.expression_tokens import ExpressionToken, tokens_of
from agent.compiler.expressions.interval_constants import UNITS
from agent.compiler.expressions.syntax_tree import DialectChoice, LiteralValue, Mention, Span, Syntax
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.errors import COMPUTE_APART
from agent.sanitizing.spark_names import words

MAX_DEPTH = 120
TOO_DEEP = (
    f"is nested too deeply: at most {MAX_DEPTH} operators in a row, as `a + b + …`, and less in brackets; "
    + COMPUTE_APART
)
_RESERVED = words("""
    all and any as between both case cast collate cross distinct div else end except for from group having
    ilike in inner intersect into is join leading like limit not null on or order over placing regexp rlike select
    similar some then trailing union using when where with
    """)
"""Words that are no columns without quotes."""
_T = TypeVar("_T")


class TokenReader:
    """The tokens of one text, and the place in it."""

    TYPED = words("date timestamp timestamptz timestamp_ntz timestamp_ltz time")
    """Types that may stand before a text: DATE '2024-01-31'."""

    def __init__(self, text: str, dialect: DialectChoice) -> None:
        self.text, self.dialect = text, dialect
        self._tokens = tokens_of(text, dialect)
        self._place = 0
        self._depth = 0
        self._parentheses: dict[int, Span] = {}
        """The parentheses directly around a node, by the node's identity."""
        self._kept: list[Syntax] = []
        """Nodes whose identity is a key: they must stay alive."""

    @property
    def token(self) -> ExpressionToken:
        """The next token."""
        return self._tokens[self._place]

    @property
    def after(self) -> ExpressionToken:
        """The token after the next one."""
        return self._tokens[min(self._place + 1, len(self._tokens) - 1)]

    @property
    def last_end(self) -> int:
        """The offset behind the last token that was read."""
        return self._tokens[self._place - 1].end if self._place else 0

    def advance(self) -> ExpressionToken:
        """Read the next token."""
        token = self.token
        if token.kind == "end":
            self.unreadable()
        self._place += 1
        return token

    def accept(self, word: str) -> bool:
        """Read the word if it comes next."""
        if self.token.word != word:
            return False
        self._place += 1
        return True

    def expect(self, word: str) -> None:
        """Read the word. Refuses any other token."""
        if not self.accept(word):
            self.unreadable(f"; {word.upper()} is missing")

    def listed(self, read: Callable[[], _T]) -> list[_T]:
        """One or more items with commas between them."""
        found = [read()]
        while self.accept(","):
            found.append(read())
        return found

    def unreadable(self, reason: str = "") -> NoReturn:
        """Refuse the next token."""
        token = self.token
        before = self.text[: token.start].rstrip().rpartition(" ")[2][-40:]
        if token.kind == "end":
            refuse(f"cannot be read as a SQL expression: it ends too early{reason}")
        raw = self.text[token.start : token.end][:40]
        place = f" after `{before}`" if before else ""
        if token.word == "as" or (token.kind in ("word", "name") and self._place and not self.is_reserved(token)):
            refuse(f"cannot be read as a SQL expression: {raw!r}{place}; an alias has no place in an expression")
        refuse(f"cannot be read as a SQL expression: {raw!r} at character {token.start + 1}{place}{reason}")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level more. Refuses too many."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse(TOO_DEEP)
        yield
        self._depth -= 1

    def since(self, start: int) -> Span:
        """The span from an offset to the last token that was read."""
        return Span(start, self.last_end)

    def start_of(self, node: Syntax) -> int:
        """The offset of a node, with the parentheses around it."""
        return self._whole(node).start

    def between(self, left: Syntax, right: Syntax) -> Span:
        """The span of two nodes."""
        return Span(self._whole(left).start, self._whole(right).end)

    def text_of(self, node: Syntax) -> str:
        """The node as it was written."""
        span = self._whole(node)
        return self.text[span.start : span.end]

    def remember_parentheses(self, node: Syntax, span: Span) -> None:
        """Keep the parentheses around a node."""
        self._parentheses[id(node)] = span
        self._kept.append(node)

    def in_parentheses(self, node: Syntax) -> bool:
        """True for a node that stands in parentheses."""
        return id(node) in self._parentheses

    def _whole(self, node: Syntax) -> Span:
        return self._parentheses.get(id(node), node.span)

    def normal(self, start: int) -> str:
        """The text from an offset to the last token: small letters outside quotes, single blanks."""
        parts: list[str] = []
        end = start
        first = self._place
        while first and self._tokens[first - 1].start >= start:
            first -= 1
        for token in self._tokens[first : self._place]:
            raw = self.text[token.start : token.end]
            parts += [" " if token.start > end else "", raw.lower() if token.kind in ("word", "sign") else raw]
            end = token.end
        return "".join(parts)

    def mention(self, name: str, first: ExpressionToken, quoted: bool) -> Mention:
        """A column that begins with the token `first` and ends with the last token that was read."""
        return Mention(name, first.start, self.last_end, quoted)

    def number(self) -> Syntax:
        """A number in digits."""
        token = self.advance()
        digits = format(Decimal(token.value), "f") if "e" in token.value.lower() else token.value
        return LiteralValue("number", digits, Span(token.start, token.end))

    def text_literal(self, value: str, spark: str | None, start: int) -> Syntax:
        """A text in quotes, whose token was read."""
        if self.token.kind == "text":
            refuse("two texts side by side are one to Spark; write || between them")
        return LiteralValue("text", value, self.since(start), spark)

    def truth(self) -> Syntax:
        """TRUE, FALSE or NULL."""
        token = self.advance()
        value = None if token.word == "null" else token.word == "true"
        family = "null" if value is None else "boolean"
        return LiteralValue(family, value, Span(token.start, token.end))  # type: ignore[arg-type]

    def is_reserved(self, token: ExpressionToken) -> bool:
        """True for a word that is no column without quotes."""
        return token.kind == "word" and token.word in _RESERVED

    def is_unit(self, token: ExpressionToken) -> bool:
        """True for a unit of time."""
        return token.kind == "word" and token.word in UNITS

    def type_name(self) -> str:
        """The name of a type: words, and digits in parentheses."""
        parts = [self._type_word()]
        if parts[0] in ("double", "character", "timestamp", "time", "bit") and self.token.word in _TYPE_WORDS:
            parts.append(self.advance().word)
        if self.accept("("):
            digits = self.listed(self.advance)
            self.expect(")")
            parts[-1] += f"({','.join(token.value for token in digits)})"
        if self.token.word in ("with", "without") and self.after.word == "time":
            parts += [self.advance().word, self.advance().word]
            self.expect("zone")
            parts.append("zone")
        while self.token.word == "[" and self.after.word == "]":
            self.advance()
            self.advance()
            parts[-1] += "[]"
        return " ".join(parts)

    def _type_word(self) -> str:
        if self.token.kind not in ("word", "name"):
            self.unreadable()
        return self.advance().value.casefold()

    def refuse_query(self) -> None:
        """Refuse a subquery that begins here."""
        if self.token.word in ("select", "with") and self.after.word not in (",", ")", "."):
            cannot(f"a subquery cannot be expressed by the compiler; {USE_A_MODEL}")


_TYPE_WORDS = ("precision", "varying")
