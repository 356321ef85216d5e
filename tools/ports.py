"""The ports: what the workflow needs from the outside world.

Each Protocol is the contract; `tests/contracts/` holds the real parts and the fakes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from agent.request import Request
from agent.snapshot import Row, Snapshot
from tools.records import (
    Completion,
    DefinedJob,
    DryRunResult,
    JobDefinition,
    JobReport,
    JobRun,
    Launch,
    LaunchKey,
    ModelCall,
    Published,
    PublishOrder,
    RunEnded,
    RunRecord,
    SampleTable,
    Withdrawal,
)


class Model(Protocol):
    """A writer of transforms."""

    @property
    def name(self) -> str:
        """What the user chose, as `compiler` or `recorded:replies.jsonl`."""
        ...

    def complete(self, call: ModelCall) -> Completion:
        """Answer. Raises UnavailableError (refused for good), InvalidRequestError (compiler: cannot express it).

        OutOfTimeError: not answered within `call.seconds`; a model that answers at once need not look at them.
        """
        ...


class ArtifactStore(Protocol):
    """Text kept for good under a key; a reference is `uri#sha256`."""

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key and return its reference; the same text again is fine.

        Raises ArtifactError when the key holds another text, UnavailableError when it cannot be kept.
        """
        ...

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text; returns the URI without a hash."""
        ...

    def get(self, ref: str) -> str:
        """The text of a reference. Raises ArtifactError when it is missing or its hash differs."""
        ...


class JobRunner(Protocol):
    """An engine that runs scripts: Glue, or the embedded one. Errors of a call are EngineError with Glue's codes."""

    def create(self, job: JobDefinition) -> None:
        """Define the job. Raises EngineError AlreadyExistsException when the name is taken, be it by the same one.

        An engine that can tell another one's job raises IdempotentParameterMismatchException for that.
        """
        ...

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run and return its id. Raises ConcurrentRunsExceededException while one is live."""
        ...

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The run as it stands. Raises EntityNotFoundException."""
        ...

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first; empty for an unknown job."""
        ...

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop; it passes through STOPPING. A terminal run is left as it is."""
        ...

    def delete(self, job_name: str) -> None:
        """Delete the definition; an unknown name is fine."""
        ...

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The script's own report; None when it wrote none."""
        ...

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The last lines of the run's output, at most 20,000 characters."""
        ...


class JobList(Protocol):
    """The definitions of ours that an engine holds, for whoever puts away what was left."""

    def ours(self) -> list[str]:
        """Names of all definitions that carry our tag."""
        ...

    def look(self, job_name: str) -> DefinedJob | None:
        """One of them; None when it is gone."""
        ...


class DryRun(Protocol):
    """Local Spark on sample rows."""

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """Run the script with these tables in the database's place. Raises UnavailableError when Spark cannot run.

        A script that ends its Spark, or takes all its memory or time, has failed: the error is a
        TooLargeForSamplesError or TooSlowForSamplesError.
        """
        ...

    def close(self) -> None:
        """End the warm Spark."""
        ...


class Database(Protocol):
    """The PostgreSQL that holds sources, staging and target."""

    def snapshot(self, request: Request, sample_rows: int) -> Snapshot:
        """The snapshot for a request. Raises UnavailableError, or InvalidRequestError for tables that do not exist."""
        ...

    def prepare_staging(self) -> None:
        """Create schema `datamorph_staging` and its publish ledger when missing."""
        ...

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Audit staging and move its rows into the target in one transaction. Raises PublishError."""
        ...

    def withdraw(self, run_id: str, generation: int, why: Withdrawal) -> bool:
        """Let no later publish of this run and generation come through; False when it is published already.

        Raises UnavailableError, also where only a standby can be asked.
        """
        ...

    def drop_staging(self, prefix: str) -> int:
        """Drop every staging table whose name begins with `prefix`; returns how many there were.

        Raises UnavailableError, also for a table that PostgreSQL does not let go.
        """
        ...

    def staging_tables(self) -> list[str]:
        """The names of all staging tables that are there, of whatever run. Raises UnavailableError."""
        ...

    def head(self, table: str, rows: int) -> list[Row]:
        """The first rows of a table, in the table's own order."""
        ...


class Ledger(Protocol):
    """Runs and launches, strongly consistent."""

    def accept(self, record: RunRecord) -> RunRecord:
        """Record a run unless its run_id is known; returns what stands recorded."""
        ...

    def new_generation(self, superseded: RunRecord, record: RunRecord) -> RunRecord:
        """Replace the generation that was superseded by `record`, one up; returns what stands recorded.

        Raises ConflictError, and nothing is changed, where another generation stands; LookupError where no run does.
        """
        ...

    def run(self, run_id: str) -> RunRecord | None:
        """The run's newest generation."""
        ...

    def runs(self, limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        """The newest runs first; with `after`, the last of a page that was given before, those that follow it."""
        ...

    def finish(
        self,
        run_id: str,
        generation: int,
        status: str,
        response: str,
        *,
        stopping: bool = False,
        ended_at: str = "",
        hops: int | None = None,
    ) -> bool:
        """Record how the run stands; False, and nothing is changed, where its end is recorded or a newer generation is.

        Nor is anything changed of a run that is being stopped, but by who stops it: `stopping`. With `hops`, the count
        that `hop` told this invocation, nothing either once another one has begun to work on the run. `ended_at` is
        that of an end.
        """
        ...

    def announced(self, run_id: str, generation: int, status: str) -> None:
        """Record of a run that is `announcing` its end that listeners know of it; of another one nothing."""
        ...

    def hop(self, run_id: str, generation: int, deadline: str = "") -> RunRecord:
        """Count an invocation that begins to work on a run, as lost until it settles; the run is then `running`.

        A `deadline` replaces the one recorded. A run that has ended or is being stopped, and an older generation, stand
        as they are. Returns what stands. Raises LookupError for a run that is not known.
        """
        ...

    def settle(self, run_id: str, generation: int) -> None:
        """Record that the run got on: what was counted as lost is counted anew; not of one that is being stopped."""
        ...

    def due(self, limit: int = 50) -> list[str]:
        """The run_ids of open runs (OPEN_STATUSES), those given out longest ago, or never, first.

        Each is marked as given out now, so that the next call gives others where there are more than `limit`.
        """
        ...

    def launch(self, key: LaunchKey) -> Launch | None:
        """The launch as recorded."""
        ...

    def advance(self, launch: Launch) -> None:
        """Record a launch's next state. Raises ValueError on a step back or on another job_run_id."""
        ...

    def launches(self, run_id: str, generation: int) -> list[Launch]:
        """All launches of a generation in order."""
        ...


class Lease(Protocol):
    """One worker per run at a time."""

    def hold(self, run_id: str) -> AbstractContextManager[str | None]:
        """Hold the run while the context lasts. Raises ConflictError when another holds it.

        Gives the owner's token, new with each hold, by which a store can tell whether the run was taken over meanwhile;
        None where a holder that lives cannot lose it.
        """
        ...

    def clear(self) -> int:
        """Remove what holders that died left behind; returns how many. A run that is held stays held."""
        ...


class Journal(Protocol):
    """Where each step is told."""

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Append one entry; never raises for a journal that cannot be reached."""
        ...


class Announcer(Protocol):
    """Whoever wants to know when a run has ended."""

    def announce(self, ended: RunEnded) -> bool:
        """Tell; never raises for a listener that cannot be reached. False when a later try may reach it."""
        ...


class Waker(Protocol):
    """Lets a run go on in an invocation of its own."""

    def wake(self, run_id: str) -> None:
        """Ask for the run to be resumed; returns at once. Raises UnavailableError."""
        ...


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
