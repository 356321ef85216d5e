"""Tables in PostgreSQL's catalogue: their place, columns, keys and rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from agent.nearest import nearest
from agent.snapshot import Column, ForeignKey
from agent.sql_identifiers import quote_name, quote_table
from tools.database.connection import Connection

_IDENTITY: dict[str, Literal["", "always", "by default"]] = {"": "", "a": "always", "d": "by default"}
_ON_DELETE: dict[str, Literal["no action", "restrict", "cascade", "set null", "set default"]] = {
    "a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default",
}  # fmt: skip
_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}
OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'"


@dataclass(frozen=True)
class Relation:
    """A table, view or foreign table that exists."""

    oid: int
    schema: str
    name: str
    kind: str
    """`table`, `partitioned table`, `view`, `materialized view` or `foreign table`."""
    rows_estimate: int | None

    @property
    def sql(self) -> str:
        """The qualified and quoted name for SQL."""
        return quote_table(self.schema, self.name)

    @property
    def only(self) -> str:
        """The relation for SQL that writes: without the tables that inherit from it, but with its partitions."""
        return self.sql if self.kind == "partitioned table" else f"ONLY {self.sql}"


def resolve(connection: Connection, name: str) -> Relation | None:
    """Find the table that a specification means: `schema.table` where that schema exists, else a name as written.

    A name without schema is looked up along the search path. Nothing is folded to lower case.
    """
    if "\0" in name:
        return None
    schema, dot, table = name.partition(".")
    if dot and schema_exists(connection, schema):
        found = _relation(connection, "n.nspname = %s AND c.relname = %s", (schema, table))
        if found is not None:
            return found
    return _relation(connection, "c.relname = %s AND pg_catalog.pg_table_is_visible(c.oid)", (name,))


def _relation(connection: Connection, condition: str, values: tuple[str, ...]) -> Relation | None:
    row = connection.execute(
        f"""
        SELECT c.oid, n.nspname, c.relname, c.relkind::text,
               CASE WHEN c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0 THEN c.reltuples::bigint END
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {OURS} AND {condition}
        """,
        values,
    ).fetchone()
    if row is None:
        return None
    oid, schema, name, kind, estimate = row
    return Relation(oid, schema, name, _KINDS[kind], estimate)


def schema_exists(connection: Connection, schema: str) -> bool:
    """Tell whether there is a schema of exactly that name."""
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    return found is not None


def current_schema(connection: Connection) -> str | None:
    """Return the schema in which a table without schema is created; None when the search path names none."""
    row = connection.execute("SELECT current_schema()").fetchone()
    return None if row is None else cast("str | None", row[0])


def nearest_table(connection: Connection, name: str) -> str:
    """Return `; did you mean 'x'?` for the table with the most similar name in any schema, or nothing."""
    rows = connection.execute(
        f"""
        SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {OURS}
        ORDER BY 3, 1, 2
        """
    ).fetchall()
    # A table in another schema is found by its bare name, and told with its schema.
    spelled: dict[str, str] = {}
    for schema, table, visible in rows:
        spelled[f"{schema}.{table}"] = spelled[table] = table if visible else f"{schema}.{table}"
    near = nearest(name, spelled)
    return f"; did you mean {spelled[near]!r}?" if near else ""


BASE_TYPE = """
    WITH RECURSIVE chain(oid, typmod, needed, defaulted) AS (
        SELECT a.atttypid, a.atttypmod, false, false
        UNION ALL
        SELECT d.typbasetype, d.typtypmod, needed OR d.typnotnull, defaulted OR d.typdefault IS NOT NULL
        FROM chain JOIN pg_catalog.pg_type d ON d.oid = chain.oid WHERE d.typtype = 'd'
    )
    SELECT chain.*, t.typtype, t.typname, t.typnamespace, t.typelem, t.typcategory
    FROM chain JOIN pg_catalog.pg_type t ON t.oid = chain.oid WHERE t.typtype <> 'd'
"""
"""The type of column `a`, and of a domain the type that it stands for, as PostgreSQL tells it to every client."""


def columns(connection: Connection, oid: int, *, written: bool = False) -> tuple[Column, ...]:
    """Return a table's columns in their order. A domain counts as its base type; an array of one as `domain NAME[]`.

    NOT NULL and the default of a domain count where the table is `written`: rows that exist need not keep to them.
    """
    rows = connection.execute(
        f"""
        SELECT a.attname,
               CASE WHEN e.typtype = 'd' THEN 'domain ' ELSE '' END || pg_catalog.format_type(b.oid, b.typmod),
               NOT (a.attnotnull OR %(written)s AND b.needed),
               (a.atthasdef OR %(written)s AND b.defaulted) AND a.attgenerated = '',
               a.attgenerated <> '', a.attidentity::text,
               CASE WHEN coalesce(e.typtype, b.typtype) = 'e' THEN
                   ARRAY(SELECT l.enumlabel::text FROM pg_catalog.pg_enum l
                         WHERE l.enumtypid = coalesce(e.oid, b.oid) ORDER BY l.enumsortorder)
               END
        FROM pg_catalog.pg_attribute a
        CROSS JOIN LATERAL ({BASE_TYPE}) b
        LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
        WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """,
        {"oid": oid, "written": written},
    ).fetchall()
    return tuple(
        Column(
            name=name,
            type=kind if labels is None else f"enum {kind}",
            nullable=nullable,
            has_default=default,
            generated=made,
            identity=_IDENTITY[identity],
            labels=tuple(labels or ()),
        )
        for name, kind, nullable, default, made, identity, labels in rows
    )


def qualified_types(connection: Connection, oid: int) -> dict[str, str]:
    """Return each column's base type for SQL with its schema and without its length, as `pg_catalog.varchar`.

    A cast to the base type leaves it to PostgreSQL to check a domain's length and constraints in the INSERT.
    """
    rows = connection.execute(
        f"""
        SELECT a.attname, n.nspname, b.typname
        FROM pg_catalog.pg_attribute a
        CROSS JOIN LATERAL ({BASE_TYPE}) b
        JOIN pg_catalog.pg_namespace n ON n.oid = b.typnamespace
        WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
        """,
        (oid,),
    ).fetchall()
    return {name: quote_table(schema, kind) for name, schema, kind in rows}


def readable_columns(connection: Connection, oid: int, role: str | None = None) -> frozenset[str]:
    """Return the names of the columns that a role may SELECT. Without `role` the session's own is meant."""
    rows = connection.execute(
        """
        SELECT attname FROM pg_catalog.pg_attribute
        WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped
          AND has_column_privilege(coalesce(%(role)s, current_user)::name, %(oid)s::oid, attnum, 'SELECT')
        """,
        {"oid": oid, "role": role},
    ).fetchall()
    return frozenset(name for (name,) in rows)


def row_security(connection: Connection, oid: int, role: str | None = None) -> str:
    """Return the role whose reads row security limits; empty where it limits none.

    Superusers, roles with BYPASSRLS and, unless it is forced, the owner see every row.
    """
    row = connection.execute(
        """
        SELECT r.rolname
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.rolname = coalesce(%(role)s, current_user)
        WHERE c.oid = %(oid)s AND c.relrowsecurity AND NOT (r.rolsuper OR r.rolbypassrls)
          AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
        """,
        {"oid": oid, "role": role},
    ).fetchone()
    return "" if row is None else str(row[0])


def is_enum(connection: Connection, name: str) -> bool:
    """Tell whether a name, written for SQL, is that of an enum."""
    found = connection.execute(
        "SELECT 1 FROM pg_catalog.pg_type WHERE oid = pg_catalog.to_regtype(%s) AND typtype = 'e'", (name,)
    )
    return found.fetchone() is not None


def unique_keys(connection: Connection, oid: int) -> tuple[tuple[str, ...], ...]:
    """Return the column lists that are unique for all rows: the primary key first, then constraints, then indexes.

    Keys that are checked at COMMIT are left out: ON CONFLICT cannot use them.
    """
    rows = connection.execute(
        """
        SELECT (SELECT array_agg(a.attname::text ORDER BY k.place)
                FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts)
        FROM pg_catalog.pg_index i
        LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
        WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate
          AND i.indpred IS NULL AND i.indexprs IS NULL
        ORDER BY i.indisprimary DESC, c.oid IS NULL, i.indexrelid
        """,
        (oid,),
    ).fetchall()
    return tuple(dict.fromkeys(tuple(names) for (names,) in rows))


def incoming_foreign_keys(connection: Connection, oid: int) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of other tables that point at this one, its partitions or its partitioned parents."""
    rows = connection.execute(
        """
        SELECT c.conname, n.nspname, r.relname, c.condeferrable, c.confdeltype::text
        FROM pg_catalog.pg_constraint c
        JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid <> %(oid)s
          AND c.confrelid IN (
              SELECT relid FROM pg_catalog.pg_partition_tree(%(oid)s::oid)
              UNION SELECT relid FROM pg_catalog.pg_partition_ancestors(%(oid)s::oid) UNION SELECT %(oid)s::oid
          )
        ORDER BY n.nspname, r.relname, c.conname
        """,
        {"oid": oid},
    ).fetchall()
    return tuple(
        ForeignKey(name=name, table=quote_table(schema, table), deferrable=deferrable, on_delete=_ON_DELETE[action])
        for name, schema, table, deferrable, action in rows
    )


def has_rows(connection: Connection, relation: Relation) -> bool:
    """Tell whether the table holds any row."""
    row = connection.execute(f"SELECT EXISTS (SELECT FROM {relation.only})").fetchone()
    return row is not None and bool(row[0])


def schemas(connection: Connection) -> list[str]:
    """Return the names of all schemas but PostgreSQL's own."""
    rows = connection.execute(f"SELECT nspname FROM pg_catalog.pg_namespace n WHERE {OURS} ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def may_create(connection: Connection, schema: str) -> bool:
    """Tell whether the session's role may create tables in a schema."""
    row = connection.execute("SELECT has_schema_privilege(%s, 'CREATE')", (schema,)).fetchone()
    return row is not None and bool(row[0])


def missing_rights(
    connection: Connection, relation: Relation, rights: Sequence[str], role: str | None = None
) -> list[str]:
    """Return which of the rights, as `SELECT`, a role lacks, and USAGE of the schema if it lacks that.

    Without `role` the session's own is meant.
    """
    row = connection.execute(
        "SELECT has_schema_privilege(coalesce(%s, current_user)::name, %s, 'USAGE')", (role, relation.schema)
    ).fetchone()
    missing = [] if row and row[0] else [f"USAGE on schema {quote_name(relation.schema)}"]
    for right in rights:
        row = connection.execute(
            "SELECT has_table_privilege(coalesce(%s, current_user)::name, %s::oid, %s)", (role, relation.oid, right)
        ).fetchone()
        if not (row and row[0]):
            missing.append(f"{right} on {relation.sql}")
    return missing
