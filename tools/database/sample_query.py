"""Sample rows of a source, as far as its columns may be read; a source that cannot be sampled says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from agent.errors import InvalidRequestError, Problem
from agent.redaction import redact
from agent.snapshot import Column, Row
from tools.database import catalog
from tools.database.catalog import Relation
from tools.database.connection import Connection
from tools.database.row_values import first_rows

SECONDS = 30
"""Time limit of a query for samples, in seconds. A view may compute all its rows for the first ten."""


def sampled(
    connection: Connection, relation: Relation, columns: Sequence[Column], rows: int, path: str
) -> tuple[tuple[Row, ...], str]:
    """Return up to `rows` rows, and a warning where there are none because of a refusal or a time-out.

    Raises InvalidRequestError at `path` for a source whose rows fail to be computed: a job would fail too.
    """
    if rows <= 0 or not columns:
        return (), ""
    may_read = catalog.readable_columns(connection, relation.oid)
    readable = [column for column in columns if column.name in may_read]
    if not readable:
        return (), _unsampled(relation, "the session's role may SELECT none of its columns")
    try:
        with bounded(connection, SECONDS):
            return first_rows(connection, relation.sql, readable, rows), ""
    except psycopg.DataError as error:
        message = f"reading {relation.sql} fails: {error.diag.message_primary}"
        raise InvalidRequestError([Problem(path, message)]) from error
    except psycopg.Error as error:
        if connection.closed:
            raise
        return (), _unsampled(relation, redact(error.diag.message_primary or str(error)))


def _unsampled(relation: Relation, reason: str) -> str:
    return f"{relation.sql}: no sample rows could be read ({reason}); the dry run has made rows alone"


@contextmanager
def bounded(connection: Connection, seconds: int) -> Iterator[None]:
    """Run statements under a shorter time limit, in a savepoint: the transaction goes on after an error."""
    with connection.transaction():
        limit = connection.execute("SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'")
        before = (limit.fetchone() or (0,))[0]
        _limit(connection, min(before or seconds * 1000, seconds * 1000))
        yield
        _limit(connection, before)


def _limit(connection: Connection, milliseconds: int) -> None:
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{milliseconds}ms",))
