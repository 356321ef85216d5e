"""The reading of a specification: a plan, or everything that is open about it."""

from __future__ import annotations

import pytest

from agent.compiler.notes import Note, Unread
from agent.compiler.problems import Problems, Stages, absent, cannot, refuse
from agent.compiler.reading import Reading, read_specification
from agent.elements import Entries
from agent.errors import InvalidRequestError, Problem
from tests.agent.compiler.scene import ORDERS, request_for, snapshot_for, where


def test_a_specification_without_doubts_has_a_plan() -> None:
    """Nothing else is told of it."""
    request = request_for(ORDERS, filters=[where("amount", ">", 1)])
    reading = read_specification(request, snapshot_for(request))
    assert reading.certain_plan() is reading.plan
    assert (reading.problems, reading.beyond, reading.unread) == ((), (), ())


def test_faults_are_part_of_the_reading() -> None:
    """A name that no source has is a problem for every model; the plan is missing then."""
    request = request_for(ORDERS, filters=[where("orders.amnt", ">", 1)])
    reading = read_specification(request, snapshot_for(request))
    assert reading.plan is None
    assert [problem.path for problem in reading.problems] == ["specs.filters[0].column"]
    with pytest.raises(InvalidRequestError, match="amnt"):
        reading.certain_plan()


def test_a_certain_plan_has_no_unread_words() -> None:
    """The message quotes the words, and says what to do."""
    request = request_for(ORDERS)
    whole = read_specification(request, snapshot_for(request))
    reading = Reading(whole.plan, Entries(), unread=(Unread("specs.transformations[0].description", "top five"),))
    with pytest.raises(InvalidRequestError) as caught:
        reading.certain_plan()
    assert caught.value.problems[0].path == "specs.transformations[0].description"
    assert '"top five" stands in words alone' in caught.value.problems[0].message
    assert reading.told() == (Note("specs.transformations[0].description", '"top five" stands in words alone'),)


def test_unread_words_quote_the_field_that_says_something_else() -> None:
    """Both are in the message."""
    request = request_for(
        ORDERS,
        filters=[where("amount", ">=", 5)],
        transformations=[{"type": "filter", "description": "Amounts of more than 5"}],
    )
    with pytest.raises(InvalidRequestError, match='"more than 5" .* while specs.filters.0. says amount >= 5'):
        read_specification(request, snapshot_for(request)).certain_plan()


def test_unread_words_of_a_step_with_another_problem_are_not_told() -> None:
    """They are its consequence."""
    step = {"type": "sprinkle", "description": "Keep the top five", "details": {"much": 3}}
    request = request_for(ORDERS, transformations=[step])
    reading = read_specification(request, snapshot_for(request))
    assert reading.unread == ()
    assert "sprinkle" in reading.beyond[0].message


def later(stages: Stages) -> Problems:
    """A stage after one that left a part out."""
    with stages.stage() as problems, problems.at("specs.filters[0]"):
        cannot("or is a model's work")
    return stages.stage()


def test_a_part_that_only_a_model_can_express_stops_no_stage() -> None:
    """Later stages tell no consequences of it."""
    stages = Stages()
    with later(stages) as problems, problems.at("specs.aggregations[0]"):
        refuse("unknown column")
    assert list(stages.beyond) == [Problem("specs.filters[0]", "or is a model's work", beyond=True)]


def test_a_name_that_no_source_has_is_told_all_the_same() -> None:
    """It cannot be a consequence."""
    with pytest.raises(InvalidRequestError, match="no column"), later(Stages()) as problems, problems.at("specs"):
        absent("no column 'x'")
