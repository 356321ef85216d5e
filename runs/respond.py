"""Errors become responses here, for every door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from agent.errors import (
    ArtifactError,
    ConflictError,
    DatamorphError,
    EngineError,
    InvalidRequestError,
    Problem,
    UnavailableError,
    UnknownRunError,
    UnsupportedTypeError,
)
from agent.redaction import clip, redact
from graph.response import STATUS_CODES, ConflictBody, FieldError, InvalidBody, Response, UnavailableBody

ERRORS_TOLD = 10
"""Limit of problems in one response; the first ones are the causes of many others."""

_SERVICES = {ArtifactError: "artifacts", EngineError: "engine"}
"""Names of the services behind errors that name none."""

_UNEXPECTED_CHARACTERS = 500
_REASON_CHARACTERS = 2000
_PATH_CHARACTERS = 300
_MESSAGE_CHARACTERS = 2000
"""Limit of one message, which may quote a text of the event: Lambda's answer takes 6 MB."""


def respond(
    error: Exception,
    run_id: str | None = None,
    secrets: Iterable[str] = (),
    *,
    trace: str = "the function's log has the rest",
) -> Response:
    """The response to an error.

    `run_id` is the run that was asked for. `secrets` and `trace`, the place of the stack trace, matter for an error
    that nobody foresaw.
    """
    match error:
        case InvalidRequestError():
            return _invalid(run_id, error.problems)
        case UnsupportedTypeError():
            return _invalid(run_id, [Problem("specs", str(error))])
        case UnknownRunError():
            return _invalid(error.run_id, [Problem("run_id", str(error))])
        case ConflictError():
            body = ConflictBody(run_id=error.run_id, execution_status="conflict", message=str(error))
            return Response(statusCode=STATUS_CODES["conflict"], body=body)
        case DatamorphError():
            return unavailable(error, run_id)
        case _:
            message = redact(str(error), secrets)[:_UNEXPECTED_CHARACTERS]
            told = f"unexpected {type(error).__name__}: {message}; {trace}"
            return unavailable(UnavailableError("datamorph", told), run_id)


def unavailable(error: DatamorphError, run_id: str | None = None) -> Response:
    """503 for an error that the caller can do nothing about; the message says what to grant or raise."""
    service = error.service if isinstance(error, UnavailableError) else _SERVICES.get(type(error), "datamorph")
    message = redact(str(error))
    body = UnavailableBody(run_id=run_id, execution_status="unavailable", service=service, message=message)
    return Response(statusCode=STATUS_CODES["unavailable"], body=body)


def reason(response: Response, secrets: Iterable[str] = ()) -> str:
    """The message of a refusal in one text; empty for other responses."""
    body = response["body"]
    if body["execution_status"] == "invalid":
        told = "; ".join(f"{error['path']}: {error['message']}" for error in body["errors"])
    else:
        told = str(cast(Mapping[str, object], body).get("message") or "")
    return clip(redact(told, secrets), _REASON_CHARACTERS)


def _invalid(run_id: str | None, problems: Sequence[Problem]) -> Response:
    """400 with the problems."""
    body = InvalidBody(run_id=run_id, execution_status="invalid", errors=told_problems(problems))
    return Response(statusCode=STATUS_CODES["invalid"], body=body)


def told_problems(problems: Sequence[Problem]) -> list[FieldError]:
    """The first problems, and the number of the others."""
    errors = [_told(problem) for problem in problems[:ERRORS_TOLD]]
    if (more := len(problems) - len(errors)) > 0:
        words = f"and {more} more problem{'s' if more > 1 else ''}; correct these first"
        errors.append(FieldError(path="event", message=words))
    return errors


def _told(problem: Problem) -> FieldError:
    return FieldError(path=clip(problem.path, _PATH_CHARACTERS), message=clip(problem.message, _MESSAGE_CHARACTERS))
