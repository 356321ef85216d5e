"""Schema `datamorph_staging`: the tables that jobs write, and the ledger of publishes."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

import psycopg

from agent.errors import UnavailableError
from agent.names import RunKey
from agent.sql_identifiers import quote_name
from tools.database import catalog
from tools.database.connection import Connection
from tools.records import Withdrawal

SCHEMA = "datamorph_staging"
LEDGER = f"{SCHEMA}.publishes"
_WITHDRAWN: tuple[str, ...] = get_args(Withdrawal)
"""Tombstones: the reason in the ledger's column `target` forbids a publish. A real target is always qualified."""

_DROPPED = {
    "r": "TABLE",
    "p": "TABLE",
    "v": "VIEW",
    "m": "MATERIALIZED VIEW",
    "f": "FOREIGN TABLE",
    "S": "SEQUENCE",
}
"""The word after DROP for each kind of relation that a job may have left; DROP runs no code of the owner."""
_PREFIX = re.compile(r"s_[0-9]{8}_[0-9a-f]{12}_[0-9a-f]{0,12}")
_TABLE = re.compile(r"s_[0-9]{8}_[0-9a-f]{12}_[0-9a-f]{12}")


def prepare(connection: Connection) -> None:
    """Create the schema and the ledger when missing; safe when several processes do so at once."""
    with connection.transaction():
        # IF NOT EXISTS fails when two create at once, and needs the right to create even when nothing is missing.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (SCHEMA,))
        if connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone() is None:
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        if not ledger_exists(connection):
            connection.execute(
                f"""
                CREATE TABLE {LEDGER} (
                    run_id text NOT NULL,
                    generation integer NOT NULL,
                    target text NOT NULL,
                    rows bigint NOT NULL,
                    staging_table text,
                    write_mode text,
                    target_oid bigint,
                    published_at timestamptz NOT NULL DEFAULT now(),
                    PRIMARY KEY (run_id, generation)
                )
                """
            )
        _demand_rights(connection)
        _demand_triggers(connection)


def _demand_rights(connection: Connection) -> None:
    ledger = catalog.resolve(connection, LEDGER)
    missing = catalog.missing_rights(connection, ledger, ("SELECT", "INSERT")) if ledger else []
    if not catalog.may_create(connection, SCHEMA):
        missing.append(f"CREATE on schema {SCHEMA}")
    if missing:
        raise UnavailableError("database", f"jobs cannot be staged: grant the database role {', '.join(missing)}")


def _demand_triggers(connection: Connection) -> None:
    """Raise UnavailableError where foreign keys are not checked; `origin` and `local` check them."""
    row = connection.execute("SELECT current_setting('session_replication_role'), session_user").fetchone()
    setting, role = row or ("", "")
    if setting not in ("origin", "local"):
        message = (
            f"session_replication_role is {setting!r}, and no foreign key would be checked: "
            f"ALTER ROLE {quote_name(role)} SET session_replication_role = 'origin'"
        )
        raise UnavailableError("database", message)


def ledger_exists(connection: Connection) -> bool:
    """Tell whether the ledger of publishes is there."""
    row = connection.execute(
        """
        SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relname = 'publishes'
        """,
        (SCHEMA,),
    ).fetchone()
    return row is not None


def published_into(connection: Connection, oid: int) -> bool:
    """Tell whether the ledger has a publish that replaced all rows of the table, whatever its name is now.

    After `append` and `merge` rows of others stand beside ours. A publish of which the table is not known, as after
    the restore of a dump, does not count: asking once more is safe.
    """
    if not ledger_exists(connection):
        return False
    found = connection.execute(
        f"SELECT 1 FROM {LEDGER} WHERE target_oid = %s AND write_mode = 'overwrite' LIMIT 1", (oid,)
    )
    return found.fetchone() is not None


def published_earlier(connection: Connection, key: RunKey) -> int | None:
    """Return the newest earlier generation of the run that was published; None when there is none."""
    row = connection.execute(
        f"SELECT max(generation) FROM {LEDGER} WHERE run_id = %s AND generation < %s AND target <> ALL(%s)",
        (key.run_id, key.generation, list(_WITHDRAWN)),
    ).fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class Entry:
    """The ledger's entry for a run and generation: a publish, or a tombstone."""

    target: str
    """The target, qualified and quoted for SQL; in a tombstone the reason."""
    rows: int
    staging_table: str | None
    """None in a tombstone, as the fields below."""
    write_mode: str | None = None
    target_oid: int | None = None

    @property
    def withdrawn(self) -> bool:
        """True for a tombstone: the run was cancelled, superseded or overdue before it was published."""
        return self.target in _WITHDRAWN


def entry(connection: Connection, key: RunKey) -> Entry | None:
    """Return the entry of this run and generation; None when it was neither published nor withdrawn."""
    row = connection.execute(
        f"SELECT target, rows, staging_table FROM {LEDGER} WHERE run_id = %s AND generation = %s", key
    ).fetchone()
    return None if row is None else Entry(*row)


def record(connection: Connection, key: RunKey, made: Entry) -> bool:
    """Enter a publish; False when this run and generation has an entry, which stays."""
    entered = connection.execute(
        f"INSERT INTO {LEDGER} (run_id, generation, target, rows, staging_table, write_mode, target_oid) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (*key, made.target, made.rows, made.staging_table, made.write_mode, made.target_oid),
    )
    return entered.rowcount == 1


def withdraw(connection: Connection, key: RunKey, why: Withdrawal) -> bool:
    """Enter a tombstone: no later publish of run and generation commits. False when one has committed already.

    A publish that is under way holds its own entry: this waits for it, up to the lock time-out. Raises
    UnavailableError at a standby, which may not know yet what the primary has.
    """
    if connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone() == (True,):
        message = "the server is a standby, where nothing can be withdrawn: name the primary, or add"
        raise UnavailableError("database", f"{message} target_session_attrs=read-write to the database's URL")
    if not ledger_exists(connection):
        return True
    # A role that may not write the ledger cannot publish either. A database that is read-only by default may become
    # writable before a sleeping worker wakes up.
    with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
        connection.execute("SET TRANSACTION READ WRITE")
        connection.execute(
            f"INSERT INTO {LEDGER} (run_id, generation, target, rows) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING",
            (*key, why),
        )
    found = connection.execute(f"SELECT target FROM {LEDGER} WHERE run_id = %s AND generation = %s", key).fetchone()
    return found is None or found[0] in _WITHDRAWN


def staging_relation(table: str) -> str:
    """Return a staging table for SQL. Raises ValueError when the name is not a staging table's."""
    if not _TABLE.fullmatch(table):
        raise ValueError(f"{table!r} is not a staging table: s_, a date, _, 12 hex digits, _, 12 hex digits")
    return f"{SCHEMA}.{table}"


def check_prefix(prefix: str) -> None:
    """Raise ValueError for a prefix that is not `s_`, a date, 12 hex digits and `_`, with or without more digits."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is not the beginning of a staging table's name: s_, a date, _, 12 hex digits, _")


def drop(connection: Connection, prefix: str) -> int:
    """Drop the relations under staging names that begin with a prefix, one by one; returns their number."""
    check_prefix(prefix)
    found = _relations(connection, prefix)
    for name, kind in found.items():
        connection.execute(f"DROP {_DROPPED[kind]} IF EXISTS {staging_relation(name)}")
    return len(found)


def tables(connection: Connection, prefix: str = "s_") -> list[str]:
    """The staging names that begin with a prefix, in order, whatever kind of relation a job left under them."""
    return list(_relations(connection, prefix))


def _relations(connection: Connection, prefix: str) -> dict[str, str]:
    """Name and kind of each relation under a staging name."""
    rows = connection.execute(
        """
        SELECT c.relname, c.relkind::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relkind = ANY(%s) AND pg_catalog.starts_with(c.relname::text, %s) ORDER BY 1
        """,
        (SCHEMA, list(_DROPPED), prefix),
    ).fetchall()
    return {name: kind for name, kind in rows if _TABLE.fullmatch(name)}
