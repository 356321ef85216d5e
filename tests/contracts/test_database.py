"""Database: what publish and its neighbours rely on, of every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import psycopg
import pytest

from agent.errors import InvalidRequestError, PublishError, UnavailableError
from agent.names import RunKey, prefix_of_table
from agent.snapshot import Snapshot
from tests.tools.database.scene import STAGED, Sql, order, request, stage
from tools.database import PostgresDatabase
from tools.fakes import FakeDatabase
from tools.ports import Database
from tools.records import Published, Withdrawal

SCHEMAS = {"orders": {"columns": [{"name": "id", "type": "integer"}]}}
PREFIX = prefix_of_table(STAGED)

_TABLE = f"datamorph_staging.{STAGED}"
_SPOILT = {
    "row_count": (f"DELETE FROM {_TABLE} WHERE id = 8", f"INSERT INTO {_TABLE} VALUES (8, 'new')"),
    "columns": (f"ALTER TABLE {_TABLE} ADD more integer", f"ALTER TABLE {_TABLE} DROP more"),
    "constraint": (f"UPDATE {_TABLE} SET note = NULL", f"UPDATE {_TABLE} SET note = 'new'"),
    "staging_not_plain": (f"CREATE INDEX odd ON {_TABLE} (id)", "DROP INDEX datamorph_staging.odd"),
    "target_changed": ("ALTER TABLE summary ADD more integer", "ALTER TABLE summary DROP more"),
    "transient": ("BEGIN; LOCK TABLE summary", "ROLLBACK"),
}
"""For each kind of refusal: what brings it about, and what makes it good."""


class Scene(Protocol):
    """A database with table `orders`, target `summary` and two staged rows."""

    @property
    def database(self) -> Database:
        """The database that is held to the contract."""
        ...

    def spoil(self, kind: str) -> None:
        """Make the next publish be refused."""
        ...

    def mend(self, kind: str) -> None:
        """Make the one after that succeed."""
        ...

    def empty(self) -> None:
        """Have nothing staged."""
        ...


class FakeScene:
    """The fake, which has all this without being told."""

    def __init__(self) -> None:
        self.database = FakeDatabase()

    def spoil(self, kind: str) -> None:
        """Plan one refusal."""
        self.database.refusals.append(PublishError(kind, "planned"))

    def mend(self, kind: str) -> None:
        """The refusal was used up."""
        assert self.database.refusals == []

    def empty(self) -> None:
        """The order alone says so."""


class PostgresScene:
    """A real database."""

    def __init__(self, url: str, sql: Sql) -> None:
        self.database = PostgresDatabase(url, lock_timeout=1)
        self._sql = sql
        self.database.prepare_staging()
        sql("CREATE TABLE orders (id integer)")
        sql("CREATE TABLE summary (id integer PRIMARY KEY, note text NOT NULL)")
        stage(sql, "(7, 'new'), (8, 'new')")

    def spoil(self, kind: str) -> None:
        """Do what PostgreSQL or the audit objects to."""
        self._sql(_SPOILT[kind][0])

    def mend(self, kind: str) -> None:
        """Take it back."""
        self._sql(_SPOILT[kind][1])

    def empty(self) -> None:
        """Have nothing staged."""
        self._sql(f"DELETE FROM {_TABLE}")


@pytest.fixture(params=["fake", pytest.param("postgres", marks=pytest.mark.postgres)])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Make each database in turn."""
    if request.param == "fake":
        yield FakeScene()
        return
    url = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        yield PostgresScene(url, Sql(connection))


def seen(scene: Scene) -> Snapshot:
    """The snapshot before a publish."""
    return scene.database.snapshot(request(source_schemas=SCHEMAS), 0)


def publish(scene: Scene, **changes: Any) -> Published:
    """Publish the staged rows."""
    return scene.database.publish(order(**changes), seen(scene))


def test_a_snapshot_has_the_sources_as_listed(scene: Scene) -> None:
    """In their order and under their keys, with their columns."""
    sources = [{"table_name": "orders", "alias": "o"}, "orders"]
    snapshot = scene.database.snapshot(request(sources=sources, source_schemas=SCHEMAS), 0)
    assert [(s.key, s.table) for s in snapshot.sources] == [("o", "orders"), ("orders", "orders")]
    assert [(c.name, c.type) for c in snapshot.source("o").columns] == [("id", "integer")]
    assert snapshot.target.name == "summary"


def test_an_unknown_source_is_refused(scene: Scene) -> None:
    """A table that nobody knows is the request's fault, and named."""
    with pytest.raises(InvalidRequestError, match="nowhere"):
        scene.database.snapshot(request(sources=["nowhere"]), 0)


def test_staging_is_prepared_any_number_of_times(scene: Scene) -> None:
    """It is there already, and its tables stay."""
    scene.database.prepare_staging()
    assert publish(scene).rows == 2


def test_a_generation_is_published_once(scene: Scene) -> None:
    """The second publish does nothing and tells the same rows, also when the staging table is gone by then."""
    assert publish(scene) == Published(rows=2, created=False, already=False)
    assert publish(scene) == Published(rows=2, created=False, already=True)
    scene.database.drop_staging(PREFIX)
    assert publish(scene) == Published(rows=2, created=False, already=True)


@pytest.mark.parametrize("other", [{"generation": 2}, {"run_id": "r2"}])
def test_another_generation_or_run_is_published_anew(scene: Scene, other: dict[str, Any]) -> None:
    """Each has its own entry."""
    publish(scene)
    assert publish(scene, **other) == Published(rows=2, created=False, already=False)
    assert publish(scene, **other).already
    assert publish(scene).already


def test_another_installation_s_publish_is_not_taken_for_ours(scene: Scene) -> None:
    """The same run_id from elsewhere has a staging table of its own: its rows were never published."""
    publish(scene)
    with pytest.raises(PublishError, match=r"run_id r1 was published into \S*summary") as caught:
        publish(scene, staging_table=f"{PREFIX}000000000000")
    assert caught.value.kind == "run_id_taken"
    assert publish(scene).already


def test_a_publish_of_another_launch_of_the_run_is_ours(scene: Scene) -> None:
    """A worker that slept published it: the rows in the target are this run's."""
    publish(scene)
    other = {
        "staging_table": "s_20260101_0123456789ab_000000000000",
        "own_prefixes": ("s_20260101_0123456789ab_", PREFIX),
    }
    assert publish(scene, **other) == Published(rows=2, created=False, already=True, of_another_launch=True)
    with pytest.raises(PublishError, match=r"run_id r1 was published into \S*summary"):
        publish(scene, **other, target="orders")


def test_a_publish_into_another_target_is_not_taken_for_ours(scene: Scene) -> None:
    """Whatever the staging table is called."""
    publish(scene)
    with pytest.raises(PublishError, match="summary") as caught:
        publish(scene, target="orders")
    assert caught.value.kind == "run_id_taken"


@pytest.mark.parametrize("kind", list(_SPOILT))
def test_a_refused_publish_may_be_repeated(scene: Scene, kind: str) -> None:
    """The refusal tells its kind, and nothing counts as published."""
    before = seen(scene)
    scene.spoil(kind)
    with pytest.raises(PublishError) as caught:
        scene.database.publish(order(), before)
    assert (caught.value.kind, str(caught.value) != "") == (kind, True)
    scene.mend(kind)
    assert scene.database.publish(order(), before) == Published(rows=2, created=False, already=False)


def test_an_empty_result_needs_leave(scene: Scene) -> None:
    """No rows are published only with `allow_empty`."""
    nothing = {"expected_rows": 0}
    scene.empty()
    with pytest.raises(PublishError) as caught:
        publish(scene, **nothing)
    assert caught.value.kind == "empty_result"
    assert publish(scene, **nothing, run_id="r2", write_mode="append").rows == 0
    assert publish(scene, **nothing, allow_empty=True) == Published(rows=0, created=False, already=False)


@pytest.mark.parametrize("why", ["cancelled", "superseded", "overdue"])
def test_what_was_withdrawn_is_never_published(scene: Scene, why: Withdrawal) -> None:
    """However often it is tried, and it says why; another generation is not concerned."""
    assert scene.database.withdraw(RunKey("r1", 1), why)
    for _ in range(2):
        with pytest.raises(PublishError, match=f"r1, generation 1, was {why}") as caught:
            publish(scene)
        assert caught.value.kind == why
    assert scene.database.withdraw(RunKey("r1", 1), "cancelled")
    assert publish(scene, generation=2) == Published(rows=2, created=False, already=False)


def test_what_is_published_is_not_withdrawn(scene: Scene) -> None:
    """The answer says so, and the publish stands."""
    publish(scene)
    assert not scene.database.withdraw(RunKey("r1", 1), "cancelled")
    assert publish(scene).already


def test_dropping_staging_again_finds_nothing(scene: Scene) -> None:
    """Dropping is done any number of times."""
    scene.database.drop_staging(PREFIX)
    assert scene.database.drop_staging(PREFIX) == 0


@pytest.mark.parametrize("prefix", ["", "s_", "s_20260101_0123456789ab", "publishes", "s_20260101_0123456789ab_%"])
def test_only_staging_tables_are_dropped(scene: Scene, prefix: str) -> None:
    """A prefix that could name other tables, or those of other launches, is an error."""
    with pytest.raises(ValueError, match="staging table's name"):
        scene.database.drop_staging(prefix)


@pytest.mark.parametrize(
    "table", ["summary", "s_20260101_0123456789ab_", "s_20260101_0123456789ab_ba9876543210; DROP TABLE summary"]
)
def test_only_staging_tables_are_published(scene: Scene, table: str) -> None:
    """Another name than a staging table's is an error."""
    with pytest.raises(ValueError, match="is not a staging table"):
        publish(scene, staging_table=table)


def test_the_head_is_a_list_of_rows(scene: Scene) -> None:
    """No more than were asked for."""
    publish(scene)
    head = scene.database.head("summary", 1)
    assert isinstance(head, list)
    assert len(head) <= 1
    assert all(isinstance(row, dict) for row in head)


@pytest.fixture(params=["fake", "postgres"])
def unreachable(request: pytest.FixtureRequest) -> Database:
    """Make databases that do not answer."""
    if request.param == "fake":
        return FakeDatabase(reachable=False)
    return PostgresDatabase("postgresql://127.0.0.1:1/none", connect_timeout=2)


@pytest.mark.parametrize(
    "call",
    [
        lambda database: database.snapshot(request(source_schemas=SCHEMAS), 0),
        lambda database: database.prepare_staging(),
        lambda database: database.drop_staging(PREFIX),
        lambda database: database.withdraw(RunKey("r1", 1), "cancelled"),
        lambda database: database.staging_tables(),
        lambda database: database.head("summary", 1),
    ],
    ids=["snapshot", "prepare_staging", "drop_staging", "withdraw", "staging_tables", "head"],
)
def test_an_unreachable_database_is_unavailable(unreachable: Database, call: Callable[[Database], object]) -> None:
    """Every call says which service is missing."""
    with pytest.raises(UnavailableError) as caught:
        call(unreachable)
    assert caught.value.service == "database"


def test_a_publish_that_reaches_nobody_is_transient(unreachable: Database) -> None:
    """It may be tried again."""
    snapshot = FakeDatabase().snapshot(request(source_schemas=SCHEMAS), 0)
    with pytest.raises(PublishError) as caught:
        unreachable.publish(order(), snapshot)
    assert caught.value.kind == "transient"
