from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import psycopg
import pytest

from agent.errors import PublishError
from tests.tools.database.scene import NEW, OLD, Sql, order, request, rows, stage
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres

LEDGER = "datamorph_staging.publishes"
THEIRS = "s_20260101_0123456789ab_000000000000"
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = %s)"
)


def wait_for_waiters(sql: Sql, wanted: int) -> None:
    """Return as soon as that many sessions wait for a lock."""
    for _ in range(900):
        row = sql.connection.execute(WAITING, (sql.connection.info.dbname,)).fetchone()
        if row == (wanted,):
            return
        Event().wait(0.01)
    raise AssertionError(f"no {wanted} sessions waited")


def test_two_installations_with_one_run_id_at_once(scene: Sql, postgres_url: str) -> None:
    """One publishes; the other, although its target is another, changes nothing and learns why."""
    database = PostgresDatabase(postgres_url, lock_timeout=20)
    stage(scene, "(5, 'theirs')", table=THEIRS)
    scene("CREATE TABLE second (id integer, note text)")
    orders = [order(), order(target="second", staging_table=THEIRS, expected_rows=1)]
    seen = [database.snapshot(request(each.target), 0) for each in orders]
    with psycopg.connect(postgres_url) as holder, ThreadPoolExecutor(2) as pool:
        # Both have looked into the ledger before either can write into it.
        holder.execute(f"LOCK TABLE {LEDGER} IN SHARE ROW EXCLUSIVE MODE")
        results = [pool.submit(database.publish, *each) for each in zip(orders, seen, strict=True)]
        wait_for_waiters(scene, 2)
        holder.rollback()
        errors = [error for result in results if (error := result.exception())]
    assert [getattr(error, "kind", error) for error in errors] == ["run_id_taken"]
    assert sorted([rows(scene) == NEW, scene("SELECT * FROM second") == [(5, "theirs")]]) == [False, True]


def test_after_a_lost_commit_theirs_is_not_taken_for_ours(
    scene: Sql, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look into the ledger finds the other installation's entry, and our rows are not there."""
    seen = database.snapshot(request(), 0)
    leave = psycopg.Transaction.__exit__

    def lose(self: psycopg.Transaction, *error: Any) -> Any:
        if self.connection.execute(f"SELECT count(*) FROM {LEDGER}").fetchone() == (0,):
            return leave(self, *error)
        self.connection.close()
        monkeypatch.setattr(psycopg.Transaction, "__exit__", leave)
        entry = f"('r1', 1, 'public.summary', 2, '{THEIRS}')"
        scene(f"INSERT INTO {LEDGER} (run_id, generation, target, rows, staging_table) VALUES {entry}")
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Transaction, "__exit__", lose)
    with pytest.raises(PublishError, match="run_id r1 was published into public.summary by another") as caught:
        database.publish(order(), seen)
    assert (caught.value.kind, rows(scene)) == ("run_id_taken", OLD)


def test_a_published_target_may_be_gone(scene: Sql, database: PostgresDatabase) -> None:
    """Our own entry still tells that our rows were published."""
    seen = database.snapshot(request(), 0)
    database.publish(order(), seen)
    scene("DROP TABLE summary")
    assert database.publish(order(), seen).already
    with pytest.raises(PublishError, match="choose another run_id"):
        database.publish(replace(order(), staging_table=THEIRS), seen)
