"""A world in which a run takes hundredths of a second: everything but engine and model is real.

The database is one in memory or a real PostgreSQL. An invocation is a service of its own, which may die at any call of
its ports; a job run ends as planned, or when the world says so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from agent.names import RunKey, prefix_of_table, staging_prefix
from agent.settings import load_settings
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
from tests.faults.quick_databases import QuickDatabase, QuickPostgres, quick_postgres
from tests.faults.quick_jobs import QuickJobs, planned
from tests.runs.scene import REPLY, Defined, Listening, Woken, event
from tools.fakes import FakeClock, FakeModel
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.ports import Database
from tools.records import RunRecord
from tools.toolbox import Toolbox

RUN = "run_1"
SETTINGS = load_settings({"model": "fake"}, {})
REQUEST = event(options={"wait": "event"})
RESTART = event(options={"wait": "event", "restart": True})
CANCEL = {"action": "cancel", "run_id": RUN}
FOREIGN = "jr_" + 64 * "0"
_ROUNDS = 8
_NOTHING = Tables([], [])


@dataclass
class MemoryJournal:
    """A Journal in memory."""

    texts: list[str] = field(default_factory=list)

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Keep the description."""
        self.texts.append(description)


@dataclass
class QuickWorld:
    """Everything that outlives each process."""

    folder: Path
    database: Database
    jobs: QuickJobs
    ledger: SqliteLedger = field(default_factory=lambda: SqliteLedger(Path(":memory:")))
    checkpoints: sqlite3.Connection = field(
        default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False)
    )
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))
    """The model of the processes to come."""
    listener: Listening = field(default_factory=Listening)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    clock: FakeClock = field(default_factory=FakeClock)

    def close(self) -> None:
        """Close the stores."""
        self.ledger.close()
        self.checkpoints.close()

    def ask(self, what: object, life: Life | None = None, leases: str = "leases") -> Response:
        """The answer of a process of its own. Other `leases` show it no holder. Raises ProcessDied."""
        waker = Woken()
        told = answer(Actions(self.service(life, leases), waker), what)
        for run_id in waker.runs:
            self.act("resume", run_id)
        return told

    def dies(self, what: object, life: Life) -> bool:
        """True when the process that is asked dies; it may answer before the call at which it would."""
        try:
            self.ask(what, life)
        except ProcessDied:
            return True
        return False

    def act(self, action: str, run_id: str = RUN, life: Life | None = None, leases: str = "leases") -> Response:
        """Do something to a run."""
        return self.ask({"action": action, "run_id": run_id}, life, leases)

    def sweep(self) -> Response:
        """A tick; what it wakes works in processes of its own."""
        return self.ask({"action": "sweep"})

    def past_deadline(self) -> None:
        """Let the deadline of whatever runs pass."""
        self.clock.sleep(60 * SETTINGS.run_deadline_minutes + 1)

    def job_event(self, foreign: bool = False) -> dict[str, Any]:
        """The event of the newest start, or of a run that it did not start; of an unknown job before any start."""
        name = self.jobs.started[-1] if self.jobs.started else f"datamorph-job-{RUN}-g1-a1-l1-01234567"
        known = self.jobs.list_runs(name)
        job_run_id = FOREIGN if foreign or not known else known[0].job_run_id
        detail = {"jobName": name, "jobRunId": job_run_id, "severity": "INFO", "state": "SUCCEEDED", "message": ""}
        return {"source": "aws.glue", "detail-type": JOB_EVENT, "detail": detail}

    def record(self, run_id: str = RUN) -> RunRecord | None:
        """The run as it stands recorded."""
        return self.ledger.run(run_id)

    def staging(self, run_id: str = RUN) -> list[str]:
        """The staging tables of a run's newest generation."""
        record = self.record(run_id)
        assert record is not None
        prefixes = [staging_prefix(launch.key, record.accepted_at) for launch in self.ledger.launches(record.key)]
        return [table for table in self.database.staging_tables() if prefix_of_table(table) in prefixes]

    def service(self, life: Life | None = None, leases: str = "leases") -> Service:
        """The service of a process."""
        life = life or Life()

        def mortal(name: str, port: object) -> Any:
            return Mortal(name, port, life)

        tools = Toolbox(
            model=mortal("model", self.model),
            artifacts=mortal("artifacts", self.artifacts),
            jobs=mortal("jobs", self.jobs),
            dry_run=None,
            database=mortal("database", self.database),
            ledger=mortal("ledger", self.ledger),
            lease=mortal("lease", FileLease(self.folder / leases)),
            journal=self.journal,
            clock=self.clock,
            announcer=mortal("announcer", self.listener),
            job_list=Defined(self.jobs),
        )
        return Service(tools, SETTINGS, MortalSaver(self.checkpoints, life), "memory")


@dataclass
class MemoryWorld(QuickWorld):
    """A world whose database is in memory too, and that looks for broken invariants."""

    database: QuickDatabase

    def swept_late(self) -> list[str]:
        """Violations after a tick with a run whose deadline has passed."""
        self.sweep()
        record = self.record()
        if record is None or datetime.fromisoformat(record.deadline).timestamp() > self.clock.now():
            return []
        return ended_in_time(record.status, "its deadline")

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


@dataclass
class PostgresWorld(QuickWorld):
    """A world whose database is a real PostgreSQL."""

    database: QuickPostgres


def quick_world(folder: Path, *states: str) -> closing[MemoryWorld]:
    """A world in memory whose engine lets attempt after attempt end in these states."""
    database = QuickDatabase()
    return closing(MemoryWorld(folder, database, QuickJobs(database.stage, *planned(*states))))


@contextmanager
def postgres_world(folder: Path, url: str) -> Iterator[PostgresWorld]:
    """A world on PostgreSQL, whose runs end as `jobs.plans` says."""
    with quick_postgres(url) as database, closing(PostgresWorld(folder, database, QuickJobs(database.stage))) as made:
        yield made
