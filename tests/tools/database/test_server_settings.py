"""Servers and settings that would spoil a publish: references that nobody checks, a standby that knows too little."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from agent.errors import UnavailableError
from agent.names import RunKey
from tests.tools.database.scene import NEW, OLD, Sql, order, publish, request, rows
from tools.database import PostgresDatabase
from tools.local.postgres import embedded_server

pytestmark = pytest.mark.postgres


def set_role(sql: Sql, role: str) -> None:
    """Let later sessions begin with a session_replication_role."""
    sql(f"ALTER DATABASE {sql.connection.info.dbname} SET session_replication_role = '{role}'")


def test_nothing_is_published_where_references_are_not_checked(scene: Sql, database: PostgresDatabase) -> None:
    """Under `replica`, which some loaders advise, a reference would point at nothing; said before anything runs too."""
    scene("CREATE TABLE child (id integer REFERENCES summary DEFERRABLE); INSERT INTO child VALUES (1)")
    seen = database.snapshot(request(), 0)
    set_role(scene, "replica")
    for step in (database.prepare_staging, lambda: database.publish(order(), seen)):
        with pytest.raises(UnavailableError, match="role is 'replica'.*ALTER ROLE postgres SET") as told:
            step()
        assert told.value.service == "database"
    assert (rows(scene), scene("SELECT id FROM child")) == (OLD, [(1,)])


def test_references_are_checked_under_local_too(scene: Sql, database: PostgresDatabase) -> None:
    """PostgreSQL's own triggers fire there as under `origin`."""
    set_role(scene, "local")
    publish(database, order())
    assert rows(scene) == NEW


@pytest.fixture
def standby() -> Iterator[str]:
    """Run a server in recovery whose data has a ledger of publishes that tells of none."""
    with tempfile.TemporaryDirectory(prefix="datamorph-pg-") as directory:
        home = Path(directory)
        with embedded_server(home) as primary:
            PostgresDatabase(primary.url).prepare_staging()
        (home / "pgdata" / "standby.signal").touch()
        with embedded_server(home) as server:
            yield server.url


def test_a_standby_does_not_tell_that_nothing_is_published(standby: str) -> None:
    """It may lag behind, and a worker that reaches the primary could publish afterwards."""
    with psycopg.connect(standby) as connection:
        assert connection.execute("SELECT count(*) FROM datamorph_staging.publishes").fetchone() == (0,)
    with pytest.raises(UnavailableError, match="target_session_attrs=read-write") as caught:
        PostgresDatabase(standby).withdraw(RunKey("r1", 1), "cancelled")
    assert caught.value.service == "database"
