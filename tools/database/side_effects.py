"""What stands around a table and acts on writes: triggers, rules, heirs, partitions elsewhere, policies."""

from __future__ import annotations

from typing import Literal

from agent.snapshot import SideRule
from agent.sql_identifiers import quote_table
from tools.database.connection import Connection

_EVENTS: dict[str, Literal["insert", "update", "delete"]] = {"2": "update", "3": "insert", "4": "delete"}


def triggers(connection: Connection, oid: int) -> tuple[str, ...]:
    """Return the names of the triggers on the table or its partitions that are switched on."""
    rows = connection.execute(
        """
        SELECT DISTINCT tgname FROM pg_catalog.pg_trigger
        WHERE (tgrelid = %(oid)s OR tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(%(oid)s::regclass)))
          AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname
        """,
        {"oid": oid},
    ).fetchall()
    return tuple(name for (name,) in rows)


def rules(connection: Connection, oid: int) -> tuple[str, ...]:
    """Return the names of the table's rules that lead writes elsewhere: DO INSTEAD, and switched on."""
    rows = connection.execute(
        """
        SELECT rulename FROM pg_catalog.pg_rewrite
        WHERE ev_class = %s AND is_instead AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY rulename
        """,
        (oid,),
    ).fetchall()
    return tuple(name for (name,) in rows)


def unchecked(connection: Connection, oid: int) -> tuple[str, ...]:
    """Return the names of the constraints whose triggers are switched off on the table or its partitions."""
    rows = connection.execute(
        """
        SELECT DISTINCT c.conname FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_constraint c ON c.oid = t.tgconstraint
        WHERE (tgrelid = %(oid)s OR tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(%(oid)s::regclass)))
          AND tgisinternal AND tgenabled IN ('D', 'R') ORDER BY 1
        """,
        {"oid": oid},
    ).fetchall()
    return tuple(name for (name,) in rows)


def foreign_partitions(connection: Connection, oid: int) -> tuple[str, ...]:
    """Return the partitions, for SQL, that are foreign tables: they commit by themselves."""
    rows = connection.execute(
        """
        SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree(%s::regclass) p
        JOIN pg_catalog.pg_class c ON c.oid = p.relid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'f' ORDER BY 1, 2
        """,
        (oid,),
    ).fetchall()
    return tuple(quote_table(schema, table) for schema, table in rows)


def side_rules(connection: Connection, oid: int) -> tuple[SideRule, ...]:
    """Return the table's rules that do something beside the write that they come with: DO ALSO, and switched on."""
    rows = connection.execute(
        """
        SELECT rulename, ev_type::text FROM pg_catalog.pg_rewrite
        WHERE ev_class = %s AND NOT is_instead AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY rulename
        """,
        (oid,),
    ).fetchall()
    return tuple(SideRule(name=name, event=_EVENTS[event]) for name, event in rows)


def heirs(connection: Connection, oid: int) -> tuple[str, ...]:
    """Return the tables, for SQL, that inherit from a table directly, without its partitions."""
    rows = connection.execute(
        """
        SELECT n.nspname, c.relname
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE i.inhparent = %s AND NOT c.relispartition ORDER BY 1, 2
        """,
        (oid,),
    ).fetchall()
    return tuple(quote_table(schema, table) for schema, table in rows)


def row_security(connection: Connection, oid: int) -> bool:
    """Tell whether policies may hide rows of the table."""
    row = connection.execute("SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = %s", (oid,)).fetchone()
    return row is not None and bool(row[0])
