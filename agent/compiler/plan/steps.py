"""The plan: the meaning of a specification as steps, with every name resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.references import Constant, Reference, SourceColumn
from agent.compiler.expressions.typed_values import BoundExpression
from agent.elements import Frame, JoinType


@dataclass(frozen=True)
class JoinStep:
    """A source that is joined to all sources before it."""

    source: str
    join_type: JoinType
    equalities: tuple[tuple[SourceColumn, SourceColumn], ...] = ()
    """Pairs that must be equal: a column joined before, and one of the new source. Without any, and without a
    condition, every row meets every row."""
    conditions: tuple[BoundExpression, ...] = ()
    """Conditions that must hold as well."""


@dataclass(frozen=True)
class UnionStep:
    """UNION: sources stacked to one, by columns of the same name."""

    key: str
    members: tuple[str, ...]
    columns: tuple[str, ...]
    keeps_all: bool
    """True for UNION ALL; False when equal rows are kept once."""


@dataclass(frozen=True)
class DerivedStep:
    """A new column."""

    name: str
    value: BoundExpression

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns that it is computed from."""
        return self.value.references


@dataclass(frozen=True)
class SortKey:
    """A column to sort by, its direction, and where its NULLs go."""

    column: Reference
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class FilterStep:
    """Rows to keep. `trimmed` compares without trailing spaces, as PostgreSQL does for `character(n)`."""

    column: Reference
    operator: str
    values: tuple[Constant | Reference, ...] = ()
    trimmed: bool = False

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns that it compares."""
        return (self.column, *(value for value in self.values if not isinstance(value, Constant)))


@dataclass(frozen=True)
class ConditionStep:
    """Conditions joined by `and` or `or`; `not` has one part."""

    operator: Literal["and", "or", "not"]
    parts: tuple[RowCondition, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns of all parts."""
        return tuple(reference for part in self.parts for reference in part.references)


RowCondition = FilterStep | BoundExpression | ConditionStep
"""A condition that a row must meet."""


@dataclass(frozen=True)
class WindowStep:
    """A new column computed from other rows: those equal in `partition_by`, in the order of `order_by`."""

    name: str
    function: str
    column: Reference | None
    """None for rank, dense_rank, row_number and the number of rows."""
    partition_by: tuple[Reference, ...]
    order_by: tuple[SortKey, ...]
    offset: int = 0
    """Rows back or ahead, for lag and lead."""
    default: Constant | None = None
    """The value of lag and lead where there is no such row; NULL when None."""
    frame: Frame | None = None
    """None for SQL's default: up to the current row and its peers with an order, else the whole partition."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns that it is computed from."""
        own = () if self.column is None else (self.column,)
        return (*own, *self.partition_by, *(key.column for key in self.order_by))

    @property
    def counts_rows(self) -> bool:
        """True when rows that tie in the order get different values."""
        by_rows = self.frame is not None and self.frame.unit == "rows" and (self.frame.start, self.frame.end) != _WHOLE
        return by_rows or self.function in ("row_number", "lag", "lead")


ComputedStep = DerivedStep | WindowStep

_WHOLE = (None, None)


@dataclass(frozen=True)
class GroupKey:
    """A column that rows are grouped by, and its name after grouping."""

    column: Reference
    name: str


@dataclass(frozen=True)
class AggregateStep:
    """One aggregate; `column` is None for the number of rows."""

    function: str
    column: Reference | None
    name: str
    kind: Kind | None
    only: RowCondition | None = None
    """The rows that are aggregated, as for a column of a pivot; all rows when None."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns that it is computed from."""
        own = () if self.column is None else (self.column,)
        return own if self.only is None else (*own, *self.only.references)


@dataclass(frozen=True)
class Grouping:
    """One grouping; without keys all rows are one group."""

    keys: tuple[GroupKey, ...]
    aggregates: tuple[AggregateStep, ...]


@dataclass(frozen=True)
class OutputColumn:
    """A column of the result."""

    column: Reference
    name: str


@dataclass(frozen=True)
class Ordering:
    """Sort, then limit; before the select when a sort column is not in the output."""

    keys: tuple[SortKey, ...] = ()
    limit: int | None = None
    before_select: bool = False
    tie_rank: str = ""
    """Name of the rank column for a limit with ties, which keeps rows that tie with the last one; else empty."""


@dataclass(frozen=True)
class PlannedSource:
    """A source, in the order of the joins."""

    key: str
    table: str


@dataclass(frozen=True)
class WindowRound:
    """Windows over the same rows, and the filters behind them."""

    windowed: tuple[ComputedStep, ...] = ()
    """Windows, and columns derived from them."""
    filters: tuple[RowCondition, ...] = ()


@dataclass(frozen=True)
class PlanPhase:
    """The steps on one side of grouping, in this order."""

    derived: tuple[DerivedStep, ...] = ()
    filters: tuple[RowCondition, ...] = ()
    rounds: tuple[WindowRound, ...] = ()
    """Windows that are listed behind a filter on windows see the rows that it keeps."""
    reads: tuple[Reference, ...] = ()
    """All columns that these steps, and those after the phase, read."""

    @property
    def windowed(self) -> tuple[ComputedStep, ...]:
        """The windows of all rounds, and columns derived from them."""
        return tuple(step for one in self.rounds for step in one.windowed)


@dataclass(frozen=True)
class Plan:
    """A resolved specification. From `start` on the fields stand in the order of their execution."""

    target: str
    description: str
    sources: tuple[PlannedSource, ...]
    unions: tuple[UnionStep, ...]
    start: str
    """Key of the source or union that the joins begin with."""
    joins: tuple[JoinStep, ...]
    before: PlanPhase
    """The steps before grouping."""
    grouping: Grouping | None
    after: PlanPhase
    """The steps after grouping; empty without one."""
    outputs: tuple[OutputColumn, ...]
    distinct: bool
    ordering: Ordering
