"""The write modes: staged rows replace all rows of the target, are added, or are merged by keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.errors import PublishError
from agent.snapshot import Column
from agent.sql_identifiers import quote_name
from tools.database import catalog
from tools.database.catalog import Relation
from tools.database.connection import Connection
from tools.database.staging_table import Staged, own_names
from tools.records import PublishOrder

_PRECISE = re.compile(r"time(stamp)?\(\d\)")


@dataclass(frozen=True)
class Supplied:
    """A column of the target that the result supplies."""

    column: Column
    kind: str
    """Its type for SQL, with schema and without length: the same type under every search path."""

    @property
    def name(self) -> str:
        """The column's name, quoted for SQL."""
        return quote_name(self.column.name)

    @property
    def staged(self) -> str:
        """The staged column in the target's type without its length, so that PostgreSQL checks the length."""
        return f"{self.name}::{self.kind}"


@dataclass(frozen=True)
class Transfer:
    """The staged rows on their way into the target, both locked, in the transaction of their publish."""

    connection: Connection
    order: PublishOrder
    staged: Staged
    relation: Relation
    """The target."""
    supplied: tuple[Supplied, ...]
    triggers: bool
    """True when triggers of the target may take rows away."""

    @property
    def keys(self) -> list[Supplied]:
        """The columns that identify a row."""
        by_name = {column.column.name: column for column in self.supplied}
        return [by_name[key] for key in self.order.keys]

    def count(self, statement: str) -> int:
        """Run a statement that counts rows."""
        row = self.connection.execute(statement).fetchone()
        return int(row[0]) if row else 0


def move_rows(transfer: Transfer) -> None:
    """Write the staged rows by the order's mode. Raises PublishError when a trigger or rule takes some of them."""
    connection, order, relation = transfer.connection, transfer.order, transfer.relation
    names = ", ".join(column.name for column in transfer.supplied)
    values = ", ".join(column.staged for column in transfer.supplied)
    override = " OVERRIDING SYSTEM VALUE" if any(column.column.identity for column in transfer.supplied) else ""
    conflict = _conflict(transfer) if order.write_mode == "merge" else ""
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    if order.write_mode == "overwrite":
        _delete_all(transfer)
    # Under the role's own search path, which triggers may need: this names no function and no operator.
    inserted = connection.execute(
        f"INSERT INTO {relation.sql} ({names}){override} SELECT {values} FROM {transfer.staged.sql}{conflict}"
    )
    # Constraints and deferred triggers act here, so that COMMIT can fail for a lost connection alone.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    reached = inserted.rowcount
    if conflict.endswith("DO NOTHING"):
        # PostgreSQL does not count a row that consists of its key and exists already.
        reached = order.expected_rows - _missing(transfer)
    elif order.write_mode == "merge" and transfer.triggers:
        reached = min(reached, order.expected_rows - _missing(transfer))
    elif order.write_mode == "overwrite":
        reached = min(reached, transfer.count(f"SELECT count(*) FROM {relation.only}"))
    if reached != order.expected_rows:
        message = f"{reached} of {order.expected_rows} rows reached {relation.sql}"
        raise PublishError("constraint", f"{message}: a trigger or rule took the others")


def _missing(transfer: Transfer) -> int:
    """Count the staged keys that are not in the target."""
    same = " AND ".join(f"t.{key.name} = s.{key.staged}" for key in transfer.keys)
    there = f"SELECT FROM {transfer.relation.sql} AS t WHERE {same}"
    with own_names(transfer.connection):
        return transfer.count(f"SELECT count(*) FROM {transfer.staged.sql} AS s WHERE NOT EXISTS ({there})")


def audit_keys(transfer: Transfer) -> None:
    """Raise PublishError unless the specification's keys identify each staged row."""
    keys = [key.staged for key in transfer.keys]
    if not keys:
        return
    staged = transfer.staged.sql
    distinct = f"(SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM {staged}) AS k)"
    empty = " OR ".join(f"{key} IS NULL" for key in keys)
    counted = f"SELECT count(*) FILTER (WHERE {empty}), count(*) - {distinct} FROM {staged}"
    nulls, repeated = transfer.connection.execute(counted).fetchone() or (0, 0)
    told = f"key ({', '.join(transfer.order.keys)})"
    if nulls:
        raise PublishError("constraint", f"the {told} is NULL in {nulls} rows of the result")
    if repeated:
        raise PublishError("constraint", f"the {told} is not unique in the result: {repeated} rows repeat another's")


def audit_precision(transfer: Transfer) -> None:
    """Raise PublishError for times that a `timestamp(n)` or `time(n)` of the target would round in silence."""
    for supplied in transfer.supplied:
        column, exact = supplied.column, supplied.staged
        if _PRECISE.match(column.type):
            rounded = f"({exact}::{column.type})::{supplied.kind}"
            differs = f"{exact} IS DISTINCT FROM {rounded}"
            if lost := transfer.count(f"SELECT count(*) FROM {transfer.staged.sql} WHERE {differs}"):
                message = f"column {column.name}: {lost} values do not fit {column.type}, which would round them"
                raise PublishError("constraint", message)


def _delete_all(transfer: Transfer) -> None:
    relation = transfer.relation
    transfer.connection.execute(f"DELETE FROM {relation.only}")
    if catalog.has_rows(transfer.connection, relation):
        message = f"old rows of {relation.sql} could not be deleted: a trigger or rule kept them"
        raise PublishError("constraint", message)


def _conflict(transfer: Transfer) -> str:
    keys = [key.name for key in transfer.keys]
    others = [column.name for column in transfer.supplied if column.name not in keys]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in others)
    return f" ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {changes}" if others else "NOTHING")
