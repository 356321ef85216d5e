"""Fakes of engine, database, Spark, model and clock, for tests of the workflow.

Each keeps the contract of the real part; `tests/contracts/` runs one suite over both.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.errors import EngineError, PublishError, UnavailableError
from agent.names import RunKey
from agent.request import Request
from agent.snapshot import Row, Snapshot, event_snapshot
from tools.database.staging_schema import check_prefix, staging_relation
from tools.records import (
    TERMINAL_STATES,
    Completion,
    DryRunResult,
    JobDefinition,
    JobReport,
    JobRun,
    ModelCall,
    Published,
    PublishOrder,
    SampleTable,
    Withdrawal,
)

_LOG_CHARACTERS = 20_000
_UNREACHABLE = "the database cannot be reached"


@dataclass(frozen=True)
class PlannedRun:
    """The planned course of a run on the fake engine."""

    state: str = "SUCCEEDED"
    error: str = ""
    rows: int | None = 3
    """None: the script writes no report."""
    columns: tuple[str, ...] = ("id", "total")
    looks: int = 0
    """Calls of `get` that say RUNNING before the end."""
    log: str = ""
    notes: tuple[str, ...] = ()
    """Notes in the report."""


@dataclass
class _Run:
    job_run_id: str
    plan: PlannedRun
    looks: int = 0
    stopped: bool = False

    def state(self) -> str:
        if self.looks < self.plan.looks:
            return "STOPPING" if self.stopped else "RUNNING"
        return "STOPPED" if self.stopped else self.plan.state

    def seen(self, job_name: str) -> JobRun:
        state = self.state()
        return JobRun(job_name, self.job_run_id, state, self.plan.error if state == self.plan.state else "", 1.0, 2.0)


class FakeJobs:
    """A JobRunner whose runs end as planned, in order; without a plan they succeed."""

    def __init__(self, *plans: PlannedRun) -> None:
        self.plans = list(plans)
        """Plans of the runs to come, in order."""
        self._jobs: dict[str, JobDefinition] = {}
        self._runs: dict[str, list[_Run]] = {}
        self.started: list[str] = []
        """Job names in the order of their starts."""

    def create(self, job: JobDefinition) -> None:
        """Define the job."""
        if job.name in self._jobs:
            raise EngineError("AlreadyExistsException", f"job {job.name!r} is defined already")
        self._jobs[job.name] = job

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run."""
        if job_name not in self._jobs:
            raise EngineError("EntityNotFoundException", f"job {job_name!r} is not defined")
        if any(run.state() not in TERMINAL_STATES for run in self._runs.get(job_name, [])):
            raise EngineError("ConcurrentRunsExceededException", f"a run of job {job_name!r} is live")
        run = _Run("jr_" + secrets.token_hex(32), self.plans.pop(0) if self.plans else PlannedRun())
        self._runs.setdefault(job_name, []).append(run)
        self.started.append(job_name)
        return run.job_run_id

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The current state of the run; each call brings it nearer to its end."""
        run = self._run(job_name, job_run_id)
        seen = run.seen(job_name)
        run.looks += 1
        return seen

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first."""
        return [run.seen(job_name) for run in reversed(self._runs.get(job_name, []))]

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop."""
        run = self._run(job_name, job_run_id)
        run.stopped = run.stopped or run.state() not in TERMINAL_STATES

    def delete(self, job_name: str) -> None:
        """Delete the definition."""
        self._jobs.pop(job_name, None)

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The planned report of a run that succeeded."""
        run = self._run(job_name, job_run_id)
        if run.plan.rows is None or run.state() != "SUCCEEDED":
            return None
        return JobReport(run.plan.rows, run.plan.columns, job_run_id, run.plan.notes)

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The planned log's end."""
        log = self._run(job_name, job_run_id).plan.log
        tail = log[-_LOG_CHARACTERS:]
        return tail if tail == log else tail[tail.find("\n") + 1 :]

    def _run(self, job_name: str, job_run_id: str) -> _Run:
        for run in self._runs.get(job_name, []):
            if run.job_run_id == job_run_id:
                return run
        raise EngineError("EntityNotFoundException", f"job {job_name!r} has no run {job_run_id!r}")


@dataclass
class FakeDatabase:
    """A Database that believes the event, and publishes unless a refusal is planned."""

    refusals: list[PublishError] = field(default_factory=list)
    """Errors that `publish` raises, one a call, before it succeeds."""
    published: dict[RunKey, PublishOrder] = field(default_factory=dict)
    withdrawn: dict[RunKey, Withdrawal] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
    """Existing staging tables."""
    reachable: bool = True

    def snapshot(self, request: Request, sample_rows: int) -> Snapshot:
        """The event's own snapshot."""
        self._reach()
        return event_snapshot(request)

    def prepare_staging(self) -> None:
        """Do nothing: a fake has no schema."""
        self._reach()

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Publish once per run and generation; the target counts as existing."""
        staging_relation(order.staging_table)
        key = order.key
        if not self.reachable:
            raise PublishError("transient", _UNREACHABLE)
        if (why := self.withdrawn.get(key)) is not None:
            raise PublishError(why, f"run {order.run_id}, generation {order.generation}, was {why}")
        if (before := self.published.get(key)) is not None:
            same = before.staging_table == order.staging_table
            if not (same or before.staging_table.startswith(order.own_prefixes)) or before.target != order.target:
                message = f"run_id {order.run_id} was published into {before.target} by another installation"
                raise PublishError("run_id_taken", message)
            return Published(before.expected_rows, created=False, already=True, of_another_launch=not same)
        if self.refusals:
            raise self.refusals.pop(0)
        if order.expected_rows == 0 and order.write_mode == "overwrite" and not order.allow_empty:
            raise PublishError("empty_result", "the result is empty, and options.allow_empty is not set")
        self.published[key] = order
        return Published(order.expected_rows, created=False, already=False)

    def withdraw(self, key: RunKey, why: Withdrawal) -> bool:
        """Record the withdrawal, unless `publish` came first."""
        self._reach()
        if key in self.published:
            return False
        self.withdrawn.setdefault(key, why)
        return True

    def drop_staging(self, prefix: str) -> int:
        """Remember the prefix."""
        check_prefix(prefix)
        self._reach()
        self.dropped.append(prefix)
        left = [table for table in self.staged if not table.startswith(prefix)]
        gone, self.staged = len(self.staged) - len(left), left
        return gone

    def staging_tables(self) -> list[str]:
        """Planned staging tables that were not dropped."""
        self._reach()
        return list(self.staged)

    def head(self, table: str, rows: int) -> list[Row]:
        """Return no rows."""
        self._reach()
        return []

    def _reach(self) -> None:
        if not self.reachable:
            raise UnavailableError("database", _UNREACHABLE)


class FakeDryRun:
    """A DryRun with planned results, in order; without a plan a script runs through and gives one row."""

    def __init__(self, *results: DryRunResult | UnavailableError) -> None:
        self._results = list(results)
        self.scripts: list[str] = []

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """The next planned result."""
        self.scripts.append(script)
        result = self._results.pop(0) if self._results else DryRunResult(rows=1)
        if isinstance(result, UnavailableError):
            raise result
        return result

    def close(self) -> None:
        """Do nothing: no Spark is open."""


class FakeModel:
    """A Model that answers with the given texts, or with what a function makes of the call."""

    name = "fake"

    def __init__(self, answers: Sequence[str] | Callable[[ModelCall], str]) -> None:
        self._answers = answers
        self.calls: list[ModelCall] = []

    def complete(self, call: ModelCall) -> Completion:
        """The answer of the call's index. Raises UnavailableError when there are no more."""
        self.calls.append(call)
        if callable(self._answers):
            text = self._answers(call)
        elif call.index < len(self._answers):
            text = self._answers[call.index]
        else:
            raise UnavailableError("model", f"{len(self._answers)} answers; answer {call.index + 1} was asked for")
        return Completion(text, "end_turn", input_tokens=10, output_tokens=5, usd=0.001)


class FakeClock:
    """A Clock on which waiting takes no time."""

    def __init__(self) -> None:
        self._now = 1_700_000_000.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self._now += seconds
