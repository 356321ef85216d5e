"""The ports: what the workflow needs from the outside world.

Each Protocol is the contract; `tests/contracts/` holds the real parts and the fakes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from agent.names import LaunchKey, RunKey
from agent.request import Request
from agent.snapshot import Row, Snapshot
from tools.records import (
    Change,
    Completion,
    DefinedJob,
    DryRunResult,
    JobDefinition,
    JobReport,
    JobRun,
    Launch,
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
        """The user's choice, as `compiler` or `recorded:replies.jsonl`."""
        ...

    def complete(self, call: ModelCall) -> Completion:
        """Answer a call.

        Raises UnavailableError (refused for good), InvalidRequestError (the compiler cannot express it), and
        OutOfTimeError when no answer came within `call.seconds`; a model that answers at once may ignore the limit.
        """
        ...


class ArtifactStore(Protocol):
    """Store of texts under keys; a reference is `uri#sha256`."""

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key and return its reference; storing the same text again is allowed.

        Raises ArtifactError when the key holds another text, UnavailableError when it cannot be stored.
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
        """Define the job. Raises EngineError AlreadyExistsException when the name is taken, also by the same job.

        An engine that recognises another installation's job raises IdempotentParameterMismatchException for it.
        """
        ...

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run and return its id. Raises ConcurrentRunsExceededException while one is live."""
        ...

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The current state of the run. Raises EntityNotFoundException."""
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
    """Job definitions of this product on an engine, for the janitor."""

    def ours(self) -> list[str]:
        """Names of all definitions with this product's tag."""
        ...

    def look(self, job_name: str) -> DefinedJob | None:
        """A definition; None when it is gone."""
        ...


class DryRun(Protocol):
    """Local Spark on sample rows."""

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """Run the script with these tables in the database's place. Raises UnavailableError when Spark cannot run.

        A script that ends its Spark, or exhausts memory or time, has failed: the result's error is a
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

    def withdraw(self, key: RunKey, why: Withdrawal) -> bool:
        """Forbid every later publish of the generation; False when it is published already.

        Raises UnavailableError, also where only a standby is reachable.
        """
        ...

    def drop_staging(self, prefix: str) -> int:
        """Drop every staging table whose name begins with `prefix`; returns how many there were.

        Raises UnavailableError, also for a table that PostgreSQL refuses to drop.
        """
        ...

    def staging_tables(self) -> list[str]:
        """Names of the staging tables of all runs. Raises UnavailableError."""
        ...

    def head(self, table: str, rows: int) -> list[Row]:
        """The first rows of a table, in the table's own order."""
        ...


class Ledger(Protocol):
    """Runs and launches, strongly consistent."""

    def accept(self, record: RunRecord) -> RunRecord:
        """Record a run unless its run_id is known; returns the recorded run."""
        ...

    def new_generation(self, superseded: RunRecord, record: RunRecord) -> RunRecord:
        """Replace the `superseded` generation by `record` as the next one; returns the recorded run.

        Raises ConflictError and changes nothing when another generation is recorded or the status does not allow
        `restart`. Raises LookupError for an unknown run.
        """
        ...

    def run(self, run_id: str) -> RunRecord | None:
        """The run's newest generation."""
        ...

    def runs(self, limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        """Runs, newest first; `after` is the last run of the page before."""
        ...

    def change(self, key: RunKey, change: Change) -> bool:
        """Record an event; False, and nothing is changed, when the run's status does not allow it.

        An older generation refuses every event. With `change.hops` a run refuses it too once a later invocation has
        begun.
        """
        ...

    def hop(self, key: RunKey, deadline: str = "") -> RunRecord:
        """Count an invocation that begins to work on a run, as lost until it settles; the run becomes `running`.

        A `deadline` replaces the recorded one. A run whose status refuses `drive`, and an older generation, stay as
        they are. Returns the recorded run. Raises LookupError for an unknown run.
        """
        ...

    def settle(self, key: RunKey) -> None:
        """Reset the count of lost invocations after progress, if the status allows `settle`."""
        ...

    def due(self, limit: int = 50) -> list[str]:
        """run_ids of open runs, least recently returned first.

        Each is marked as returned now: with more than `limit` open runs the next call returns others.
        """
        ...

    def launch(self, key: LaunchKey) -> Launch | None:
        """The recorded launch; None when there is none."""
        ...

    def advance(self, launch: Launch) -> None:
        """Record a launch's next state. Raises ValueError on a step back or on another job_run_id."""
        ...

    def launches(self, key: RunKey) -> list[Launch]:
        """All launches of a generation in order."""
        ...


class Lease(Protocol):
    """Mutual exclusion: one worker per run at a time."""

    def hold(self, run_id: str) -> AbstractContextManager[str | None]:
        """Hold the run while the context lasts. Raises ConflictError when another worker holds it.

        The context gives a fencing token, new with each hold, by which a store refuses a worker whose run was taken
        over; None where a living holder cannot lose the run.
        """
        ...

    def clear(self) -> int:
        """Remove the leases of workers that died; returns how many. Live leases stay."""
        ...


class Journal(Protocol):
    """Log of a run's steps, for people."""

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Append one entry; never raises for a journal that cannot be reached."""
        ...


class Announcer(Protocol):
    """Sender of completion events."""

    def announce(self, ended: RunEnded) -> bool:
        """Send the event; never raises for an unreachable listener. False when a later try may succeed."""
        ...


class Waker(Protocol):
    """Resumes a run in an invocation of its own."""

    def wake(self, run_id: str) -> None:
        """Request that the run be resumed; returns at once. Raises UnavailableError."""
        ...


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
