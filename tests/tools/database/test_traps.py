"""Traps that a job's role can leave under its staging name for the publisher: each is refused, unread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from agent.errors import PublishError
from tests.fixtures.postgres import Users
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, rows
from tools.database import PostgresDatabase, staging_table
from tools.database.connection import Connection
from tools.records import PublishOrder

pytestmark = pytest.mark.postgres

TABLE = f"datamorph_staging.{STAGED}"
ROWS = "(VALUES (7, 'new'), (8, 'new')) AS v(id, note)"
PLAIN = f"CREATE TABLE {TABLE} (id integer, note text); INSERT INTO {TABLE} SELECT * FROM {ROWS}"

SPRING = """
SET search_path = datamorph_staging;
CREATE SEQUENCE sprung;
CREATE FUNCTION spring(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('datamorph_staging.sprung'); RETURN t; END $$;
CREATE FUNCTION spring_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('datamorph_staging.sprung'); RETURN NEW; END $$;
"""
"""A sequence keeps what a transaction did that was rolled back."""

OWN_TYPE = """
CREATE FUNCTION told(m mood) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RETURN datamorph_staging.spring('new'); END $$"""

SPRINGING = {
    "view": f"CREATE VIEW {TABLE} AS SELECT id, spring(note) AS note FROM {ROWS}",
    "enum with a cast": "CREATE TYPE mood AS ENUM ('new');"
    f"{OWN_TYPE}; CREATE CAST (mood AS text) WITH FUNCTION told(mood);"
    f"CREATE TABLE {TABLE} AS SELECT id, note::mood FROM {ROWS}",
    "composite with a cast": "CREATE TYPE mood AS (a text);"
    f"{OWN_TYPE}; CREATE CAST (mood AS text) WITH FUNCTION told(mood);"
    f"CREATE TABLE {TABLE} AS SELECT id, ROW(note)::mood AS note FROM {ROWS}",
    "partial index": f"{PLAIN}; CREATE INDEX i ON {TABLE} (id) WHERE spring('x') = 'x'",
}
"""Run by the publisher if it reads them."""
OTHERS = {
    "materialized view": f"CREATE MATERIALIZED VIEW {TABLE} AS SELECT * FROM {ROWS}",
    "foreign table": f"CREATE FOREIGN TABLE {TABLE} (id integer, note text) SERVER elsewhere",
    "partitioned table": f"CREATE TABLE {TABLE} (id integer, note text) PARTITION BY LIST (spring(note))",
    "partition": "CREATE TABLE whole (id integer, note text) PARTITION BY LIST (spring(note));"
    f"CREATE TABLE {TABLE} PARTITION OF whole DEFAULT",
    "child of an inheritance": f"CREATE TABLE parent (id integer); CREATE TABLE {TABLE} (note text) INHERITS (parent)",
    "parent of an inheritance": f"{PLAIN}; CREATE TABLE child () INHERITS ({TABLE})",
    "rule": f"{PLAIN}; CREATE RULE r AS ON INSERT TO {TABLE} DO ALSO SELECT spring('x')",
    "policy": f"{PLAIN}; ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY p ON {TABLE} USING (spring(note) = note)",
    "forced row security": f"{PLAIN}; ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY",
    "trigger": f"{PLAIN}; CREATE TRIGGER t BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION spring_row()",
    "domain": "CREATE DOMAIN checked AS text CHECK (spring(VALUE) = VALUE);"
    f"CREATE TABLE {TABLE} (id integer, note checked)",
    "array of an enum": f"CREATE TYPE mood AS ENUM ('new'); CREATE TABLE {TABLE} (id integer, note mood[])",
    "virtual generated column": f"CREATE TABLE {TABLE} (id integer, note text GENERATED ALWAYS AS ('new') VIRTUAL)",
    "stored generated column": f"CREATE TABLE {TABLE} (id integer, note text GENERATED ALWAYS AS (spring('x')) STORED)",
    "default": f"CREATE TABLE {TABLE} (id integer, note text DEFAULT spring('x'))",
    "identity": f"CREATE TABLE {TABLE} (id integer GENERATED ALWAYS AS IDENTITY, note text)",
    "index on an expression": f"{PLAIN}; CREATE INDEX i ON {TABLE} (spring(note))",
    "primary key": f"CREATE TABLE {TABLE} (id integer PRIMARY KEY, note text)",
    "check": f"{PLAIN}; ALTER TABLE {TABLE} ADD CHECK (spring(note) = note)",
    "statistics": f"{PLAIN}; CREATE STATISTICS s ON (spring(note)), id FROM {TABLE}",
    "collation": "CREATE COLLATION folded (provider = builtin, locale = 'C');"
    f"CREATE TABLE {TABLE} (id integer, note text COLLATE folded)",
    "sequence": f"CREATE SEQUENCE {TABLE}",
}


@dataclass(frozen=True)
class Trapped:
    """A target with two old rows, and a job that can leave what it likes."""

    publisher: Sql
    job: Sql
    database: PostgresDatabase

    def leave(self, trap: str) -> None:
        """Let the job leave a trap, which has not sprung so far."""
        self.job(SPRING)
        self.job(trap)
        self.job("SELECT setval('datamorph_staging.sprung', 1, false)")

    @property
    def sprung(self) -> bool:
        """Whether anybody ran the job's function."""
        return bool(self.job("SELECT is_called FROM datamorph_staging.sprung")[0][0])

    def refused(self, what: PublishOrder) -> str:
        """Publish, which is to be refused for what staging is; return the words."""
        with pytest.raises(PublishError) as caught:
            publish(self.database, what)
        assert caught.value.kind == "staging_not_plain", str(caught.value)
        return str(caught.value)


@pytest.fixture
def trapped(users: Users) -> Iterator[Trapped]:
    """Make source and target as the publisher, and let the job in."""
    admin = Sql(psycopg.connect(users.admin, autocommit=True))
    admin("CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing")
    admin(f"GRANT USAGE ON FOREIGN SERVER elsewhere TO {users.job_role}")
    with (
        admin.connection,
        psycopg.connect(users.publisher, autocommit=True) as publisher,
        psycopg.connect(users.jobs, autocommit=True) as job,
    ):
        database = PostgresDatabase(users.publisher, lock_timeout=3, job_role=users.job_role)
        database.prepare_staging()
        scene = Trapped(Sql(publisher), Sql(job), database)
        scene.publisher("CREATE TABLE orders (id integer); CREATE TABLE summary (id integer, note text)")
        scene.publisher(f"GRANT SELECT ON orders TO {users.job_role}")
        scene.publisher("INSERT INTO summary VALUES (1, 'old'), (2, 'old')")
        yield scene
        admin("DROP SERVER elsewhere CASCADE; DROP FOREIGN DATA WRAPPER nothing")


def test_a_plain_table_of_the_job_is_published(trapped: Trapped) -> None:
    """The job writes it, the publisher reads and drops it, and the job can do neither to the ledger."""
    trapped.job(PLAIN)
    publish(trapped.database, order())
    assert rows(trapped.publisher) == NEW
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        trapped.job("DELETE FROM datamorph_staging.publishes")
    assert (trapped.database.drop_staging(STAGED), trapped.database.staging_tables()) == (1, [])


@pytest.mark.parametrize("trap", [*SPRINGING, *OTHERS])
def test_a_trap_is_refused_unread(trapped: Trapped, trap: str) -> None:
    """The target is as it was, the job's function was never run, and the sweep can put the trap away."""
    trapped.leave((SPRINGING | OTHERS)[trap])
    assert "not a plain table" in trapped.refused(order())
    assert (rows(trapped.publisher), trapped.sprung) == (OLD, False)
    trapped.job("DROP TABLE IF EXISTS datamorph_staging.child")
    assert (trapped.database.drop_staging(STAGED), trapped.database.staging_tables()) == (1, [])


@pytest.mark.parametrize("trap", SPRINGING)
def test_the_traps_are_real(trapped: Trapped, trap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look at the catalogue the publisher runs the job's function."""
    monkeypatch.setattr(staging_table, "_LOOK", "SELECT '', '' WHERE %(oid)s::oid IS NULL")
    monkeypatch.setattr(staging_table, "_KINDS", {})
    plain = staging_table._demand_plain

    def unless_view(connection: Connection, table: str, job_role: str | None) -> int:
        if trap != "view":
            return plain(connection, table, job_role)
        row = connection.execute("SELECT %s::regclass::oid", (f"datamorph_staging.{table}",)).fetchone()
        return int(row[0]) if row else 0

    monkeypatch.setattr(staging_table, "_demand_plain", unless_view)
    trapped.leave(SPRINGING[trap])
    publish(trapped.database, order())
    assert trapped.sprung


def test_a_misfit_is_not_looked_for_in_a_trap(trapped: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look for the column that does not fit comes in a session of its own, and is behind the same guard."""
    trapped.publisher("DELETE FROM summary; ALTER TABLE summary ALTER note TYPE varchar(2)")
    trapped.job(PLAIN)
    looked = staging_table.lock

    def swapped(connection: Connection, table: str, job_role: str | None) -> staging_table.Staged:
        found = looked(connection, table, job_role)
        monkeypatch.setattr(staging_table, "lock", then)
        return found

    def then(connection: Connection, table: str, job_role: str | None) -> staging_table.Staged:
        trapped.leave(f"DROP TABLE {TABLE}; {SPRINGING['view']}")
        return looked(connection, table, job_role)

    monkeypatch.setattr(staging_table, "lock", swapped)
    with pytest.raises(PublishError, match="value too long"):
        publish(trapped.database, order())
    assert not trapped.sprung


@pytest.mark.parametrize("trap", ["view", "foreign table", "enum with a cast"])
def test_a_swap_between_look_and_lock_is_seen(trapped: Trapped, users: Users, trap: str) -> None:
    """The publish waits for the lock, the job swaps the table away and commits, and what was locked is looked at."""
    trapped.leave(PLAIN)
    with psycopg.connect(users.jobs) as swapper, psycopg.connect(users.admin, autocommit=True) as watcher:
        swapper.execute("SET search_path = datamorph_staging")
        swapper.execute(f"DROP TABLE {TABLE}")
        swapper.execute((SPRINGING | OTHERS)[trap].encode())

        def commit() -> None:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'"
            for _ in range(200):
                if watcher.execute(waiting).fetchone() != (0,):
                    break
                threading.Event().wait(0.01)
            swapper.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        try:
            trapped.refused(order())
        finally:
            thread.join()
    assert (rows(trapped.publisher), trapped.sprung) == (OLD, False)


def test_a_table_of_another_role_is_refused(trapped: Trapped) -> None:
    """The message names its owner and the role that jobs run as."""
    trapped.publisher(PLAIN)
    assert "_publisher, and jobs run as" in trapped.refused(order())
    assert rows(trapped.publisher) == OLD


def test_with_one_user_the_publishers_own_table_is_published(trapped: Trapped, users: Users) -> None:
    """Where no role is named for the jobs, staging of any role whose rights the publisher has will do."""
    one = PostgresDatabase(users.publisher)
    trapped.publisher(PLAIN)
    publish(one, order())
    trapped.publisher(f"DROP TABLE {TABLE}")
    trapped.job(PLAIN)
    assert publish(one, order(run_id="r2")).rows == 2
    trapped.leave(f"DROP TABLE {TABLE}; {SPRINGING['view']}")
    with pytest.raises(PublishError, match="it is a view"):
        publish(one, order(run_id="r3"))


def test_the_targets_triggers_keep_their_search_path(trapped: Trapped) -> None:
    """A trigger, a default and a deferred constraint trigger that name functions and an enum without a schema work."""
    trapped.publisher(
        "CREATE TYPE mood AS ENUM ('new', 'old');"
        "CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql RETURN upper(t);"
        "CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.loud := shout(NEW.note::mood::text); RETURN NEW; END';"
        "DROP TABLE summary;"
        "CREATE TABLE summary (id integer UNIQUE, note mood, loud text, set text DEFAULT shout('x'));"
        "CREATE TRIGGER t BEFORE INSERT ON summary FOR EACH ROW EXECUTE FUNCTION louder();"
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON summary INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION louder()"
    )
    trapped.job(PLAIN)
    publish(trapped.database, order())
    assert rows(trapped.publisher) == [(7, "new", "NEW", "X"), (8, "new", "NEW", "X")]
    trapped.job(f"UPDATE {TABLE} SET note = 'odd'")
    with pytest.raises(PublishError, match=r"invalid input value for enum.*'note': not every value fits enum mood"):
        publish(trapped.database, order(run_id="r2", write_mode="merge", keys=("id",)))


def test_names_on_the_publishers_search_path_are_not_run(trapped: Trapped, users: Users) -> None:
    """An operator that a job made in `public` fits better than PostgreSQL's own, and no keys are compared by it."""
    trapped.publisher(f"GRANT CREATE ON SCHEMA public TO {users.job_role}")
    trapped.publisher("DROP TABLE summary; CREATE TABLE summary (id varchar(9) UNIQUE)")
    trapped.leave(f"CREATE TABLE {TABLE} AS SELECT id::varchar FROM {ROWS}")
    trapped.job(
        "CREATE FUNCTION public.same(varchar, varchar) RETURNS boolean LANGUAGE sql AS"
        " $$ SELECT datamorph_staging.spring('x') = 'x' $$;"
        "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.same)"
    )
    wanted = order(write_mode="merge", keys=("id",), columns="id", column_types=("text",))
    publish(trapped.database, wanted)
    assert (rows(trapped.publisher), trapped.sprung) == ([("7",), ("8",)], False)
