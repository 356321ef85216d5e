"""The workflow's state: plain JSON data. Texts live in the artifact store; state holds references to them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from agent.findings import Diagnosis, JobOutcome, Verdict
from agent.names import LaunchKey, staging_prefix

Preflight = Literal["ok", "partial", "skipped", "failed"]
Verified = Literal["full", "partial", "none"]
WorkflowStatus = Literal["running", "success", "failed"]


class Usage(TypedDict):
    """Tokens, DPU seconds and dollars that the run has used."""

    input_tokens: int
    output_tokens: int
    dpu_seconds: float
    usd: float


class ToldNote(TypedDict):
    """One assumption of the reading, as `agent.compiler.notes.Note`."""

    path: str
    message: str
    other: str
    """Another reading that was possible; empty when there is none."""


class PublishFailure(TypedDict):
    """The reason why staging was not published."""

    kind: str
    """A kind of PublishError."""
    message: str


class InputState(TypedDict):
    """The state that a run begins with."""

    run_id: str
    generation: int
    engine: str
    model: str
    request_ref: str
    accepted_at: str
    """Time at which this generation was accepted, UTC, ISO 8601."""


class State(TypedDict, total=False):
    """The whole state of a run; a node returns only the keys that it changed.

    A key in `_ref` holds `uri#sha256`, a reference to a text in the artifact store; a key in `_uri` holds no hash.
    """

    run_id: str
    generation: int
    engine: str
    model: str
    request_ref: str
    accepted_at: str
    target_table: str
    snapshot_ref: str
    """The columns, keys and sample rows of sources and target when the run began."""
    warnings: list[str]
    notes: list[ToldNote]
    """How the specification was read, where that was not certain."""
    usage: Usage
    model_calls: int
    """Number of model calls so far, which is the index of the next one."""
    prompt_ref: str
    """The generation prompt."""
    reply_ref: str
    """The newest reply, from the model or from a rule."""
    stop_reason: str
    """The model's reason for the reply's end: `max_tokens` when the reply was cut."""
    unparsed: bool
    """True when no transform could be read in the reply."""
    transform_ref: str
    script_ref: str
    transform_line: int
    """Line of the script on which the transform begins."""
    verdict: Verdict
    preflight: Preflight | None
    """Result of the newest dry run; None before the first one."""
    verified: Verified
    attempt: int
    """1-based; the attempt that the next execution belongs to."""
    launch: int
    executions: int
    """Attempts that were executed."""
    rewrites: int
    """Repairs before the current attempt's execution."""
    rewrites_total: int
    wait: Literal["poll", "event"]
    """`poll`: a call waits for the job. `event`: it suspends at once, and an event or a sweep wakes the run."""
    worker_type: str
    """Glue's name; a larger one after an attempt that ran out of memory."""
    job_script_ref: str
    """The uploaded script that the job runs: an immutable key, named after run, generation and attempt."""
    latest_uri: str
    """The key that always holds the newest script of the run."""
    job_name: str
    job_run_id: str
    outcome: JobOutcome | None
    """End of the newest launch; None while it has not ended."""
    waited: bool
    """True when the job did not end within the whole wait of one call."""
    publish_failure: PublishFailure | None
    rows_written: int | None
    diagnosis: Diagnosis | None
    signatures: list[str]
    """Failure signatures of the run, in order."""
    status: WorkflowStatus


def launch_key(state: State) -> LaunchKey:
    """The key of the current launch."""
    return LaunchKey(state["run_id"], state["generation"], state["attempt"], state["launch"])


def launch_prefix(state: State) -> str:
    """The prefix of the current launch's staging table."""
    return staging_prefix(launch_key(state), state["accepted_at"])
