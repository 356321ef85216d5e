"""PostgreSQL's refusals as publish errors: the kind, the constraint or column, and never a row's values."""

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
"""What the publish names is gone: a table, a column, a schema, the unique key that a merge finds its rows by; or
a table that was to be created is there."""
_QUOTED = re.compile(r'"[^"]*"')


def publish_error(error: psycopg.Error) -> PublishError:
    """Return the publish error for what PostgreSQL said; a connection that broke off says nothing and is transient."""
    state = error.sqlstate or ""
    if not state or state.startswith(_TRANSIENT):
        return PublishError("transient", f"{_told(error, state)}; the target is as it was, publish again")
    if state in _CHANGED:
        return PublishError("target_changed", _told(error, state))
    return PublishError("constraint", _told(error, state))


def _told(error: psycopg.Error, state: str) -> str:
    # DETAIL holds whole rows, and is left out.
    text = error.diag.message_primary or " ".join(str(error).split())
    if state.startswith("22"):
        text = _QUOTED.sub('"…"', text)  # here, what is quoted is a value
    if state.startswith("P0"):
        text = "a trigger or function of the target refused the rows"  # in words of its own, which may hold values
    for label, name in (("column", error.diag.column_name), ("constraint", error.diag.constraint_name)):
        if name and name not in text:
            text += f" ({label} {name!r})"
    return f"{text} (SQLSTATE {state})" if state else text


def misfits(connection: Connection, staging: str, supplied: Sequence[Supplied]) -> list[str]:
    """Say of which columns staged values do not fit the target's type; PostgreSQL's own error does not name them.

    The caller has locked staging and lets no name mean anything but PostgreSQL's own.
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
