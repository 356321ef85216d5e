"""The syntax tree of an expression: names and functions as they were written, not resolved yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

DialectChoice = Literal["auto", "postgres", "spark"]
"""`auto` is SQL of PostgreSQL or Spark, whichever can read it."""


@dataclass(frozen=True)
class Span:
    """A part of the text: offsets of its first character and behind its last."""

    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Mention:
    """A column named in an expression, or an aggregate or window that stands in it."""

    name: str
    """Its parts without quotes, joined by dots; for a call the call's own `name`."""
    start: int = field(compare=False)
    end: int = field(compare=False)
    in_double_quotes: bool = False
    """True for `"word"` in the dialect `auto`: a column to PostgreSQL, a text to Spark."""
    call: AggregateCall | WindowCall | None = None

    @property
    def span(self) -> Span:
        """The place of the name in the text."""
        return Span(self.start, self.end)


@dataclass(frozen=True)
class LiteralValue:
    """A constant. `value` is a text for "text" and "number" (its digits), a bool, or None."""

    family: Literal["text", "number", "boolean", "null"]
    value: str | bool | None
    span: Span = field(default=Span(), compare=False)
    spark_value: str | None = field(default=None, compare=False)
    """The text as Spark reads its backslashes, where that is another one and the dialect is not given."""


@dataclass(frozen=True)
class IntervalConstant:
    """A constant length of time."""

    months: int
    days: int
    microseconds: int
    span: Span = field(default=Span(), compare=False)


@dataclass(frozen=True)
class NamedCall:
    """A call of a function of one row; `name` is in small letters.

    `extract(year FROM x)` is extract('year', x), `substring(x FROM 2 FOR 3)` substring(x, 2, 3), `position(a IN b)`
    position(a, b), `trim(LEADING 'x' FROM y)` is `trim leading`(y, 'x').
    """

    name: str
    arguments: tuple[Syntax, ...]
    span: Span = field(default=Span(), compare=False)


@dataclass(frozen=True)
class Operation:
    """An operator with its operands. `operator` is in small letters, as `+`, `and`, `is null`, `not in`, `between`."""

    operator: str
    operands: tuple[Syntax, ...]
    span: Span = field(default=Span(), compare=False)


@dataclass(frozen=True)
class TypeCast:
    """CAST, TRY_CAST, `::` and a literal behind the name of its type."""

    value: Syntax
    type_name: str
    """As written, in small letters with single blanks: `decimal(10,2)`, `timestamp with time zone`."""
    tries: bool = False
    span: Span = field(default=Span(), compare=False)


@dataclass(frozen=True)
class CaseWhen:
    """CASE with a subject or without one."""

    subject: Syntax | None
    branches: tuple[tuple[Syntax, Syntax], ...]
    otherwise: Syntax | None
    span: Span = field(default=Span(), compare=False)


Syntax = Mention | LiteralValue | IntervalConstant | NamedCall | Operation | TypeCast | CaseWhen


@dataclass(frozen=True)
class Expression:
    """An expression that was read: its text, its tree, and the columns and calls that it mentions, in their order."""

    text: str
    tree: Syntax
    mentions: tuple[Mention, ...] = field(compare=False)
    dialect: DialectChoice = "auto"
    origin: int = field(default=0, compare=False)
    """The offset of `text` in the text that was read."""

    def text_of(self, node: Syntax) -> str:
        """A part of the tree as it was written."""
        return self.text[max(0, node.span.start - self.origin) : node.span.end - self.origin]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the mentions. Those of aggregates and windows are placeholders, as `sum(amount)`."""
        return tuple(mention.name for mention in self.mentions)

    @property
    def calls(self) -> tuple[AggregateCall | WindowCall, ...]:
        """The aggregates and windows in it, each once. Their own arguments may hold further ones."""
        return tuple(dict.fromkeys(mention.call for mention in self.mentions if mention.call is not None))


@dataclass(frozen=True)
class SortedBy:
    """An expression in ORDER BY. `nulls_first` is None where it is not written."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True)
class WindowFrame:
    """ROWS or RANGE BETWEEN. Rows before the current one are negative, 0 is the current one, None is unbounded."""

    unit: Literal["rows", "range"]
    start: int | None
    end: int | None


@dataclass(frozen=True)
class AggregateCall:
    """An aggregate inside an expression."""

    name: str
    """Its text with small letters outside quotes, as `sum(o.amount)`: the placeholder in the expression."""
    function: str
    arguments: tuple[Expression, ...]
    """Empty for count(*)."""
    distinct: bool = False
    condition: Expression | None = None
    """FILTER (WHERE condition)."""
    order_by: tuple[SortedBy, ...] = ()
    """ORDER BY between the parentheses, or WITHIN GROUP."""


@dataclass(frozen=True)
class WindowCall:
    """A window function or an aggregate with OVER inside an expression."""

    name: str
    """As in AggregateCall."""
    function: str
    arguments: tuple[Expression, ...]
    partition_by: tuple[Expression, ...]
    order_by: tuple[SortedBy, ...]
    frame: WindowFrame | None = None
    """None where it is not written."""
    distinct: bool = False
    condition: Expression | None = None
    ignore_nulls: bool = False


def parts_of(node: Syntax) -> tuple[Syntax, ...]:
    """The parts of a node in the order of the text."""
    match node:
        case NamedCall(_, parts) | Operation(_, parts):
            return parts
        case TypeCast(value):
            return (value,)
        case CaseWhen(subject, branches, otherwise):
            inner = [part for branch in branches for part in branch]
            return (*([subject] if subject else []), *inner, *([otherwise] if otherwise else []))
    return ()


def walk(tree: Syntax) -> Iterator[Syntax]:
    """Every node of the tree."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(parts_of(node))
