"""Rights of the jobs' role in the database: those that it lacks, and those that it should not have."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psycopg

from agent.errors import UnavailableError
from agent.snapshot import Column, Unreadable
from agent.sql_identifiers import quote_name, quote_table
from tools.database import catalog
from tools.database.catalog import Relation
from tools.database.connection import Connection
from tools.database.staging_schema import SCHEMA

_NAMED = 3
"""Tables that a message names; the others are counted."""


def admit(connection: Connection, job_role: str) -> None:
    """Let the jobs' role create in the existing staging schema. Raises UnavailableError with the rights to grant."""
    if not missing(connection, job_role):
        return
    with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
        connection.execute(_schema_grant(job_role))
    if lacking := missing(connection, job_role):
        told = f"jobs run as role {job_role!r} and cannot be staged and published; let its owner run"
        raise UnavailableError("database", f"{told}: {'; '.join(lacking)}")


def missing(connection: Connection, job_role: str) -> list[str]:
    """Return the statements that let the jobs' role create staging, and the session's role read and drop it."""
    row = connection.execute(
        """
        SELECT current_user::text, pg_catalog.pg_has_role(%(role)s, 'USAGE'),
               coalesce((SELECT pg_catalog.has_schema_privilege(%(role)s, n.oid, 'USAGE')
                            AND pg_catalog.has_schema_privilege(%(role)s, n.oid, 'CREATE')
                         FROM pg_catalog.pg_namespace n WHERE n.nspname = %(schema)s), false)
        """,
        {"role": job_role, "schema": SCHEMA},
    ).fetchone()
    publisher, member, creates = row or ("", False, False)
    statements = [] if member else [f"GRANT {quote_name(job_role)} TO {quote_name(publisher)}"]
    return statements if creates else [*statements, _schema_grant(job_role)]


def readable(
    connection: Connection, relation: Relation, columns: Sequence[Column], job_role: str | None
) -> tuple[list[Column], list[Unreadable]]:
    """Split a source's columns into those that jobs may SELECT and the others, each with the right to grant.

    Jobs run as `job_role`, else as the session's role. Raises UnavailableError where they may read no column.
    """
    may_read = catalog.readable_columns(connection, relation.oid, job_role)
    rights = () if may_read or not columns else ("SELECT",)
    if lacking := catalog.missing_rights(connection, relation, rights, job_role):
        raise UnavailableError("database", _unreadable(connection, relation, job_role, lacking))
    denied = [column for column in columns if column.name not in may_read]
    return [column for column in columns if column.name in may_read], [
        Unreadable(
            name=column.name,
            type=column.type,
            reason=f"column {column.name!r}: "
            + _unreadable(connection, relation, job_role, [f"SELECT ({quote_name(column.name)}) ON {relation.sql}"]),
        )
        for column in denied
    ]


def _unreadable(connection: Connection, relation: Relation, job_role: str | None, lacking: Sequence[str]) -> str:
    """Say which statements let the jobs read a source."""
    row = connection.execute("SELECT current_user").fetchone()
    role = job_role or str(row[0] if row else "")
    statements = "; ".join(f"GRANT {right} TO {quote_name(role)}" for right in lacking)
    return f"jobs run as role {role!r}, which may not read {relation.sql}: {statements}"


def excess(connection: Connection, job_role: str) -> list[str]:
    """List the rights by which a job could do harm although it has a role of its own, each with the remedy."""
    row = connection.execute(
        """
        SELECT current_user::text, pg_catalog.pg_has_role(%(role)s, current_user, 'MEMBER'),
               EXISTS (SELECT FROM pg_catalog.pg_namespace
                       WHERE nspname = %(schema)s AND pg_catalog.pg_get_userbyid(nspowner) = %(role)s)
        """,
        {"role": job_role, "schema": SCHEMA},
    ).fetchone()
    publisher, member, owns = row or ("", False, False)
    role, found = quote_name(job_role), []
    if member:
        told = f"role {job_role!r} can do what {publisher!r} can"
        found.append(f"{told}: ALTER ROLE {role} NOSUPERUSER; REVOKE {quote_name(publisher)} FROM {role}")
    if owns:
        found.append(f"schema {SCHEMA} is its own: ALTER SCHEMA {SCHEMA} OWNER TO {quote_name(publisher)}")
    if not member and (schemas := _creatable(connection, job_role)):
        told = f"REVOKE CREATE ON SCHEMA {schemas[0]} FROM PUBLIC, {role}"
        found.append(f"role {job_role!r} may create in schema {', '.join(schemas)}: {told}")
    if not member and (tables := _writable(connection, job_role)):
        named = ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")
        told = f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON … FROM {role}, and give what it owns another owner"
        found.append(f"role {job_role!r} may write {named}: {told}")
    return found


def _writable(connection: Connection, job_role: str) -> list[str]:
    """Tables, for SQL, that the jobs' role may write, apart from its own staging."""
    rows = connection.execute(
        f"""
        SELECT n.nspname, c.relname
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'f') AND {catalog.OURS}
          AND pg_catalog.has_schema_privilege(%(role)s, n.oid, 'USAGE')
          AND pg_catalog.has_table_privilege(%(role)s, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
          AND NOT (n.nspname = %(schema)s AND pg_catalog.pg_get_userbyid(c.relowner) = %(role)s
                   AND c.relname <> 'publishes')
        ORDER BY 1, 2
        """,
        {"role": job_role, "schema": SCHEMA},
    ).fetchall()
    return [quote_table(schema, table) for schema, table in rows]


def _creatable(connection: Connection, job_role: str) -> list[str]:
    """Schemas, for SQL, in which the jobs' role may create functions that a publisher could run by mistake."""
    rows = connection.execute(
        f"""
        SELECT n.nspname FROM pg_catalog.pg_namespace n
        WHERE {catalog.OURS} AND n.nspname <> %(schema)s
          AND pg_catalog.has_schema_privilege(%(role)s, n.oid, 'CREATE') ORDER BY 1
        """,
        {"role": job_role, "schema": SCHEMA},
    ).fetchall()
    return [quote_name(name) for (name,) in rows]


def _schema_grant(job_role: str) -> str:
    return f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {quote_name(job_role)}"
