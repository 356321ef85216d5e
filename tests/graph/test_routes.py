"""Where a run goes next: every (state → next) pair."""

from __future__ import annotations

from typing import Any

import pytest

from graph import routes
from graph.state import State

PASSED = {"check": "sanitize", "passed": True, "findings": []}
REFUSED = {"check": "sanitize", "passed": False, "findings": []}


def outcome(state: str = "SUCCEEDED", by: str = "") -> dict[str, Any]:
    return {"state": state, "diagnosis": diagnosis(by) if by else None}


def diagnosis(by: str, signature: str = "s") -> dict[str, Any]:
    return {"repairable_by": by, "signature": signature}


def failing(by: str, *, attempt: int, executions: int, rewrites: int, seen: tuple[str, ...] = ("s",)) -> dict[str, Any]:
    return {
        "diagnosis": diagnosis(by),
        "signatures": list(seen),
        "attempt": attempt,
        "executions": executions,
        "rewrites": rewrites,
    }


TABLE = [
    ("a clean script is tried", routes.route_after_sanitize, {"verdict": PASSED}, "preflight"),
    ("a refused script is looked into", routes.route_after_sanitize, {"verdict": REFUSED}, "diagnose"),
    ("a script that ran is uploaded", routes.route_after_preflight, {"verdict": PASSED}, "upload"),
    ("a script that failed is looked into", routes.route_after_preflight, {"verdict": REFUSED}, "diagnose"),
    ("a live run suspends", routes.route_after_await, {"outcome": None, "waited": True}, "suspend"),
    ("a wait cut short is taken up again", routes.route_after_await, {"outcome": None, "waited": False}, "await_run"),
    ("an ended run is cleaned up", routes.route_after_await, {"outcome": outcome()}, "delete_job"),
    ("success leaves the subgraph", routes.route_after_delete, {"outcome": outcome(), "launch": 1}, "__end__"),
    (
        "the script's failure leaves it",
        routes.route_after_delete,
        {"outcome": outcome("FAILED", "code"), "launch": 1},
        "__end__",
    ),
    (
        "the engine's failure launches again",
        routes.route_after_delete,
        {"outcome": outcome("FAILED", "retry"), "launch": 2},
        "create_job",
    ),
    (
        "the third launch is the last",
        routes.route_after_delete,
        {"outcome": outcome("FAILED", "retry"), "launch": 3},
        "__end__",
    ),
    ("success is published", routes.route_after_job, {"outcome": outcome()}, "publish"),
    *(
        (f"{state} is looked into", routes.route_after_job, {"outcome": outcome(state)}, "diagnose")
        for state in ("FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED", "SOMETHING_NEW")
    ),
    ("no outcome is no success", routes.route_after_job, {"outcome": None}, "diagnose"),
    ("a published result ends the run", routes.route_after_publish, {"publish_failure": None}, "finish"),
    (
        "trouble that may pass suspends",
        routes.route_after_publish,
        {"publish_failure": {"kind": "transient"}},
        "suspend",
    ),
    (
        "rows that differ from the report are computed again",
        routes.route_after_publish,
        {"publish_failure": {"kind": "row_count"}, "launch": 1},
        "run_glue",
    ),
    (
        "but not for ever",
        routes.route_after_publish,
        {"publish_failure": {"kind": "row_count"}, "launch": 3},
        "diagnose",
    ),
    *(
        (
            f"{kind} is looked into",
            routes.route_after_publish,
            {"publish_failure": {"kind": kind}, "launch": 1},
            "diagnose",
        )
        for kind in ("constraint", "empty_result", "target_changed", "columns")
    ),
    *(
        (
            f"rewrite {n + 1} of attempt {a}",
            routes.route_after_diagnose,
            failing("code", attempt=a, executions=a - 1, rewrites=n),
            goes,
        )
        for a in (1, 2)
        for n, goes in ((0, "repair"), (1, "repair"), (2, "finish"))
    ),
    (
        "the first attempt's failure is repaired",
        routes.route_after_diagnose,
        failing("code", attempt=1, executions=1, rewrites=2),
        "repair",
    ),
    (
        "the second attempt's failure ends the run",
        routes.route_after_diagnose,
        failing("code", attempt=2, executions=2, rewrites=0),
        "finish",
    ),
    (
        "memory is given once more",
        routes.route_after_diagnose,
        failing("resources", attempt=1, executions=1, rewrites=0),
        "repair",
    ),
    *(
        (f"{by} ends the run", routes.route_after_diagnose, failing(by, attempt=1, executions=0, rewrites=0), "finish")
        for by in ("nobody", "retry")
    ),
    (
        "a failure seen before ends the run",
        routes.route_after_diagnose,
        failing("code", attempt=1, executions=0, rewrites=1, seen=("s", "s")),
        "finish",
    ),
    (
        "another failure does not",
        routes.route_after_diagnose,
        failing("code", attempt=1, executions=0, rewrites=1, seen=("t", "s")),
        "repair",
    ),
]


@pytest.mark.parametrize(("route", "state", "following"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_state_leads_to_one_place(route: Any, state: State, following: str) -> None:
    """Each row of the table holds."""
    assert route(state) == following


def test_the_caps_are_the_design_s() -> None:
    """Two attempts, two rewrites an attempt, three launches."""
    assert (routes.MAX_ATTEMPTS, routes.MAX_REWRITES, routes.MAX_LAUNCHES) == (2, 2, 3)
