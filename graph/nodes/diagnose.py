"""diagnose: why did it fail, by rules."""

from __future__ import annotations

from agent.diagnosis.failures import diagnose_findings, diagnose_job, diagnose_publish
from agent.findings import Diagnosis
from agent.script import Script
from graph.state import State
from tools.ports import ArtifactStore


def diagnose(state: State, *, artifacts: ArtifactStore) -> State:
    """Find the cause of the newest failure: of a check, of the job, or of the publish."""
    diagnosis = _diagnosis(state, artifacts)
    if state["model"] == "compiler" and diagnosis["repairable_by"] == "code":
        told = [diagnosis["hint"].rstrip("."), "the compiler cannot repair what it wrote: change the specification"]
        hint = "; ".join([*filter(None, told), "or choose a model with --model"])
        diagnosis = {**diagnosis, "repairable_by": "nobody", "hint": hint}
    return State(diagnosis=diagnosis, signatures=[*state["signatures"], diagnosis["signature"]])


def _diagnosis(state: State, artifacts: ArtifactStore) -> Diagnosis:
    if not state["verdict"]["passed"]:
        return diagnose_findings(state["verdict"])
    if (failure := state["publish_failure"]) is not None:
        return diagnose_publish(failure["kind"], failure["message"])
    outcome = state["outcome"]
    if outcome is None:
        raise ValueError("diagnose was reached without a failure")
    log = artifacts.get(outcome["log_ref"]) if "log_ref" in outcome else ""
    diagnosis = diagnose_job(outcome["error"], log, outcome["state"])
    transform = artifacts.get(state["transform_ref"]).strip("\n")
    script = Script("", state["transform_line"], transform.count("\n") + 1)
    return {**diagnosis, "line": script.line_in_transform(diagnosis["line"])}
