"""Starting on Glue: one request for one start, and what becomes of an answer that leaves things open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from agent.errors import ConflictError, EngineError, UnavailableError
from agent.launch_status import LaunchState
from agent.names import LaunchKey
from graph.nodes.delete_job import delete_job
from graph.nodes.start_run import start_run
from graph.state import State
from tests.fakes.glue_faults import Fault
from tests.fakes.moto_server import REGION, Aws
from tests.tools.aws.scene import JOB, PREFIX, GlueScene, ImpatientClients, glue_scene
from tools.fakes import PlannedRun
from tools.local.ledger import SqliteLedger
from tools.ports import JobRunner
from tools.records import JobRun, Launch, RunRecord

KEY = LaunchKey("r1", 1, 1, 1)
LIVE = PlannedRun(looks=100)
TIMEOUT = Fault("StartJobRun", error="OperationTimeoutException")
INTERNAL = Fault("StartJobRun", error="InternalServiceException")
UNAVAILABLE = Fault("StartJobRun", error="ServiceUnavailable", status=503)
DROPPED = Fault("StartJobRun", dropped=True)
HELD = Fault("StartJobRun", held=True)
BUSY = Fault("StartJobRun", error="ThrottlingException", message="Rate exceeded")
REFUSED = ["StartJobRun", "GetJobRuns", "GetJobRuns", "GetJobRuns"]
"""Requests that are sent for a start that is refused."""


def applied(fault: Fault) -> Fault:
    """The same fault, after the run was started."""
    return replace(fault, applied=True)


@pytest.fixture
def scene(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[GlueScene]:
    """Give an engine that waits for an answer for a second only, with a job that is defined."""
    with closing(ImpatientClients(REGION)) as clients, glue_scene(aws, monkeypatch, clients) as made:
        made.runner().create(made.job())
        yield made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    """Give a ledger that knows the run, and nothing of its launches."""
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as made:
        made.accept(RunRecord("r1", 1, "sha", "ref", "compiler", "glue", "db:5432/s", "2026", "running"))
        yield made


STATE = cast(
    State,
    {
        **{"run_id": "r1", "generation": 1, "attempt": 1, "launch": 1, "job_name": JOB, "accepted_at": "2026"},
        **{"job_script_ref": "x", "worker_type": "G.1X", "outcome": None},
    },
)


def start(scene: GlueScene, ledger: SqliteLedger, jobs: JobRunner | None = None) -> State:
    """Run the workflow's node."""
    return start_run(STATE, jobs=jobs or scene.runner(), ledger=ledger, clock=scene.clock, timeout_minutes=60)


def sleepy(scene: GlueScene, meanwhile: Callable[[], object]) -> JobRunner:
    """An engine on which something happens right before the first start of this worker."""
    runner = scene.runner()
    started, happens = runner.start, [meanwhile]

    def late(job_name: str, arguments: Mapping[str, str]) -> str:
        if happens:
            happens.pop()()
        return started(job_name, arguments)

    runner.start = late  # type: ignore[method-assign]
    return runner


def ran(scene: GlueScene, ledger: SqliteLedger, reached: LaunchState) -> None:
    """Another worker starts the launch, its run ends, and it gets as far as `reached`."""
    theirs = start(scene, ledger)
    while not scene.runner().get(JOB, theirs["job_run_id"]).terminal:
        pass
    if reached != "STARTED":
        ledger.advance(Launch(KEY, "TERMINAL", JOB, theirs["job_run_id"]))
    if reached == "CLEANED":
        delete_job(cast(State, {**STATE, **theirs}), jobs=scene.runner(), ledger=ledger)


@pytest.mark.parametrize("fault", [TIMEOUT, INTERNAL, UNAVAILABLE, DROPPED, HELD, BUSY])
@pytest.mark.parametrize("effect", [False, True])
def test_a_start_is_one_request(scene: GlueScene, fault: Fault, effect: bool) -> None:
    """Whatever the answer, and whether or not it was applied, nothing is sent a second time."""
    scene.glue.faults = [applied(fault) if effect else fault]
    with pytest.raises(EngineError):
        scene.runner().start(JOB, PREFIX)
    assert len(scene.glue.requests("StartJobRun")) == 1
    assert len(scene.glue.started) == (1 if effect else 0)


@pytest.mark.parametrize("fault", [TIMEOUT, INTERNAL, UNAVAILABLE, DROPPED, HELD])
def test_a_run_whose_start_was_not_confirmed_is_adopted(scene: GlueScene, ledger: SqliteLedger, fault: Fault) -> None:
    """The engine's list of runs tells that the start was applied; there is one run, and it is the launch's."""
    scene.glue.plans[:] = [LIVE]
    scene.glue.faults = [applied(fault)]
    state = start(scene, ledger)
    assert [run.job_run_id for run in scene.runner().list_runs(JOB)] == [state["job_run_id"]]
    launch = ledger.launch(KEY)
    assert launch is not None and (launch.state, launch.job_run_id) == ("STARTED", state["job_run_id"])


@pytest.mark.parametrize("fault", [TIMEOUT, INTERNAL, UNAVAILABLE, DROPPED, HELD])
def test_a_start_that_came_to_nothing_is_made_good_by_a_resume(
    scene: GlueScene, ledger: SqliteLedger, fault: Fault
) -> None:
    """The launch stays INTENT, the user is told what is not known, and the resume looks before it starts."""
    scene.glue.faults = [fault]
    with pytest.raises(UnavailableError, match="may have been applied"):
        start(scene, ledger)
    launch = ledger.launch(KEY)
    assert launch is not None and launch.state == "INTENT"
    asked = len(scene.glue.calls)
    state = start(scene, ledger)
    assert [name for name, _ in scene.glue.calls[asked:]] == ["GetJobRuns"] * 3 + ["StartJobRun"]
    assert [run.job_run_id for run in scene.runner().list_runs(JOB)] == [state["job_run_id"]]


def test_a_run_that_lives_already_is_adopted(scene: GlueScene, ledger: SqliteLedger) -> None:
    """A rival that started the job between our look and our start has started our run."""
    scene.glue.plans[:] = [LIVE]
    theirs = scene.runner().start(JOB, PREFIX)
    scene.glue.faults = [Fault("GetJobRuns", error="EntityNotFoundException")]
    assert start(scene, ledger)["job_run_id"] == theirs
    assert scene.glue.started == [JOB]


def test_a_busy_glue_is_asked_again_after_a_look(scene: GlueScene, ledger: SqliteLedger) -> None:
    """Throttling means that nothing was done: two such answers do not end the run."""
    scene.glue.faults = [BUSY, Fault("StartJobRun", error="TooManyRequestsException", call=2)]
    start(scene, ledger)
    assert scene.glue.started == [JOB]
    assert [name for name, _ in scene.glue.calls] == ["CreateJob", "GetJobRuns", *REFUSED, *REFUSED, "StartJobRun"]


def test_a_glue_that_stays_busy_is_told(scene: GlueScene, ledger: SqliteLedger) -> None:
    """The third refusal in a row goes to the user."""
    scene.glue.faults = [replace(BUSY, times=9)]
    with pytest.raises(UnavailableError, match="Rate exceeded; wait a little"):
        start(scene, ledger)
    assert len(scene.glue.requests("StartJobRun")) == 3


def test_a_reached_quota_is_named_and_a_resume_starts(scene: GlueScene, ledger: SqliteLedger) -> None:
    """Nothing was started: the message names the quotas, and once there is room the resume goes on."""
    scene.glue.account.max_runs = 0
    with pytest.raises(UnavailableError) as caught:
        start(scene, ledger)
    told = str(caught.value)
    assert "ResourceNumberLimitExceededException" in told and "'Max concurrent job runs per account'" in told
    launch = ledger.launch(KEY)
    assert launch is not None and launch.state == "INTENT"
    scene.glue.account.max_runs = None
    assert start(scene, ledger)["job_run_id"]
    assert scene.glue.started == [JOB]


@pytest.mark.parametrize("reached", ["STARTED", "TERMINAL"])
def test_a_second_run_of_a_launch_is_taken_back(scene: GlueScene, ledger: SqliteLedger, reached: LaunchState) -> None:
    """Its worker slept before the start, past its lease: the run on record has ended, so Glue starts another one."""
    scene.glue.plans[:] = [PlannedRun(looks=1), LIVE]
    with pytest.raises(ConflictError, match="another process"):
        start(scene, ledger, sleepy(scene, lambda: ran(scene, ledger, reached)))
    launch, runs = ledger.launch(KEY), scene.runner().list_runs(JOB)
    assert launch is not None and launch.state == reached
    assert [run.state for run in runs] == ["STOPPED", "SUCCEEDED"]
    assert runs[1].job_run_id == launch.job_run_id
    assert JOB in scene.glue.account.jobs, "who has the run on record deletes the definition"


def test_a_launch_that_is_put_away_is_not_defined_again(scene: GlueScene, ledger: SqliteLedger) -> None:
    """The definition is gone because another worker is through with the launch."""
    scene.glue.plans[:] = [PlannedRun(looks=1), LIVE]
    with pytest.raises(ConflictError, match="another process"):
        start(scene, ledger, sleepy(scene, lambda: ran(scene, ledger, "CLEANED")))
    assert scene.glue.started == [JOB]
    assert JOB not in scene.glue.account.jobs


def test_a_launch_that_another_worker_started_meanwhile_is_not_begun(scene: GlueScene, ledger: SqliteLedger) -> None:
    """Its first worker slept between the look at the engine and the entry in the ledger."""
    runner = scene.runner()
    looked = runner.list_runs

    def late(job_name: str) -> list[JobRun]:
        found = looked(job_name)
        ran(scene, ledger, "TERMINAL")
        return found

    runner.list_runs = late  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match="another process"):
        start(scene, ledger, runner)
    assert scene.glue.started == [JOB]
