"""The event about a refused start: Lambda takes an answer of 400, 409 or 503 for a success.

An asynchronous caller gets this event and nothing else. Lambda does not say how it was invoked, so each refused start
is told of. A 503 of a run that goes on by itself is no refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import accumulate

from agent.redaction import clip, redact
from graph.response import Response
from runs.dispatch import is_start
from tools.records import RequestRefused

_REFUSALS = (400, 409, 503)
_NAME_CHARACTERS = 300
_MESSAGE_CHARACTERS = 2000
_ERROR_BYTES = 200_000
"""Limit of all errors as JSON, in bytes: EventBridge takes 256 KB."""


def refusal(event: object, response: Response, request_id: str, secrets: Iterable[str] = ()) -> RequestRefused | None:
    """The refusal in a response to an event; None where no start was refused."""
    if response["statusCode"] not in _REFUSALS or not is_start(event):
        return None
    body: Mapping[str, object] = response["body"]
    run_id, service, known = body.get("run_id"), body.get("service"), list(secrets)
    return RequestRefused(
        run_id=None if run_id is None else clip(str(run_id), _NAME_CHARACTERS),
        request_id=request_id,
        statusCode=response["statusCode"],
        execution_status=response["body"]["execution_status"],
        service=None if service is None else str(service),
        errors=_within_limits(_errors(body, known)),
    )


def _errors(body: Mapping[str, object], secrets: list[str]) -> list[dict[str, str]]:
    """Errors with their paths in the event: `run_id` for a conflict, `event` for a service that refused."""
    whole = "run_id" if body["execution_status"] == "conflict" else "event"
    told = body.get("errors")
    errors = told if isinstance(told, list) else [{"path": whole, "message": body.get("message")}]
    return [
        {
            "path": clip(redact(str(error["path"]), secrets), _NAME_CHARACTERS),
            "message": clip(redact(str(error["message"]), secrets), _MESSAGE_CHARACTERS),
        }
        for error in errors
    ]


def _within_limits(errors: list[dict[str, str]]) -> list[dict[str, str]]:
    """The first errors within the limit, and a line that counts the others."""
    ends = accumulate(len(json.dumps(error)) for error in errors)
    told = [error for error, end in zip(errors, ends, strict=True) if end <= _ERROR_BYTES]
    if more := len(errors) - len(told):
        told.append({"path": "event", "message": f"{more} more problems; correct these and try again"})
    return told
