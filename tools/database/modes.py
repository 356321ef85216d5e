"""How staged rows get into the target: in the place of all rows, beside them, or merged with them by keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.errors import PublishError, UnsupportedTypeError
from agent.identifiers import quote_name
from agent.snapshot import Column
from agent.types import base_type
from tools.database import catalog, guards
from tools.database.catalog import Relation
from tools.database.connection import Connection
from tools.records import PublishOrder

_PRECISE = re.compile(r"time(stamp)?\(\d\)")


def move_rows(
    connection: Connection, order: PublishOrder, relation: Relation, columns: Sequence[Column], staged: str
) -> None:
    """Write the staged rows by the order's mode. Raises PublishError when a trigger or rule takes some of them."""
    names = ", ".join(quote_name(column.name) for column in columns)
    values = ", ".join(based(column) for column in columns)
    override = " OVERRIDING SYSTEM VALUE" if any(column.identity for column in columns) else ""
    conflict = _conflict(order, columns) if order.write_mode == "merge" else ""
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    if order.write_mode == "overwrite":
        _delete_all(connection, relation)
    watched = bool(guards.triggers(connection, relation.oid))
    inserted = connection.execute(
        f"INSERT INTO {relation.sql} ({names}){override} SELECT {values} FROM {staged}{conflict}"
    )
    # Checked here and not by COMMIT, whose only failure is then a lost connection; deferred triggers have fired too.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    reached = inserted.rowcount
    if reached > order.expected_rows:
        raise PublishError("row_count", f"{staged} holds {reached} rows by now, and {order.expected_rows} were audited")
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
    connection: Connection, order: PublishOrder, relation: Relation, columns: Sequence[Column], staged: str
) -> int:
    """How many staged keys are not in the target."""
    keys = [column for column in columns if column.name in order.keys]
    same = " AND ".join(f"t.{quote_name(key.name)} = s.{based(key)}" for key in keys)
    there = f"SELECT FROM {relation.sql} AS t WHERE {same}"
    return _rows(connection, f"SELECT count(*) FROM {staged} AS s WHERE NOT EXISTS ({there})")


def _rows(connection: Connection, counted: str) -> int:
    row = connection.execute(counted).fetchone()
    return int(row[0]) if row else 0


def audit_keys(connection: Connection, order: PublishOrder, columns: Sequence[Column], staged: str) -> None:
    """Raise PublishError unless the specification's keys identify each staged row."""
    by_name = {column.name: column for column in columns}
    if lacking := [key for key in order.keys if key not in by_name]:
        raise PublishError("columns", f"the result has no column {lacking[0]!r}, which is a key of {order.target}")
    if not order.keys:
        return
    keys = [based(by_name[key]) for key in order.keys]
    distinct = f"(SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM {staged}) AS k)"
    empty = " OR ".join(f"{key} IS NULL" for key in keys)
    row = connection.execute(f"SELECT count(*) FILTER (WHERE {empty}), count(*) - {distinct} FROM {staged}").fetchone()
    nulls, repeated = row or (0, 0)
    told = f"key ({', '.join(order.keys)})"
    if nulls:
        raise PublishError("constraint", f"the {told} is NULL in {nulls} rows of the result")
    if repeated:
        raise PublishError("constraint", f"the {told} is not unique in the result: {repeated} rows repeat another's")


def audit_precision(connection: Connection, columns: Sequence[Column], staged: str) -> None:
    """Raise PublishError for times that a `timestamp(n)` or `time(n)` of the target would round in silence."""
    for column in columns:
        if _PRECISE.match(column.type):
            exact = based(column)
            rounded = f"({exact}::{column.type})::{base_type(column.type)}"
            row = connection.execute(
                f"SELECT count(*) FROM {staged} WHERE {exact} IS DISTINCT FROM {rounded}"
            ).fetchone()
            if row and row[0]:
                message = f"column {column.name}: {row[0]} values do not fit {column.type}, which would round them"
                raise PublishError("constraint", message)


def based(column: Column) -> str:
    """A staged column in the target's type without its length, so that PostgreSQL checks the length."""
    try:
        return f"{quote_name(column.name)}::{base_type(column.type)}"
    except UnsupportedTypeError:
        raise PublishError("columns", f"column {column.name!r} of the target is {column.type}: not supported") from None


def _delete_all(connection: Connection, relation: Relation) -> None:
    connection.execute(f"DELETE FROM {relation.only}")
    if catalog.has_rows(connection, relation):
        raise PublishError(
            "constraint", f"old rows of {relation.sql} could not be deleted: a trigger or rule kept them"
        )


def _conflict(order: PublishOrder, columns: Sequence[Column]) -> str:
    keys = ", ".join(quote_name(key) for key in order.keys)
    others = [quote_name(column.name) for column in columns if column.name not in order.keys]
    if not others:
        return f" ON CONFLICT ({keys}) DO NOTHING"
    return f" ON CONFLICT ({keys}) DO UPDATE SET " + ", ".join(f"{name} = EXCLUDED.{name}" for name in others)
