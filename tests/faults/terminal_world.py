"""The terminal's parts in a world of their own: files, SQLite ledger and saver, a planned engine, real PostgreSQL."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.settings import Settings, load_settings
from runs.actions import Actions
from runs.dispatch import answer
from runs.service import Service
from tests.faults.ends import held, on_record
from tests.faults.forked import in_child
from tests.faults.invariants import Evidence, Left, Tables
from tests.faults.planned_jobs import PlannedJobs
from tests.faults.saver_calls import Moment, SaverCalls
from tests.faults.tables import STAGED, Sales
from tests.faults.world_clock import WorldClock
from tests.lambda_handler.scene import REPLY, event
from tests.runs.scene import service_over
from tools.database import PostgresDatabase
from tools.fakes import PlannedRun
from tools.local.clock import SystemClock
from tools.models.selection import model_of

EVENT = event()
RUN: str = EVENT["run_id"]
_ROUNDS = 4


@dataclass
class TerminalWorld:
    """One home directory and one database; every command is a process of its own."""

    saver_name: ClassVar[str] = "SQLite"

    folder: Path
    sales: Sales
    calls: SaverCalls
    plans: list[PlannedRun] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Tables] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Where everything durable lies."""
        return self.folder / "home"

    @property
    def log(self) -> Path:
        """Output of the commands."""
        return self.folder / "output.log"

    def begin(self, plans: list[PlannedRun]) -> None:
        """Forget everything, and let the runs of the engine go as planned."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self.log.write_text("")
        self.plans = plans
        self.answers.clear()
        self.seen.clear()
        self.sales.reset()

    def saver_calls(self) -> list[str]:
        """The checkpointer's calls in a run that nothing disturbs."""
        found = self._begun(None)
        assert found is not None
        return list(found)

    def killed_at_saver(self, number: int, moment: Moment) -> bool:
        """Begin the run in a process that dies at a call of its checkpointer; False when it did not."""
        return self._begun((number, moment)) is None

    def _begun(self, strike: tuple[int, Moment] | None) -> list[str] | None:
        def work() -> Any:
            self.calls.strike = strike
            with self._service() as service:
                told = answer(Actions(service), EVENT)
            return {"answer": told, "calls": self.calls.calls}

        found = in_child(work, self.log)
        self.seen.append(self.sales.tables())
        if found is None:
            return None
        self.answers.append(found["answer"])
        return list(found["calls"])

    def recovered(self) -> Evidence:
        """The evidence when the run has been resumed until it ended, and was asked for once more."""
        recovered = in_child(self._recover, self.log)
        self.answers += recovered["answers"]
        left = Left(
            jobs=self._jobs().jobs(),
            staging=self.sales.staging(),
            leases=held(self.home / "leases"),
            due=recovered["due"],
        )
        return self._evidence(in_child(self._look, self.log), left)

    def _recover(self) -> dict[str, Any]:
        answers: list[Any] = []
        while not answers or (answers[-1]["statusCode"] in (202, 409, 503) and len(answers) < _ROUNDS):
            with self._service() as service:
                begun = service.tools.ledger.run(RUN) is not None
                answers.append(answer(Actions(service), {"run_id": RUN, "action": "resume"} if begun else EVENT))
        with self._service() as service:
            return {"answers": answers, "due": service.tools.ledger.due()}

    def _look(self) -> dict[str, Any]:
        with self._service() as service:
            return {"answer": answer(Actions(service), EVENT), **on_record(service, RUN)}

    def _evidence(self, found: dict[str, Any], left: Left) -> Evidence:
        jobs = self._jobs()
        return Evidence(
            run_id=RUN,
            runs=jobs.runs(),
            live_at_starts=jobs.live_at_starts(),
            **left,
            seen=[*self.seen, self.sales.tables()],
            published=self.sales.published(),
            state=found["state"],
            response=found["answer"],
            status=found["status"],
            recorded=found["recorded"],
            launches=found["launches"],
            texts=self._texts(found),
        )

    def _texts(self, found: dict[str, Any]) -> list[tuple[str, str]]:
        told = [("state", json.dumps(found)), ("answers", json.dumps(self.answers)), ("log", self.log.read_text())]
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return told + [(str(path), path.read_bytes().decode(errors="replace")) for path in files]

    def _jobs(self) -> PlannedJobs:
        return PlannedJobs(self.home / "engine.sqlite", self.sales.url, self.plans, STAGED)

    @contextmanager
    def _service(self) -> Iterator[Service]:
        """Open the parts as the next command would."""
        settings = self._settings()
        with ExitStack() as stack:
            yield service_over(
                self.home,
                stack,
                model=model_of(settings),
                jobs=self._jobs(),
                database=PostgresDatabase(self.sales.url),
                settings=settings,
                clock=SystemClock(),
            )

    def _settings(self) -> Settings:
        return load_settings({"model": f"recorded:{self.folder / 'replies.jsonl'}", "home": str(self.home)}, {})


@contextmanager
def terminal_world(folder: Path, database_url: str) -> Iterator[TerminalWorld]:
    """Build a world that lasts as long as the context, and warm this process."""
    reply = {"completion": f"ROOT CAUSE: a slip.\n\n{REPLY}", "input_tokens": 2000, "output_tokens": 150}
    (folder / "replies.jsonl").write_text(f"{json.dumps(reply)}\n" * 2)
    with pytest.MonkeyPatch.context() as patch, closing(Sales(database_url)) as sales:
        WorldClock().install(patch)
        calls = SaverCalls()
        calls.watch(SqliteSaver, patch)
        world = TerminalWorld(folder, sales, calls)
        world.begin([])
        with world._service() as service:
            service.run({"run_id": RUN})  # a request that is refused imports what others need
        yield world
