"""sanitize: from a reply to a script, if the reply holds a transform that may run."""

from __future__ import annotations

from agent.diagnosis.findings import Finding
from agent.errors import ReplyError
from agent.sanitizing.policy import check_policy
from agent.sanitizing.regression import lost_clauses
from agent.sanitizing.reply import extract_transform
from agent.script import assemble
from graph.documents import load_request, load_snapshot, store
from graph.state import State
from tools.ports import ArtifactStore


def sanitize(state: State, *, artifacts: ArtifactStore, connection: str) -> State:
    """Check the reply and assemble the Glue job around its transform."""
    try:
        transform = extract_transform(artifacts.get(state["reply"]), state["stop_reason"])
    except ReplyError as error:
        finding = Finding(rule=error.rule, message=str(error), line=error.line, hint="")
        return State(unparsed=True, **_refused([finding]))
    request, snapshot = load_request(state, artifacts), load_snapshot(state, artifacts)
    kept = State(unparsed=False, transform=store(state, artifacts, "transform", transform, "py"))
    findings = check_policy(transform, allow_udfs=request.options.allow_udfs)
    if earlier := state.get("transform"):
        findings += lost_clauses(artifacts.get(earlier), transform, request)
    if findings:
        return State(**kept, **_refused(findings))
    script = assemble(transform, request, snapshot, connection)
    return State(
        **kept,
        script=store(state, artifacts, "script", script.text, "py"),
        transform_line=script.transform_line,
        verdict={"check": "sanitize", "passed": True, "findings": []},
    )


def _refused(findings: list[Finding]) -> State:
    return State(verdict={"check": "sanitize", "passed": False, "findings": findings})
