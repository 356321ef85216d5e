"""How staged rows get into the target: in the place of all rows, beside them, or merged with them by keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.errors import PublishError
from agent.snapshot import Column
from agent.sql_identifiers import quote_name
from tools.database import catalog, side_effects
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
    """Its type for SQL, with its schema and without a length: whatever the search path, it names the same."""

    @property
    def name(self) -> str:
        """The column's name, quoted for SQL."""
        return quote_name(self.column.name)

    @property
    def staged(self) -> str:
        """The staged column in the target's type without its length, so that PostgreSQL checks the length."""
        return f"{self.name}::{self.kind}"


def move_rows(
    connection: Connection, order: PublishOrder, relation: Relation, columns: Sequence[Supplied], staged: Staged
) -> None:
    """Write the staged rows by the order's mode. Raises PublishError when a trigger or rule takes some of them."""
    names = ", ".join(column.name for column in columns)
    values = ", ".join(column.staged for column in columns)
    override = " OVERRIDING SYSTEM VALUE" if any(column.column.identity for column in columns) else ""
    conflict = _conflict(order, columns) if order.write_mode == "merge" else ""
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    if order.write_mode == "overwrite":
        _delete_all(connection, relation)
    watched = bool(side_effects.triggers(connection, relation.oid))
    # Under the role's own search path, for the target's triggers: this names no function and no operator.
    inserted = connection.execute(
        f"INSERT INTO {relation.sql} ({names}){override} SELECT {values} FROM {staged.sql}{conflict}"
    )
    # Checked here and not by COMMIT, whose only failure is then a lost connection; deferred triggers have fired too.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    reached = inserted.rowcount
    if conflict.endswith("DO NOTHING"):
        # Rows that are nothing but their key, and are there already, are not counted.
        reached = order.expected_rows - _missing(connection, order, relation, columns, staged)
    elif order.write_mode == "merge" and watched:
        reached = min(reached, order.expected_rows - _missing(connection, order, relation, columns, staged))
    elif order.write_mode == "overwrite":
        reached = min(reached, _rows(connection, f"SELECT count(*) FROM {relation.only}"))
    if reached != order.expected_rows:
        message = f"{reached} of {order.expected_rows} rows reached {relation.sql}"
        raise PublishError("constraint", f"{message}: a trigger or rule took the others")


def _missing(
    connection: Connection, order: PublishOrder, relation: Relation, columns: Sequence[Supplied], staged: Staged
) -> int:
    """How many staged keys are not in the target."""
    keys = [column for column in columns if column.column.name in order.keys]
    same = " AND ".join(f"t.{key.name} = s.{key.staged}" for key in keys)
    there = f"SELECT FROM {relation.sql} AS t WHERE {same}"
    with own_names(connection):
        return _rows(connection, f"SELECT count(*) FROM {staged.sql} AS s WHERE NOT EXISTS ({there})")


def _rows(connection: Connection, counted: str) -> int:
    row = connection.execute(counted).fetchone()
    return int(row[0]) if row else 0


def audit_keys(connection: Connection, order: PublishOrder, columns: Sequence[Supplied], staged: Staged) -> None:
    """Raise PublishError unless the specification's keys identify each staged row."""
    by_name = {column.column.name: column for column in columns}
    if lacking := [key for key in order.keys if key not in by_name]:
        raise PublishError("columns", f"the result has no column {lacking[0]!r}, which is a key of {order.target}")
    if not order.keys:
        return
    keys = [by_name[key].staged for key in order.keys]
    distinct = f"(SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM {staged.sql}) AS k)"
    empty = " OR ".join(f"{key} IS NULL" for key in keys)
    counted = f"SELECT count(*) FILTER (WHERE {empty}), count(*) - {distinct} FROM {staged.sql}"
    row = connection.execute(counted).fetchone()
    nulls, repeated = row or (0, 0)
    told = f"key ({', '.join(order.keys)})"
    if nulls:
        raise PublishError("constraint", f"the {told} is NULL in {nulls} rows of the result")
    if repeated:
        raise PublishError("constraint", f"the {told} is not unique in the result: {repeated} rows repeat another's")


def audit_precision(connection: Connection, columns: Sequence[Supplied], staged: Staged) -> None:
    """Raise PublishError for times that a `timestamp(n)` or `time(n)` of the target would round in silence."""
    for supplied in columns:
        column, exact = supplied.column, supplied.staged
        if _PRECISE.match(column.type):
            rounded = f"({exact}::{column.type})::{supplied.kind}"
            lost = _rows(connection, f"SELECT count(*) FROM {staged.sql} WHERE {exact} IS DISTINCT FROM {rounded}")
            if lost:
                message = f"column {column.name}: {lost} values do not fit {column.type}, which would round them"
                raise PublishError("constraint", message)


def _delete_all(connection: Connection, relation: Relation) -> None:
    connection.execute(f"DELETE FROM {relation.only}")
    if catalog.has_rows(connection, relation):
        raise PublishError(
            "constraint", f"old rows of {relation.sql} could not be deleted: a trigger or rule kept them"
        )


def _conflict(order: PublishOrder, columns: Sequence[Supplied]) -> str:
    keys = ", ".join(quote_name(key) for key in order.keys)
    others = [column.name for column in columns if column.column.name not in order.keys]
    if not others:
        return f" ON CONFLICT ({keys}) DO NOTHING"
    return f" ON CONFLICT ({keys}) DO UPDATE SET " + ", ".join(f"{name} = EXCLUDED.{name}" for name in others)
