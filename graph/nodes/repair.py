"""repair: change the transform by a certain rule or by one model call, or take larger workers."""

from __future__ import annotations

from agent.compiler.notes import Note
from agent.diagnosis.rule_repairs import repair_by_rule
from agent.prompting import repair_prompt
from agent.sanitizing.reply import root_cause
from agent.settings import SampleRows
from graph.inputs import Inputs, store
from graph.nodes.generate import SecondsLeft, answered, model_call
from graph.state import State
from tools.ports import ArtifactStore, Model

_LARGER = {"G.1X": "G.2X", "G.2X": "G.4X", "G.4X": "G.8X"}


def repair(
    state: State,
    *,
    artifacts: ArtifactStore,
    model: Model,
    sample_rows: SampleRows,
    glue_version: str,
    seconds_left: SecondsLeft = None,
) -> State:
    """Give sanitize the next reply: a new attempt after an execution, a rewrite before one."""
    diagnosis = state["diagnosis"]
    if diagnosis is None:
        raise ValueError("repair was reached without a diagnosis")
    counted = _counted(state)
    if diagnosis["repairable_by"] == "resources":
        return State(**counted, worker_type=_LARGER.get(state["worker_type"], state["worker_type"]))
    failed = artifacts.get(state["reply_ref"] if state["unparsed"] else state["transform_ref"])
    if not state["unparsed"] and (mended := repair_by_rule(failed, diagnosis)) is not None:
        reply = store(state, artifacts, "reply-rule", f"```python\n{mended}```\n")
        return State(**counted, reply_ref=reply, stop_reason="end_turn")
    given = Inputs.load(state, artifacts)
    notes = [Note(**note) for note in state.get("notes", [])]
    prompt = repair_prompt(given.request, given.snapshot, failed, diagnosis, sample_rows, glue_version, notes)
    call = model_call("repair", state, prompt, given)
    store(state, artifacts, f"repair-prompt-{call.index}", prompt.text())
    update = answered(state, artifacts, model, call, seconds_left)
    cause = root_cause(artifacts.get(update["reply_ref"]))
    if diagnosis["failure_class"] == "unknown" and cause:
        update["diagnosis"] = {**diagnosis, "root_cause": cause}
    return State(**counted, **update)


def _counted(state: State) -> State:
    if state["executions"] == state["attempt"]:
        return State(attempt=state["attempt"] + 1, launch=1, rewrites=0, outcome=None, publish_failure=None)
    return State(rewrites=state["rewrites"] + 1, rewrites_total=state["rewrites_total"] + 1)
