"""The tables of a fault sweep: each time that the target is filled counts, and the product sees nothing of that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.target_checks import refusals, warnings_for
from tests.faults.planned_glue import stage
from tests.faults.tables import NEW, STAGED, Sales
from tests.tools.database.scene import STAGED as TABLE
from tests.tools.database.scene import order, publish, request
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres


@pytest.fixture
def sales(postgres_url: str) -> Iterator[Sales]:
    """Give the tables as they are before a run."""
    with closing(Sales(postgres_url)) as made:
        made.reset()
        yield made


def test_a_publish_that_comes_twice_is_counted(sales: Sales) -> None:
    """The second one brings the same rows: nobody who reads the target can tell."""
    database = PostgresDatabase(sales.url)
    database.prepare_staging()
    stage(sales.url, TABLE, STAGED)
    made = order(columns="customer total", column_types=("text", "numeric(12,2)"), target="totals")
    assert sales.published() == 0
    publish(database, made)
    publish(database, made)
    assert (sales.published(), sales.tables()) == (1, NEW)
    sales.sql("TRUNCATE datamorph_staging.publishes")
    publish(database, made)
    assert (sales.published(), sales.tables()) == (2, NEW)
    sales.reset()
    assert sales.published() == 0


def test_a_publish_that_is_rolled_back_does_not_count(sales: Sales) -> None:
    """The rows of a transaction are counted in the same one."""
    sales.sql("BEGIN; DELETE FROM totals; INSERT INTO totals VALUES ('a', 3.50), ('b', 4); ROLLBACK")
    assert sales.published() == 0


def test_the_count_changes_no_answer(sales: Sales) -> None:
    """The product neither refuses such a target nor warns of it."""
    asked = request({"name": "totals", "write_mode": "overwrite"})
    snapshot = PostgresDatabase(sales.url).snapshot(asked, 0)
    assert (refusals(asked, snapshot), warnings_for(asked, snapshot)) == ([], [])
