"""diagnose: name the cause of a failure, by rules."""

from __future__ import annotations

from agent.diagnosis.failures import diagnose_findings, diagnose_publish
from agent.findings import Diagnosis
from graph.state import State


def diagnose(state: State) -> State:
    """Name the cause of the newest failure: of a check, of the publish, or of the job."""
    diagnosis = _diagnosis(state)
    if state["model"] == "compiler" and diagnosis["repairable_by"] == "code":
        told = [diagnosis["hint"].rstrip("."), "the compiler cannot repair what it wrote: change the specification"]
        hint = "; ".join([*filter(None, told), "or choose a model with --model"])
        diagnosis = {**diagnosis, "repairable_by": "nobody", "hint": hint}
    return State(diagnosis=diagnosis, signatures=[*state["signatures"], diagnosis["signature"]])


def _diagnosis(state: State) -> Diagnosis:
    if not state["verdict"]["passed"]:
        return diagnose_findings(state["verdict"])
    if (failure := state["publish_failure"]) is not None:
        return diagnose_publish(failure["kind"], failure["message"])
    if state["outcome"] is None or state["outcome"]["diagnosis"] is None:
        raise ValueError("diagnose was reached without a failure")
    return state["outcome"]["diagnosis"]
