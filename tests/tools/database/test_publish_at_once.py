import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from agent.errors import PublishError
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, request, rows, stage
from tools.database import PostgresDatabase
from tools.records import Published

pytestmark = pytest.mark.postgres


def in_threads(*works: Callable[[], object]) -> list[object]:
    """Run works at once; their results or PublishErrors."""
    gate = threading.Barrier(len(works), timeout=10)

    def run(work: Callable[[], object]) -> object:
        gate.wait()
        try:
            return work()
        except PublishError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.parametrize("target", ["summary", "fresh"])
def test_two_publishers_never_mix(scene: Sql, database: PostgresDatabase, target: str) -> None:
    """Two runs into one target at once, there or not, end with the rows of one of them."""
    for turn in range(5):
        names = [f"s_20260101_{turn:012x}_{run:012x}" for run in (1, 2)]
        scene("DROP TABLE IF EXISTS fresh")
        for run, name in enumerate(names):
            stage(scene, ", ".join(f"({n}, 'run {run}')" for n in range(200)), table=name)
        seen = database.snapshot(request(target), 0)
        orders = [
            order(run_id=f"r{turn}-{name}", staging_table=name, expected_rows=200, target=target) for name in names
        ]
        results = in_threads(*(partial(database.publish, each, seen) for each in orders))
        assert any(isinstance(result, Published) for result in results)
        assert scene(f"SELECT count(*), count(DISTINCT note) FROM {target}") == [(200, 1)]


def test_one_order_twice_at_once_is_published_once(scene: Sql, database: PostgresDatabase) -> None:
    """One of two workers with the same order publishes, and the other learns that it is done."""
    seen = database.snapshot(request(), 0)
    results = in_threads(*[lambda: database.publish(order(), seen)] * 2)
    assert sorted(r.already for r in results if isinstance(r, Published)) == [False, True]
    assert scene("SELECT count(*) FROM datamorph_staging.publishes") == [(1,)]


def test_readers_see_all_old_or_all_new(scene: Sql, database: PostgresDatabase, postgres_url: str) -> None:
    """A reader during the publish is not blocked and never sees an empty or a mixed table."""
    scene(
        f"DROP TABLE datamorph_staging.{STAGED}; INSERT INTO summary SELECT n, 'old' FROM generate_series(3, 20000) n"
    )
    stage(scene, ", ".join(f"({n}, 'new')" for n in range(20000)))
    done = threading.Event()
    seen: set[tuple[int, str]] = set()

    def read() -> int:
        turns = 0
        with psycopg.connect(postgres_url, autocommit=True, options="-c lock_timeout=100") as reader:
            while not done.is_set():
                seen.add(
                    reader.execute("SELECT count(*), string_agg(DISTINCT note, '+') FROM summary").fetchone() or (0, "")
                )
                turns += 1
        return turns

    def work() -> None:
        try:
            publish(database, order(expected_rows=20000))
        finally:
            done.set()

    turns, _ = in_threads(read, work)
    assert isinstance(turns, int)
    assert turns > 3
    assert seen <= {(20000, "old"), (20000, "new")}
    assert rows(scene)[0] == (0, "new")


SLOW = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'"
KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"


def kill_when_seen(sql: Sql, query: str) -> None:
    """End the backend that runs such a query, as soon as there is one."""
    for _ in range(500):
        if sql.connection.execute(KILL, (query,)).fetchall():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"no session ran {query}")


def test_a_killed_backend_leaves_the_old_rows(scene: Sql, database: PostgresDatabase, postgres_url: str) -> None:
    """A session that dies between DELETE and INSERT has changed nothing, and the publish can be repeated."""
    scene(SLOW)
    scene("CREATE TRIGGER t BEFORE INSERT ON summary FOR EACH ROW EXECUTE FUNCTION slow()")
    seen = database.snapshot(request(), 0)
    result, _ = in_threads(
        lambda: database.publish(order(), seen), lambda: kill_when_seen(scene, "INSERT INTO%summary%")
    )
    assert isinstance(result, PublishError)
    assert result.kind == "transient"
    assert rows(scene) == OLD
    scene("DROP TRIGGER t ON summary")
    database.publish(order(), seen)
    assert rows(scene) == NEW


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_answer_to_commit_is_found_out(
    scene: Sql, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """When the connection breaks at COMMIT, the ledger tells whether the rows are published."""
    seen = database.snapshot(request(), 0)
    leave = psycopg.Transaction.__exit__
    broken: list[bool] = []

    def lose(self: psycopg.Transaction, *error: Any) -> Any:
        ledger = self.connection.execute("SELECT to_regclass('datamorph_staging.publishes')").fetchone()
        moved = self.connection.execute("SELECT count(*) FROM datamorph_staging.publishes").fetchone()
        if broken or not ledger or moved == (0,):
            return leave(self, *error)
        broken.append(True)
        if committed:
            leave(self, *error)
        self.connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Transaction, "__exit__", lose)
    if committed:
        assert database.publish(order(), seen) == Published(rows=2, created=False, already=False)
        assert rows(scene) == NEW
    else:
        with pytest.raises(PublishError) as caught:
            database.publish(order(), seen)
        assert caught.value.kind == "transient"
        assert rows(scene) == OLD
    assert broken


def test_a_lock_is_waited_for_and_then_transient(scene: Sql, database: PostgresDatabase, postgres_url: str) -> None:
    """A target that someone else writes is left after the lock time-out, to be tried again."""
    with psycopg.connect(postgres_url) as writer:
        writer.execute("INSERT INTO summary VALUES (3, 'theirs')")
        with pytest.raises(PublishError) as caught:
            publish(database, order())
    assert caught.value.kind == "transient"
    publish(database, order())
    assert rows(scene) == NEW


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def once_waiting(sql: Sql, sessions: int, then: Callable[[], object]) -> None:
    """Do something as soon as so many sessions wait for a lock."""
    for _ in range(500):
        if sql(WAITING) == [(sessions,)]:
            then()
            return
        threading.Event().wait(0.005)
    raise AssertionError(f"{sessions} sessions never waited")


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_what_was_committed_meanwhile_is_replaced(
    scene: Sql, database: PostgresDatabase, postgres_url: str, level: str
) -> None:
    """By a writer that publish waited for, whatever isolation the database's sessions begin with."""
    seen = database.snapshot(request(), 0)
    scene(f"ALTER DATABASE {scene.connection.info.dbname} SET default_transaction_isolation = '{level}'")
    with psycopg.connect(postgres_url) as writer:
        writer.execute("INSERT INTO summary VALUES (3, 'theirs')")
        in_threads(lambda: database.publish(order(), seen), lambda: once_waiting(scene, 1, writer.commit))
    assert rows(scene) == NEW


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_who_waited_for_another_publish_sees_its_rows(
    scene: Sql, database: PostgresDatabase, postgres_url: str, level: str
) -> None:
    """Two wait to fill an empty target: one comes last, and its rows are there alone."""
    scene("CREATE TABLE bare (id integer, note text)")
    names = ["s_20260101_000000000000_00000000000a", "s_20260101_000000000000_00000000000b"]
    for name in names:
        stage(scene, f"(1, '{name}'), (2, '{name}')", table=name)
    seen = database.snapshot(request("bare"), 0)
    scene(f"ALTER DATABASE {scene.connection.info.dbname} SET default_transaction_isolation = '{level}'")
    orders = [order(run_id=name, staging_table=name, target="bare") for name in names]
    with psycopg.connect(postgres_url) as holder:
        holder.execute("LOCK TABLE bare IN SHARE ROW EXCLUSIVE MODE")
        in_threads(
            *(partial(database.publish, each, seen) for each in orders),
            lambda: once_waiting(scene, 2, holder.commit),
        )
    assert scene("SELECT count(*), count(DISTINCT note) FROM bare") == [(2, 1)]
