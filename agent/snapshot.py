"""The snapshot: schemas, samples and target as they were when the run began. All later nodes use it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from agent.errors import InvalidRequestError, Problem, UnsupportedTypeError
from agent.request import Request, SourceTable
from agent.types import near_type, spark_type

Row = dict[str, JsonValue]
"""A sample row: column name to JSON value; numerics and dates as text, timestamps in ISO 8601."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """A column as PostgreSQL's catalogue describes it."""

    name: str
    type: str
    """As `format_type` gives it: `numeric(5,2)`, `character varying(3)`, `timestamp without time zone`; an enum as
    `enum mood`."""
    nullable: bool = True
    has_default: bool = False
    generated: bool = False
    identity: Literal["", "always", "by default"] = ""
    labels: tuple[str, ...] = ()
    """The values of an enum, in their order; empty for other types, and without a database."""
    held: str = ""
    """The narrowest type of which all values are, with room for larger ones: `numeric(9,2)`. Empty where it is not
    known, and where no arithmetic needs it. A job fails at a value that it does not hold."""


class Unreadable(_Frozen):
    """A column of a source that no job reads: its type is not supported, or the job's role lacks SELECT on it."""

    name: str
    type: str
    reason: str
    """The obstacle and its remedy, as a message says them."""


class ForeignKey(_Frozen):
    """A foreign key of another table that points at the target."""

    name: str
    table: str
    deferrable: bool
    on_delete: Literal["no action", "restrict", "cascade", "set null", "set default"]

    @property
    def obstacle(self) -> str:
        """The reason why not all rows of the target may be replaced; empty for a key that is checked at commit."""
        if self.on_delete != "no action":
            return f"is ON DELETE {self.on_delete.upper()}"
        return "" if self.deferrable else "is not deferrable"


class SideRule(_Frozen):
    """A rule of the target that acts in addition to a write: DO ALSO."""

    name: str
    event: Literal["insert", "update", "delete"]
    """The write that the rule acts on."""


class Source(_Frozen):
    """One listed source."""

    key: str
    """The alias, else the table's name. `transform` finds the source under it."""
    table: str
    """The table as the specification wrote it, `orders` or `sales.orders`."""
    relation: str = ""
    """The table for SQL, qualified and quoted where needed: `sales."Order Lines"`; empty without a database."""
    columns: tuple[Column, ...]
    """The columns that a job may read."""
    unreadable: tuple[Unreadable, ...] = ()
    """The other columns. They block nothing unless the specification needs one."""
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """As in Target; keys with an unreadable column are left out."""
    rows_estimate: int | None = None
    """PostgreSQL's own estimate; None when never analysed or not known."""
    samples: tuple[Row, ...] = ()
    samples_from: Literal["event", "database", "none"] = "none"
    cautions: tuple[str, ...] = ()
    """Warnings for the answer: sample rows that could not be read, rows that row security hides."""

    @property
    def names(self) -> list[str]:
        """The names of all columns of the table."""
        return [*(column.name for column in self.columns), *(column.name for column in self.unreadable)]


class Target(_Frozen):
    """The target as it stands; `columns` is empty when it is missing."""

    name: str
    relation: str = ""
    """The name for SQL, as in Source. A missing target has the name that publish will give it."""
    exists: bool
    oid: int | None = None
    """PostgreSQL's oid of the table. It changes when the table is dropped and created again under the name."""
    columns: tuple[Column, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """Primary key first, then unique constraints and plain unique indexes, unless they are deferrable."""
    incoming_foreign_keys: tuple[ForeignKey, ...] = ()
    has_rows: bool = False
    published_before: bool = False
    """True when this tool has published into the target before."""
    triggers: tuple[str, ...] = ()
    """Triggers of the table and of its partitions."""
    rules: tuple[str, ...] = ()
    """Rules that replace a write: DO INSTEAD."""
    unchecked: tuple[str, ...] = ()
    """Constraints that PostgreSQL does not check, because their triggers are disabled on the table or a partition."""
    side_rules: tuple[SideRule, ...] = ()
    heirs: tuple[str, ...] = ()
    """Tables that inherit from the target, for SQL; no partitions. Their rows show in it, and publish keeps them."""
    foreign_partitions: tuple[str, ...] = ()
    """Partitions on another server, for SQL. Writes to them are committed there."""
    row_security: bool = False


class Snapshot(_Frozen):
    """Sources in the order listed, and the target."""

    sources: tuple[Source, ...]
    target: Target
    origin: Literal["database", "event"]
    """Origin of the schemas; `event` when no database was reachable."""

    def source(self, key: str) -> Source:
        """The source of that key. Raises KeyError when there is none."""
        for source in self.sources:
            if source.key == key:
                return source
        raise KeyError(key)


def event_snapshot(request: Request) -> Snapshot:
    """The snapshot of an event. Raises InvalidRequestError for a source without a schema.

    A column of an unknown type is unreadable.
    """
    problems: list[Problem] = []
    sources = [_source(request, table, problems) for table in request.specs.source_tables]
    if problems:
        raise InvalidRequestError(problems)
    target = Target(name=request.specs.target_table.name, exists=False)
    return Snapshot(sources=tuple(sources), target=target, origin="event")


def _source(request: Request, table: SourceTable, problems: list[Problem]) -> Source:
    schema = next((request.source_schemas[name] for name in table.names if name in request.source_schemas), None)
    if schema is None:
        message = "no database is at hand, and the event does not describe this table; name one, or list its columns"
        problems.append(Problem(f"source_schemas.{table.table_name}", message))
    described = [Column(name=c.name, type=c.type) for c in schema.columns] if schema else []
    columns, unreadable = split_readable(described)
    given = (request.source_data_samples.get(name) for name in table.names)
    samples = next((rows for rows in given if rows), [])
    return Source(
        key=table.key,
        table=table.table_name,
        columns=columns,
        unreadable=unreadable,
        samples=tuple(samples),
        samples_from="event" if samples else "none",
    )


def split_readable(columns: Iterable[Column], place: str = "") -> tuple[tuple[Column, ...], tuple[Unreadable, ...]]:
    """The columns of supported types, and the others with the reason; `place` begins the reason, as `public.orders: `.

    An event's type that is probably mistyped is told with the nearest name.
    """
    readable, others = [], []
    for column in columns:
        try:
            spark_type(column.type, column.name)
            readable.append(column)
        except UnsupportedTypeError as error:
            near = "" if place else near_type(column.type)
            message = f"{error.told}{near}" if near else f"{place}{error}, and name the view as the source"
            others.append(Unreadable(name=column.name, type=column.type, reason=message))
    return tuple(readable), tuple(others)
