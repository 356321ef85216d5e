"""append and merge on a real PostgreSQL: what is added, what is replaced, and what leaves the target as it was."""

from __future__ import annotations

from typing import Any

import pytest

from agent.diagnosis.failures import diagnose_publish
from agent.errors import PublishError, UnavailableError
from agent.snapshot import SideRule
from tests.fixtures.postgres import as_role
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, request, rows, stage
from tools.database import PostgresDatabase

MERGE: dict[str, Any] = {"write_mode": "merge", "keys": ("id",)}


def staged(scene: Sql, values: str, columns: str = "id note") -> None:
    """Stage other rows."""
    scene(f"DROP TABLE datamorph_staging.{STAGED}")
    stage(scene, values, columns)


def test_append_adds_to_the_rows(scene: Sql, database: PostgresDatabase) -> None:
    """And does so once for a run, however often it is asked."""
    made = publish(database, order(write_mode="append"))
    assert (made.rows, rows(scene)) == (2, [*OLD, *NEW])
    assert publish(database, order(write_mode="append")).already
    assert rows(scene) == [*OLD, *NEW]


def test_append_of_a_restarted_run_is_refused(scene: Sql, database: PostgresDatabase) -> None:
    """Its rows are in the target; whoever wants them twice says so with another run_id."""
    scene("ALTER TABLE summary DROP CONSTRAINT summary_pkey")
    publish(database, order(write_mode="append"))
    with pytest.raises(PublishError, match="generation 1 of run r1 was published") as caught:
        publish(database, order(write_mode="append", generation=2))
    assert (caught.value.kind, rows(scene)) == ("run_id_taken", [*OLD, *NEW])
    assert publish(database, order(write_mode="append", run_id="r2")).rows == 2


def test_append_leaves_all_as_it_was_when_a_row_is_refused(scene: Sql, database: PostgresDatabase) -> None:
    """PostgreSQL's own error names the constraint."""
    staged(scene, "(7, 'new'), (2, 'new')")
    with pytest.raises(PublishError, match="summary_pkey") as caught:
        publish(database, order(write_mode="append"))
    assert (caught.value.kind, rows(scene)) == ("constraint", OLD)


def test_merge_replaces_rows_of_the_same_key_and_adds_the_others(scene: Sql, database: PostgresDatabase) -> None:
    """Rows whose key the result does not have stay."""
    staged(scene, "(2, 'new'), (7, 'new')")
    assert publish(database, order(**MERGE)).rows == 2
    assert rows(scene) == [(1, "old"), (2, "new"), (7, "new")]


def test_merge_leaves_columns_alone_that_the_result_does_not_have(scene: Sql, database: PostgresDatabase) -> None:
    """Rows that are there keep it; new ones take the default."""
    scene("ALTER TABLE summary ADD kept text DEFAULT 'd'; UPDATE summary SET kept = 'k'")
    staged(scene, "(2, 'new'), (7, 'new')")
    publish(database, order(**MERGE))
    assert rows(scene) == [(1, "old", "k"), (2, "new", "k"), (7, "new", "d")]


def test_merge_of_keys_alone_adds_what_is_missing(scene: Sql, database: PostgresDatabase) -> None:
    """There is nothing to replace."""
    scene("DROP TABLE summary; CREATE TABLE summary (id integer UNIQUE); INSERT INTO summary VALUES (1)")
    staged(scene, "(1), (7)", "id")
    assert publish(database, order(**MERGE, columns="id", column_types=("integer",))).rows == 2
    assert rows(scene) == [(1,), (7,)]


def test_merge_creates_a_missing_target_with_its_key(scene: Sql, database: PostgresDatabase) -> None:
    """So that the next run can merge into it."""
    scene("DROP TABLE summary")
    assert publish(database, order(**MERGE)).created
    assert database.snapshot(request(), 0).target.unique_keys == (("id",),)
    scene(f"UPDATE datamorph_staging.{STAGED} SET note = 'newer'")
    publish(database, order(**MERGE, run_id="r2"))
    assert rows(scene) == [(7, "newer"), (8, "newer")]


@pytest.mark.parametrize("mode", ["overwrite", "append", "merge"])
@pytest.mark.parametrize(
    ("values", "word", "failure_class"),
    [
        ("(7, 'a'), (7, 'secret')", r"the key \(id\) is not unique in the result: 1 rows", "unique_violation"),
        ("(7, 'a'), (NULL, 'secret'), (NULL, 'b')", r"the key \(id\) is NULL in 2 rows", "not_null_violation"),
    ],
)
def test_keys_identify_each_row_of_the_result(
    scene: Sql, database: PostgresDatabase, mode: str, values: str, word: str, failure_class: str
) -> None:
    """In every mode, where keys are given; the diagnosis knows it, and no value is told."""
    staged(scene, values)
    with pytest.raises(PublishError, match=word) as caught:
        publish(database, order(write_mode=mode, keys=("id",), expected_rows=values.count("(")))
    assert rows(scene) == OLD
    diagnosis = diagnose_publish(caught.value.kind, str(caught.value))
    assert (diagnosis["failure_class"], diagnosis["repairable_by"]) == (failure_class, "code")
    assert "secret" not in str(caught.value)


def test_a_key_that_the_result_lacks_stops_the_publish(scene: Sql, database: PostgresDatabase) -> None:
    """Also of a target that would have to be created."""
    for drop in ("", "DROP TABLE summary"):
        scene(drop) if drop else None
        with pytest.raises(PublishError, match="'code'") as caught:
            publish(database, order(write_mode="merge", keys=("code",)))
        assert caught.value.kind == "columns"


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_an_empty_result_changes_nothing(scene: Sql, database: PostgresDatabase, mode: str) -> None:
    """Nothing new today is no failure; only rows that are replaced would be lost."""
    scene(f"DELETE FROM datamorph_staging.{STAGED}")
    assert publish(database, order(write_mode=mode, keys=("id",), expected_rows=0)).rows == 0
    assert rows(scene) == OLD


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_foreign_keys_that_forbid_replacing_do_not_forbid_adding(
    scene: Sql, database: PostgresDatabase, mode: str
) -> None:
    """Nothing is deleted: rows that refer to the target stay."""
    scene("CREATE TABLE child (id integer REFERENCES summary ON DELETE CASCADE); INSERT INTO child VALUES (1)")
    publish(database, order(write_mode=mode, keys=("id",)))
    assert scene("SELECT * FROM child") == [(1,)]
    assert rows(scene) == [*OLD, *NEW]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_trigger_that_swallows_rows_stops_the_publish(scene: Sql, database: PostgresDatabase, mode: str) -> None:
    """Half of the rows is not committed."""
    body = "BEGIN IF NEW.id = 8 THEN RETURN NULL; END IF; RETURN NEW; END"
    scene(f"CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    scene("CREATE TRIGGER t BEFORE INSERT ON summary FOR EACH ROW EXECUTE FUNCTION swallow()")
    with pytest.raises(PublishError, match="1 of 2 rows"):
        publish(database, order(write_mode=mode, keys=("id",)))
    assert rows(scene) == OLD


def test_a_deferrable_key_merges_nothing(scene: Sql, database: PostgresDatabase) -> None:
    """PostgreSQL takes no row by it; the snapshot does not list it."""
    scene("ALTER TABLE summary DROP CONSTRAINT summary_pkey, ADD UNIQUE (id) DEFERRABLE")
    assert database.snapshot(request(), 0).target.unique_keys == ()


def test_rows_of_others_beside_appended_ones_are_asked_for(scene: Sql, database: PostgresDatabase) -> None:
    """Only after a publish that replaced all rows may the next one replace them unasked."""
    publish(database, order(write_mode="append"))
    assert not database.snapshot(request(), 0).target.published_before
    publish(database, order(run_id="r2"))
    assert database.snapshot(request(), 0).target.published_before


@pytest.mark.parametrize(
    ("mode", "granted", "missing"),
    [("append", "INSERT", None), ("merge", "INSERT", "UPDATE"), ("merge", "INSERT, UPDATE", None)]
    + [("overwrite", "INSERT", "DELETE")],
)
def test_a_mode_needs_no_more_rights_than_it_uses(
    scene: Sql, database: PostgresDatabase, postgres_url: str, mode: str, granted: str, missing: str | None
) -> None:
    """The missing one is named before anything is generated."""
    scene("DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'writer'")
    scene(f"GRANT SELECT ON orders, summary TO writer; GRANT {granted} ON summary TO writer")
    scene("GRANT USAGE, CREATE ON SCHEMA datamorph_staging TO writer")
    scene("GRANT SELECT, INSERT ON datamorph_staging.publishes TO writer")
    other = PostgresDatabase(as_role(postgres_url, "writer"))
    wanted = request({"name": "summary", "write_mode": mode, "keys": ["id"] if mode == "merge" else []})
    try:
        if missing is None:
            assert other.snapshot(wanted, 0).target.exists
        else:
            with pytest.raises(UnavailableError, match=f"{missing} on public.summary"):
                other.snapshot(wanted, 0)
    finally:
        scene("DROP OWNED BY writer; DROP ROLE writer")


def test_rows_of_keys_alone_that_a_trigger_takes_stop_the_publish(scene: Sql, database: PostgresDatabase) -> None:
    """Those that are there already are none of them."""
    scene("DROP TABLE summary; CREATE TABLE summary (id integer UNIQUE); INSERT INTO summary VALUES (1)")
    scene("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    scene("CREATE TRIGGER t BEFORE INSERT ON summary FOR EACH ROW EXECUTE FUNCTION swallow()")
    staged(scene, "(1), (7)", "id")
    with pytest.raises(PublishError, match="1 of 2 rows"):
        publish(database, order(**MERGE, columns="id", column_types=("integer",)))
    assert rows(scene) == [(1,)]


def test_rules_are_seen_before_anything_runs(scene: Sql, database: PostgresDatabase) -> None:
    """Those that lead rows elsewhere: for all modes, for append and merge could not notice it afterwards."""
    scene("CREATE TABLE elsewhere (id integer)")
    scene("CREATE RULE away AS ON INSERT TO summary DO INSTEAD INSERT INTO elsewhere VALUES (NEW.id)")
    scene("CREATE RULE also AS ON INSERT TO summary DO ALSO INSERT INTO elsewhere VALUES (NEW.id)")
    target = database.snapshot(request(), 0).target
    assert (target.rules, target.side_rules) == (("away",), (SideRule(name="also", event="insert"),))


def test_a_trigger_on_a_partition_is_seen(scene: Sql, database: PostgresDatabase) -> None:
    """It fires for the rows that publish writes into the partitioned table."""
    scene("DROP TABLE summary; CREATE TABLE summary (id integer, note text) PARTITION BY RANGE (id)")
    scene("CREATE TABLE part PARTITION OF summary FOR VALUES FROM (0) TO (99)")
    scene("CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    scene("CREATE TRIGGER below BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION pass()")
    scene("CREATE TRIGGER above AFTER INSERT ON summary FOR EACH ROW EXECUTE FUNCTION pass()")
    assert database.snapshot(request(), 0).target.triggers == ("above", "below")


def test_rows_of_an_earlier_publish_are_replaced_unasked(scene: Sql, database: PostgresDatabase) -> None:
    """They are ours; but not those of a table that took the name since."""
    publish(database, order())
    assert publish(database, order(run_id="r2", asked=False)).rows == 2
    scene("ALTER TABLE summary RENAME TO kept; CREATE TABLE summary (id integer PRIMARY KEY, note text)")
    scene("INSERT INTO summary VALUES (1, 'old'), (2, 'old')")
    assert not database.snapshot(request(), 0).target.published_before
    with pytest.raises(PublishError, match="rows that this tool did not write"):
        publish(database, order(run_id="r3", asked=False))
    assert rows(scene) == OLD


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_key_that_points_at_the_parent_of_a_partition_is_seen(
    scene: Sql, database: PostgresDatabase, action: str
) -> None:
    """Replacing the partition's rows would change the rows of others."""
    scene("DROP TABLE summary; CREATE TABLE parent (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id)")
    scene("CREATE TABLE summary PARTITION OF parent FOR VALUES FROM (0) TO (99); INSERT INTO summary VALUES (1, 'old')")
    scene(f"CREATE TABLE child (id integer REFERENCES parent ON DELETE {action}); INSERT INTO child VALUES (1)")
    seen = database.snapshot(request(), 0)
    assert [key.on_delete for key in seen.target.incoming_foreign_keys] == [action.lower()]
    with pytest.raises(PublishError, match="rows of summary cannot be replaced"):
        publish(database, order())
    assert scene("SELECT id FROM child") == [(1,)]


@pytest.mark.parametrize("name", ["datetime", "double", "string"])
def test_a_domain_rounds_no_times_whatever_its_name(scene: Sql, database: PostgresDatabase, name: str) -> None:
    """A domain counts as its base type, also where its name is an alias of another type."""
    scene(f"CREATE DOMAIN {name} AS timestamp(0); DROP TABLE summary; CREATE TABLE summary (id integer, note {name})")
    scene(f"DROP TABLE datamorph_staging.{STAGED}")
    stage(scene, "(7, timestamp '2024-01-01 00:00:00.6'), (8, NULL)")
    with pytest.raises(PublishError, match="note"):
        publish(database, order())


def test_rows_are_appended_beside_those_of_heirs(scene: Sql, database: PostgresDatabase) -> None:
    """They go into the target's own part; a table that inherits from the target keeps its rows."""
    scene("CREATE TABLE kid (more integer) INHERITS (summary); INSERT INTO kid VALUES (3, 'of the kid')")
    publish(database, order(write_mode="append"))
    assert rows(scene) == [*OLD, (3, "of the kid"), *NEW]
    assert scene("SELECT count(*) FROM kid") == [(1,)]
