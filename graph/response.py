"""The response: the same from every door."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any, Literal

from typing_extensions import TypedDict

from agent.errors import ArtifactError, DatamorphError, UnavailableError
from agent.redaction import clip
from graph.state import State
from tools.ports import ArtifactStore
from tools.records import RunRecord


class Response(TypedDict):
    """What a caller gets: a status code as of HTTP, and a body."""

    statusCode: int  # noqa: N815
    body: dict[str, Any]


BYTES_TOLD = 380_000
"""Of an answer as JSON that repeats its prompt: the ledger's item has to hold it, and holds 400 KB."""

WARNING_BYTES_TOLD = 200_000
"""Of all warnings of an answer."""

Status = Literal["success", "running", "publish_pending", "invalid", "conflict", "cancelled", "failed", "unavailable"]
_CODES: dict[str, int] = {
    "success": 200, "running": 202, "publish_pending": 202, "invalid": 400, "conflict": 409,
    "cancelled": 410, "failed": 422, "unavailable": 503,
}  # fmt: skip


def response_of(
    state: State, artifacts: ArtifactStore, status: str | None = None, *, passing: bool = False
) -> Response:
    """The response that a state of the workflow amounts to; `status` overrules that of the state.

    Raises UnavailableError where the prompt cannot be had now; a `passing` answer leaves it out then.
    """
    word = status or state.get("status", "running")
    body = _body(state, word)
    reference = state.get("prompt_ref")
    if reference and state["model"] != "compiler":
        _add_prompt(body, reference, artifacts, (ArtifactError, UnavailableError) if passing else (ArtifactError,))
    return Response(statusCode=_CODES[word], body=body)


def _body(state: State, word: str) -> dict[str, Any]:
    return {
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
        "warnings": _told(state.get("warnings", [])),
        "usage": state.get("usage", {"input_tokens": 0, "output_tokens": 0, "dpu_seconds": 0.0, "usd": 0.0}),
    }


def remembered(record: RunRecord, why: str) -> Response:
    """What the record alone tells of an open run: its last answer, else hardly more than its name; `why` is told."""
    body = _body(State(run_id=record.run_id, model=record.model), "running")
    last = json.loads(record.response)["body"] if record.response else {}
    body |= {name: last[name] for name in body if name in last and name != "execution_status"}
    return Response(statusCode=_CODES["running"], body={**body, "warnings": [*body["warnings"], why]})


def _add_prompt(
    body: dict[str, Any], reference: str, artifacts: ArtifactStore, passed: tuple[type[DatamorphError], ...]
) -> None:
    """Repeat what the model was asked, or say why that is left out: for an error that is `passed`."""
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
    """The first of very many warnings, and very long ones cut."""
    cut = [clip(warning) for warning in warnings]
    ends = list(accumulate(len(json.dumps(warning)) for warning in cut))
    told = [warning for warning, end in zip(cut, ends, strict=True) if end <= WARNING_BYTES_TOLD]
    more = len(cut) - len(told)
    return [*told, f"{more} more warnings are left out"] if more else told


def warned(response: Response, *warnings: str) -> Response:
    """The same answer with more warnings."""
    body = response["body"]
    return Response(statusCode=response["statusCode"], body={**body, "warnings": [*body["warnings"], *warnings]})


def ended_response(response: Response, status: str) -> Response:
    """The same answer with another `execution_status`."""
    return Response(statusCode=_CODES[status], body={**response["body"], "execution_status": status})


def ignored(run_id: str | None, message: str) -> Response:
    """200: an event that concerns no run of ours; nothing was done."""
    return Response(statusCode=200, body={"run_id": run_id, "execution_status": "ignored", "message": message})


def swept(woken: list[str], cleaned: list[str], message: str) -> Response:
    """200: the runs that a sweep tick woke, and what it put away; 503 with a message when it could not do all."""
    status = "unavailable" if message else "swept"
    body = {"execution_status": status, "woken": woken, "cleaned": cleaned, "message": message or None}
    return Response(statusCode=503 if message else 200, body=body)
