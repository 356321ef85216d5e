"""The places at which a run stops and waits, each with the way on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.runtime import RunControl

from agent.errors import ArtifactError, PublishError
from agent.settings import load_settings
from graph.response import Response
from runs.service import Service, Step
from tests.runs.conftest import REPLY, SCRIPT_FAILED, SETTINGS, event
from tools.fakes import FakeClock, FakeDatabase, FakeDryRun, FakeJobs, FakeModel, PlannedRun
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

RUN = "run_1"
SHOWN = ("execution_status", "attempts", "rewrites", "rows_written", "job_run_id", "target_table")
"""Of an answer, what is the same whichever version gives it."""
_LOCKED = PublishError("transient", "lock timeout")


@dataclass(frozen=True)
class Scene:
    """A run up to where it waits, and what happens then."""

    before: tuple[PlannedRun, ...]
    """How the launches go until it waits; the last one is live."""
    live: PlannedRun = field(default_factory=PlannedRun)
    """How the launch that is live ends after the resume."""
    after: tuple[PlannedRun, ...] = ()
    """How the launches after the resume go."""
    wait: str = "event"
    refusals: tuple[PublishError, ...] = ()
    let_go_at: str = ""
    """The node at which the caller asks for a stop; there is no interrupt then."""


LONG = PlannedRun(looks=10_000)
SCENES = {
    "job_running": Scene((LONG,)),
    "job_running_and_fails": Scene((LONG,), SCRIPT_FAILED, (PlannedRun(),)),
    "second_attempt_running": Scene((SCRIPT_FAILED, LONG)),
    "publish_pending": Scene((PlannedRun(),), refusals=(_LOCKED,) * 4, wait="poll"),
    "let_go_while_waiting": Scene((LONG,), wait="poll", let_go_at="await_run"),
}


@dataclass
class MemoryArtifacts:
    """An ArtifactStore that can be written down with the checkpoints."""

    texts: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key."""
        if self.texts.setdefault(key, text) != text:
            raise ArtifactError(key, "is already stored with another content")
        return f"golden:{key}#{hashlib.sha256(text.encode()).hexdigest()}"

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text."""
        self.texts[key] = text
        return f"golden:{key}"

    def get(self, ref: str) -> str:
        """The text of a reference."""
        key = ref.partition("#")[0].removeprefix("golden:")
        if key not in self.texts:
            raise ArtifactError(ref, "is missing")
        return self.texts[key]


@dataclass
class World:
    """The stand-ins of one run."""

    folder: Path
    jobs: FakeJobs
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))

    @contextmanager
    def service(self, saver: BaseCheckpointSaver[Any]) -> Iterator[Service]:
        """The service over a checkpointer."""
        with closing(SqliteLedger(self.folder / "ledger.sqlite")) as ledger:
            tools = Toolbox(
                model=self.model,
                artifacts=self.artifacts,
                jobs=self.jobs,
                dry_run=FakeDryRun(),
                database=self.database,
                ledger=ledger,
                lease=FileLease(self.folder / "leases"),
                journal=JsonlJournal(self.folder / "journal"),
                clock=FakeClock(),
            )
            yield Service(tools, load_settings(SETTINGS, {}), saver, "golden")


def until_it_waits(scene: Scene, world: World, saver: BaseCheckpointSaver[Any]) -> Response:
    """Let a run begin, until it waits."""
    world.jobs.plans[:] = scene.before
    world.database.refusals = list(scene.refusals)
    control = RunControl()

    def let_go(step: Step) -> None:
        if scene.let_go_at and (step.phase, step.node) == ("start", scene.let_go_at):
            control.request_drain("let go")

    with world.service(saver) as service:
        return service.run(event(options={"wait": scene.wait}), let_go, control)


def to_its_end(scene: Scene, world: World, saver: BaseCheckpointSaver[Any]) -> dict[str, Any]:
    """Resume the run until it has ended; gives what is the same whichever version does it.

    A checkpoint that was not understood shows in the questions to the model: the run would begin anew.
    """
    world.jobs.plans[:] = scene.after
    world.model.calls.clear()
    for runs in world.jobs._runs.values():
        runs[-1].plan = scene.live if runs[-1].plan == LONG else runs[-1].plan
    with world.service(saver) as service:
        answers = [service.resume(RUN)]
        while answers[-1]["statusCode"] == 202 and len(answers) < 9:
            answers.append(service.resume(RUN))
    shown = {name: answers[-1]["body"][name] for name in SHOWN}
    if scene.after:
        # The job run of a launch that begins after the resume is another one each time.
        shown["job_run_id"] = None
    return {
        "statusCode": answers[-1]["statusCode"],
        **shown,
        "starts": len(world.jobs.started),
        "asked": len(world.model.calls),
    }
