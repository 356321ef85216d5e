"""Model: what generate and repair rely on, of those that answer without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from agent.errors import InvalidRequestError, UnavailableError
from agent.request import Request, parse_request
from agent.snapshot import event_snapshot
from tools.fakes import FakeModel
from tools.models.compiled import CompilerModel
from tools.models.recorded import RecordedModel
from tools.ports import Model
from tools.records import ModelCall

ANSWERS = ["first", "second", "third"]
SCHEMAS = {"orders": {"columns": [{"name": "id", "type": "integer"}]}}
SPECS = {"source_tables": ["orders"], "target_table": {"name": "t", "columns": ["id"]}}


def a_request(**specs: object) -> Request:
    return parse_request({"run_id": "r1", "specs": {**SPECS, **specs}, "source_schemas": SCHEMAS})


def call(index: int, purpose: Literal["generate", "repair"] = "generate", asked: Request | None = None) -> ModelCall:
    """A question."""
    asked = asked or a_request()
    return ModelCall(purpose, "system", f"question {index}", index, asked, event_snapshot(asked))


def _recorded(folder: Path) -> Model:
    path = folder / "replies.jsonl"
    path.write_text("".join(json.dumps({"completion": answer}) + "\n" for answer in ANSWERS), encoding="utf-8")
    return RecordedModel(path)


def _out_of(asked: ModelCall) -> str:
    raise UnavailableError("model", f"no answer {asked.index}")


MAKERS: dict[str, Callable[[Path], Model]] = {
    "fake with a list": lambda folder: FakeModel(ANSWERS),
    "fake with a function": lambda folder: FakeModel(
        lambda asked: ANSWERS[asked.index] if asked.index < len(ANSWERS) else _out_of(asked)
    ),
    "recorded": _recorded,
}


@pytest.fixture(params=list(MAKERS))
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """Make each model with three answers in turn."""
    return MAKERS[request.param](tmp_path)


@pytest.fixture(params=[*MAKERS, "compiler"])
def any_model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """Make each model in turn."""
    return CompilerModel() if request.param == "compiler" else MAKERS[request.param](tmp_path)


def test_answers_go_by_the_calls_index(model: Model) -> None:
    """In whatever order they are asked for: a resumed run asks for the second one first."""
    assert [model.complete(call(index)).text for index in (1, 0, 2)] == ["second", "first", "third"]


def test_a_repair_is_the_next_answer(model: Model) -> None:
    """The index counts questions of either purpose."""
    assert [model.complete(call(0)).text, model.complete(call(1, "repair")).text] == ["first", "second"]


def test_running_out_is_unavailable(model: Model) -> None:
    """Which leaves the answers that there are."""
    with pytest.raises(UnavailableError) as caught:
        model.complete(call(len(ANSWERS)))
    assert caught.value.service == "model"
    assert model.complete(call(0)).text == "first"


def test_the_same_question_has_the_same_answer(any_model: Model) -> None:
    """Asked again after a crash, the model gives the text that was lost."""
    first = any_model.complete(call(0))
    assert any_model.complete(call(0)) == first
    assert first.text != ""


def test_a_complete_answer_is_told_as_such(any_model: Model) -> None:
    """`end_turn`, with tokens and costs that can be added up."""
    completion = any_model.complete(call(0))
    assert completion.stop_reason == "end_turn"
    assert min(completion.input_tokens, completion.output_tokens, completion.usd) >= 0


def test_the_name_is_the_users_choice(any_model: Model) -> None:
    """Its first word is the kind of the model, whatever was asked meanwhile."""
    before = any_model.name
    any_model.complete(call(0))
    assert any_model.name == before
    assert before.partition(":")[0] in ("fake", "recorded", "compiler")


def test_the_compiler_runs_out_at_the_first_repair() -> None:
    """It has one answer."""
    with pytest.raises(UnavailableError) as caught:
        CompilerModel().complete(call(1, "repair"))
    assert caught.value.service == "model"


def test_the_compiler_refuses_what_it_cannot_express() -> None:
    """The request is to be changed, or another model chosen."""
    window = a_request(transformations=[{"type": "window", "description": "rank the orders of each customer"}])
    with pytest.raises(InvalidRequestError):
        CompilerModel().complete(call(0, asked=window))
