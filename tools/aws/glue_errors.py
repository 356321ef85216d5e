"""Glue's refusals: EngineError for those the workflow acts upon, UnavailableError for those somebody must fix first.

Codes: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html, API_CreateJob.html, CommonErrors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from agent.errors import DatamorphError, EngineError, UnavailableError
from agent.redaction import redact
from tools.aws.client_errors import THROTTLING_CODES, error_code, error_message, explain, status_of

NO_ANSWER = "OperationTimeoutException"
"""Glue's code for an ambiguous call, used here too when no answer came: the call may have been applied."""
_INTERNAL = "InternalServiceException"
_THROTTLED = "ThrottlingException"
_AMBIGUOUS = "it may have been applied all the same: the next try looks for its effect first"
_INPUT = "check DATAMORPH_GLUE_VERSION, DATAMORPH_WORKER_TYPE and DATAMORPH_WORKERS"
_ADVICE = {
    "ConcurrentRunsExceededException": "a run of this job is live",
    "EntityNotFoundException": "it was deleted, or never defined",
    NO_ANSWER: _AMBIGUOUS,
    _INTERNAL: _AMBIGUOUS,
    _THROTTLED: "wait a little and ask again",
    "ConcurrentModificationException": "another call is changing it: ask again",
    "InvalidInputException": _INPUT,
    "ValidationException": _INPUT,
    "AlreadyExistsException": "a job of this name is defined already",
    "IdempotentParameterMismatchException": "a job of this name is defined already",
}
_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
"""IAM's own sentence; the group is the action, as `iam:PassRole`."""
_QUOTA = "ResourceNumberLimitExceededException"
_QUOTAS = {
    "CreateJob": "delete Glue jobs that nobody needs, or raise the AWS Glue quota 'Max jobs per account'",
    "StartJobRun": "wait for other Glue jobs to end, or raise the AWS Glue quotas 'Max concurrent job runs per "
    "account' and 'Max task DPUs per account'",
}


@dataclass(frozen=True)
class Setting:
    """Region, role and connection of the jobs, which the remedy for a refusal names."""

    region: str
    role: str
    connection: str


@contextmanager
def glue_call(operation: str, job_name: str, setting: Setting) -> Iterator[None]:
    """Turn boto3's errors in a call for a job into EngineError or UnavailableError."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, operation, f"{operation} of {job_name}", setting) from error
    except BotoCoreError as error:
        raise _silence(error, f"{operation} of {job_name}", setting) from error


def _refusal(error: ClientError, operation: str, what: str, setting: Setting) -> DatamorphError:
    code, message = error_code(error), error_message(error)
    if (advice := _missing(message, setting)) or (advice := _denied(code, message, operation, what, setting)):
        return UnavailableError("glue", f"{what} in {setting.region}: {code}: {message}; {advice}")
    if code == _QUOTA:
        quota = _QUOTAS.get(operation, "raise the AWS Glue quota that it names")
        return EngineError(code, f"{what} in {setting.region}: {message}; {quota} in the Service Quotas console")
    if code in THROTTLING_CODES:
        code = _THROTTLED
    elif status_of(error) >= 500:
        code = _INTERNAL
    if code in _ADVICE:
        return EngineError(code, f"{what}: {message}; {_ADVICE[code]}")
    return UnavailableError("glue", explain(error, what, setting.region))


def _silence(error: BotoCoreError, what: str, setting: Setting) -> DatamorphError:
    """The error for a missing answer: EngineError NO_ANSWER if the request may have arrived, else UnavailableError."""
    sent = ReadTimeoutError | ConnectionClosedError | ResponseStreamingError
    if isinstance(error, sent) or type(error) is HTTPClientError:
        return EngineError(NO_ANSWER, f"{what}: {redact(str(error)).rstrip('. ')}; {_AMBIGUOUS}")
    return UnavailableError("glue", explain(error, what, setting.region))


def _missing(message: str, setting: Setting) -> str:
    """The remedy for a missing role or connection; empty for any other refusal."""
    if "assume role" in message.lower() or "unable to assume" in message.lower():
        return (
            f"create the IAM role {setting.role}, let glue.amazonaws.com assume it, and grant iam:PassRole on it; "
            "or name another one with DATAMORPH_ROLE"
        )
    if "connection" in message.lower() and setting.connection in message:
        return (
            f"create the Glue connection {setting.connection} in {setting.region}, or name another one with "
            "DATAMORPH_CONNECTION"
        )
    return ""


def _denied(code: str, message: str, operation: str, what: str, setting: Setting) -> str:
    """The permission to grant; empty for any refusal but a lack of permission."""
    if not code.startswith("AccessDenied"):
        return ""
    named = _ACTION.search(message)
    action = named[1] if named else f"glue:{operation}"
    if action == "iam:PassRole":
        return f"grant {action} on the role {setting.role}, for glue.amazonaws.com, to the credentials in use"
    return f"grant {action} on job {what.rpartition(' ')[2]} to the credentials in use"
