"""Elements: the structured parts of a specification in one canonical form, whatever their spelling was.

The reader makes them (`agent.compiler.spec`); the planner, made rows, the regression guard and reports use them.
Names and expressions are texts that are not resolved yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from pydantic import JsonValue

JoinType = Literal["inner", "left", "right", "outer"]
AggregateFunction = Literal["sum", "avg", "count", "min", "max", "count_distinct"]
_Value = TypeVar("_Value")


class Located(NamedTuple, Generic[_Value]):
    """An element of the specification with its path, as `specs.filters[0]`."""

    path: str
    value: _Value


def located(path: str, values: Iterable[_Value]) -> list[Located[_Value]]:
    """The items of the list at `path`."""
    return [Located(f"{path}[{position}]", value) for position, value in enumerate(values)]


@dataclass(frozen=True)
class JoinCondition:
    """Two tables joined on `on_columns`, on `left_column` = `right_column`, on a SQL `condition`, or on several."""

    left_table: str
    right_table: str
    join_type: JoinType = "inner"
    on_columns: tuple[str, ...] = ()
    """Columns that have the same name in both tables."""
    left_column: str | None = None
    right_column: str | None = None
    condition: str | None = None


@dataclass(frozen=True)
class Comparison:
    """`column operator value`. IN and NOT IN hold a list, BETWEEN and NOT BETWEEN a list of two."""

    column: str
    """A column, an aggregate's alias, or a SQL expression such as `count(*)`."""
    operator: str
    """`=`, `!=`, `>`, `<`, `>=`, `<=`, `IS NULL`, `IS NOT NULL`; `LIKE`, `ILIKE`, `IN` and `BETWEEN`, also with NOT."""
    value: JsonValue = None
    """As it was written: a text may be a number, a date or another column."""
    literal: bool = False
    """True where SQL quotes the value: it names no column."""


@dataclass(frozen=True)
class SqlCondition:
    """A condition as SQL text."""

    text: str


@dataclass(frozen=True)
class ConditionGroup:
    """Conditions joined by `and` or `or`; `not` has one part."""

    operator: Literal["and", "or", "not"]
    parts: tuple[Condition, ...]


Condition = Comparison | SqlCondition | ConditionGroup


@dataclass(frozen=True)
class Aggregation:
    """One aggregate for each group."""

    function: AggregateFunction
    column: str | None
    """A column or a SQL expression; None or `*` counts rows."""
    alias: str
    group_by: tuple[str, ...] = ()
    """Columns or SQL expressions; the same in every aggregation."""
    where: Condition | None = None
    """The rows that the aggregate takes; all when None."""


@dataclass(frozen=True)
class PivotedAggregation(Aggregation):
    """An aggregate over the rows whose column `spread` equals `value`."""

    spread: str = ""
    value: JsonValue = None
    value_at: str = ""
    """The value's path in the pivot's details, as `.values[0]`."""


@dataclass(frozen=True)
class DerivedColumn:
    """A new column as a SQL expression."""

    name: str
    expression: str
    data_type: str = ""
    """The type that the specification declares for it; empty when it declares none."""


class SortItem(NamedTuple):
    """A column to sort by, as it was written."""

    column: str
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Frame:
    """A window's frame: offsets from the current row, None for no bound."""

    unit: Literal["rows", "range"]
    start: int | None
    end: int | None


@dataclass(frozen=True)
class WindowEntry:
    """A window whose names are not resolved yet."""

    function: str
    name: str
    column: str | None
    partition_by: tuple[str, ...]
    order_by: tuple[SortItem, ...]
    offset: int = 0
    default: JsonValue = None
    frame: Frame | None = None


@dataclass(frozen=True)
class UnionEntry:
    """A union as written: the names of the sources, and the alias of the whole."""

    tables: tuple[str, ...]
    alias: str
    columns: tuple[str, ...]
    keeps_all: bool


@dataclass(frozen=True)
class SelectItem:
    """A column of a select step, with its new name where it has one."""

    column: str
    """A name or a SQL expression."""
    name: str | None = None


@dataclass(frozen=True)
class Deduplication:
    """One row of each group of rows that are equal in `partition_by`: the first in the order of `order_by`.

    Without `order_by` all rows of a group must be equal in every column of the result.
    """

    partition_by: tuple[str, ...]
    order_by: tuple[SortItem, ...]
    keep: Literal["first", "last", "greatest", "least"] = "first"
    """The row that stays, where another element says the order; `order_by` begins with it."""


@dataclass(frozen=True)
class Claim:
    """An element that an entry of `transformations` states, alone or beside a structured field."""

    kind: str
    """Name of the list of Entries that holds the element, as `filters`."""
    path: str
    """The path under which Entries holds the element."""


@dataclass(frozen=True)
class StepEntry:
    """An entry of `transformations`, in the order listed."""

    path: str
    type: str
    """The canonical type, as `aggregate`; as it was written when it is not known."""
    description: str
    details: dict[str, JsonValue]
    """The details as they were written, with the keys that stood beside them."""
    claims: tuple[Claim, ...] = ()
    """The elements that its details state; empty for an entry of words alone."""


@dataclass
class Entries:
    """All elements of a specification with their paths, those of the structured fields first."""

    joins: list[Located[JoinCondition]] = field(default_factory=list)
    filters: list[Located[Condition]] = field(default_factory=list)
    aggregations: list[Located[Aggregation]] = field(default_factory=list)
    grouped_by: tuple[str, ...] | None = None
    """The keys of the grouping, where an entry of aggregates is an expression over them; None without a grouping."""
    derived: list[Located[DerivedColumn]] = field(default_factory=list)
    windows: list[Located[WindowEntry]] = field(default_factory=list)
    unions: list[Located[UnionEntry]] = field(default_factory=list)
    deduplications: list[Located[Deduplication]] = field(default_factory=list)
    sort: list[Located[tuple[SortItem, ...]]] = field(default_factory=list)
    limit: list[Located[tuple[int, bool]]] = field(default_factory=list)
    """Number of rows, and True to keep rows that tie with the last one."""
    select: list[Located[tuple[SelectItem, ...]]] = field(default_factory=list)
    rename: list[Located[dict[str, str]]] = field(default_factory=list)
    distinct: bool = False
    steps: list[StepEntry] = field(default_factory=list)
    """The entries of `transformations`, in the order listed."""
    texts: list[Located[str]] = field(default_factory=list)
    """Descriptions and further words of the structured fields, each with its path."""
