"""sanitize: take the transform out of a reply, check it, and assemble the script around it."""

from __future__ import annotations

from agent.errors import ReplyError
from agent.findings import Finding
from agent.sanitizing.policy import check_policy
from agent.sanitizing.regression import lost_clauses
from agent.sanitizing.reply import extract
from agent.sanitizing.runtime import runtime
from agent.sanitizing.stability import unstable_uses
from agent.script import assemble
from graph.inputs import Inputs, store
from graph.state import State
from tools.ports import ArtifactStore

_OF_TRANSFORM = "the transform"
"""Warnings that begin so are about the newest transform alone; a later transform replaces them."""


def sanitize(state: State, *, artifacts: ArtifactStore, connection: str, glue_version: str) -> State:
    """Check the reply and assemble the Glue job around its transform."""
    try:
        extracted = extract(artifacts.get(state["reply_ref"]), state["stop_reason"])
    except ReplyError as error:
        finding = Finding(rule=error.rule, message=str(error), line=error.line, hint="")
        return State(unparsed=True, **_refused([finding]))
    given = Inputs.load(state, artifacts)
    transform = extracted.source
    kept = State(unparsed=False, transform_ref=store(state, artifacts, "transform", transform, "py"))
    of_job = runtime(glue_version)
    findings = check_policy(transform, given.request.options.allow_udfs, of_job)
    if earlier := state.get("transform_ref"):
        from agent.compiler.spec.entries import elements_of  # a first transform is compared with nothing

        findings += lost_clauses(
            artifacts.get(earlier), transform, elements_of(given.request.specs), given.request.specs.target_table
        )
    if findings:
        return State(**kept, **_refused(findings))
    script = assemble(transform, given.request, given.snapshot, connection)
    earlier_warnings = [warning for warning in state["warnings"] if not warning.startswith(_OF_TRANSFORM)]
    return State(
        **kept,
        warnings=[*earlier_warnings, *extracted.notes, *unstable_uses(transform, of_job)],
        script_ref=store(state, artifacts, "script", script.text, "py"),
        transform_line=script.transform_line,
        verdict={"check": "sanitize", "passed": True, "findings": []},
    )


def _refused(findings: list[Finding]) -> State:
    return State(verdict={"check": "sanitize", "passed": False, "findings": findings})
