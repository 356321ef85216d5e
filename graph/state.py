"""The workflow's state: plain JSON data. Texts live in the artifact store; state holds references to them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from agent.findings import Diagnosis, JobOutcome, Verdict
from agent.names import staging_prefix
from tools.records import LaunchKey

Preflight = Literal["ok", "partial", "skipped", "failed"]
Verified = Literal["full", "partial", "none"]
RunStatus = Literal["running", "success", "failed"]


class Usage(TypedDict):
    """What a run used so far."""

    input_tokens: int
    output_tokens: int
    dpu_seconds: float
    usd: float


class PublishFailure(TypedDict):
    """Why staging was not published."""

    kind: str
    """A kind of PublishError."""
    message: str


class InputState(TypedDict):
    """What a run begins with."""

    run_id: str
    generation: int
    engine: str
    model: str
    request: str
    """Reference of the request in the artifact store."""
    accepted_at: str
    """When this generation was accepted, UTC, ISO 8601."""


class State(TypedDict, total=False):
    """All that a run knows; a reference is `uri#sha256` in the artifact store.

    A node returns one with only the keys that changed.
    """

    run_id: str
    generation: int
    engine: str
    model: str
    request: str
    accepted_at: str
    target_table: str
    snapshot: str
    """Reference of what sources and target looked like when the run began."""
    warnings: list[str]
    usage: Usage
    model_calls: int
    """Questions asked to the model so far; the next one has this index."""
    prompt: str
    """Reference of the generation prompt."""
    reply: str
    """Reference of the newest reply, from the model or from a rule."""
    stop_reason: str
    """How that reply ended: `max_tokens` when it was cut."""
    unparsed: bool
    """True when the reply held no transform that could be read."""
    transform: str
    script: str
    transform_line: int
    """Line of the script on which the transform begins."""
    verdict: Verdict
    preflight: Preflight | None
    """None before the first dry run."""
    verified: Verified
    attempt: int
    """1-based; the attempt that the next execution belongs to."""
    launch: int
    executions: int
    """Attempts that were really executed."""
    rewrites: int
    """Repairs before the current attempt's execution."""
    rewrites_total: int
    wait: Literal["poll", "event"]
    """Whether a call waits for the job, or suspends at once and is woken by an event or a sweep."""
    worker_type: str
    """Glue's name; a larger one after an attempt that ran out of memory."""
    script_uri: str
    """The immutable script that the job runs, as a reference."""
    latest_uri: str
    job_name: str
    job_run_id: str
    outcome: JobOutcome | None
    """How the newest launch ended; None while it has not."""
    waited: bool
    """True when one call's whole wait passed and the job had not ended."""
    publish_failure: PublishFailure | None
    rows_written: int | None
    diagnosis: Diagnosis | None
    signatures: list[str]
    """Of all failures of the run, in order."""
    status: RunStatus


def launch_key(state: State) -> LaunchKey:
    """What the current launch is keyed by."""
    return LaunchKey(state["run_id"], state["generation"], state["attempt"], state["launch"])


def launch_prefix(state: State) -> str:
    """How the current launch's staging table begins."""
    key = launch_key(state)
    return staging_prefix(key.run_id, key.generation, key.attempt, key.launch, state["accepted_at"])
