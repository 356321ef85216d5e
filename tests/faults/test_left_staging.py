"""Staging tables that PostgreSQL does not let go: no run waits for that, and a later sweep puts them away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import UnavailableError
from agent.names import RunKey, date_of_table
from graph.response import Response
from tests.faults.mortal import Life
from tests.faults.quick_databases import LOCKED
from tests.faults.quick_world import RUN, PostgresWorld, postgres_world
from tests.runs.scene import event
from tools.records import Change, RunRecord

pytestmark = pytest.mark.postgres

_LONG = 10.0**9


@pytest.fixture
def made(postgres_url: str, tmp_path: Path) -> Iterator[PostgresWorld]:
    """Make a world with one run whose rows are staged and not published yet."""
    with postgres_world(tmp_path, postgres_url) as made:
        pend(made, RUN)
        yield made


def pend(made: PostgresWorld, run_id: str) -> str:
    """Let a run come as far as a publish that is tried later; its staging table."""
    told = made.ask(event(run_id=run_id), Life(errors=LOCKED))
    assert told["body"]["execution_status"] == "publish_pending"
    (table,) = made.staging(run_id)
    return table


def look_at(made: PostgresWorld, table: str) -> None:
    """Let a view stand on a table, which PostgreSQL does not drop then."""
    made.database.sql(f"CREATE VIEW looks_at_{table} AS SELECT * FROM datamorph_staging.{table}")


def look_away(made: PostgresWorld, table: str) -> None:
    made.database.sql(f"DROP VIEW looks_at_{table}")


def record_of(made: PostgresWorld, run_id: str = RUN) -> RunRecord:
    found = made.record(run_id)
    assert found is not None
    return found


def sweep(made: PostgresWorld, seconds: float = 0) -> Response:
    """The answer to a tick that comes so much later."""
    made.clock.sleep(seconds)
    return made.sweep()


ENDS = {"resume": "success", "cancel": "cancelled", "deadline": "failed", "restart": "success"}
"""Events that end the run, each with the final status."""


@pytest.mark.parametrize("how", list(ENDS))
def test_a_run_ends_though_its_staging_cannot_be_dropped(made: PostgresWorld, how: str) -> None:
    """With a warning, and the first sweep that may drop the table does: after a restart once the table is old."""
    (table,) = made.database.staging_tables()
    look_at(made, table)
    if how == "deadline":
        made.past_deadline()
    action = "resume" if how == "deadline" else how
    told = made.ask(event(options={"restart": True})) if how == "restart" else made.act(action)
    assert told["body"]["execution_status"] == record_of(made).status == ENDS[how]
    if how != "restart":
        assert any("depend on it" in warning for warning in told["body"]["warnings"])
    assert "depend on it" in "".join(made.journal.texts) or how == "resume"
    assert made.database.staging_tables() == [table]
    age = _LONG if how == "restart" else 0
    refused = sweep(made, age)
    assert (refused["statusCode"], "depend on it" in refused["body"]["message"]) == (503, True)
    look_away(made, table)
    assert sweep(made, age)["body"]["cleaned"] == [table]
    assert made.database.staging_tables() == []


def test_what_cannot_be_dropped_keeps_no_other_table_back(made: PostgresWorld) -> None:
    """Each that is kept is told."""
    tables = {run_id: pend(made, run_id) for run_id in ("run_2", "run_3")}
    tables[RUN] = made.staging(RUN)[0]
    for run_id in tables:
        made.ledger.change(RunKey(run_id, 1), Change("fail", "{}"))
    look_at(made, tables["run_3"])
    look_at(made, tables["run_2"])
    told = sweep(made)["body"]
    assert (told["cleaned"], sorted(made.database.staging_tables())) == (
        [tables[RUN]],
        sorted([tables["run_2"], tables["run_3"]]),
    )
    assert all(tables[run_id] in told["message"] for run_id in ("run_2", "run_3"))


def test_a_table_of_a_run_long_past_is_found(made: PostgresWorld) -> None:
    """Behind any number of newer ones; one that no run here has is left alone."""
    (table,) = made.database.staging_tables()
    record = record_of(made)
    made.ledger.change(RunKey(RUN, 1), Change("fail", "{}"))
    for number in range(450):
        later = f"2999-01-01T00:00:00.{number // 2:03}+00:00"
        made.ledger.accept(replace(record, run_id=f"n{number}", accepted_at=later, status="success"))
    foreign = f"s_{date_of_table(table)}_0123456789ab_0123456789ab"
    made.database.sql(f"CREATE TABLE datamorph_staging.{foreign} (id integer)")
    assert sweep(made)["body"]["cleaned"] == [table]
    assert made.database.staging_tables() == [foreign]


def test_a_table_of_an_older_generation_is_dropped_by_its_age(made: PostgresWorld) -> None:
    """Its worker slept through the restart, started its job all the same, and died before it could take that back."""

    def restarted() -> None:
        made.ask(event(run_id="run_2", options={"restart": True}), leases="theirs")
        made.jobs.create(made.jobs.defined[-2])  # as if Glue had deleted the definition a moment later

    life = Life(1, frozenset({"jobs.stop"}), before={"jobs.start": restarted})
    assert made.dies(event(run_id="run_2"), life)
    assert record_of(made, "run_2").generation == 2
    (left,) = set(made.database.staging_tables()) - set(made.staging(RUN))
    assert left not in sweep(made)["body"]["cleaned"]
    assert left in sweep(made, _LONG)["body"]["cleaned"]


def test_what_is_published_ends_well_without_its_report(made: PostgresWorld) -> None:
    """Though its artifacts are gone, and nothing can be written in their place."""
    errors = {"artifacts.put": UnavailableError("artifacts", "no room")}
    told = made.act("resume", life=Life(before={"database.publish": made.artifacts.texts.clear}, errors=errors))
    assert (told["statusCode"], record_of(made).status) == (200, "success")
    for part in ("the report was not stored", "generation_prompt is left out"):
        assert any(part in warning for warning in told["body"]["warnings"]), told
