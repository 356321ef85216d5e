"""The embedded server: logins need passwords, and each role has its rights alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from agent.errors import UnavailableError
from tests.tools.database.scene import Sql
from tools.local.postgres import embedded_server

pytestmark = pytest.mark.postgres


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a directory for a server, outside of pytest's own, which other users cannot enter."""
    with tempfile.TemporaryDirectory(prefix="datamorph-pg-") as directory:
        yield Path(directory)


def outcome(url: str, statement: str = "SELECT 1") -> str:
    """Run a statement; `done`, or the SQLSTATE, or `no login`."""
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError:
        return "no login"
    with connection:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate or "?"
    return "done"


def test_nobody_logs_in_without_a_password(home: Path) -> None:
    """Neither role, the superuser too, nor a client of replication; the passwords are this user's alone to read."""
    with embedded_server(home) as server:
        host = str(home / "pgdata")
        for role in ("postgres", "datamorph", "datamorph_jobs"):
            assert outcome(make_conninfo(host=host, user=role, dbname="postgres")) == "no login"
            assert outcome(make_conninfo(host=host, user=role, dbname="postgres", password="x")) == "no login"
        assert outcome(make_conninfo(host=host, user="postgres", replication="true")) == "no login"
        assert {outcome(url) for url in (server.url, server.job_url, server.url_of("postgres"))} == {"done"}
        files = {"passfile": str(home / "pgpass"), "host": host, "dbname": "postgres"}
        assert outcome(make_conninfo(user="datamorph", **files)) == "done"
    assert (home / "pgpass").stat().st_mode & 0o777 == 0o600


def test_the_jobs_role_reads_tables_and_creates_in_staging(home: Path) -> None:
    """Tables that the publisher makes later too, in any schema; it alters none, and the publisher drops its staging."""
    with embedded_server(home) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            sql = Sql(connection)
            sql("CREATE TABLE orders (id integer); CREATE SCHEMA sales; CREATE TABLE sales.orders (id integer)")
            sql("CREATE SCHEMA datamorph_staging; GRANT USAGE, CREATE ON SCHEMA datamorph_staging TO datamorph_jobs")
        for allowed in ("SELECT FROM orders", "SELECT FROM sales.orders", "CREATE TABLE datamorph_staging.s ()"):
            assert outcome(server.job_url, allowed) == "done", allowed
        for refused in ("DROP TABLE orders", "UPDATE orders SET id = 1", "CREATE TABLE public.x ()", "CREATE SCHEMA x",
                        "SELECT FROM pg_authid", "COPY orders TO PROGRAM 'cat'", "SET ROLE postgres"):  # fmt: skip
            assert outcome(server.job_url, refused) == "42501", refused
        assert outcome(server.url, "DROP TABLE datamorph_staging.s") == "done"
        for refused in ("SELECT FROM pg_authid", "COPY orders TO PROGRAM 'cat'", "SET ROLE postgres"):
            assert outcome(server.url, refused) == "42501", refused


def test_lost_passwords_are_made_anew_at_the_next_start(home: Path) -> None:
    """While the server runs, the message says how to get there."""
    with embedded_server(home) as server:
        (home / "pgpass").unlink()
        with pytest.raises(UnavailableError, match=r"does not take the password in .*pgpass; stop it .*remove that"):
            embedded_server(home)
        (home / "pgpass").unlink()
        assert outcome(server.url) == "done"
    with embedded_server(home) as again:
        assert (outcome(again.url), outcome(again.job_url), outcome(server.url)) == ("done", "done", "no login")
