"""Staging tables that PostgreSQL does not let go: no run waits for that, and a later sweep puts them away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.names import RunKey, date_of_table
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import answer
from tests.faults.world import World, world
from tests.runs.scene import Woken
from tools.records import Change, RunRecord

pytestmark = pytest.mark.postgres

RUN = "run_1"
_LONG = 10.0**9


@pytest.fixture
def made(postgres_url: str, tmp_path: Path) -> Iterator[World]:
    """Make a world with one run whose rows are staged and not published yet."""
    with world(postgres_url, tmp_path) as made:
        pend(made, RUN)
        yield made


def pend(made: World, run_id: str) -> str:
    """Let a run come as far as a publish that is tried later; its staging table."""
    made.database.refuse()
    assert made.ask(run_id)["body"]["execution_status"] == "publish_pending"
    (table,) = made.staging(run_id)
    return table


def look_at(made: World, table: str) -> None:
    """Let a view stand on a table, which PostgreSQL does not drop then."""
    made.sql(f"CREATE VIEW looks_at_{table} AS SELECT * FROM datamorph_staging.{table}")


def look_away(made: World, table: str) -> None:
    made.sql(f"DROP VIEW looks_at_{table}")


def record_of(made: World, run_id: str = RUN) -> RunRecord:
    found = made.service().tools.ledger.run(run_id)
    assert found is not None
    return found


def sweep(made: World, seconds: float = 0) -> Response:
    """What a tick answers that comes so much later."""
    service = made.service()
    service.tools.clock.sleep(seconds)
    return Actions(service, Woken()).sweep()


def overdue(made: World) -> Response:
    """Wake the run after its deadline."""
    service = made.service()
    service.tools.clock.sleep(9 * 3600)
    return answer(Actions(service), {"run_id": RUN, "action": "resume"})


ENDS = {"resume": "success", "cancel": "cancelled", "deadline": "failed", "restart": "success"}
"""Events that end the run, each with the final status."""


@pytest.mark.parametrize("how", list(ENDS))
def test_a_run_ends_though_its_staging_cannot_be_dropped(made: World, how: str) -> None:
    """With a warning, and the first sweep that may drop the table does: after a restart once the table is old."""
    (table,) = made.all_staging()
    look_at(made, table)
    if how == "deadline":
        told = overdue(made)
    elif how == "restart":
        told = made.ask(RUN, options={"restart": True})
    else:
        told = made.act(how, RUN)
    assert told["body"]["execution_status"] == record_of(made).status == ENDS[how]
    if how != "restart":
        assert any("depend on it" in warning for warning in told["body"]["warnings"])
    journal = "".join(path.read_text() for path in (made.folder / "journal").iterdir())
    assert "depend on it" in journal or how == "resume"
    assert made.all_staging() == [table]
    age = _LONG if how == "restart" else 0
    refused = sweep(made, age)
    assert (refused["statusCode"], "depend on it" in refused["body"]["message"]) == (503, True)
    look_away(made, table)
    assert sweep(made, age)["body"]["cleaned"] == [table]
    assert made.all_staging() == []


def test_what_cannot_be_dropped_keeps_no_other_table_back(made: World) -> None:
    """Each that is kept is told."""
    tables = {run_id: pend(made, run_id) for run_id in ("run_2", "run_3")}
    tables[RUN] = made.staging(RUN)[0]
    ledger = made.service().tools.ledger
    for run_id in tables:
        ledger.change(RunKey(run_id, 1), Change("fail", "{}"))
    look_at(made, tables["run_3"])
    look_at(made, tables["run_2"])
    told = sweep(made)["body"]
    assert (told["cleaned"], sorted(made.all_staging())) == ([tables[RUN]], sorted([tables["run_2"], tables["run_3"]]))
    assert all(tables[run_id] in told["message"] for run_id in ("run_2", "run_3"))


def test_a_table_of_a_run_long_past_is_found(made: World) -> None:
    """Behind any number of newer ones; one that no run here has is left alone."""
    (table,) = made.all_staging()
    ledger, record = made.service().tools.ledger, record_of(made)
    ledger.change(RunKey(RUN, 1), Change("fail", "{}"))
    for number in range(450):
        later = f"2999-01-01T00:00:00.{number // 2:03}+00:00"
        ledger.accept(replace(record, run_id=f"n{number}", accepted_at=later, status="success"))
    foreign = f"s_{date_of_table(table)}_0123456789ab_0123456789ab"
    made.sql(f"CREATE TABLE datamorph_staging.{foreign} (id integer)")
    assert sweep(made)["body"]["cleaned"] == [table]
    assert made.all_staging() == [foreign]


def test_a_table_of_an_older_generation_is_dropped_by_its_age(made: World) -> None:
    """Its worker slept through the restart, started its job all the same, and died before it could take that back."""

    class Killed(BaseException):
        """The process is gone."""

    def restarted() -> None:
        made.ask("run_2", leases="theirs", options={"restart": True})
        made.jobs.create(made.jobs.defined[-2])  # as if Glue had deleted the definition a moment later
        made.jobs.stop = killed  # type: ignore[method-assign]

    def killed(job_name: str, job_run_id: str) -> None:
        raise Killed

    made.jobs.before["start"] = restarted
    with pytest.raises(Killed):
        made.ask("run_2")
    assert record_of(made, "run_2").generation == 2
    (left,) = set(made.all_staging()) - set(made.staging(RUN))
    assert left not in sweep(made)["body"]["cleaned"]
    assert left in sweep(made, _LONG)["body"]["cleaned"]


def test_what_is_published_ends_well_without_its_report(made: World) -> None:
    """Though the folder of its artifacts is gone, and nothing can be written in its place."""
    folder = made.folder / "artifacts" / "glue" / "runs" / RUN / "g1"

    def spoil() -> None:
        folder.rename(folder.with_name("moved"))
        folder.write_text("no folder")

    made.database.before = [spoil]
    told = made.act("resume", RUN)
    assert (told["statusCode"], record_of(made).status) == (200, "success")
    for part in ("the report was not stored", "generation_prompt is left out"):
        assert any(part in warning for warning in told["body"]["warnings"]), told
