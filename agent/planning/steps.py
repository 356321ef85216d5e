"""The steps of a plan: what the specification means, with every name resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.planning.expressions import Expression
from agent.planning.kinds import Kind
from agent.request import JoinType


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source as it is read."""

    source: str
    """The source's key."""
    name: str
    kind: Kind


@dataclass(frozen=True)
class MergedColumn:
    """The one key column that an outer join on a shared name leaves: the first member that is not NULL."""

    name: str
    members: tuple[SourceColumn, ...]

    @property
    def kind(self) -> Kind:
        """The kind of the first member, wide enough for all; all members compare exactly with it."""
        kinds = [member.kind for member in self.members]
        families = {kind.family for kind in kinds}
        return replace(
            kinds[0],
            family="decimal" if families == {"integer", "decimal"} else kinds[0].family,
            whole=max(kind.whole for kind in kinds),
            scale=max(kind.scale for kind in kinds),
        )


@dataclass(frozen=True)
class NamedColumn:
    """A column without a source: derived, an aggregate, or what a group is keyed by."""

    name: str
    kind: Kind | None = None
    """None when it is not known."""


Reference = SourceColumn | MergedColumn | NamedColumn


@dataclass(frozen=True)
class BoundExpression:
    """An expression and what each column that it mentions stands for, in the order of the mentions."""

    expression: Expression
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class JoinStep:
    """One more source, joined to all that is joined already."""

    source: str
    join_type: JoinType
    equalities: tuple[tuple[SourceColumn, SourceColumn], ...] = ()
    """Pairs that must be equal: what is joined already, then the new source."""
    condition: BoundExpression | None = None


@dataclass(frozen=True)
class DerivedStep:
    """A new column."""

    name: str
    value: BoundExpression


@dataclass(frozen=True)
class Value:
    """A literal; `cast` is the Spark type that a text is turned into, None when it stands as it is."""

    value: str | int | float | bool
    cast: str | None = None


@dataclass(frozen=True)
class FilterStep:
    """Rows to keep. `trimmed` compares without trailing spaces, as PostgreSQL does for `character(n)`."""

    column: Reference
    operator: str
    values: tuple[Value, ...] = ()
    trimmed: bool = False


@dataclass(frozen=True)
class GroupKey:
    """What rows are grouped by, and the name that it has afterwards."""

    column: Reference
    name: str


@dataclass(frozen=True)
class AggregateStep:
    """One aggregate; `column` is None for the number of rows."""

    function: str
    column: Reference | None
    name: str
    kind: Kind | None


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
class SortKey:
    """NULLs come first when ascending and last when descending: Spark's own default, written out."""

    column: Reference
    descending: bool


@dataclass(frozen=True)
class Ordering:
    """Sort, then limit; before the select when a sort column is not in the output."""

    keys: tuple[SortKey, ...] = ()
    limit: int | None = None
    before_select: bool = False


@dataclass(frozen=True)
class PlannedSource:
    """A source in the order in which it is brought in."""

    key: str
    table: str


@dataclass(frozen=True)
class Plan:
    """A whole specification, resolved; the fields stand in the order in which they are carried out."""

    target: str
    description: str
    sources: tuple[PlannedSource, ...]
    joins: tuple[JoinStep, ...]
    derived: tuple[DerivedStep, ...]
    filters: tuple[FilterStep, ...]
    grouping: Grouping | None
    derived_after: tuple[DerivedStep, ...]
    filters_after: tuple[FilterStep, ...]
    outputs: tuple[OutputColumn, ...]
    distinct: bool
    ordering: Ordering
