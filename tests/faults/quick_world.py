"""A world in memory, in which a run takes hundredths of a second: everything but engine, database and model is real.

An invocation is a service of its own, which may die at any call of its ports; a job run ends when the world says so.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from agent.names import RunKey, staging_table
from agent.settings import load_settings
from agent.snapshot import Snapshot
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import JOB_EVENT, answer
from runs.service import Service
from tests.fakes.artifacts import MemoryArtifacts
from tests.faults.ends import held
from tests.faults.invariants import (
    Evidence,
    Expected,
    Left,
    Tables,
    at_most_two_attempts,
    ended_in_time,
    ended_once,
    nothing_left,
    started_once,
)
from tests.faults.mortal import Life, Mortal, MortalSaver, ProcessDied
from tests.runs.scene import REPLY, SCRIPT_FAILED, Defined, Listening, Woken, event
from tools.fakes import FakeClock, FakeDatabase, FakeJobs, FakeModel, PlannedRun
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.records import TERMINAL_STATES, JobRun, Published, PublishOrder, RunRecord
from tools.toolbox import Toolbox

RUN = "run_1"
SETTINGS = load_settings({"model": "fake"}, {})
REQUEST = event(options={"wait": "event"})
RESTART = event(options={"wait": "event", "restart": True})
FOREIGN = "jr_" + 64 * "0"
_LOOKS = 10_000
_STOPS_AFTER = 2
_ROUNDS = 8
_NOTHING = Tables([], [])


class QuickJobs(FakeJobs):
    """A FakeJobs whose runs stage a table, and end when they are told to."""

    def __init__(self, database: FakeDatabase, *attempts: PlannedRun) -> None:
        super().__init__()
        self._database = database
        self._attempts = attempts
        self.live_at_starts: list[int] = []
        """How many runs were live when each one was started."""
        self.late = False
        """True while lists of runs do not show what was started."""

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run, which stages its rows at once, and goes as its attempt is planned in every generation."""
        self.plans = [self._attempts[attempt_of(job_name) - 1]]
        live = sum(not run.terminal for name in self._runs for run in super(QuickJobs, self).list_runs(name))
        job_run_id = super().start(job_name, arguments)
        self.live_at_starts.append(live)
        self._database.staged.append(staging_table(arguments["--staging_prefix"], job_run_id))
        return job_run_id

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first; none while lists are late."""
        return [] if self.late else super().list_runs(job_name)

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Stop a live run, which takes two looks."""
        run = self._run(job_name, job_run_id)
        if run.state() not in TERMINAL_STATES and not run.stopped:
            run.looks = run.plan.looks - _STOPS_AFTER
        super().stop(job_name, job_run_id)

    def end(self) -> None:
        """Let all runs that are live end as planned."""
        for runs in self._runs.values():
            for run in runs:
                run.looks = max(run.looks, run.plan.looks)

    def counts(self) -> dict[str, int]:
        """How many runs each job had."""
        return {name: len(runs) for name, runs in self._runs.items()}

    def definitions(self) -> list[str]:
        """Names of the jobs that are defined now."""
        return sorted(self._jobs)


def attempt_of(job_name: str) -> int:
    """The attempt that a job is for."""
    found = re.search(r"-a(\d+)-l\d+-", job_name)
    assert found is not None
    return int(found[1])


@dataclass
class QuickDatabase(FakeDatabase):
    """A FakeDatabase that counts what it moves."""

    moved: list[PublishOrder] = field(default_factory=list)
    """Publishes that wrote into the target, in order."""
    lost: list[str] = field(default_factory=list)
    """Staging tables that a publish wanted and that were not there."""

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Move the rows, once per run and generation."""
        made = super().publish(order, snapshot)
        if not made.already:
            self.moved.append(order)
            self.lost += [] if order.staging_table in self.staged else [order.staging_table]
        return made


class NoJournal:
    """Nobody reads it here."""

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Forget."""


@dataclass
class QuickWorld:
    """Everything that outlives each process."""

    folder: Path
    ledger: SqliteLedger
    checkpoints: sqlite3.Connection
    jobs: QuickJobs
    database: QuickDatabase
    listener: Listening = field(default_factory=Listening)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    clock: FakeClock = field(default_factory=FakeClock)

    def ask(self, what: object, life: Life | None = None, leases: str = "leases") -> Response | None:
        """The answer of a process of its own; None when it died. With other `leases`, of one that sees no holder."""
        life = life or Life()
        waker = Woken()
        try:
            told = answer(Actions(self._service(life, leases), waker), what)
        except ProcessDied:
            return None
        for run_id in waker.runs:
            self.act("resume", run_id)
        return told

    def act(self, action: str, run_id: str = RUN, life: Life | None = None, leases: str = "leases") -> Response | None:
        """Do something to a run."""
        return self.ask({"action": action, "run_id": run_id}, life, leases)

    def sweep(self) -> None:
        """A tick; what it wakes works in processes of its own."""
        self.ask({"action": "sweep"})

    def past_deadline(self) -> None:
        """Let the deadline of whatever runs pass."""
        self.clock.sleep(60 * SETTINGS.run_deadline_minutes + 1)

    def swept_late(self) -> list[str]:
        """Violations after a tick with a run whose deadline has passed."""
        self.sweep()
        record = self.record()
        if record is None or datetime.fromisoformat(record.deadline).timestamp() > self.clock.now():
            return []
        return ended_in_time(record.status, "its deadline")

    def job_event(self, foreign: bool = False) -> dict[str, Any]:
        """The event of the newest start, or of a run that it did not start; of an unknown job before any start."""
        name = self.jobs.started[-1] if self.jobs.started else f"datamorph-job-{RUN}-g1-a1-l1-01234567"
        known = super(QuickJobs, self.jobs).list_runs(name)
        job_run_id = FOREIGN if foreign or not known else known[0].job_run_id
        detail = {"jobName": name, "jobRunId": job_run_id, "severity": "INFO", "state": "SUCCEEDED", "message": ""}
        return {"source": "aws.glue", "detail-type": JOB_EVENT, "detail": detail}

    def record(self) -> RunRecord | None:
        """The run as it stands recorded."""
        return self.ledger.run(RUN)

    def recover(self, told_again: bool = False) -> list[str]:
        """Violations when all jobs have ended and sweeps have woken the run for as long as it was open."""
        for _ in range(_ROUNDS):
            if self.record() is None or not self.ledger.due():
                break
            self.jobs.end()
            self.sweep()
        self.sweep()
        return self.wrong(told_again)

    def wrong(self, told_again: bool = False) -> list[str]:
        """The invariants that are broken now, when the run should have ended; `told_again` as in invariants.py."""
        record = self.record()
        if record is None:
            return [f"nobody was accepted, and {self.jobs.started} ran"] if self.jobs.started else []
        left = Left(
            jobs=self.jobs.definitions(),
            staging=list(self.database.staged),
            leases=held(self.folder / "leases"),
            due=self.ledger.due(),
        )
        told = self.ask(REQUEST)
        assert told is not None
        found = self._evidence(record, told, left)
        moved = [order.generation for order in self.database.moved]
        return [
            *started_once(found),
            *at_most_two_attempts(found),
            *nothing_left(found),
            *ended_once(found, Expected(found, _NOTHING, _NOTHING, ""), told_again),
            *([] if len(set(moved)) == len(moved) else [f"I4: generations published: {moved}"]),
            *(
                []
                if (record.status == "success") == (record.generation in moved)
                else [f"I4: {record.status}, {moved}"]
            ),
            *(f"I4: {table} was published, and was not there" for table in self.database.lost),
        ]

    def _evidence(self, record: RunRecord, told: Response, left: Left) -> Evidence:
        ended = [asdict(one) for one in self.listener.told if one.generation == record.generation]
        generations = range(1, record.generation + 1)
        return Evidence(
            run_id=RUN,
            runs=self.jobs.counts(),
            live_at_starts=self.jobs.live_at_starts,
            **left,
            seen=[],
            published=sum(order.generation == record.generation for order in self.database.moved),
            state={},
            response=cast(dict[str, Any], told),
            status=record.status,
            recorded=record.response,
            launches=[one.state for number in generations for one in self.ledger.launches(RunKey(RUN, number))],
            events=ended,
        )

    def _service(self, life: Life, leases: str) -> Service:
        def mortal(name: str, port: object) -> Any:
            return Mortal(name, port, life)

        tools = Toolbox(
            model=mortal("model", FakeModel([REPLY] * 9)),
            artifacts=mortal("artifacts", self.artifacts),
            jobs=mortal("jobs", self.jobs),
            dry_run=None,
            database=mortal("database", self.database),
            ledger=mortal("ledger", self.ledger),
            lease=mortal("lease", FileLease(self.folder / leases)),
            journal=NoJournal(),
            clock=self.clock,
            announcer=mortal("announcer", self.listener),
            job_list=Defined(self.jobs),
        )
        return Service(tools, SETTINGS, MortalSaver(self.checkpoints, life), "memory")


def planned(*states: str) -> list[PlannedRun]:
    """Runs that go on until they are told to end, and end so; a failed one is the script's fault."""
    return [PlannedRun(state, SCRIPT_FAILED.error if state == "FAILED" else "", looks=_LOOKS) for state in states]


@contextmanager
def quick_world(folder: Path, *states: str) -> Iterator[QuickWorld]:
    """A world whose engine lets the first attempt end in the first of these states, the second one in the second."""
    checkpoints = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(checkpoints), closing(SqliteLedger(Path(":memory:"))) as ledger:
        database = QuickDatabase()
        yield QuickWorld(folder, ledger, checkpoints, QuickJobs(database, *planned(*states)), database)
