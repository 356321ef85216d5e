"""generate: ask the model for a transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from agent.compiler.notes import Note
from agent.prompting import Prompt, generation_prompt
from agent.settings import SampleRows
from graph.inputs import Inputs, store
from graph.state import State, Usage
from tools.ports import ArtifactStore, Model
from tools.records import Completion, ModelCall

SecondsLeft = Callable[[], float] | None
"""Gives the seconds that a model call may take now; None: only the model's own limit counts."""


def generate(
    state: State,
    *,
    artifacts: ArtifactStore,
    model: Model,
    sample_rows: SampleRows,
    glue_version: str,
    seconds_left: SecondsLeft = None,
) -> State:
    """Ask the model, and store prompt and reply; sanitize parses the reply."""
    given = Inputs.load(state, artifacts)
    notes = [Note(**note) for note in state.get("notes", [])]
    prompt = generation_prompt(given.request, given.snapshot, sample_rows, glue_version, notes)
    call = model_call("generate", state, prompt, given)
    prompt_ref = store(state, artifacts, "prompt", prompt.text())
    return State(prompt_ref=prompt_ref, **answered(state, artifacts, model, call, seconds_left))


def answered(state: State, artifacts: ArtifactStore, model: Model, call: ModelCall, seconds_left: SecondsLeft) -> State:
    """Call the model, store its reply and add up the cost. Raises OutOfTimeError when the invocation ends before."""
    completion = model.complete(replace(call, seconds=seconds_left() if seconds_left else None))
    return State(
        reply_ref=store(state, artifacts, f"reply-{call.index}", completion.text),
        stop_reason=completion.stop_reason,
        model_calls=call.index + 1,
        usage=_with(state["usage"], completion),
    )


def model_call(purpose: Literal["generate", "repair"], state: State, prompt: Prompt, given: Inputs) -> ModelCall:
    """The next call of the model."""
    return ModelCall(purpose, prompt.system, prompt.user, state["model_calls"], given.request, given.snapshot)


def _with(usage: Usage, completion: Completion) -> Usage:
    return {
        **usage,
        "input_tokens": usage["input_tokens"] + completion.input_tokens,
        "output_tokens": usage["output_tokens"] + completion.output_tokens,
        "usd": usage["usd"] + completion.usd,
    }
