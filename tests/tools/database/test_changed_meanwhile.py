"""Changes of the target beside a publish, or before it, that would lead rows elsewhere or lose some."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from agent.errors import PublishError
from agent.names import RunKey
from agent.target_checks import refusals
from tests.fixtures.postgres import as_role
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, request, rows, stage
from tools.database import PostgresDatabase, write_modes
from tools.database.connection import Connection
from tools.database.snapshot_query import place_for
from tools.records import Published

pytestmark = pytest.mark.postgres

MODES: list[dict[str, Any]] = [
    {"write_mode": "overwrite"},
    {"write_mode": "append"},
    {"write_mode": "merge", "keys": ("id",)},
]
SWAP = "BEGIN; ALTER SCHEMA live RENAME TO blue; ALTER SCHEMA green RENAME TO live; COMMIT"


@pytest.mark.parametrize(
    ("mode", "moment"),
    [(MODES[0], "_delete_all"), *((mode, "audit_precision") for mode in MODES)],
    ids=["overwrite, between its statements", "overwrite", "append", "merge"],
)
def test_schemas_that_change_places_get_nobody_s_rows(
    scene: Sql, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, mode: dict[str, Any], moment: str
) -> None:
    """Blue takes the place of green while the publish is under way: no lock on the tables keeps that back."""
    for name, row in (("live", "(1, 'old')"), ("green", "(5, 'theirs')")):
        scene(f"CREATE SCHEMA {name}; CREATE TABLE {name}.summary (id integer PRIMARY KEY, note text)")
        scene(f"INSERT INTO {name}.summary VALUES {row}")
    asked = order(target="live.summary", **mode)
    seen = database.snapshot(request("live.summary"), 0)
    before = getattr(write_modes, moment)

    def swapped(*given: Any) -> None:
        before(*given)
        scene(SWAP)

    monkeypatch.setattr(write_modes, moment, swapped)
    with pytest.raises(PublishError, match="replaced while its rows were written") as caught:
        database.publish(asked, seen)
    assert caught.value.kind == "target_changed"
    assert scene("SELECT * FROM blue.summary") == [(1, "old")]
    assert scene("SELECT * FROM live.summary") == [(5, "theirs")]


CHILD = "CREATE TABLE child (id integer REFERENCES summary DEFERRABLE); INSERT INTO child VALUES (1)"
RULE = "CREATE RULE away AS ON INSERT TO summary DO"
OFF = "ALTER TABLE summary DISABLE TRIGGER ALL"


@pytest.mark.parametrize(
    ("before", "done", "mode", "word"),
    [
        *(("", f"{RULE} INSTEAD NOTHING", mode, "rule 'away' leads what is written to summary") for mode in MODES),
        *((CHILD, OFF, mode, "'child_id_fkey' would not be checked") for mode in MODES),
        ("", CHILD.replace("DEFERRABLE", ""), MODES[0], "foreign key 'child_id_fkey' of public.child"),
        ("", f"{RULE} ALSO SELECT 1", MODES[2], "PostgreSQL cannot merge where INSERT or UPDATE has a rule, as 'away'"),
        *(("", "CREATE TABLE kid () INHERITS (summary)", MODES[n], "is inherited by public.kid") for n in (0, 2)),
        ("DELETE FROM summary", "INSERT INTO summary VALUES (1, 'old'), (2, 'old')", {}, "rows that this tool did not"),
    ],
)
def test_publish_refuses_what_prepare_refuses(
    scene: Sql, database: PostgresDatabase, before: str, done: str, mode: dict[str, Any], word: str
) -> None:
    """In the same words, whether it is in the snapshot or came since; a foreign key that came is a change as such."""
    scene(before)
    earlier = database.snapshot(request(), 0)
    scene(done)
    wanted = request({"name": "summary", **mode})
    later = database.snapshot(wanted, 0)
    [problem] = refusals(wanted, later)
    assert word in problem.message
    for seen in (earlier, later):
        with pytest.raises(PublishError) as caught:
            database.publish(order(**mode, asked=bool(mode)), seen)
        same = f"{problem.path}: {problem.message} (this came since the run began)"
        told = {same, "the foreign keys that point at summary changed" if "key" in word else ""}
        assert (caught.value.kind, str(caught.value) in told) == ("target_changed", True)
    assert rows(scene) == OLD


@pytest.mark.parametrize("mode", [MODES[0], MODES[2]], ids=["overwrite", "merge"])
@pytest.mark.parametrize("deferred", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_rows_that_a_trigger_takes_away_afterwards_are_missed(
    scene: Sql, database: PostgresDatabase, mode: dict[str, Any], deferred: str
) -> None:
    """At once, or where COMMIT would have set it off."""
    scene(
        "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN DELETE FROM summary WHERE id = NEW.id AND id = 7; RETURN NULL; END'"
    )
    constraint = "CONSTRAINT" if deferred else ""
    scene(f"CREATE {constraint} TRIGGER t AFTER INSERT ON summary {deferred} FOR EACH ROW EXECUTE FUNCTION take()")
    with pytest.raises(PublishError, match="1 of 2 rows reached") as caught:
        publish(database, order(**mode))
    assert (caught.value.kind, rows(scene)) == ("constraint", OLD)


def test_append_needs_the_rights_to_read_and_insert_alone(scene: Sql, postgres_url: str) -> None:
    """It waits for no writer."""
    role = f"adds_{scene.connection.info.dbname}"
    scene(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT SELECT ON orders TO {role}")
    scene(f"GRANT SELECT, INSERT ON summary TO {role}")
    scene(f"GRANT USAGE, CREATE ON SCHEMA datamorph_staging TO {role}")
    scene(f"GRANT SELECT, INSERT ON datamorph_staging.publishes TO {role}")
    scene(f"ALTER TABLE datamorph_staging.{STAGED} OWNER TO {role}")
    try:
        adds = PostgresDatabase(as_role(postgres_url, role), lock_timeout=1)
        seen = adds.snapshot(request({"name": "summary", "write_mode": "append"}), 0)
        with psycopg.connect(postgres_url) as writer:
            writer.execute("UPDATE summary SET note = 'theirs' WHERE id = 1")
            assert adds.publish(order(write_mode="append"), seen).rows == 2
        assert rows(scene) == [(1, "theirs"), OLD[1], *NEW]
    finally:
        scene(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_nothing_comes_into_staging_once_it_is_looked_at(
    scene: Sql, database: PostgresDatabase, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task of Spark's that is late waits for the end of the publish, and its row is never counted as published."""
    before = write_modes.audit_keys

    def late(*given: Any) -> None:
        before(*given)
        with psycopg.connect(postgres_url, options="-c lock_timeout=100") as task:
            task.execute(f"INSERT INTO datamorph_staging.{STAGED} VALUES (9, 'late')")

    monkeypatch.setattr(write_modes, "audit_keys", late)
    with pytest.raises(PublishError, match="lock timeout") as caught:
        publish(database, order())
    assert (caught.value.kind, rows(scene)) == ("transient", OLD)
    monkeypatch.undo()
    publish(database, order())
    assert rows(scene) == NEW


def test_a_target_that_somebody_makes_meanwhile_is_told(
    scene: Sql, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is not run again for it: no other code would help."""
    seen = database.snapshot(request("fresh"), 0)

    def made(connection: Connection, name: str) -> str:
        told = place_for(connection, name)
        scene("CREATE TABLE fresh (id integer, note text)")
        return told

    monkeypatch.setattr("tools.database.publish_transaction.place_for", made)
    with pytest.raises(PublishError, match="already exists") as caught:
        database.publish(order(target="fresh"), seen)
    assert caught.value.kind == "target_changed"


def test_what_was_created_is_told_again(scene: Sql, database: PostgresDatabase) -> None:
    """By whoever finds the publish done, because the one that did it died before it could tell."""
    seen = database.snapshot(request("fresh"), 0)
    first = database.publish(order(target="fresh"), seen)
    assert first.columns == ("id integer", "note text")
    assert database.publish(order(target="fresh"), seen) == Published(2, True, True, first.columns)


def test_partitions_on_another_server_are_refused(scene: Sql, database: PostgresDatabase) -> None:
    """Rows there are committed there, whatever becomes of the rest."""
    scene("CREATE FOREIGN DATA WRAPPER far_away; CREATE SERVER far FOREIGN DATA WRAPPER far_away")
    scene("CREATE TABLE wide (id integer, note text) PARTITION BY RANGE (id)")
    scene("CREATE FOREIGN TABLE part PARTITION OF wide FOR VALUES FROM (0) TO (99) SERVER far")
    [problem] = refusals(request("wide"), database.snapshot(request("wide"), 0))
    assert "partitions on another server, public.part, which commit by themselves" in problem.message
    with pytest.raises(PublishError, match=r"partitions on another server, public\.part"):
        publish(database, order(target="wide"))


def test_a_cancel_counts_on_a_database_that_is_read_only_by_default(scene: Sql, database: PostgresDatabase) -> None:
    """A worker that sleeps meanwhile may wake up when that is over."""
    name = scene.connection.info.dbname
    scene(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert database.withdraw(RunKey("r1", 1), "cancelled")
    scene(f"SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(PublishError, match="was cancelled before it could be published"):
        publish(database, order())
    assert rows(scene) == OLD


def test_a_column_that_no_merge_may_change_is_refused(scene: Sql, database: PostgresDatabase) -> None:
    """GENERATED ALWAYS AS IDENTITY, beside the keys; as a key it may be given."""
    scene("CREATE TABLE numbered (code text PRIMARY KEY, id integer UNIQUE GENERATED ALWAYS AS IDENTITY)")
    for keys, told in ((["code"], 1), (["id"], 0)):
        wanted = request({"name": "numbered", "write_mode": "merge", "keys": keys, "columns": ["code", "id"]})
        found = refusals(wanted, database.snapshot(wanted, 0))
        assert [problem.path for problem in found] == ["specs.target_table.columns[1].name"] * told


def test_staged_rows_of_an_identity_key_are_merged(scene: Sql, database: PostgresDatabase) -> None:
    """Those that are there keep their number."""
    scene("DROP TABLE summary; CREATE TABLE summary (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, note text)")
    scene(f"INSERT INTO summary OVERRIDING SYSTEM VALUE VALUES (7, 'old'); DROP TABLE datamorph_staging.{STAGED}")
    stage(scene, "(7, 'new'), (8, 'new')")
    publish(database, order(write_mode="merge", keys=("id",)))
    assert rows(scene) == NEW
