"""The response: the same from every door."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from agent.errors import ArtifactError, DatamorphError, UnavailableError
from agent.findings import Diagnosis
from agent.redaction import clip
from graph.state import Preflight, State, ToldNote, Usage, Verified
from tools.ports import ArtifactStore
from tools.records import RunRecord


class RunBody(TypedDict):
    """Fields that the body of every run has, whatever its status."""

    run_id: str
    target_table: str | None
    glue_code_path: str | None
    """URI of the newest script; None before there is one."""
    generation_prompt: str | None
    job_run_id: str | None
    attempts: int
    rewrites: int
    rows_written: int | None
    preflight: Preflight | None
    verified: Verified
    diagnosis: Diagnosis | None
    """None unless the run has failed."""
    notes: list[ToldNote]
    """How the specification was read, where that was not certain."""
    warnings: list[str]
    usage: Usage


class SuccessBody(RunBody):
    """200: the result is published."""

    execution_status: Literal["success"]


class RunningBody(RunBody):
    """202: the run is suspended; an event, a sweep or the same request resumes it."""

    execution_status: Literal["running"]


class PublishPendingBody(RunBody):
    """202: the job has succeeded and its rows wait in staging, because the target could not be written."""

    execution_status: Literal["publish_pending"]


class CancelledBody(RunBody):
    """410: the run was cancelled; the target is as it was."""

    execution_status: Literal["cancelled"]


class FailedBody(RunBody):
    """422: attempts or rewrites are used up, or the failure cannot be repaired; `diagnosis` has the cause."""

    execution_status: Literal["failed"]


class FieldError(TypedDict):
    """A fault in an event."""

    path: str
    """Place of the fault, as `specs.join_conditions[0].on_columns`."""
    message: str


class InvalidBody(TypedDict):
    """400: the event is wrong; nothing was started."""

    run_id: str | None
    execution_status: Literal["invalid"]
    errors: list[FieldError]


class ConflictBody(TypedDict):
    """409: the run_id is taken, or the run is busy."""

    run_id: str
    execution_status: Literal["conflict"]
    message: str


class UnavailableBody(TypedDict):
    """503: a service refused; the message says what to grant or raise."""

    run_id: str | None
    execution_status: Literal["unavailable"]
    service: str
    message: str


class IgnoredBody(TypedDict):
    """200: the event concerns no run that is known here; nothing was done."""

    run_id: str | None
    execution_status: Literal["ignored"]
    message: str


class SweptBody(TypedDict):
    """200: a sweep woke runs and deleted leftovers; 503 and `unavailable` where it could not do all."""

    execution_status: Literal["swept", "unavailable"]
    woken: list[str]
    """run_ids of the runs that were woken."""
    cleaned: list[str]
    """Names of deleted job definitions, staging tables and leases."""
    message: str | None


class ExaminedBody(TypedDict):
    """200: the checks of `{"action": "doctor"}`; 503 and `unavailable` where something is missing."""

    execution_status: Literal["ready", "unavailable"]
    message: str | None
    checks: list[dict[str, str]]


RunAnswer = SuccessBody | RunningBody | PublishPendingBody | CancelledBody | FailedBody
Body = RunAnswer | InvalidBody | ConflictBody | UnavailableBody | IgnoredBody | SweptBody | ExaminedBody


class Response(TypedDict):
    """The answer to a caller: a status code as of HTTP, and a body by `execution_status`."""

    statusCode: int  # noqa: N815
    body: Body


BYTES_TOLD = 380_000
"""Limit in bytes of an answer as JSON that repeats its prompt: an item of the ledger takes 400 KB."""

WARNING_BYTES_TOLD = 200_000
"""Limit in bytes of all warnings of an answer."""

RunWord = Literal["success", "running", "publish_pending", "cancelled", "failed"]
STATUS_CODES = {
    "success": 200, "running": 202, "publish_pending": 202, "invalid": 400, "conflict": 409,
    "cancelled": 410, "failed": 422, "unavailable": 503,
}  # fmt: skip
"""Status code of each `execution_status` of a request and its run."""


def response_of(
    state: State, artifacts: ArtifactStore, status: RunWord | None = None, *, passing: bool = False
) -> Response:
    """The response for a state of the workflow; `status` overrules that of the state.

    Raises UnavailableError where the prompt cannot be read now; a `passing` answer leaves the prompt out instead.
    """
    word: RunWord = status or state.get("status", "running")
    body = _body(state, word)
    reference = state.get("prompt_ref")
    if reference and state["model"] != "compiler":
        _add_prompt(body, reference, artifacts, (ArtifactError, UnavailableError) if passing else (ArtifactError,))
    return Response(statusCode=STATUS_CODES[word], body=body)


def run_body(response: Response) -> RunAnswer:
    """The body of a response that is known to be about a run."""
    return cast(RunAnswer, response["body"])


def _body(state: State, word: RunWord) -> RunAnswer:
    # mypy cannot tell which body a status in a variable makes.
    body: Any = {
        "run_id": state["run_id"],
        "target_table": state.get("target_table"),
        "glue_code_path": state.get("latest_uri"),
        "generation_prompt": None,
        "execution_status": word,
        "job_run_id": state.get("job_run_id"),
        "attempts": state.get("executions", 0),
        "rewrites": state.get("rewrites_total", 0),
        "rows_written": state.get("rows_written"),
        "preflight": state.get("preflight"),
        "verified": state.get("verified", "none"),
        "diagnosis": state.get("diagnosis") if word == "failed" else None,
        "notes": state.get("notes", []),
        "warnings": _told(state.get("warnings", [])),
        "usage": state.get("usage", {"input_tokens": 0, "output_tokens": 0, "dpu_seconds": 0.0, "usd": 0.0}),
    }
    return cast(RunAnswer, body)


def remembered(record: RunRecord, why: str) -> Response:
    """The last answer that the record of an open run holds, with `why` as a warning; without one, names and zeros."""
    body = dict(_body(State(run_id=record.run_id, model=record.model), "running"))
    last = json.loads(record.response)["body"] if record.response else {}
    body |= {name: last[name] for name in body if name in last and name != "execution_status"}
    return warned(Response(statusCode=STATUS_CODES["running"], body=cast(RunningBody, body)), why)


def _add_prompt(
    body: RunAnswer, reference: str, artifacts: ArtifactStore, passed: tuple[type[DatamorphError], ...]
) -> None:
    """Add the generation prompt, or a warning why it is left out; errors of the classes `passed` leave it out."""
    try:
        prompt = artifacts.get(reference)
    except passed as error:
        body["warnings"].append(f"generation_prompt is left out: {error}")
        return
    if len(json.dumps({**body, "generation_prompt": prompt})) <= BYTES_TOLD:
        body["generation_prompt"] = prompt
    else:
        told = f"it has {len(prompt):,} characters; it lies at {reference}"
        body["warnings"].append(f"generation_prompt is left out: {told}")


def _told(warnings: list[str]) -> list[str]:
    """Warnings within the limit: the first ones, each cut to its own limit."""
    cut = [clip(warning) for warning in warnings]
    ends = list(accumulate(len(json.dumps(warning)) for warning in cut))
    told = [warning for warning, end in zip(cut, ends, strict=True) if end <= WARNING_BYTES_TOLD]
    more = len(cut) - len(told)
    return [*told, f"{more} more warnings are left out"] if more else told


def warned(response: Response, *warnings: str) -> Response:
    """The response of a run with more warnings."""
    body = run_body(response).copy()
    body["warnings"] = [*body["warnings"], *warnings]
    return Response(statusCode=response["statusCode"], body=body)


def ended_response(response: Response, status: Literal["cancelled", "failed"], diagnosis: Diagnosis | None) -> Response:
    """The response of a run that was stopped as it stood."""
    body: Any = {**response["body"], "execution_status": status, "diagnosis": diagnosis}
    return Response(statusCode=STATUS_CODES[status], body=cast(CancelledBody | FailedBody, body))


def ignored(run_id: str | None, message: str) -> Response:
    """200 for an event that concerns no run that is known here."""
    return Response(statusCode=200, body=IgnoredBody(run_id=run_id, execution_status="ignored", message=message))


def swept(woken: list[str], cleaned: list[str], message: str) -> Response:
    """200 for a sweep; 503 with a message where it could not wake or delete all."""
    status: Literal["swept", "unavailable"] = "unavailable" if message else "swept"
    body = SweptBody(execution_status=status, woken=woken, cleaned=cleaned, message=message or None)
    return Response(statusCode=503 if message else 200, body=body)
