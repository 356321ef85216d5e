"""PostgreSQL's refusals as publish errors, with kind, constraint and column, without values of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import psycopg

from agent.errors import PublishError
from agent.types import sql_type
from tools.database.connection import Connection
from tools.database.write_modes import Supplied

_TRANSIENT = ("08", "53", "55", "57", "40", "25")
_CHANGED = ("42P01", "42703", "3F000", "42P10", "42P07")
"""SQLSTATEs of a changed target: a table, column, schema or a merge's key is gone, or the table to create exists."""
_QUOTED = re.compile(r'"[^"]*"')


def publish_error(error: psycopg.Error) -> PublishError:
    """Return the publish error for PostgreSQL's; a lost connection has no SQLSTATE and is transient."""
    state = error.sqlstate or ""
    if not state or state.startswith(_TRANSIENT):
        return PublishError("transient", f"{_told(error, state)}; the target is as it was, publish again")
    if state in _CHANGED:
        return PublishError("target_changed", _told(error, state))
    return PublishError("constraint", _told(error, state))


def _told(error: psycopg.Error, state: str) -> str:
    # DETAIL is left out: it holds whole rows.
    text = error.diag.message_primary or " ".join(str(error).split())
    if state.startswith("22"):
        text = _QUOTED.sub('"…"', text)  # class 22 quotes values
    if state.startswith("P0"):
        text = "a trigger or function of the target refused the rows"  # its own words may hold values
    for label, name in (("column", error.diag.column_name), ("constraint", error.diag.constraint_name)):
        if name and name not in text:
            text += f" ({label} {name!r})"
    return f"{text} (SQLSTATE {state})" if state else text


def misfits(connection: Connection, staging: str, supplied: Sequence[Supplied]) -> list[str]:
    """List the columns whose staged values do not fit the target's type; PostgreSQL's error does not name them.

    The caller has locked staging and is within `own_names`.
    """
    found = []
    for one in supplied:
        column, name = one.column, one.name
        limit = re.fullmatch(r"character(?: varying)?\((\d+)\)", column.type)
        try:
            with connection.transaction():
                if limit is None:
                    kind = one.kind if column.labels else sql_type(column.type)
                    connection.execute(f"SELECT count({name}::{kind}) FROM {staging}")
                    continue
                row = connection.execute(
                    f"SELECT count(*) FROM {staging} WHERE char_length(rtrim({name}::text)) > {limit[1]}"
                ).fetchone()
        except psycopg.DataError:
            found.append(f"column {column.name!r}: not every value fits {column.type}")
            continue
        if row and row[0]:
            found.append(f"column {column.name!r}: {row[0]} values are longer than {column.type}")
    return found
