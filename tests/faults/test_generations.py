"""Cancel, restart, fork and relaunch: each ends what is its own, and leaves the rows, jobs and artifacts of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from agent.errors import ConflictError, EngineError
from agent.names import RunKey, thread_id
from graph.builder import Workflow, build_workflow
from tests.faults.mortal import Life
from tests.faults.quick_databases import LOCKED, OLD, written_by
from tests.faults.quick_jobs import QuickJobs
from tests.faults.quick_world import REQUEST, RUN, PostgresWorld, postgres_world
from tests.faults.sampled import sampled
from tests.faults.tally import Tally
from tests.runs.scene import event
from tools.fakes import PlannedRun

pytestmark = pytest.mark.postgres

AGAIN = event(options={"restart": True})
LIVE = PlannedRun(looks=12)
FAILED = PlannedRun("FAILED", 'JobPhaseError: [datamorph phase="transform" line=40] ValueError: no such thing')
NO_CAPACITY = PlannedRun("FAILED", "Max concurrent job runs per account exceeded")
OUT_OF_MEMORY = PlannedRun(
    "FAILED", "Error Category: OUT_OF_MEMORY_ERROR; Container killed by YARN for exceeding memory limits."
)
OTHERS = {"run_1-g2": "published", "run_11": "live", "run_1-g1-a1": "pending"}
"""Runs whose names look like those of the run's own things, and how each stands meanwhile; their target is `others`."""


@pytest.fixture
def made(postgres_url: str, tmp_path: Path) -> Iterator[PostgresWorld]:
    """Make a world in which other runs are under way."""
    with postgres_world(tmp_path, postgres_url) as made:
        for run_id, state in OTHERS.items():
            stand(made, run_id, state, "others")
        yield made


def stand(made: PostgresWorld, run_id: str, state: str, target: str = "totals") -> None:
    """Bring a run into a state."""
    made.jobs.plans = {"live": [LIVE], "failed": [FAILED, FAILED]}.get(state, [])
    asked = event(run_id=run_id, options={"wait": "event"} if state == "live" else {})
    asked["specs"]["target_table"]["name"] = target
    body = made.ask(asked, Life(errors=LOCKED if state == "pending" else {}))["body"]
    expected = {"live": "running", "pending": "publish_pending", "published": "success", "failed": "failed"}[state]
    assert body["execution_status"] == expected, body


def others(made: PostgresWorld) -> dict[str, object]:
    """All that the other runs have: rows, entries, staging, jobs and their runs, launches, records and artifacts."""
    foreign = foreign_jobs(made)
    return {
        "rows": made.database.rows("others"),
        "published": made.database.sql(f"SELECT * FROM datamorph_staging.publishes WHERE run_id <> '{RUN}'"),
        "definitions": [name for name in made.jobs.definitions() if name in foreign],
        "runs": [made.jobs.list_runs(name) for name in foreign],
        "launches": [made.ledger.launches(RunKey(run_id, 1)) for run_id in OTHERS],
        "records": [made.record(run_id) for run_id in OTHERS],
        "staging": [made.staging(run_id) for run_id in OTHERS],
        "artifacts": [artifacts(made, run_id) for run_id in OTHERS],
    }


def artifacts(made: PostgresWorld, run_id: str, generation: str = "") -> dict[str, str]:
    """All texts that are stored for a run, or for one generation of it, by key."""
    return {key: text for key, text in made.artifacts.texts.items() if f"/{run_id}/{generation}" in key}


def foreign_jobs(made: PostgresWorld) -> list[str]:
    """The names of the jobs of the other runs."""
    return [launch.job_name for run_id in OTHERS for launch in made.ledger.launches(RunKey(run_id, 1))]


def own_jobs(made: PostgresWorld) -> list[str]:
    """The names of the jobs that were started for the run, of all its generations."""
    foreign = foreign_jobs(made)
    return [name for name in dict.fromkeys(made.jobs.started) if name not in foreign]


def left(made: PostgresWorld) -> str:
    """Leftovers of the run that nobody needs any more; empty when there are none."""
    live = [run for name in own_jobs(made) for run in made.jobs.list_runs(name) if not run.terminal]
    foreign = foreign_jobs(made)
    defined = [name for name in made.jobs.definitions() if name not in foreign]
    kept = {table for run_id in OTHERS for table in made.staging(run_id)}
    staging = [table for table in made.database.staging_tables() if table not in kept]
    return f"left: {live}, {defined}, {staging}" if live or defined or staging else ""


def newest_start(made: PostgresWorld) -> int:
    """The number of the second generation's start."""
    return 1 + next(n for n, name in enumerate(made.jobs.started) if name.startswith(f"datamorph-job-{RUN}-g2-a"))


def go_on(made: PostgresWorld, tally: Tally, sweep: str) -> None:
    """The others come to their right ends."""
    for run_id, state in OTHERS.items():
        (launch,) = made.ledger.launches(RunKey(run_id, 1))
        number = 1 + made.jobs.started.index(launch.job_name)
        while (told := made.act("resume", run_id))["statusCode"] == 202:
            pass
        rows = state == "published" or made.database.rows("others") == written_by(number)
        tally.case(sweep, told["statusCode"] == 200 and rows, f"{run_id} ended as {told}")


MOMENTS = ("model.complete", "jobs.create", "jobs.start", "jobs.get", "database.publish")
"""Calls before which a worker falls asleep."""
SLEEPERS = [(how, moment) for how in ("cancel", "restart") for moment in MOMENTS]
CASES = [(how, state) for how in ("cancel", "restart") for state in ("live", "pending", "published", "failed")]


@pytest.mark.parametrize(("how", "state"), sampled(CASES, ("cancel", "live"), ("restart", "pending")))
def test_what_is_another_s_is_left_alone(made: PostgresWorld, how: str, state: str, tally: Tally) -> None:
    """However the run stands when it is cancelled or restarted."""
    stand(made, RUN, state)
    before, kept, rows = others(made), artifacts(made, RUN, "g1/"), made.database.rows()
    made.jobs.plans = []
    told = made.act("cancel") if how == "cancel" else made.ask(AGAIN)
    newest = written_by(len(made.jobs.started))
    cancelled = {"published": (200, rows), "failed": (422, rows)}.get(state, (410, rows))
    ended = cancelled if how == "cancel" else (200, newest)
    sweep = f"{how} beside others"
    tally.case(sweep, (told["statusCode"], made.database.rows()) == ended, f"{state}: {told}, {made.database.rows()}")
    tally.case(sweep, others(made) == before, f"{state}: others were touched")
    tally.case(sweep, kept.items() <= artifacts(made, RUN, "g1/").items(), f"{state}: artifacts changed")
    tally.case(sweep, not left(made), f"{state}: {left(made)}")
    go_on(made, tally, sweep)
    tally.check()


@pytest.mark.parametrize(("how", "moment"), sampled(SLEEPERS, ("restart", "jobs.start"), ("cancel", "model.complete")))
def test_a_worker_that_slept_past_its_lease_does_nothing_more(
    made: PostgresWorld, how: str, moment: str, tally: Tally
) -> None:
    """Whatever it was about to do when it fell asleep; the target is that of the one who has the run now."""
    before = others(made)

    def meanwhile() -> None:
        told = made.act("cancel", leases="theirs") if how == "cancel" else made.ask(AGAIN, leases="theirs")
        assert told["statusCode"] == (410 if how == "cancel" else 200), told

    told = made.ask(event(), Life(before={moment: meanwhile}))
    rows = OLD if how == "cancel" else written_by(newest_start(made))
    sweep = f"{how} while a worker sleeps"
    tally.case(sweep, told["statusCode"] == 409, f"{moment}: the late worker was told {told}")
    tally.case(sweep, made.database.rows() == rows, f"{moment}: {made.database.rows()}")
    tally.case(sweep, others(made) == before, f"{moment}: others were touched")
    record = made.record()
    status = None if record is None else record.status
    tally.case(sweep, status == ("cancelled" if how == "cancel" else "success"), f"{moment}: on record as {status}")
    tally.case(sweep, not left(made), f"{moment}: {left(made)}")
    tally.check()


def test_a_worker_that_slept_before_its_start_spoils_no_rows(made: PostgresWorld) -> None:
    """The launch ran under another worker, which died with the definition still there: one run's rows are published."""

    def meanwhile() -> None:
        refused = Life(errors={"jobs.delete": EngineError("InternalServiceException", "the definition stays")})
        assert made.act("resume", life=refused, leases="theirs")["statusCode"] == 503
        made.jobs.plans = [LIVE]

    assert made.ask(event(), Life(before={"jobs.start": meanwhile}))["statusCode"] == 409
    theirs, own = own_jobs(made)[0], made.jobs.list_runs(own_jobs(made)[0])
    assert [run.state for run in own] == ["STOPPED", "SUCCEEDED"]
    assert (theirs in made.jobs.definitions(), len(made.staging(RUN))) == (True, 1)
    number = len(made.jobs.started) - 1
    assert made.act("resume")["statusCode"] == 200
    assert (made.database.rows(), left(made)) == (written_by(number), "")


RELAUNCHED: dict[str, tuple[list[PlannedRun], list[int], list[str], list[str]]] = {
    "launch errors": ([NO_CAPACITY, NO_CAPACITY], [], ["a1-l1", "a1-l2", "a1-l3"], ["G.1X"] * 3),
    "out of memory": ([OUT_OF_MEMORY], [], ["a1-l1", "a2-l1"], ["G.1X", "G.2X"]),
    "memory, then capacity": ([OUT_OF_MEMORY, NO_CAPACITY], [], ["a1-l1", "a2-l1", "a2-l2"], ["G.1X", "G.2X", "G.2X"]),
    "rows twice": ([], [1], ["a1-l1", "a1-l2"], ["G.1X"] * 2),
    "rows twice, twice": ([], [3, 1], ["a1-l1", "a1-l2", "a1-l3"], ["G.1X"] * 3),
}
"""Plans, rows too many, and the launches and worker types that come of them."""


@pytest.mark.parametrize("case", sampled(RELAUNCHED, "memory, then capacity"))
def test_a_relaunch_publishes_the_rows_of_its_own_start(made: PostgresWorld, case: str, tally: Tally) -> None:
    """Those of the starts before it are dropped, and so are their definitions."""
    plans, too_many, names, workers = RELAUNCHED[case]
    before, already = others(made), len(made.jobs.defined)
    made.jobs.plans, made.database.too_many = list(plans), list(too_many)
    told = made.ask(event())
    defined = made.jobs.defined[already:]
    newest = written_by(len(made.jobs.started))
    tally.case("relaunch beside others", (told["statusCode"], made.database.rows()) == (200, newest), f"{case}: {told}")
    tally.case("relaunch beside others", [job.name[-14:-9] for job in defined] == names, f"{case}: {defined}")
    tally.case("relaunch beside others", [job.worker_type for job in defined] == workers, f"{case}: {defined}")
    tally.case("relaunch beside others", others(made) == before and not left(made), f"{case}: {left(made)}")
    tally.check()


def test_rows_that_always_come_twice_are_never_published(made: PostgresWorld) -> None:
    """After three launches the run has failed, and the target is as before."""
    made.database.too_many = [1, 1, 1]
    told = made.ask(event())
    assert (told["statusCode"], made.database.rows(), left(made)) == (422, OLD, "")
    assert "row_count" in str(told["body"]["diagnosis"])


def test_a_namesake_of_another_installation_is_told_as_one(made: PostgresWorld, tmp_path: Path) -> None:
    """Cancelled over there, it keeps this run from being published: that ends the run, and is no cancel of its own."""
    jobs = QuickJobs(made.database.stage, LIVE)
    with closing(PostgresWorld(tmp_path / "elsewhere", made.database, jobs)) as elsewhere:
        assert elsewhere.ask(REQUEST)["statusCode"] == 202
        assert elsewhere.act("cancel")["statusCode"] == 410
    told = made.ask(event(options={"allow_empty": True}))
    assert (told["statusCode"], made.database.rows(), left(made)) == (422, OLD, "")
    assert "run_id_taken" in str(told["body"]["diagnosis"])


def history(made: PostgresWorld, state: str) -> tuple[Workflow, list[StateSnapshot]]:
    """The workflow, and every checkpoint of the run from which it could be forked, newest first."""
    stand(made, RUN, state)
    service = made.service()
    workflow = build_workflow(service.tools, service.settings, service.checkpointer)
    found = workflow.get_state_history({"configurable": {"thread_id": thread_id(RunKey(RUN, 1))}})
    return workflow, [each for each in found if each.next]


def forked(workflow: Workflow, config: RunnableConfig) -> str:
    """Go on from a checkpoint; what came of it."""
    try:
        return str(workflow.invoke(None, config, durability="sync").get("status"))
    except ConflictError as error:
        return str(error)


@pytest.mark.parametrize("state", sampled(["live", "published"], "live"))
def test_a_fork_of_any_checkpoint_starts_and_publishes_nothing_again(
    made: PostgresWorld, state: str, tally: Tally
) -> None:
    """Time travel under the same run_id and generation: the launch on record is adopted, or the fork is refused."""
    workflow, checkpoints = history(made, state)
    before, started, rows = others(made), list(made.jobs.started), made.database.rows()
    sweep = f"fork of a run that is {state}"
    for each in checkpoints:
        told = forked(workflow, each.config)
        ok = made.jobs.started == started and made.database.rows() == rows and others(made) == before
        tally.case(sweep, ok, f"before {each.next}: {told}")
    while (ended := made.act("resume"))["statusCode"] == 202:
        pass
    right = (ended["statusCode"], made.database.rows()) == (200, written_by(len(started)))
    tally.case(sweep, right and made.jobs.started == started and not left(made), f"{ended} {left(made)}")
    tally.check()


@pytest.mark.parametrize("state", sampled(["live", "published"], "published"))
def test_a_fork_with_another_script_is_refused(made: PostgresWorld, state: str, tally: Tally) -> None:
    """The rows of the launch on record are not told as those of a script that never ran; a restart runs another one."""
    workflow, checkpoints = history(made, state)
    before, started, rows = others(made), list(made.jobs.started), made.database.rows()
    (ready,) = [each.config for each in checkpoints if each.next == ("run_glue",)]
    told = forked(workflow, workflow.update_state(ready, {"job_script_ref": f"file:///x#{64 * 'e'}"}, "upload"))
    untouched = made.jobs.started == started and made.database.rows() == rows and others(made) == before
    tally.case("fork with another script", untouched and "options.restart" in told, f"{state}: {told}")
    again = made.ask(AGAIN)
    right = made.database.rows() == written_by(newest_start(made))
    tally.case("fork with another script", again["statusCode"] == 200 and right and not left(made), f"{again}")
    tally.check()
