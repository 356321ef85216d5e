"""A workflow on fakes: engine, database, Spark, model and time are fake, everything else is real."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from agent.errors import UnavailableError
from agent.settings import Settings, load_settings
from graph.checkpoints.sqlite import sqlite_checkpoints
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import JOB_EVENT, answer
from runs.service import Service
from tools.fakes import FakeClock, FakeDatabase, FakeDryRun, FakeJobs, FakeModel, PlannedRun
from tools.local.artifacts import LocalArtifacts
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.ports import Clock, Database, DryRun, JobRunner, Model
from tools.records import DefinedJob, RunEnded, RunRecord
from tools.toolbox import Toolbox

SETTINGS = {"model": "fake", "wait_seconds": 30, "poll_seconds": 1}
TRANSFORM = '''def transform(sources: dict[str, DataFrame]) -> DataFrame:
    """Totals by id."""
    return sources["o"].groupBy(F.col("o.id").alias("id")).agg(F.sum(F.col("o.amount")).alias("total"))
'''

REPLY = f"Here it is:\n\n```python\n{TRANSFORM}```\n"

SCRIPT_FAILED = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 60; JobPhaseError: [datamorph phase="cast" line=60] '
    "ValueError: column total: 3 values do not fit numeric(5,2)",
)

SCRIPT_FAILED_OTHERWISE = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 40; JobPhaseError: [datamorph phase="transform" line=40] '
    "AnalysisException: Column 'x' does not exist. Did you mean one of the following? [id, amount];",
)


def event(**changes: Any) -> dict[str, Any]:
    """Give a small event; `changes` replace its parts."""
    return {
        "run_id": "run_1",
        "specs": {
            "source_tables": [{"table_name": "orders", "alias": "o"}],
            "target_table": {"name": "totals", "columns": ["id", "total"], "write_mode": "overwrite"},
            "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["id"]}],
        },
        "source_schemas": {
            "orders": {"columns": [{"name": "id", "type": "integer"}, {"name": "amount", "type": "numeric(10,2)"}]}
        },
        **changes,
    }


@dataclass
class Bench:
    """The fakes of one workflow, and services over them as fresh processes would have."""

    folder: Path
    stack: ExitStack
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))
    jobs: FakeJobs = field(default_factory=FakeJobs)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    dry_run: FakeDryRun | None = field(default_factory=FakeDryRun)
    settings: Settings = field(default_factory=lambda: load_settings(SETTINGS, {}))

    def service(self, leases: str = "leases") -> Service:
        """Open stores anew, as the next process would; with other `leases`, while one that holds the run sleeps."""
        return service_over(
            self.folder,
            self.stack,
            model=self.model,
            jobs=self.jobs,
            dry_run=self.dry_run,
            database=self.database,
            settings=self.settings,
            leases=leases,
        )


def service_over(
    folder: Path,
    stack: ExitStack,
    *,
    model: Model,
    jobs: JobRunner,
    database: Database,
    dry_run: DryRun | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
    leases: str = "leases",
) -> Service:
    """Open this machine's stores in a folder; `stack` closes them."""
    tools = Toolbox(
        model=model,
        artifacts=LocalArtifacts(folder / "artifacts"),
        jobs=jobs,
        dry_run=dry_run,
        database=database,
        ledger=stack.enter_context(closing(SqliteLedger(folder / "ledger.sqlite"))),
        lease=FileLease(folder / leases),
        journal=JsonlJournal(folder / "journal"),
        clock=clock or FakeClock(),
    )
    checkpoints = stack.enter_context(sqlite_checkpoints(folder / "checkpoints.sqlite"))
    return Service(tools, settings or load_settings(SETTINGS, {}), checkpoints, "test")


MakeBench = Callable[..., Bench]

LONG = PlannedRun(looks=40)
"""A job that outlasts one call's wait."""


@dataclass
class Woken:
    """A Waker that remembers, and refuses from some call on."""

    runs: list[str] = field(default_factory=list)
    refuse_at: int | None = None

    def wake(self, run_id: str) -> None:
        """Remember."""
        if self.refuse_at == len(self.runs):
            raise UnavailableError("lambda", "no right to invoke")
        self.runs.append(run_id)


def ask(made: Bench, what: object, waker: Woken | None = None, control: RunControl | None = None) -> Response:
    """Answer an input as a fresh process would."""
    return answer(Actions(made.service(), waker or Woken(), control), what)


def act(made: Bench, action: str, run_id: str = "run_1") -> Response:
    return ask(made, {"run_id": run_id, "action": action})


def job_event(made: Bench, **changes: Any) -> dict[str, Any]:
    """The event of the newest start's end, as EventBridge sends it."""
    job_name = made.jobs.started[-1]
    job_run_id = made.jobs.list_runs(job_name)[0].job_run_id
    detail = {"jobName": job_name, "jobRunId": job_run_id, "severity": "INFO", "state": "SUCCEEDED", "message": ""}
    return {"source": "aws.glue", "detail-type": JOB_EVENT, "detail": {**detail, **changes}}


def swept(made: Bench) -> list[str]:
    waker = Woken()
    ask(made, {"action": "sweep"}, waker)
    return waker.runs


@contextmanager
def refused(made: Bench, operation: str, error: Exception, times: int = 99) -> Any:
    """Let an operation of the engine fail, the first so many times."""
    whole = getattr(made.jobs, operation)
    left = [error] * times

    def broken(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return whole(*arguments)

    setattr(made.jobs, operation, broken)
    yield
    setattr(made.jobs, operation, whole)


MINUTES = 7 * 60
"""Twice three launches of an hour, and an hour more."""


class Listening:
    """An Announcer that remembers."""

    def __init__(self) -> None:
        self.told: list[RunEnded] = []

    def announce(self, ended: RunEnded) -> bool:
        """Remember."""
        self.told.append(ended)
        return True


def later(made: Bench, minutes: float, listener: Listening | None = None) -> Service:
    """The service as a process has it so much later."""
    service, clock = made.service(), FakeClock()
    clock.sleep(60 * minutes)
    return replace(service, tools=replace(service.tools, clock=clock, announcer=listener))


def wake(service: Service, action: str = "resume") -> Response:
    return getattr(Actions(service, Woken()), action)("run_1")  # type: ignore[no-any-return]


def recorded(made: Bench) -> RunRecord:
    found = made.service().tools.ledger.run("run_1")
    assert found is not None
    return found


@dataclass
class Defined:
    """A JobList over a fake engine's definitions."""

    jobs: FakeJobs
    expired: set[str] = field(default_factory=set)
    looked_at: list[str] = field(default_factory=list)

    def ours(self) -> list[str]:
        """All of them."""
        return sorted(self.jobs._jobs)

    def look(self, job_name: str) -> DefinedJob | None:
        """As it was planned."""
        self.looked_at.append(job_name)
        return DefinedJob(job_name, job_name in self.expired) if job_name in self.jobs._jobs else None


def sweep(made: Bench, *expired: str) -> Response:
    """The answer to one tick."""
    service = made.service()
    tools = replace(service.tools, job_list=Defined(made.jobs, set(expired)))
    return Actions(replace(service, tools=tools), Woken()).sweep()
