import socket
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from agent.errors import InvalidRequestError, UnavailableError
from agent.names import prefix_of_table
from agent.sql_identifiers import quote_name, quote_table
from tests.tools.database.scene import STAGED, Sql, request, stage
from tools.database import PostgresDatabase, quoted
from tools.database.connection import Connector
from tools.local.postgres import EmbeddedServer


@pytest.mark.postgres
def test_sessions_are_set_up_alike(sql: Sql, postgres_url: str) -> None:
    """In UTC, at READ COMMITTED with and without BEGIN, with time-outs and name, whatever the database's settings."""
    sql(f"ALTER DATABASE {sql.connection.info.dbname} SET timezone = 'America/New_York'")
    sql(f"ALTER DATABASE {sql.connection.info.dbname} SET default_transaction_isolation = 'serializable'")
    with Connector(postgres_url).session() as connection:
        names = ("TimeZone", "lock_timeout", "statement_timeout", "application_name", "transaction_isolation")
        found = [connection.info.parameter_status(name) or _setting(connection, name) for name in names]
        connection.execute("RESET default_transaction_isolation")  # as between two statements of a pooler's
        with connection.transaction():
            found.append(_setting(connection, "transaction_isolation"))
    assert found == ["UTC", "5s", "10min", "datamorph", "read committed", "read committed"]


def _setting(connection: psycopg.Connection[tuple[str, ...]], name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:hunter2@127.0.0.1:1/shop", ["'shop'", "127.0.0.1:1", "start it"]),
        ("postgresql://u:hunter2@127.0.0.1:1/shop?nonsense=1", ["malformed", "postgresql://user:password@"]),
        ("hunter2", ["malformed"]),
    ],
)
def test_an_unreachable_database_is_told_without_password(url: str, words: list[str]) -> None:
    """The message names the place and what to do, and never the password."""
    with pytest.raises(UnavailableError) as caught:
        PostgresDatabase(url, connect_timeout=2).prepare_staging()
    assert caught.value.service == "database"
    assert all(word in str(caught.value) for word in words)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_told() -> None:
    """It takes the connection and says nothing: given up when the time-out is over."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port} cannot be reached"):
            PostgresDatabase(f"postgresql://u@127.0.0.1:{port}/shop", connect_timeout=2).prepare_staging()
    assert 1 < time.monotonic() - began < 10


@pytest.mark.postgres
def test_a_server_that_goes_away_midway_is_told(sql: Sql, database: PostgresDatabase) -> None:
    """While the snapshot is taken: nothing is half known, and the message says to try again."""
    sql("CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(30)")
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(database.snapshot, request(sources=["slow"]), 5)
        asking = "FROM pg_stat_activity WHERE application_name = 'datamorph' AND query ~ 'slow' AND state = 'active'"
        while not sql(f"SELECT pg_terminate_backend(pid) {asking} AND datname = current_database()"):
            time.sleep(0.02)
        with pytest.raises(UnavailableError, match="broke off: .*; try again"):
            work.result(timeout=20)


@pytest.mark.postgres
def test_a_missing_database_is_told(postgres_server: EmbeddedServer) -> None:
    """A server that has no such database says so in its own words."""
    with pytest.raises(UnavailableError, match='database "nowhere" does not exist'):
        PostgresDatabase(postgres_server.url_of("nowhere")).prepare_staging()


@pytest.mark.postgres
def test_staging_is_prepared_once_by_many(postgres_url: str, sql: Sql) -> None:
    """Several processes may prepare at once, and again later."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: PostgresDatabase(postgres_url).prepare_staging(), range(12)))
    assert sql("SELECT count(*) FROM datamorph_staging.publishes") == [(0,)]


@pytest.mark.postgres
def test_only_staging_tables_of_the_prefix_are_dropped(sql: Sql, database: PostgresDatabase) -> None:
    """Other runs' tables and the ledger stay."""
    stage(sql, "(1, 'a')")
    stage(sql, "(1, 'a')", table="s_20260101_0123456789ab_000000000000")
    stage(sql, "(1, 'a')", table="s_20260101_ffffffffffff_000000000000")
    assert database.drop_staging(prefix_of_table(STAGED)) == 2
    assert database.drop_staging(prefix_of_table(STAGED)) == 0
    left = sql("SELECT tablename::text FROM pg_tables WHERE schemaname = 'datamorph_staging' ORDER BY 1")
    assert left == [("publishes",), ("s_20260101_ffffffffffff_000000000000",)]


NO_DROPS = """
CREATE FUNCTION no_drops() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not here''; END';
CREATE EVENT TRIGGER no_drops ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION no_drops()
"""


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        (f"CREATE VIEW looked AS SELECT * FROM datamorph_staging.{STAGED}", "other objects depend on it"),
        (NO_DROPS, "not here"),
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "read-only transaction"),
    ],
    ids=["a view", "an event trigger", "read only"],
)
def test_whatever_postgresql_refuses_is_unavailable(
    sql: Sql, database: PostgresDatabase, refuse: str, words: str
) -> None:
    """A drop that it does not allow is told in its own words, with the place."""
    stage(sql, "(1, 'a')")
    sql(refuse.replace("{name}", sql.connection.info.dbname))
    with pytest.raises(UnavailableError, match=f"^database 'test_.*{words}") as caught:
        database.drop_staging(STAGED)
    assert caught.value.service == "database"


@pytest.mark.parametrize(
    "prefix",
    ["", "s_", "publishes", "s_20260101_0123456789ab", "s_20260101_0123456789AB_", "s_20260101_0123456789ab_\n"],
)
def test_a_wide_prefix_is_refused(prefix: str) -> None:
    """Nothing but the beginning of one attempt's names is taken; the database is not even asked."""
    with pytest.raises((ValueError, UnavailableError)) as caught:
        PostgresDatabase("postgresql://u@127.0.0.1:1/d").drop_staging(prefix)
    assert caught.type is ValueError


@pytest.mark.postgres
def test_the_head_of_any_table(sql: Sql, database: PostgresDatabase) -> None:
    """Types that a job refuses are shown as text; a missing table is told with the nearest."""
    sql("""CREATE TABLE "Odd" (r int4range, a interval[]); INSERT INTO "Odd" VALUES ('[1,3)', '{1 day}')""")
    assert database.head("Odd", 5) == [{"r": "[1,3)", "a": '{"1 day"}'}]
    with pytest.raises(InvalidRequestError, match="did you mean 'Odd'"):
        database.head("odd", 5)
    assert quoted(sql.connection, "Odd") == 'public."Odd"'


@pytest.mark.postgres
def test_names_are_quoted_as_the_server_does(sql: Sql) -> None:
    """Every keyword that PostgreSQL quotes is quoted here, and so is whatever is not a plain name."""
    words = [word for (word,) in sql("SELECT word FROM pg_get_keywords()")]
    names = [*words, "orders", "Order", "a b", 'a"b', "1a", "_a", "ä", "a-b", "a\n"]
    for name in names:
        row = sql.connection.execute("SELECT quote_ident(%s)", (name,)).fetchone()
        assert row == (quote_name(name),)
    assert quote_table("sales", "Order Lines") == 'sales."Order Lines"'


@pytest.mark.parametrize("name", ["", "x" * 64, "ä" * 32, "a\0b"])
def test_a_name_that_postgresql_would_cut_is_refused(name: str) -> None:
    """A cut name could be another table's."""
    with pytest.raises(ValueError, match="63 bytes"):
        quote_name(name)
