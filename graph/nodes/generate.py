"""generate: ask the model for a transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.prompting import Prompt, generation_prompt
from agent.settings import SampleRows
from graph.inputs import load_request, load_snapshot, store
from graph.state import State, Usage
from tools.ports import ArtifactStore, Model
from tools.records import Completion, ModelCall

SecondsLeft = Callable[[], float] | None
"""How long a question may take that is asked now; None: as long as the model allows."""


def generate(
    state: State,
    *,
    artifacts: ArtifactStore,
    model: Model,
    sample_rows: SampleRows,
    glue_version: str,
    seconds_left: SecondsLeft = None,
) -> State:
    """Store the prompt and the reply's text; nothing is parsed or judged here."""
    request, snapshot = load_request(state, artifacts), load_snapshot(state, artifacts)
    prompt = generation_prompt(request, snapshot, sample_rows, glue_version)
    call = ModelCall("generate", prompt.system, prompt.user, state["model_calls"], request, snapshot)
    prompt_ref = store(state, artifacts, "prompt", prompt.text())
    return State(prompt_ref=prompt_ref, **answered(state, artifacts, model, call, seconds_left))


def answered(state: State, artifacts: ArtifactStore, model: Model, call: ModelCall, seconds_left: SecondsLeft) -> State:
    """Ask, store the reply, and count what it cost. Raises OutOfTimeError when this invocation ends before."""
    completion = model.complete(replace(call, seconds=seconds_left() if seconds_left else None))
    return State(
        reply_ref=store(state, artifacts, f"reply-{call.index}", completion.text),
        stop_reason=completion.stop_reason,
        model_calls=call.index + 1,
        usage=_with(state["usage"], completion),
    )


def call_for_repair(state: State, prompt: Prompt, artifacts: ArtifactStore) -> ModelCall:
    """The model call of a repair."""
    request, snapshot = load_request(state, artifacts), load_snapshot(state, artifacts)
    return ModelCall("repair", prompt.system, prompt.user, state["model_calls"], request, snapshot)


def _with(usage: Usage, completion: Completion) -> Usage:
    return {
        **usage,
        "input_tokens": usage["input_tokens"] + completion.input_tokens,
        "output_tokens": usage["output_tokens"] + completion.output_tokens,
        "usd": usage["usd"] + completion.usd,
    }
