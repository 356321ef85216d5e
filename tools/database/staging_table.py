"""A job's staging table: locked before it is read, and refused unless nothing in it can run code.

The job's role owns the relation under the staging name, and the publisher reads it with rights that the job lacks. A
view, a type with a cast of its own or the predicate of an index would run the job's functions as the publisher. So the
table is locked, which keeps the owner from altering or swapping it, then the catalogue is read, then the rows.

Search path: staging is counted and compared under `search_path = pg_catalog`, where no function or operator of another
owner is found. The one statement that writes the rows into the target runs under the role's own path, because triggers
and defaults of the target may need it; it names no function and no operator, and every relation and type with schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from agent.errors import PublishError
from agent.sql_identifiers import quote_name
from tools.database.connection import Connection
from tools.database.staging_schema import SCHEMA, staging_relation

_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "S": "a sequence",
    "c": "a composite type",
}
_ATTACHED = {
    "rule {}": "SELECT rulename FROM pg_rewrite WHERE ev_class = %(oid)s",
    "policy {}": "SELECT polname FROM pg_policy WHERE polrelid = %(oid)s",
    "row security": "SELECT '' FROM pg_class WHERE oid = %(oid)s AND (relrowsecurity OR relforcerowsecurity)",
    "trigger {}": "SELECT tgname FROM pg_trigger WHERE tgrelid = %(oid)s",
    "parent {}": "SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhparent WHERE inhrelid = %(oid)s",
    "heir {}": "SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = %(oid)s",
    # Since PostgreSQL 18, NOT NULL is a constraint too.
    "constraint {}": "SELECT conname FROM pg_constraint WHERE conrelid = %(oid)s AND contype <> 'n'",
    # The planner evaluates constant parts of the expressions of indexes and statistics.
    "index {}": "SELECT relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = %(oid)s",
    "statistics {}": "SELECT stxname FROM pg_statistic_ext WHERE stxrelid = %(oid)s",
    "a default or generated column, {}": (
        "SELECT attname FROM pg_attribute WHERE attrelid = %(oid)s AND NOT attisdropped"
        " AND (atthasdef OR attgenerated <> '' OR attidentity <> '')"
    ),
    "a type or collation of its own in column {}": (
        "SELECT attname FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
        " LEFT JOIN pg_type e ON e.oid = t.typelem LEFT JOIN pg_collation l ON l.oid = attcollation"
        " WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped AND 'pg_catalog'::regnamespace"
        " <> ANY(ARRAY[t.typnamespace, coalesce(e.typnamespace, t.typnamespace),"
        " coalesce(l.collnamespace, t.typnamespace)])"
    ),
}
"""Properties that a plain table lacks, each with the statement that finds them."""
_LOOK = " UNION ALL ".join(
    f"SELECT '{told}', found.name::text FROM ({statement}) AS found(name)" for told, statement in _ATTACHED.items()
)


@dataclass(frozen=True)
class Staged:
    """A staging table that is locked and plain."""

    sql: str
    """The qualified name for SQL."""
    types: Mapping[str, str]
    """Each column's type as `format_type` gives it."""


@contextmanager
def own_names(connection: Connection) -> Iterator[None]:
    """Within a transaction, resolve names without schema in pg_catalog alone, whatever the role's search path."""
    row = connection.execute("SELECT pg_catalog.current_setting('search_path')").fetchone()
    connection.execute("SET LOCAL search_path = pg_catalog")
    yield
    # No `finally`: an error ends the transaction, and the setting with it.
    connection.execute("SELECT set_config('search_path', %s, true)", row)


def lock(connection: Connection, table: str, job_role: str | None) -> Staged:
    """Lock a staging table against its owner, for the rest of the transaction, and return it.

    `job_role` is its owner; None accepts any role whose rights the publisher has. Raises PublishError `columns` for a
    missing table, `staging_not_plain` for a relation that could run code or has another owner.
    """
    relation = staging_relation(table)
    with own_names(connection):
        _demand_plain(connection, table, job_role)
        try:
            with connection.transaction():
                # Readers, as a dump, go on; writes, indexes, triggers and other changes by the owner wait.
                connection.execute(f"LOCK TABLE ONLY {relation} IN SHARE ROW EXCLUSIVE MODE")
        except (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.WrongObjectType,
            psycopg.errors.UndefinedTable,
        ):
            _demand_plain(connection, table, job_role)  # swapped meanwhile for a relation that cannot be locked
            raise
        # The lock holds the name: this look finds the relation that was locked.
        oid = _demand_plain(connection, table, job_role)
        return Staged(relation, _types(connection, oid))


def _demand_plain(connection: Connection, table: str, job_role: str | None) -> int:
    """Return the OID of a staging table. Raises PublishError as `lock`."""
    row = connection.execute(
        """
        SELECT c.oid, c.relkind::text, pg_get_userbyid(c.relowner)::text, pg_has_role(c.relowner, 'USAGE')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
        """,
        (SCHEMA, table),
    ).fetchone()
    if row is None:
        raise PublishError("columns", f"there is no staging table {SCHEMA}.{table}; the job wrote nothing")
    oid, kind, owner, ours = row
    if kind != "r":
        raise _refused(table, f"it is {_KINDS.get(kind, 'something else')}")
    if owner != job_role and not (job_role is None and ours):
        expected = f"and jobs run as {quote_name(job_role)}" if job_role else "whose rights the publisher has not"
        raise _refused(table, f"it belongs to role {quote_name(owner)}, {expected}")
    found = connection.execute(_LOOK, {"oid": oid}).fetchall()
    if found:
        raise _refused(table, "it has " + ", ".join(told.format(quote_name(name or table)) for told, name in found))
    return int(oid)


def _refused(table: str, why: str) -> PublishError:
    message = f"{SCHEMA}.{table} is not a plain table as a job writes it: {why}; nothing of it was read"
    return PublishError("staging_not_plain", message)


def _types(connection: Connection, oid: int) -> dict[str, str]:
    statement = """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
    """
    return dict(connection.execute(statement, (oid,)).fetchall())
