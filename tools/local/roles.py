"""The embedded server's roles: a superuser for its management, the publisher, and the jobs' role, each with a password.

The passwords lie in DIRECTORY/pgpass, a password file of libpq that only this user can read:
`PGPASSFILE=…/pgpass psql -h …/pgdata -U datamorph postgres` opens a session.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql

from tools.database.catalog import schema_exists
from tools.database.connection import Connection
from tools.database.staging_schema import SCHEMA

Role = Literal["postgres", "datamorph", "datamorph_jobs"]
SUPERUSER: Role = "postgres"
PUBLISHER: Role = "datamorph"
JOBS: Role = "datamorph_jobs"

_HBA = """# written by datamorph: nobody logs in without a password
local all all scram-sha-256
host all all all scram-sha-256
local replication all scram-sha-256
host replication all all scram-sha-256
"""
_OPEN = re.compile(r"^\s*(?:local|host\w*)\b.*\s(?:trust|peer|ident)\b", re.MULTILINE)
"""A line of pg_hba.conf that allows logins without a password."""


def passwords(directory: Path) -> tuple[dict[Role, str], bool]:
    """Return each role's password, and True when this call made them."""
    path = directory / "pgpass"
    if path.exists():
        lines = [line.split(":") for line in path.read_text(encoding="ascii").splitlines() if line.count(":") == 4]
        found = {role: password for *_, role, password in lines}
        if all(role in found for role in (SUPERUSER, PUBLISHER, JOBS)):
            return {role: found[role] for role in (SUPERUSER, PUBLISHER, JOBS)}, False
    made: dict[Role, str] = {role: secrets.token_hex(24) for role in (SUPERUSER, PUBLISHER, JOBS)}
    nascent = path.with_suffix(".new")
    nascent.unlink(missing_ok=True)
    with os.fdopen(os.open(nascent, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.writelines(f"*:*:*:{role}:{password}\n" for role, password in made.items())
    nascent.replace(path)
    return made, True


def is_open(data: Path) -> bool:
    """Return True when this data's pg_hba.conf allows logins without a password."""
    return _OPEN.search((data / "pg_hba.conf").read_text(encoding="utf-8", errors="replace")) is not None


def close(data: Path) -> None:
    """Require passwords from the server's next start on."""
    path = data / "pg_hba.conf"
    before, nascent = path.stat(), path.with_suffix(".new")
    nascent.write_text(_HBA, encoding="ascii")
    nascent.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(nascent, before.st_uid, before.st_gid)
    nascent.replace(path)


def password_statement(password: str) -> str:
    """Return the statement that gives the superuser its password, for a server that nobody can reach."""
    return f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';\n"


def make(connection: Connection, known: dict[Role, str], *, renewed: bool) -> None:
    """Make publisher and jobs' role where they are missing, with their rights in this database.

    `renewed`: the server does not know these passwords yet.
    """
    found = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    if {PUBLISHER, JOBS} <= found and not renewed:
        return
    with connection.transaction():
        for role in (JOBS, PUBLISHER):
            if role not in found:
                connection.execute(f"CREATE ROLE {role} LOGIN")
        for role, password in known.items():
            verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), verifier.decode()))
        connection.execute(f"GRANT {JOBS} TO {PUBLISHER}")
        give_rights(connection)


def give_rights(connection: Connection) -> None:
    """Make the publisher the database's owner, and let jobs read the tables that it has and will have."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(PUBLISHER)))
    for right in ("SELECT ON TABLES", "USAGE ON SCHEMAS"):
        connection.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {PUBLISHER} GRANT {right} TO {JOBS}")
    if schema_exists(connection, SCHEMA):
        connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {JOBS}")


def login(connection_url: str) -> Connection:
    """Open a session in which names mean PostgreSQL's own objects, as the search path holds only pg_catalog."""
    return psycopg.connect(connection_url, autocommit=True, connect_timeout=10, options="-c search_path=pg_catalog")
