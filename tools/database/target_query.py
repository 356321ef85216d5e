"""The target as PostgreSQL's catalogue describes it, for `prepare` and, once it is locked, for publish again."""

from __future__ import annotations

from typing import Literal

from agent.snapshot import SideRule, Target
from agent.sql_identifiers import quote_table
from tools.database import catalog, staging_schema
from tools.database.catalog import Relation
from tools.database.connection import Connection

_EVENTS: dict[str, Literal["insert", "update", "delete"]] = {"2": "update", "3": "insert", "4": "delete"}
_TREE = "(SELECT %(oid)s::oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(%(oid)s::regclass))"
"""The table and its partitions; for a table without any, pg_partition_tree gives no row."""
_NAMED = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
_NAMES = {
    # 'D' is switched off.
    "triggers": f"""
        SELECT DISTINCT tgname FROM pg_catalog.pg_trigger
        WHERE tgrelid IN {_TREE} AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY 1
    """,
    # A table's ev_type '1', for SELECT, would make it a view.
    "rules": """
        SELECT rulename FROM pg_catalog.pg_rewrite
        WHERE ev_class = %(oid)s AND is_instead AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY 1
    """,
    # 'R' fires on a replica alone.
    "unchecked": f"""
        SELECT DISTINCT c.conname
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_constraint c ON c.oid = t.tgconstraint
        WHERE tgrelid IN {_TREE} AND tgisinternal AND tgenabled IN ('D', 'R') ORDER BY 1
    """,
    "heirs": f"""
        SELECT n.nspname, c.relname FROM {_NAMED} JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
        WHERE i.inhparent = %(oid)s AND NOT c.relispartition ORDER BY 1, 2
    """,
    "foreign_partitions": f"""
        SELECT n.nspname, c.relname FROM {_NAMED} WHERE c.oid IN {_TREE} AND c.relkind = 'f' ORDER BY 1, 2
    """,
}
"""For each field of Target that lists names: the statement that finds them, as a name or as schema and table."""


def describe(connection: Connection, name: str, relation: Relation, *, look_for_rows: bool = True) -> Target:
    """Describe an existing target that the specification calls `name`.

    Without `look_for_rows` it counts as empty: after a DELETE of all rows the look reads every dead one.
    """
    found = {field: _names(connection, statement, relation.oid) for field, statement in _NAMES.items()}
    return Target(
        name=name,
        relation=relation.sql,
        exists=True,
        oid=relation.oid,
        columns=catalog.columns(connection, relation.oid, written=True),
        unique_keys=catalog.unique_keys(connection, relation.oid),
        incoming_foreign_keys=catalog.incoming_foreign_keys(connection, relation.oid),
        # A partition on another server would be asked over the network; the target is refused for it anyhow.
        has_rows=look_for_rows and not found["foreign_partitions"] and catalog.has_rows(connection, relation),
        published_before=staging_schema.published_into(connection, relation.oid),
        side_rules=_side_rules(connection, relation.oid),
        row_security=_row_security(connection, relation.oid),
        **found,
    )


def _names(connection: Connection, statement: str, oid: int) -> tuple[str, ...]:
    rows = connection.execute(statement, {"oid": oid}).fetchall()
    return tuple(quote_table(*row) if len(row) == 2 else row[0] for row in rows)


def _side_rules(connection: Connection, oid: int) -> tuple[SideRule, ...]:
    rows = connection.execute(
        """
        SELECT rulename, ev_type::text FROM pg_catalog.pg_rewrite
        WHERE ev_class = %s AND NOT is_instead AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY rulename
        """,
        (oid,),
    ).fetchall()
    return tuple(SideRule(name=name, event=_EVENTS[event]) for name, event in rows)


def _row_security(connection: Connection, oid: int) -> bool:
    row = connection.execute("SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = %s", (oid,)).fetchone()
    return row is not None and bool(row[0])
