"""Stand-ins for engine, database, Spark, model and time, for tests that are about the workflow.

Each keeps to the contract of the real part; `tests/contracts/` runs one suite over both.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.errors import EngineError, PublishError, UnavailableError
from agent.event_snapshot import event_snapshot
from agent.request import Request
from agent.snapshot import Row, Snapshot
from tools.ports import (
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
)


@dataclass(frozen=True)
class PlannedRun:
    """How a run of the fake engine is to end."""

    state: str = "SUCCEEDED"
    error: str = ""
    rows: int | None = 3
    """None: the script writes no report."""
    columns: tuple[str, ...] = ("id", "total")
    looks: int = 0
    """How many times `get` says RUNNING before the end."""
    log: str = ""


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


class FakeJobs:
    """A JobRunner whose runs end as planned, in order; without a plan they succeed."""

    def __init__(self, *plans: PlannedRun) -> None:
        self._plans = list(plans)
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
        run = _Run("jr_" + secrets.token_hex(32), self._plans.pop(0) if self._plans else PlannedRun())
        self._runs.setdefault(job_name, []).append(run)
        self.started.append(job_name)
        return run.job_run_id

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The run as it stands; each look brings it nearer to its end."""
        run = self._run(job_name, job_run_id)
        state = run.state()
        run.looks += 1
        return JobRun(job_name, job_run_id, state, run.plan.error if state == run.plan.state else "", 1.0, 2.0)

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first."""
        return [JobRun(job_name, run.job_run_id, run.state()) for run in reversed(self._runs.get(job_name, []))]

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop."""
        run = self._run(job_name, job_run_id)
        run.stopped = run.stopped or run.state() not in TERMINAL_STATES

    def delete(self, job_name: str) -> None:
        """Delete the definition."""
        self._jobs.pop(job_name, None)

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The planned report of a run that succeeded."""
        plan = self._run(job_name, job_run_id).plan
        return None if plan.rows is None else JobReport(plan.rows, plan.columns, job_run_id)

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The planned log."""
        return self._run(job_name, job_run_id).plan.log

    def _run(self, job_name: str, job_run_id: str) -> _Run:
        for run in self._runs.get(job_name, []):
            if run.job_run_id == job_run_id:
                return run
        raise EngineError("EntityNotFoundException", f"job {job_name!r} has no run {job_run_id!r}")


@dataclass
class FakeDatabase:
    """A Database that believes the event, and publishes unless a refusal is planned."""

    refusals: list[PublishError] = field(default_factory=list)
    """Raised by `publish` one after the other, before it succeeds."""
    published: dict[tuple[str, int], PublishOrder] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    reachable: bool = True

    def snapshot(self, request: Request, sample_rows: int) -> Snapshot:
        """What the event says."""
        if not self.reachable:
            raise UnavailableError("database", "cannot be reached")
        return event_snapshot(request)

    def prepare_staging(self) -> None:
        """Nothing is needed."""

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Once per run and generation."""
        key = (order.run_id, order.generation)
        if key in self.published:
            return Published(self.published[key].expected_rows, created=False, already=True)
        if self.refusals:
            raise self.refusals.pop(0)
        self.published[key] = order
        return Published(order.expected_rows, created=False, already=False)

    def drop_staging(self, prefix: str) -> int:
        """Remember the prefix."""
        self.dropped.append(prefix)
        return 0

    def head(self, table: str, rows: int) -> list[Row]:
        """No rows."""
        return []


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
        """Nothing is open."""


class FakeModel:
    """A Model that answers with the given texts, or with what a function makes of the call."""

    name = "fake"

    def __init__(self, answers: Sequence[str] | Callable[[ModelCall], str]) -> None:
        self._answers = answers
        self.calls: list[ModelCall] = []

    def complete(self, call: ModelCall) -> Completion:
        """The answer of the call's index."""
        self.calls.append(call)
        text = self._answers(call) if callable(self._answers) else self._answers[call.index]
        return Completion(text, "end_turn", input_tokens=10, output_tokens=5, usd=0.001)


class FakeClock:
    """A Clock on which waiting takes no time."""

    def __init__(self) -> None:
        self._now = 1_700_000_000.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds
