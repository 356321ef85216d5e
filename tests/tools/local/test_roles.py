"""Who may log in to the embedded server and do what there, also with data of the time when everybody might."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from agent.errors import UnavailableError
from tests.tools.database.scene import Sql
from tools.doctor.job_role import examine_users
from tools.local import postgres
from tools.local.postgres import embedded_server, stop_if_unused

pytestmark = pytest.mark.postgres

OLD_DATA = """
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE orders (id serial PRIMARY KEY, mood mood);
INSERT INTO orders (mood) VALUES ('good');
CREATE VIEW seen AS TABLE orders;
CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql RETURN upper(t);
CREATE SCHEMA sales; CREATE TABLE sales.kept (id integer GENERATED ALWAYS AS IDENTITY, n integer);
CREATE SCHEMA datamorph_staging; CREATE TABLE datamorph_staging.publishes (run_id text);
CREATE TABLE datamorph_staging.s_0123456789ab_ba9876543210 (id integer);
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a directory for a server, outside of pytest's own, which other users cannot enter."""
    with tempfile.TemporaryDirectory(prefix="datamorph-pg-") as directory:
        yield Path(directory)


@pytest.fixture
def old(home: Path) -> Iterator[str]:
    """Run a server as older versions did, which trusts whoever reaches its socket; give the URL that they used."""
    binaries = postgres._binaries()
    with postgres._exclusive(home) as lock:
        postgres._initialise(binaries, home, lock)
    data = home / "pgdata"
    options = ("-w", "-D", str(data), "-l", str(data / "server.log"), "-o", f"-h '' -k {data}", "start")
    postgres._run(binaries, home, "pg_ctl", *options)
    url = f"postgresql://postgres@/postgres?host={data}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD_DATA.encode())
    yield url
    stop_if_unused(home)


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


def test_old_data_is_closed_at_the_start_and_kept(home: Path, old: str) -> None:
    """What the superuser made is the publisher's by then, and what a job had staged is the jobs'."""
    assert stop_if_unused(home)
    with embedded_server(home) as server:
        assert outcome(old) == "no login"
        with psycopg.connect(server.url, autocommit=True) as connection:
            sql = Sql(connection)
            assert sql("INSERT INTO orders (mood) VALUES ('good') RETURNING id, shout('x')") == [(2, "X")]
            assert sql("SELECT count(*) FROM seen") == [(2,)]
            sql("ALTER TYPE mood ADD VALUE 'bad'; INSERT INTO sales.kept (n) VALUES (1); DROP FUNCTION shout(text)")
            sql("DROP TABLE datamorph_staging.s_0123456789ab_ba9876543210; DROP SCHEMA sales CASCADE")
            sql("ALTER TABLE datamorph_staging.publishes ADD more text; DROP VIEW seen")
        assert outcome(server.job_url, "SELECT FROM orders") == "done"
        assert outcome(server.job_url, "DELETE FROM orders") == "42501"
        assert examine_users(server.url, "datamorph_jobs", "", server.job_url).status == "ok"


def test_an_old_server_that_runs_goes_on(home: Path, old: str) -> None:
    """Whoever uses it is not shut out, its new users have their roles, and the next start closes it."""
    with embedded_server(home) as server:
        assert {outcome(url) for url in (old, server.url, server.job_url)} == {"done"}
        assert outcome(server.job_url, "SELECT FROM orders") == "done"
        assert outcome(server.job_url, "DELETE FROM orders") == "42501"
    with embedded_server(home) as server:
        assert (outcome(old), outcome(server.url), outcome(server.job_url)) == ("no login", "done", "done")


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
