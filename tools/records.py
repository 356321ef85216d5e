"""Records that the ports take and give, all frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from agent.launch_status import LaunchState
from agent.names import LaunchKey, RunKey
from agent.request import Request
from agent.run_status import RunEvent, RunStatus
from agent.snapshot import Row, Snapshot

JobRunState = Literal[
    "STARTING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "WAITING", "EXPIRED"
]


TERMINAL_STATES = frozenset({"STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"})


@dataclass(frozen=True)
class ModelCall:
    """One question to a model."""

    purpose: Literal["generate", "repair"]
    system: str
    user: str
    index: int
    """0 for the first model call of the run's generation, 1 for the second …; a recording answers by it."""
    request: Request
    snapshot: Snapshot
    seconds: float | None = None
    """Time limit for the answer, as the invocation leaves it; None: the model's own limit alone counts."""


@dataclass(frozen=True)
class Completion:
    """A model's answer; tokens are 0 where the model does not count them."""

    text: str
    stop_reason: str
    """`end_turn`, or `max_tokens` when the reply was cut."""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True)
class JobDefinition:
    """A job as CreateJob takes it, reduced to what differs from job to job."""

    name: str
    script_ref: str
    """`uri#sha256` of the script in the artifact store."""
    timeout_minutes: int
    tags: Mapping[str, str] = field(default_factory=dict)
    worker_type: str = "G.1X"


@dataclass(frozen=True)
class DefinedJob:
    """A job definition that exists on the engine."""

    name: str
    expired: bool
    """True when no run of it can be live any more."""


@dataclass(frozen=True)
class JobRun:
    """A run of a job as GetJobRun describes it; an unknown `state` counts as not terminal."""

    job_name: str
    job_run_id: str
    state: str
    error: str = ""
    seconds: float = 0.0
    dpu_seconds: float = 0.0
    usd: float = 0.0

    @property
    def terminal(self) -> bool:
        """True when the run will not change any more."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True)
class JobReport:
    """The script's own report of what it wrote to staging."""

    rows: int
    columns: tuple[str, ...]
    job_run_id: str
    notes: tuple[str, ...] = ()
    """Notes for the user, as `column mean: 12 values were rounded to numeric(10,2)`."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the JSON that the script wrote; None for an empty text. Raises ValueError for any other text."""
        if not text.strip():
            return None
        stored = json.loads(text)
        return cls(stored["rows"], tuple(stored["columns"]), stored["job_run_id"], tuple(stored.get("notes", ())))


@dataclass(frozen=True)
class DryRunResult:
    """Result of the script on sample rows."""

    error: str = ""
    """Spark's or Python's own error; empty when the script succeeded."""
    phase: str = ""
    """The script's phase that failed."""
    line: int | None = None
    """The failing line, 1-based within the script."""
    columns: tuple[tuple[str, str], ...] = ()
    """Output columns in order: name, Spark type."""
    rows: int = 0
    sample: tuple[Row, ...] = ()


@dataclass(frozen=True)
class SampleTable:
    """A table's rows for a dry run."""

    columns: tuple[tuple[str, str], ...]
    """Name and Spark type."""
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class PublishOrder:
    """Order to publish a staging table, once per (run_id, generation)."""

    run_id: str
    generation: int
    staging_table: str
    """`s_{YYYYMMDD}_{12 hex}_{12 hex}` in schema `datamorph_staging`."""
    columns: tuple[str, ...]
    """The result's columns in the order of the INSERT."""
    column_types: tuple[str, ...]
    """PostgreSQL types of a target that has to be created; empty: the target takes the types of staging."""
    write_mode: Literal["overwrite", "append", "merge"]
    asked: bool
    """True when the specification names the mode; without it, rows that others wrote are never replaced."""
    keys: tuple[str, ...]
    expected_rows: int
    """Row count of the job's report; staging must have as many."""
    allow_empty: bool
    target: str
    own_prefixes: tuple[str, ...] = ()
    """Staging table prefixes of all launches of this generation: a publish of one of them is this run's own."""

    @property
    def key(self) -> RunKey:
        """The generation whose rows are published."""
        return RunKey(self.run_id, self.generation)


@dataclass(frozen=True)
class Published:
    """A publish that is committed."""

    rows: int
    created: bool
    """True when the target did not exist before."""
    already: bool
    """True when this (run_id, generation) was published before; this call changed nothing."""
    columns: tuple[str, ...] = ()
    """Name and type of each column of a target that was created: `total numeric(12,2)`."""
    of_another_launch: bool = False
    """True when another launch's rows were published: its worker was taken for dead and came back."""


Withdrawal = Literal["cancelled", "superseded", "overdue"]
"""Reason why a run must not be published any more."""


@dataclass(frozen=True)
class Launch:
    """A start of the engine, as recorded in the ledger."""

    key: LaunchKey
    state: LaunchState
    job_name: str
    job_run_id: str = ""


@dataclass(frozen=True)
class RunRecord:
    """An accepted run."""

    run_id: str
    generation: int
    payload_sha: str
    request_ref: str
    model: str
    engine: str
    database: str
    """Host, port and name of the database, without credentials; a run resumes on this database only."""
    accepted_at: str
    """UTC, ISO 8601."""
    status: RunStatus
    response: str = ""
    """The recorded response as JSON; empty while there is none."""
    deadline: str = ""
    """UTC, ISO 8601; a run that is resumed later is stopped and fails."""
    hops: int = 0
    """Count of the invocations that have worked on the run, the first included."""
    lost: int = 0
    """Count of invocations in a row that died or broke: since the last one that completed a step or was refused."""
    ended_at: str = ""
    """Time of the recorded end, UTC, ISO 8601; empty while there is none."""

    @property
    def key(self) -> RunKey:
        """The recorded generation."""
        return RunKey(self.run_id, self.generation)


@dataclass(frozen=True)
class Change:
    """An event of a run for the ledger to record; `agent/run_status.py` gives the status that follows."""

    event: RunEvent
    response: str | None = None
    """The answer as JSON; None keeps the recorded one."""
    ended_at: str | None = None
    """Time of the run's end, UTC, ISO 8601; None keeps the recorded time."""
    hops: int | None = None
    """Count that `hop` returned to this invocation; the change is refused after a later one. None: no comparison."""


@dataclass(frozen=True)
class RunEnded:
    """Detail of the completion event `DataMorph Run State Change`; delivery is at-least-once."""

    run_id: str
    generation: int
    execution_status: str
    """`success`, `failed` or `cancelled`."""
    target_table: str
    rows_written: int | None
    job_run_id: str | None
    attempts: int


@dataclass(frozen=True)
class RequestRefused:
    """Detail of the event `DataMorph Request Refused`: a start was answered 400, 409 or 503."""

    run_id: str | None
    request_id: str
    """Lambda's id of the invocation, which its caller received."""
    statusCode: int  # noqa: N815
    execution_status: str
    """`invalid`, `conflict` or `unavailable`."""
    service: str | None
    """The service that refused, for `unavailable`."""
    errors: list[dict[str, str]]
    """`path` and `message` of each."""
