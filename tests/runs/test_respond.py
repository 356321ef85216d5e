"""The table from errors to responses."""

from __future__ import annotations

from typing import Any

import pytest

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
from runs.respond import respond, unavailable

BAD = InvalidRequestError([Problem("specs.filters", "is free text")])
UNKNOWN = "no run 'r2' is known here; `datamorph status` lists the runs that are"
MONEY = "column 'price': type 'money' is not supported; cast it to a supported type in a view"
TABLE: list[tuple[Exception, int, dict[str, Any]]] = [
    (BAD, 400, {"run_id": "r1", "errors": [{"path": "specs.filters", "message": "is free text"}]}),
    (UnsupportedTypeError("money", "price"), 400, {"run_id": "r1", "errors": [{"path": "specs", "message": MONEY}]}),
    (UnknownRunError("r2"), 400, {"run_id": "r2", "errors": [{"path": "run_id", "message": UNKNOWN}]}),
    (ConflictError("r2", "is busy"), 409, {"run_id": "r2", "message": "is busy"}),
    (UnavailableError("s3", "no bucket"), 503, {"run_id": "r1", "service": "s3", "message": "no bucket"}),
    (EngineError("Throttled", "wait"), 503, {"run_id": "r1", "service": "engine", "message": "Throttled: wait"}),
    (ArtifactError("a", "lost"), 503, {"run_id": "r1", "service": "artifacts", "message": "artifact a: lost"}),
    (DatamorphError("away"), 503, {"run_id": "r1", "service": "datamorph", "message": "away"}),
    (
        ZeroDivisionError("pwd=hunter22 or Xyzzy17"),
        503,
        {
            "run_id": "r1",
            "service": "datamorph",
            "message": "unexpected ZeroDivisionError: pwd=*** or ***; the function's log has the rest",
        },
    ),
]
STATUSES = {400: "invalid", 409: "conflict", 503: "unavailable"}


@pytest.mark.parametrize(("error", "code", "body"), TABLE, ids=[type(error).__name__ for error, *_ in TABLE])
def test_each_error_has_one_response(error: Exception, code: int, body: dict[str, Any]) -> None:
    """Status code, status and message; an error that names its run overrules the run that was asked for."""
    told = respond(error, "r1", ["Xyzzy17"])
    assert told == {"statusCode": code, "body": {**body, "execution_status": STATUSES[code]}}


def test_a_setting_that_is_wrong_is_unavailable() -> None:
    """The sender of an event cannot correct it."""
    assert unavailable(BAD)["statusCode"] == 503
