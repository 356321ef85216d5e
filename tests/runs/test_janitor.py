"""Janitor: a sweep drops the leftovers of ended runs, and nothing that is still needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.errors import EngineError, UnavailableError
from agent.names import LaunchKey, staging_prefix
from runs.actions import Actions
from tests.runs.scene import LONG, Bench, Defined, Woken, act, ask, event, sweep
from tools.fakes import FakeJobs, PlannedRun
from tools.records import JobDefinition, RunRecord

MakeBench = Callable[..., Bench]
OTHER = "datamorph-job-of_another-g1-a1-l1-01234567"


def record_of(made: Bench) -> RunRecord:
    found = made.service().tools.ledger.run("run_1")
    assert found is not None
    return found


def staged(made: Bench, attempt: int = 1, generation: int = 1) -> str:
    """A staging table of the run's, as its job would have made it."""
    accepted_at = record_of(made).accepted_at
    table = staging_prefix(LaunchKey("run_1", generation, attempt, 1), accepted_at) + 12 * "0"
    made.database.staged.append(table)
    return table


def defined_again(made: Bench, plan: PlannedRun | None = None) -> str:
    """The definition of the run's last job, made once more by a worker that was asleep; with a plan it runs too."""
    (name,) = made.jobs.started
    made.jobs.create(JobDefinition(name, "ref", 60))
    if plan is not None:
        made.jobs.plans[:] = [plan]
        made.jobs.start(name, {})
    return name


def test_nothing_is_left_of_a_run_that_has_ended(bench: MakeBench) -> None:
    """Its definition and its staging table go with the next tick, long before they have expired."""
    made = bench()
    assert ask(made, event())["statusCode"] == 200
    name, table = defined_again(made), staged(made)
    answer = sweep(made)
    assert (answer["statusCode"], answer["body"]["cleaned"]) == (200, [name, table])
    assert (made.jobs._jobs, made.database.staged) == ({}, [])
    assert sweep(made)["body"]["cleaned"] == []


def test_what_a_living_run_needs_is_kept(bench: MakeBench) -> None:
    """Its definition, though a mistaken clock calls it expired, and its staging table."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=2)))
    ask(made, event(options={"wait": "event"}))
    staged(made)
    assert sweep(made, *made.jobs.started)["body"]["cleaned"] == []
    assert act(made, "resume")["statusCode"] == 202
    assert act(made, "resume")["statusCode"] == 200


def test_what_nobody_here_knows_is_kept_until_it_has_expired(bench: MakeBench) -> None:
    """It may be another installation's, whose run is open: a staging table waits for the longest deadline."""
    made = bench()
    made.jobs.create(JobDefinition(OTHER, "ref", 60))
    tables = old, young = [f"s_{date}_0123456789ab_0123456789ab" for date in ("20230922", "20230924")]
    made.database.staged += tables
    assert sweep(made)["body"]["cleaned"] == [old]
    assert sweep(made, OTHER)["body"]["cleaned"] == [OTHER]
    assert made.database.staged == [young]


def test_a_table_of_an_older_generation_waits_for_its_age(bench: MakeBench) -> None:
    """A later sweep drops it; the newer generation has its own tables."""
    made = bench(jobs=FakeJobs(PlannedRun(), LONG))
    ask(made, event())
    table = staged(made)
    ask(made, event(options={"restart": True, "wait": "event"}))
    made.database.staged.append(table)
    assert sweep(made)["body"]["cleaned"] == []
    service = made.service()
    service.tools.clock.sleep(10**9)
    assert table in Actions(service, Woken()).sweep()["body"]["cleaned"]


def test_a_job_of_the_same_run_id_elsewhere_is_not_taken_for_ours(bench: MakeBench) -> None:
    """Whatever its script, its name is not in our ledger."""
    made = bench()
    ask(made, event())
    foreign = "datamorph-job-run_1-g1-a1-l1-00000000"
    made.jobs.create(JobDefinition(foreign, "ref", 60))
    assert sweep(made)["body"]["cleaned"] == []
    assert sweep(made, foreign)["body"]["cleaned"] == [foreign]


def test_a_job_that_still_runs_is_stopped_before_its_definition_goes(bench: MakeBench) -> None:
    """One tick stops it, the next one deletes."""
    made = bench()
    ask(made, event())
    name = defined_again(made, PlannedRun(looks=1))
    assert sweep(made)["body"]["cleaned"] == []
    (newest, _) = made.jobs.list_runs(name)
    assert newest.state == "STOPPING"
    made.jobs.get(name, newest.job_run_id)
    assert sweep(made)["body"]["cleaned"] == [name]
    assert made.jobs.list_runs(name)[0].state == "STOPPED"


def test_what_an_older_generation_left_is_put_away(bench: MakeBench) -> None:
    """While the newer one runs."""
    made = bench(jobs=FakeJobs(PlannedRun(), LONG))
    ask(made, event())
    name = defined_again(made)
    ask(made, event(options={"restart": True, "wait": "event"}))
    made.jobs._jobs.setdefault(name, JobDefinition(name, "ref", 60))
    assert sweep(made)["body"]["cleaned"] == [name]
    assert list(made.jobs._jobs) == made.jobs.started[1:]


@pytest.mark.parametrize("broken", ["staging", "definitions", "leases"])
def test_what_cannot_be_put_away_is_told_and_keeps_nothing_else_back(bench: MakeBench, broken: str) -> None:
    """503; runs are woken all the same, and the rest is put away."""
    made = bench(jobs=FakeJobs(PlannedRun(), LONG))
    ask(made, event())
    name, table = defined_again(made), staged(made)
    ask(made, event(run_id="open", options={"wait": "event"}))
    service, waker = made.service(), Woken()

    class Held:
        hold = service.tools.lease.hold

        def clear(self) -> int:
            raise UnavailableError("ledger", "throttled")

    tools = replace(service.tools, job_list=Defined(made.jobs))
    if broken == "leases":
        tools = replace(tools, lease=Held())
    made.database.reachable = broken != "staging"
    if broken == "definitions":

        def refuse(job_name: str) -> None:
            raise EngineError("ThrottlingException", "throttled")

        made.jobs.delete = refuse  # type: ignore[method-assign]
    answer = Actions(replace(service, tools=tools), waker).sweep()
    assert (answer["statusCode"], waker.runs) == (503, ["open"])
    gone = {"staging": [name], "definitions": [table], "leases": [name, table]}
    assert answer["body"]["cleaned"] == gone[broken]
    assert "throttled" in answer["body"]["message"] or "cannot be reached" in answer["body"]["message"]


def test_a_ledger_is_not_looked_through_for_nothing(bench: MakeBench) -> None:
    """Only where there are staging tables, and down to the runs that are older than all of them."""
    made = bench()
    ask(made, event())
    service, pages = made.service(), list[str]()
    ledger = service.tools.ledger
    whole = ledger.runs

    def runs(limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        pages.append(after.run_id if after else "first")
        return whole(limit, after)

    ledger.runs = runs  # type: ignore[method-assign]
    actions, foreign = Actions(service, Woken()), "s_20260101_0123456789ab_0123456789ab"
    newer = foreign.replace("2026", "2999")
    for tables, looked in (
        ([], []),
        ([staged(made)], ["first"]),
        ([foreign], ["first", "run_1"]),
        ([newer], ["first"]),
    ):
        made.database.staged[:], pages[:] = tables, []
        actions.sweep()
        assert pages == looked


def test_without_time_the_next_sweep_goes_on(bench: MakeBench) -> None:
    """Nothing more is begun, and the answer says so."""
    made = bench()
    ask(made, event())
    table = staged(made)
    service = made.service()
    tools = replace(service.tools, seconds_left=lambda: 0.0)
    told = Actions(replace(service, tools=tools), Woken()).sweep()
    assert (told["statusCode"], made.database.staged) == (503, [table])
    assert "the next sweep puts away the rest" in told["body"]["message"]


def test_a_walk_of_the_ledger_that_breaks_off_has_dropped_what_it_passed(bench: MakeBench) -> None:
    """A refused page keeps no table of the pages before it."""
    made = bench()
    ask(made, event())
    service, table = made.service(), staged(made)
    foreign = "s_20260101_0123456789ab_0123456789ab"
    made.database.staged.append(foreign)
    whole = service.tools.ledger.runs

    def runs(limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        if after:
            raise UnavailableError("dynamodb", "throttled")
        return whole(limit)

    service.tools.ledger.runs = runs  # type: ignore[method-assign]
    told = Actions(service, Woken()).sweep()
    assert (told["body"]["cleaned"], made.database.staged) == ([table], [foreign])
