"""Targets that are locked or altered before the publish, and staging that is not what the job reported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from agent.errors import PublishError
from tests.faults.publish_scene import MODES, SAMPLED, Mode, PublishScene, Turn, publish_scene, state_of
from tests.faults.sampled import sampled
from tests.faults.tally import Tally
from tests.tools.database.scene import request

pytestmark = pytest.mark.postgres

LOCKED = {
    "the target": "LOCK TABLE summary IN ACCESS EXCLUSIVE MODE",
    "the target, by a writer": "UPDATE summary SET note = note WHERE id = 1",
    "staging": "LOCK TABLE datamorph_staging.{staging} IN ACCESS EXCLUSIVE MODE",
    "the ledger": "LOCK TABLE datamorph_staging.publishes IN ACCESS EXCLUSIVE MODE",
    "the queue": "SELECT pg_advisory_xact_lock(hashtextextended('summary', 1))",
}
"""Locks that somebody else holds while the publish comes."""

ALTERED = {
    "column added": "ALTER TABLE summary ADD extra integer",
    "column dropped": "ALTER TABLE summary DROP note",
    "column renamed": "ALTER TABLE summary RENAME note TO remark",
    "type changed": "ALTER TABLE summary ALTER note TYPE varchar(90)",
    "column generated": "ALTER TABLE summary DROP note, ADD note text GENERATED ALWAYS AS ('x') STORED",
    "identity": "ALTER TABLE summary ALTER id ADD GENERATED ALWAYS AS IDENTITY",
    "renamed": "ALTER TABLE summary RENAME TO summary_before",
    "renamed and made anew": "ALTER TABLE summary RENAME TO summary_before; CREATE TABLE summary (LIKE summary_before"
    " INCLUDING ALL); INSERT INTO summary SELECT * FROM summary_before",
    "dropped and made anew": "DROP TABLE summary CASCADE; CREATE TABLE summary (id integer PRIMARY KEY, note text"
    " NOT NULL); INSERT INTO summary VALUES (1, 'theirs')",
    "made a view": "ALTER TABLE summary RENAME TO summary_before; CREATE VIEW summary AS TABLE summary_before",
    "referenced by another table": "CREATE TABLE other (id integer REFERENCES summary DEFERRABLE)",
    "led elsewhere": "CREATE RULE away AS ON INSERT TO summary DO INSTEAD NOTHING",
    "unchecked": "ALTER TABLE summary DISABLE TRIGGER ALL",
    "in another schema": "CREATE SCHEMA elsewhere; ALTER TABLE summary SET SCHEMA elsewhere",
}
"""Changes of the target by somebody else; each is told as `target_changed`."""

CONSTRAINED = {
    "a check that the rows break": ("ADD CONSTRAINT small CHECK (note < 'turn') NOT VALID", "constraint"),
    "a check that they keep": ("ADD CONSTRAINT there CHECK (note <> '')", "published"),
    "a unique key that they break": ("ADD CONSTRAINT once EXCLUDE (md5(note) WITH =)", "constraint"),
    "a key fewer": ("DROP CONSTRAINT summary_pkey CASCADE", "target_changed"),
}
"""Changes of the target's constraints, each with the result of a merge."""


def outcome(scene: PublishScene, turn: Turn) -> tuple[str, str]:
    """Publish; `published` or the refusal's kind, and its message."""
    try:
        scene.database.publish(turn.order, turn.snapshot)
    except PublishError as error:
        return error.kind, str(error)
    return "published", ""


def contents(scene: PublishScene) -> list[object]:
    """Every table that a publish could have touched, whatever it is called by now."""
    tables = scene.sql(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
        " relkind IN ('r', 'v') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
    )
    return [(name, sorted(map(repr, scene.sql(f"SELECT t FROM {name} AS t")))) for (name,) in tables]


@contextmanager
def held(scene: PublishScene, statement: str) -> Iterator[None]:
    """Hold locks in a transaction of somebody else's while the context lasts."""
    with psycopg.connect(scene.url) as holder:
        holder.execute(statement.encode())
        yield
        holder.rollback()


@pytest.mark.parametrize(
    ("mode", "places"), sampled([("overwrite", 2), *((mode, 9) for mode in MODES)], ("overwrite", 2))
)
def test_a_lock_is_not_waited_for_for_ever(postgres_url: str, mode: Mode, places: int, tally: Tally) -> None:
    """The refusal says that a lock was in the way; the target is as before, and later the publish succeeds."""
    with publish_scene(postgres_url, mode, rows=5, lock_timeout=1) as scene:
        for place, statement in list(LOCKED.items())[:places]:
            turn = scene.turn()
            with held(scene, statement.format(staging=turn.order.staging_table)):
                kind, message = outcome(scene, turn)
            # Rows that are added are in no writer's way.
            if (mode, place) == ("append", "the target, by a writer"):
                scene.published(turn)
                ok = kind == "published" and scene.state() == state_of(turn.after)
                tally.case(f"locked, {mode}", ok, f"{place}: {kind} {message}")
                continue
            as_before = scene.state() == state_of(turn.before) and scene.entries(turn) == 0
            told = kind == "transient" and "lock timeout" in message
            later = outcome(scene, turn)
            scene.published(turn)
            ok = told and as_before and later == ("published", "") and scene.state() == state_of(turn.after)
            tally.case(f"locked, {mode}", ok, f"{place}: {kind} {message}, then {later}")
    tally.check()


@pytest.mark.parametrize("mode", SAMPLED)
@pytest.mark.parametrize("change", sampled(ALTERED, "column dropped", "renamed"))
def test_an_altered_target_is_left(postgres_url: str, mode: Mode, change: str, tally: Tally) -> None:
    """It is told as `target_changed`, and no table is touched: neither the altered one nor what took its place."""
    with publish_scene(postgres_url, mode, rows=5) as scene:
        turn = scene.turn()
        scene.sql(ALTERED[change])
        before = contents(scene)
        kind, message = outcome(scene, turn)
        ok = kind == "target_changed" and "summary" in message and contents(scene) == before
        tally.case(f"altered, {mode}", ok, f"{change}: {kind} {message}")
    tally.check()


@pytest.mark.parametrize("change", ["renamed and made anew", "dropped and made anew"])
def test_a_table_made_anew_is_not_the_target(postgres_url: str, change: str, tally: Tally) -> None:
    """Also where nothing else tells it from the one that the run began with: its rows are not replaced."""
    with publish_scene(postgres_url, "overwrite", rows=5) as scene:
        scene.sql("DROP TABLE child")
        turn = scene.turn()
        scene.sql(ALTERED[change])
        before = contents(scene)
        kind, message = outcome(scene, turn)
        ok = kind == "target_changed" and contents(scene) == before
        tally.case("altered, overwrite", ok, f"{change}, not referenced: {kind} {message}")
    tally.check()


@pytest.mark.parametrize("case", sampled(CONSTRAINED, "a key fewer"))
def test_a_constraint_that_came_meanwhile_is_kept(postgres_url: str, case: str, tally: Tally) -> None:
    """PostgreSQL holds the rows to it: they are refused and the target is as before, or all of them are in it."""
    change, expected = CONSTRAINED[case]
    with publish_scene(postgres_url, "merge", rows=5) as scene:
        turn = scene.turn()
        scene.sql("UPDATE summary SET note = 'old ' || id")
        scene.sql(f"ALTER TABLE summary {change}")
        before = contents(scene)
        kind, message = outcome(scene, turn)
        untouched = contents(scene) == before
        merged = scene.sql(f"SELECT count(*) FROM summary WHERE note = 'turn {scene.turns}'")
        ok = kind == expected and (merged == [(len(turn.written),)] if kind == "published" else untouched)
        tally.case("constraints, merge", ok, f"{case}: {kind} {message}")
    tally.check()


@pytest.mark.parametrize("mode", SAMPLED)
def test_rows_that_came_twice_are_not_published(postgres_url: str, mode: Mode, tally: Tally) -> None:
    """A task that was tried again may have written its rows twice, or half: what differs from the report is refused."""
    spoilt = {
        "one row twice": "INSERT INTO {staging} SELECT * FROM {staging} LIMIT 1",
        "every row twice": "INSERT INTO {staging} SELECT * FROM {staging}",
        "a row fewer": "DELETE FROM {staging} WHERE id = (SELECT min(id) FROM {staging})",
        "no rows": "DELETE FROM {staging}",
    }
    with publish_scene(postgres_url, mode, rows=5) as scene:
        for case, statement in spoilt.items():
            turn = scene.turn()
            scene.sql(statement.format(staging=f"datamorph_staging.{turn.order.staging_table}"))
            kind, message = outcome(scene, turn)
            ok = kind == "row_count" and scene.state() == state_of(turn.before) and scene.entries(turn) == 0
            tally.case(f"rows that differ from the report, {mode}", ok, f"{case}: {kind} {message}")
    tally.check()


def test_a_swap_under_way_is_waited_for_and_seen(postgres_url: str, tally: Tally) -> None:
    """The table that somebody's open transaction puts into the target's place is left as it is."""
    swap = ALTERED["renamed and made anew"]
    with publish_scene(postgres_url, "overwrite", rows=5) as scene, psycopg.connect(postgres_url) as other:
        turn = scene.turn()
        other.execute(swap.encode())
        kind, message = outcome_while(scene, turn, other)
        same = scene.sql("SELECT count(*) FROM summary JOIN summary_before USING (id, note)") == [(20,)]
        tally.case("altered, overwrite", kind == "target_changed" and same, f"swap under way: {kind} {message}")
        assert scene.database.snapshot(request(), 0).target.oid != turn.snapshot.target.oid
    tally.check()


def outcome_while(scene: PublishScene, turn: Turn, other: psycopg.Connection[tuple[object, ...]]) -> tuple[str, str]:
    """Publish while somebody's transaction is open; it commits as soon as the publish waits for it."""

    def commit() -> None:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'summary_before'::regclass"
        for _ in range(400):
            if other.execute(waiting).fetchone() != (0,):
                break
            threading.Event().wait(0.01)
        other.commit()

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        return outcome(scene, turn)
    finally:
        thread.join()
