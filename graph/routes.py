"""The routes between nodes: pure functions of the state. The three caps stand here alone."""

from __future__ import annotations

from typing import Literal

from graph.state import State

MAX_ATTEMPTS = 2
"""Attempts of a run; each executes a script."""
MAX_REWRITES = 2
"""Repairs before the execution of an attempt; a rewrite costs no attempt."""
MAX_LAUNCHES = 3
"""Starts of the engine for one attempt; only an infrastructure failure leads to the next one."""


def route_after_sanitize(state: State) -> Literal["preflight", "diagnose"]:
    """Send a script that passes the static checks to the dry run on sample rows."""
    return "preflight" if state["verdict"]["passed"] else "diagnose"


def route_after_preflight(state: State) -> Literal["upload", "diagnose"]:
    """Send a script that passed its dry run to the engine, which costs money."""
    return "upload" if state["verdict"]["passed"] else "diagnose"


def route_after_await(state: State) -> Literal["delete_job", "suspend", "await_run"]:
    """A job that did not end within the wait suspends the run; after a wait that was cut short the run waits again."""
    if state["outcome"] is not None:
        return "delete_job"
    return "suspend" if state["waited"] else "await_run"


def route_after_delete(state: State) -> Literal["create_job", "__end__"]:
    """An infrastructure failure (machines, network, capacity) is launched again and costs no attempt."""
    diagnosis = state["outcome"] and state["outcome"]["diagnosis"]
    again = diagnosis and diagnosis["repairable_by"] == "retry" and state["launch"] < MAX_LAUNCHES
    return "create_job" if again else "__end__"


def route_after_job(state: State) -> Literal["publish", "diagnose"]:
    """A job that succeeded is published; any other is diagnosed."""
    outcome = state["outcome"]
    return "publish" if outcome is not None and outcome["state"] == "SUCCEEDED" else "diagnose"


def route_after_publish(state: State) -> Literal["finish", "run_glue", "suspend", "diagnose"]:
    """Finish after a publish; launch again where staging differs from the job's report.

    A transient failure (connection, lock, disk) keeps staging and suspends the run.
    """
    failure = state["publish_failure"]
    if failure is None:
        return "finish"
    if failure["kind"] == "transient":
        return "suspend"
    if failure["kind"] == "row_count" and state["launch"] < MAX_LAUNCHES:
        return "run_glue"
    return "diagnose"


def route_after_diagnose(state: State) -> Literal["repair", "finish"]:
    """Repair within the caps, or finish; the same failure is not repaired twice."""
    diagnosis = state["diagnosis"]
    if diagnosis is None or state["signatures"].count(diagnosis["signature"]) > 1:
        return "finish"
    repairable = diagnosis["repairable_by"] in ("code", "resources")
    return "repair" if repairable and within_caps(state) else "finish"


def within_caps(state: State) -> bool:
    """True while a repair is allowed: another attempt after an execution, another rewrite before it."""
    if state["executions"] == state["attempt"]:
        return state["attempt"] < MAX_ATTEMPTS
    return state["rewrites"] < MAX_REWRITES
