"""Cancel, restart, fork and relaunch: each ends what is its own, and leaves the rows, jobs and artifacts of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from agent.errors import ConflictError, EngineError
from agent.names import RunKey, thread_id
from graph.builder import Workflow, build_workflow
from tests.faults.sampled import sampled
from tests.faults.tally import Tally
from tests.faults.world import MAX_ROWS, StagingJobs, World, world
from tools.fakes import PlannedRun
from tools.records import Completion, JobRun, ModelCall

pytestmark = pytest.mark.postgres

RUN = "run_1"
LIVE = PlannedRun(looks=12)
FAILED = PlannedRun("FAILED", 'JobPhaseError: [datamorph phase="transform" line=40] ValueError: no such thing')
NO_CAPACITY = PlannedRun("FAILED", "Max concurrent job runs per account exceeded")
OUT_OF_MEMORY = PlannedRun(
    "FAILED", "Error Category: OUT_OF_MEMORY_ERROR; Container killed by YARN for exceeding memory limits."
)
OTHERS = {"run_1-g2": "published", "run_11": "live", "run_1-g1-a1": "pending"}
"""Runs whose names look like those of the run's own things, and how each stands meanwhile; their target is `others`."""
OLD = [(id_, 0) for id_ in range(1, 6)]


@pytest.fixture
def made(postgres_url: str, tmp_path: Path) -> Iterator[World]:
    """Make a world in which other runs are under way."""
    with world(postgres_url, tmp_path) as made:
        for run_id, state in OTHERS.items():
            stand(made, run_id, state, "others")
        yield made


def stand(made: World, run_id: str, state: str, target: str = "totals") -> None:
    """Bring a run into a state."""
    if state == "pending":
        made.database.refuse()
    made.jobs.plans = {"live": [LIVE], "failed": [FAILED, FAILED]}.get(state, [])
    body = made.ask(run_id, target, options={"wait": "event"} if state == "live" else {})["body"]
    expected = {"live": "running", "pending": "publish_pending", "published": "success", "failed": "failed"}[state]
    assert body["execution_status"] == expected, body


def others(made: World) -> dict[str, object]:
    """All that the other runs have."""
    return {run_id: made.left_by(run_id, "others") for run_id in OTHERS}


def own_jobs(made: World) -> list[str]:
    """The names of the jobs that were started for the run, of all its generations."""
    ledger = made.service().tools.ledger
    foreign = {launch.job_name for run_id in OTHERS for launch in ledger.launches(RunKey(run_id, 1))}
    return [name for name in dict.fromkeys(made.jobs.started) if name not in foreign]


def left(made: World) -> str:
    """Leftovers of the run that nobody needs any more; empty when there are none."""
    names = own_jobs(made)
    live = [run for name in names for run in made.jobs.list_runs(name) if not run.terminal]
    foreign = {
        launch.job_name for run_id in OTHERS for launch in made.service().tools.ledger.launches(RunKey(run_id, 1))
    }
    defined = [name for name in made.jobs.definitions if name not in foreign]
    kept = {table for run_id in OTHERS for table in made.staging(run_id)}
    staging = [table for table in made.all_staging() if table not in kept]
    return f"left: {live}, {defined}, {staging}" if live or defined or staging else ""


def newest_start(made: World) -> int:
    """The number of the second generation's start."""
    return 1 + next(n for n, name in enumerate(made.jobs.started) if name.startswith(f"datamorph-job-{RUN}-g2-a"))


def go_on(made: World, tally: Tally, sweep: str) -> None:
    """The others come to their right ends."""
    for run_id, state in OTHERS.items():
        (launch,) = made.service().tools.ledger.launches(RunKey(run_id, 1))
        number = 1 + made.jobs.started.index(launch.job_name)
        while (told := made.act("resume", run_id))["statusCode"] == 202:
            pass
        rows = state == "published" or made.rows("others") == [(id_, number) for id_ in range(1, MAX_ROWS + 1)]
        tally.case(sweep, told["statusCode"] == 200 and rows, f"{run_id} ended as {told}")


MOMENTS = ("complete", "create", "start", "publish", "between look and publish")
SLEEPERS = [(how, moment) for how in ("cancel", "restart") for moment in MOMENTS]
CASES = [(how, state) for how in ("cancel", "restart") for state in ("live", "pending", "published", "failed")]


@pytest.mark.parametrize(("how", "state"), sampled(CASES, ("cancel", "live"), ("restart", "pending")))
def test_what_is_another_s_is_left_alone(made: World, how: str, state: str, tally: Tally) -> None:
    """However the run stands when it is cancelled or restarted."""
    stand(made, RUN, state)
    before, kept, rows = others(made), made.artifacts(RUN, 1), made.rows()
    made.jobs.plans = []
    told = made.act("cancel", RUN) if how == "cancel" else made.ask(RUN, options={"restart": True})
    number = len(made.jobs.started)
    newest = [(id_, number) for id_ in range(1, MAX_ROWS + 1)]
    cancelled = {"published": (200, rows), "failed": (422, rows)}.get(state, (410, rows))
    ended = cancelled if how == "cancel" else (200, newest)
    sweep = f"{how} beside others"
    tally.case(sweep, (told["statusCode"], made.rows()) == ended, f"{state}: {told}, {made.rows()}")
    tally.case(sweep, others(made) == before, f"{state}: others were touched")
    tally.case(sweep, kept.items() <= made.artifacts(RUN, 1).items(), f"{state}: artifacts changed")
    tally.case(sweep, not left(made), f"{state}: {left(made)}")
    go_on(made, tally, sweep)
    tally.check()


@pytest.mark.parametrize(("how", "moment"), sampled(SLEEPERS, ("restart", "start"), ("cancel", "complete")))
def test_a_worker_that_slept_past_its_lease_does_nothing_more(made: World, how: str, moment: str, tally: Tally) -> None:
    """Whatever it was about to do when it fell asleep; the target is that of the one who has the run now."""
    before = others(made)

    def meanwhile() -> None:
        if how == "cancel":
            told = made.act("cancel", RUN, "theirs")
        else:
            told = made.ask(RUN, leases="theirs", options={"restart": True})
        assert told["statusCode"] == (410 if how == "cancel" else 200), told

    service = made.service()
    if moment == "complete":
        asleep_before_reply(made, meanwhile)
    elif moment == "publish":
        asleep_before_publish(made, meanwhile)
    elif moment == "between look and publish":
        made.database.before = [meanwhile]
    else:
        made.jobs.before[moment] = meanwhile
    told = made.ask(RUN)
    rows = OLD if how == "cancel" else [(id_, newest_start(made)) for id_ in range(1, MAX_ROWS + 1)]
    sweep = f"{how} while a worker sleeps"
    tally.case(sweep, told["statusCode"] == 409, f"{moment}: the late worker was told {told}")
    tally.case(sweep, made.rows() == rows, f"{moment}: {made.rows()}")
    tally.case(sweep, others(made) == before, f"{moment}: others were touched")
    record = service.tools.ledger.run(RUN)
    status = None if record is None else record.status
    tally.case(sweep, status == ("cancelled" if how == "cancel" else "success"), f"{moment}: on record as {status}")
    tally.case(sweep, not left(made), f"{moment}: {left(made)}")
    tally.check()


def test_a_worker_that_slept_before_its_start_spoils_no_rows(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launch ran under another worker, which died with the definition still there: one run's rows are published."""

    def meanwhile() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(made.jobs, "delete", refused)
            assert made.act("resume", RUN, "theirs")["statusCode"] == 503
        made.jobs.plans = [LIVE]

    def refused(job_name: str) -> None:
        raise EngineError("InternalServiceException", job_name)

    made.jobs.before["start"] = meanwhile
    assert made.ask(RUN)["statusCode"] == 409
    theirs, own = own_jobs(made)[0], made.jobs.list_runs(own_jobs(made)[0])
    assert [run.state for run in own] == ["STOPPED", "SUCCEEDED"]
    assert (theirs in made.jobs.definitions, len(made.staging(RUN))) == (True, 1)
    number = len(made.jobs.started) - 1
    assert made.act("resume", RUN)["statusCode"] == 200
    assert (made.rows(), left(made)) == ([(id_, number) for id_ in range(1, MAX_ROWS + 1)], "")


def asleep_before_reply(made: World, meanwhile: Callable[[], None]) -> None:
    """A worker whose model answers after somebody else has taken the run."""
    complete = made.model.complete

    def late(call: ModelCall) -> Completion:
        made.model.complete = complete  # type: ignore[method-assign]
        meanwhile()
        return complete(call)

    made.model.complete = late  # type: ignore[method-assign]


def asleep_before_publish(made: World, meanwhile: Callable[[], None]) -> None:
    """A worker whose wait for the job ends after somebody else has taken the run."""
    made.jobs.plans = [PlannedRun(looks=1)]
    get = made.jobs.get

    def late(job_name: str, job_run_id: str) -> JobRun:
        found = get(job_name, job_run_id)
        if found.terminal:
            made.jobs.get = get  # type: ignore[method-assign]
            meanwhile()
        return found

    made.jobs.get = late  # type: ignore[method-assign]


RELAUNCHED: dict[str, tuple[list[PlannedRun], list[int], list[str], list[str]]] = {
    "launch errors": ([NO_CAPACITY, NO_CAPACITY], [], ["a1-l1", "a1-l2", "a1-l3"], ["G.1X"] * 3),
    "out of memory": ([OUT_OF_MEMORY], [], ["a1-l1", "a2-l1"], ["G.1X", "G.2X"]),
    "memory, then capacity": ([OUT_OF_MEMORY, NO_CAPACITY], [], ["a1-l1", "a2-l1", "a2-l2"], ["G.1X", "G.2X", "G.2X"]),
    "rows twice": ([], [1], ["a1-l1", "a1-l2"], ["G.1X"] * 2),
    "rows twice, twice": ([], [3, 1], ["a1-l1", "a1-l2", "a1-l3"], ["G.1X"] * 3),
}
"""Plans, rows too many, and the launches and worker types that come of them."""


@pytest.mark.parametrize("case", sampled(RELAUNCHED, "memory, then capacity"))
def test_a_relaunch_publishes_the_rows_of_its_own_start(made: World, case: str, tally: Tally) -> None:
    """Those of the starts before it are dropped, and so are their definitions."""
    plans, too_many, names, workers = RELAUNCHED[case]
    before, already = others(made), len(made.jobs.defined)
    made.jobs.plans, made.jobs.too_many = list(plans), list(too_many)
    told = made.ask(RUN)
    defined = made.jobs.defined[already:]
    newest = [(id_, len(made.jobs.started)) for id_ in range(1, MAX_ROWS + 1)]
    tally.case("relaunch beside others", (told["statusCode"], made.rows()) == (200, newest), f"{case}: {told}")
    tally.case("relaunch beside others", [job.name[-14:-9] for job in defined] == names, f"{case}: {defined}")
    tally.case("relaunch beside others", [job.worker_type for job in defined] == workers, f"{case}: {defined}")
    tally.case("relaunch beside others", others(made) == before and not left(made), f"{case}: {left(made)}")
    tally.check()


def test_rows_that_always_come_twice_are_never_published(made: World) -> None:
    """After three launches the run has failed, and the target is as before."""
    made.jobs.too_many = [1, 1, 1]
    told = made.ask(RUN)
    assert (told["statusCode"], made.rows(), left(made)) == (422, OLD, "")
    assert "row_count" in str(told["body"]["diagnosis"])


def test_a_namesake_of_another_installation_is_told_as_one(made: World, tmp_path: Path) -> None:
    """Cancelled over there, it keeps this run from being published: that ends the run, and is no cancel of its own."""
    elsewhere = World(tmp_path / "elsewhere", made.sql, StagingJobs(made.sql), made.database, made.stack)
    elsewhere.jobs.plans = [LIVE]
    assert elsewhere.ask(RUN, options={"wait": "event"})["statusCode"] == 202
    assert elsewhere.act("cancel", RUN)["statusCode"] == 410
    told = made.ask(RUN, options={"allow_empty": True})
    assert (told["statusCode"], made.rows(), left(made)) == (422, OLD, "")
    assert "run_id_taken" in str(told["body"]["diagnosis"])


def history(made: World, state: str) -> tuple[Workflow, list[StateSnapshot]]:
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
def test_a_fork_of_any_checkpoint_starts_and_publishes_nothing_again(made: World, state: str, tally: Tally) -> None:
    """Time travel under the same run_id and generation: the launch on record is adopted, or the fork is refused."""
    workflow, checkpoints = history(made, state)
    before, started, rows = others(made), list(made.jobs.started), made.rows()
    sweep = f"fork of a run that is {state}"
    for each in checkpoints:
        told = forked(workflow, each.config)
        ok = made.jobs.started == started and made.rows() == rows and others(made) == before
        tally.case(sweep, ok, f"before {each.next}: {told}")
    while (ended := made.act("resume", RUN))["statusCode"] == 202:
        pass
    right = (ended["statusCode"], made.rows()) == (200, [(id_, len(started)) for id_ in range(1, MAX_ROWS + 1)])
    tally.case(sweep, right and made.jobs.started == started and not left(made), f"{ended} {left(made)}")
    tally.check()


@pytest.mark.parametrize("state", sampled(["live", "published"], "published"))
def test_a_fork_with_another_script_is_refused(made: World, state: str, tally: Tally) -> None:
    """The rows of the launch on record are not told as those of a script that never ran; a restart runs another one."""
    workflow, checkpoints = history(made, state)
    before, started, rows = others(made), list(made.jobs.started), made.rows()
    (ready,) = [each.config for each in checkpoints if each.next == ("run_glue",)]
    told = forked(workflow, workflow.update_state(ready, {"job_script_ref": f"file:///x#{64 * 'e'}"}, "upload"))
    untouched = made.jobs.started == started and made.rows() == rows and others(made) == before
    tally.case("fork with another script", untouched and "options.restart" in told, f"{state}: {told}")
    again = made.ask(RUN, options={"restart": True})
    right = made.rows() == [(id_, newest_start(made)) for id_ in range(1, MAX_ROWS + 1)]
    tally.case("fork with another script", again["statusCode"] == 200 and right and not left(made), f"{again}")
    tally.check()
