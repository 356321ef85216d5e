"""Targets that other tables inherit from: their rows are seen in the target, and a publish leaves them alone."""

from __future__ import annotations

import pytest

from agent.errors import PublishError
from agent.target_checks import refusals
from tests.tools.database.scene import NEW, OLD, Sql, order, publish, request, rows
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres

KID = (3, "of the kid")


@pytest.fixture
def family(scene: Sql) -> Sql:
    """Add a table that inherits from the target, with a row."""
    scene(f"CREATE TABLE kid (more integer) INHERITS (summary); INSERT INTO kid VALUES {KID}")
    return scene


@pytest.mark.parametrize("mode", ["overwrite", "merge"])
def test_what_would_leave_rows_of_heirs_among_the_new_ones_is_refused(
    family: Sql, database: PostgresDatabase, mode: str
) -> None:
    """Before anything runs, by their names; and once more by publish, which they may have come before."""
    wanted = request({"name": "summary", "write_mode": mode, "keys": ["id"]})
    [problem] = refusals(wanted, database.snapshot(wanted, 0))
    assert problem.path == "specs.target_table.name"
    assert problem.message.startswith("summary is inherited by public.kid, whose rows would stay")
    with pytest.raises(PublishError, match=r"summary is inherited by public\.kid") as caught:
        publish(database, order(write_mode=mode, keys=("id",)))
    assert (caught.value.kind, rows(family)) == ("target_changed", [*OLD, KID])


def test_rows_are_appended_beside_those_of_heirs(family: Sql, database: PostgresDatabase) -> None:
    """They go into the target's own part."""
    publish(database, order(write_mode="append"))
    assert rows(family) == [*OLD, KID, *NEW]
    assert family("SELECT count(*) FROM kid") == [(1,)]
