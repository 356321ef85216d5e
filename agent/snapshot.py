"""The snapshot: what sources and target looked like when the run began. All later nodes use it and nothing newer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

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
    """The values of an enum, in their order; empty for other types, and where no database told them."""


class ForeignKey(_Frozen):
    """A foreign key of another table that points at the target."""

    name: str
    table: str
    deferrable: bool
    on_delete: Literal["no action", "restrict", "cascade", "set null", "set default"]


class SideRule(_Frozen):
    """A rule of the target that does something else beside what publish asks for: DO ALSO."""

    name: str
    event: Literal["insert", "update", "delete"]
    """What it comes with."""


class Source(_Frozen):
    """One listed source."""

    key: str
    """The alias, else the table's name: what `transform` finds it under."""
    table: str
    """The table as the specification wrote it, `orders` or `sales.orders`."""
    relation: str = ""
    """The same for SQL: qualified and quoted where needed, `sales."Order Lines"`; empty when no database said so."""
    columns: tuple[Column, ...]
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """As in Target."""
    rows_estimate: int | None = None
    """PostgreSQL's own estimate; None when never analysed or not known."""
    samples: tuple[Row, ...] = ()
    samples_from: Literal["event", "database", "none"] = "none"


class Target(_Frozen):
    """The target as it stands; `columns` is empty when it is missing."""

    name: str
    relation: str = ""
    """The name for SQL, as in Source; of a missing target, the name that publish gives it."""
    exists: bool
    oid: int | None = None
    """PostgreSQL's own number of the table: another one stands for a table that was made anew under the name."""
    columns: tuple[Column, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """Primary key first, then unique constraints and plain unique indexes; those that are checked at once."""
    incoming_foreign_keys: tuple[ForeignKey, ...] = ()
    has_rows: bool = False
    published_before: bool = False
    """True when this tool published into it before."""
    triggers: tuple[str, ...] = ()
    """Of the table and of its partitions."""
    rules: tuple[str, ...] = ()
    """Those that do something else instead of what publish asks for."""
    unchecked: tuple[str, ...] = ()
    """Constraints that PostgreSQL does not check: their triggers on the table or its partitions are switched off."""
    side_rules: tuple[SideRule, ...] = ()
    heirs: tuple[str, ...] = ()
    """Tables that inherit from it, for SQL: their rows are seen in it, and publish leaves them alone. No partitions."""
    row_security: bool = False


class Snapshot(_Frozen):
    """Sources in the order listed, and the target."""

    sources: tuple[Source, ...]
    target: Target
    origin: Literal["database", "event"]
    """Where the schemas came from; `event` when no database was reachable."""

    def source(self, key: str) -> Source:
        """The source of that key. Raises KeyError when there is none."""
        for source in self.sources:
            if source.key == key:
                return source
        raise KeyError(key)
