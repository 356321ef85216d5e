from typing import Any

import pytest

from agent.diagnosis.failures import diagnose_publish
from agent.errors import PublishError
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, request, rows, stage
from tools.database import PostgresDatabase
from tools.records import Published

pytestmark = pytest.mark.postgres


def test_rows_are_replaced(scene: Sql, database: PostgresDatabase) -> None:
    """The staged rows stand in the target and the old ones are gone."""
    assert publish(database, order()) == Published(rows=2, created=False, already=False)
    assert rows(scene) == NEW


def test_grants_views_and_indexes_stay(scene: Sql, database: PostgresDatabase) -> None:
    """Objects that depend on the target still do after a publish, and show the new rows."""
    scene("CREATE VIEW notes AS SELECT note FROM summary; CREATE INDEX by_note ON summary (note)")
    scene(
        "DROP ROLE IF EXISTS reader_of_summary; CREATE ROLE reader_of_summary;"
        " GRANT SELECT ON summary TO reader_of_summary"
    )
    try:
        publish(database, order())
        assert scene("SELECT * FROM notes") == [("new",), ("new",)]
        assert scene("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_note'::regclass") == [(True,)]
        scene("SET enable_seqscan = off")
        assert "by_note" in str(scene("EXPLAIN SELECT * FROM summary WHERE note = 'new'"))
        scene("SET ROLE reader_of_summary")
        assert rows(scene) == NEW
    finally:
        scene("RESET ROLE; DROP OWNED BY reader_of_summary; DROP ROLE reader_of_summary")


def test_a_second_publish_does_nothing(scene: Sql, database: PostgresDatabase) -> None:
    """The same run and generation is published once, even when its staging table is gone by then."""
    publish(database, order())
    scene(f"DROP TABLE datamorph_staging.{STAGED}; UPDATE summary SET note = 'edited'")
    assert publish(database, order()) == Published(rows=2, created=False, already=True)
    assert rows(scene) == [(7, "edited"), (8, "edited")]


def test_a_missing_target_is_created(scene: Sql, database: PostgresDatabase) -> None:
    """A target that does not exist is made with the order's columns and types."""
    made = publish(database, order(target="Fresh Table", column_types=("bigint", "varchar(5)")))
    assert made == Published(rows=2, created=True, already=False, columns=("id bigint", "note character varying(5)"))
    assert scene('SELECT id, note, pg_typeof(id)::text FROM "Fresh Table" ORDER BY 1')[0] == (7, "new", "bigint")


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ({"expected_rows": 3}, "row_count", "holds 2 rows"),
        ({"columns": "id"}, "columns", "'note'"),
        ({"columns": "id nte"}, "columns", "'nte'"),
        ({"staging_table": "s_20260101_000000000000_000000000000"}, "columns", "no staging table"),
    ],
)
def test_the_audit_stops_a_wrong_staging(
    scene: Sql, database: PostgresDatabase, change: dict[str, Any], kind: str, word: str
) -> None:
    """Staging that is not what the job reported is not published."""
    with pytest.raises(PublishError, match=word) as caught:
        publish(database, order(**change))
    assert (caught.value.kind, rows(scene)) == (kind, OLD)


def test_an_empty_result_needs_leave(scene: Sql, database: PostgresDatabase) -> None:
    """No rows replace the old ones only with `allow_empty`."""
    scene(f"DELETE FROM datamorph_staging.{STAGED}")
    with pytest.raises(PublishError) as caught:
        publish(database, order(expected_rows=0))
    assert (caught.value.kind, rows(scene)) == ("empty_result", OLD)
    publish(database, order(expected_rows=0, allow_empty=True))
    assert rows(scene) == []


@pytest.mark.parametrize(
    ("definition", "values", "word"),
    [
        ("id integer, note text NOT NULL", "(7, 'new'), (8, NULL)", '"note"'),
        ("id integer PRIMARY KEY, note text", "(7, 'new'), (7, 'secret')", "summary_pkey"),
        ("id integer CONSTRAINT small CHECK (id < 8), note text", "(7, 'new'), (8, 'secret')", "small"),
        ("id integer REFERENCES parents, note text", "(7, 'new'), (8, 'secret')", "summary_id_fkey"),
        ("id integer REFERENCES parents DEFERRABLE INITIALLY DEFERRED, note text", "(7, 'a'), (8, 'b')", "id_fkey"),
        ("id integer, note varchar(3)", "(7, 'new'), (8, 'secret')", r"'note': 1 values are longer"),
        ("id integer, note char(3)", "(7, 'new'), (8, 'secret')", r"'note': 1 values are longer"),
        ("id numeric(5,2), note text", "(7, 'new'), (8888, 'secret')", r"'id': not every value fits numeric\(5,2\)"),
        ("id smallint, note text", "(7, 'new'), (88888, 'secret')", r"'id': not every value fits smallint"),
        ("id integer, note integer", "(7, '1'), (8, 'secret')", r"'note': not every value fits integer"),
    ],
)
def test_refused_rows_name_the_place_and_leave_the_target(
    scene: Sql, database: PostgresDatabase, definition: str, values: str, word: str
) -> None:
    """PostgreSQL's refusal is told by constraint or column, never by value, and the old rows stay."""
    scene("CREATE TABLE parents (id integer PRIMARY KEY); INSERT INTO parents VALUES (1), (7)")
    scene(f"DROP TABLE summary; CREATE TABLE summary ({definition}); INSERT INTO summary VALUES (1, '1')")
    scene(f"DROP TABLE datamorph_staging.{STAGED}")
    stage(scene, values)
    before = rows(scene)
    with pytest.raises(PublishError, match=word) as caught:
        publish(database, order())
    assert caught.value.kind == "constraint"
    assert "secret" not in str(caught.value)
    assert "8888" not in str(caught.value)
    assert rows(scene) == before


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("ALTER TABLE summary ADD extra integer", "'extra'"),
        ("ALTER TABLE summary ALTER note TYPE varchar(9)", "'note'"),
        ("CREATE TABLE child (id integer REFERENCES summary DEFERRABLE)", "foreign keys"),
        ("DROP TABLE summary", "gone"),
        ("DROP TABLE summary; CREATE SCHEMA s; CREATE TABLE s.summary (id integer, note text);"
         "ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path = s", "not the table"),
    ],
)  # fmt: skip
def test_a_target_that_changed_is_left(scene: Sql, database: PostgresDatabase, change: str, word: str) -> None:
    """A target that is not as in the snapshot is not touched."""
    seen = database.snapshot(request(), 0)
    scene(change.format(scene.connection.info.dbname))
    with pytest.raises(PublishError, match=word) as caught:
        database.publish(order(), seen)
    assert caught.value.kind == "target_changed"


def test_a_target_made_meanwhile_is_left(scene: Sql, database: PostgresDatabase) -> None:
    """A target that was missing in the snapshot and exists now is not filled."""
    seen = database.snapshot(request("later"), 0)
    scene("CREATE TABLE later (id integer, note text)")
    with pytest.raises(PublishError) as caught:
        database.publish(order(target="later"), seen)
    assert caught.value.kind == "target_changed"


def test_identity_and_generated_columns(scene: Sql, database: PostgresDatabase) -> None:
    """A supplied identity column keeps its values, and a generated column is left to PostgreSQL."""
    scene(
        "DROP TABLE summary; CREATE TABLE summary (id integer GENERATED ALWAYS AS IDENTITY, note text,"
        " loud text GENERATED ALWAYS AS (upper(note)) STORED)"
    )
    publish(database, order())
    assert rows(scene) == [(7, "new", "NEW"), (8, "new", "NEW")]


def test_a_column_that_is_not_supplied_takes_its_default(scene: Sql, database: PostgresDatabase) -> None:
    """Columns are named in the INSERT: their order in the target does not matter, and others get their default."""
    scene("DROP TABLE summary; CREATE TABLE summary (loaded boolean DEFAULT true, note text, id bigint)")
    publish(database, order())
    assert rows(scene) == [(True, "new", 7), (True, "new", 8)]


def test_staged_timestamps_are_utc(scene: Sql, database: PostgresDatabase) -> None:
    """A timestamp with time zone gets the staged wall clock as UTC, whatever the server's zone is."""
    scene(f"ALTER DATABASE {scene.connection.info.dbname} SET timezone = 'America/New_York'")
    scene(f"DROP TABLE summary; DROP TABLE datamorph_staging.{STAGED}; CREATE TABLE summary (id timestamptz)")
    stage(scene, "(timestamp '2024-07-01 12:00')", "id")
    publish(database, order(columns="id", expected_rows=1))
    assert scene("SELECT id AT TIME ZONE 'UTC' = timestamp '2024-07-01 12:00' FROM summary") == [(True,)]


@pytest.mark.parametrize(("kept", "fine"), [((7,), True), ((1,), False)])
def test_deferrable_foreign_keys_are_checked_at_the_end(
    scene: Sql, database: PostgresDatabase, kept: tuple[int], fine: bool
) -> None:
    """A child whose parent comes back lets the rows be replaced; one whose parent is gone does not."""
    scene("INSERT INTO summary VALUES (7, 'old')")
    scene("CREATE TABLE child (id integer REFERENCES summary DEFERRABLE INITIALLY IMMEDIATE)")
    scene(f"INSERT INTO child VALUES ({kept[0]})")
    if fine:
        publish(database, order())
        assert rows(scene) == NEW
    else:
        with pytest.raises(PublishError, match="child_id_fkey"):
            publish(database, order())
        assert rows(scene) == [*OLD, (7, "old")]
    assert scene("SELECT * FROM child") == [kept]


def test_a_cascading_foreign_key_is_never_fired(scene: Sql, database: PostgresDatabase) -> None:
    """Publish itself refuses to empty a child, even if `prepare` had let the target pass."""
    scene("CREATE TABLE child (id integer REFERENCES summary ON DELETE CASCADE); INSERT INTO child VALUES (1)")
    with pytest.raises(PublishError, match="child_id_fkey"):
        publish(database, order())
    assert (rows(scene), scene("SELECT * FROM child")) == (OLD, [(1,)])


def test_a_partitioned_table_is_replaced_whole(scene: Sql, database: PostgresDatabase) -> None:
    """Its partitions are no tables of their own, as those that inherit from a table are."""
    scene("DROP TABLE summary; CREATE TABLE summary (id integer, note text) PARTITION BY RANGE (id)")
    scene("CREATE TABLE low PARTITION OF summary FOR VALUES FROM (0) TO (8)")
    scene("CREATE TABLE high PARTITION OF summary DEFAULT; INSERT INTO summary VALUES (1, 'old'), (9, 'old')")
    assert database.snapshot(request(), 0).target.heirs == ()
    publish(database, order())
    assert rows(scene) == NEW


@pytest.mark.parametrize(("event", "word"), [("DELETE", "old rows"), ("INSERT", "0 of 2 rows")])
def test_a_trigger_that_swallows_rows_stops_the_publish(
    scene: Sql, database: PostgresDatabase, event: str, word: str
) -> None:
    """Neither a mix of old and new rows nor a part of the new ones is committed."""
    scene("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    scene(f"CREATE TRIGGER t BEFORE {event} ON summary FOR EACH ROW EXECUTE FUNCTION swallow()")
    with pytest.raises(PublishError, match=word):
        publish(database, order())
    assert rows(scene) == OLD


@pytest.mark.parametrize("kind", ["timestamp(0)", "timestamptz(3)", "time(1)"])
def test_times_are_not_rounded(scene: Sql, database: PostgresDatabase, kind: str) -> None:
    """A value that a narrower type of the target would round stops the publish; one that fits does not."""
    scene(f"DROP TABLE summary; CREATE TABLE summary (id integer, note {kind})")
    for fraction in (".123456", ""):
        scene(f"DROP TABLE datamorph_staging.{STAGED}")
        stage(scene, f"(1, timestamp '1970-01-01 08:30:15{fraction}'), (2, NULL)")
        if fraction:
            with pytest.raises(PublishError, match="column note: 1 values do not fit time") as caught:
                publish(database, order())
            diagnosis = diagnose_publish(caught.value.kind, str(caught.value))
            assert (diagnosis["failure_class"], diagnosis["repairable_by"]) == ("value_does_not_fit", "code")
            assert rows(scene) == []
        else:
            assert publish(database, order()).rows == 2


def test_an_unreachable_server_is_transient(scene: Sql, database: PostgresDatabase) -> None:
    """A publish that cannot connect is to be tried again."""
    seen = database.snapshot(request(), 0)
    with pytest.raises(PublishError) as caught:
        PostgresDatabase("postgresql://u@127.0.0.1:1/d").publish(order(), seen)
    assert caught.value.kind == "transient"
