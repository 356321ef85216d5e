"""Problems of one stage, each with the path that leads to it."""

from __future__ import annotations

import pytest

from agent.compiler.problems import Problems, refuse, within
from agent.elements import Located, located
from agent.errors import InvalidRequestError, Problem


def test_each_caller_adds_its_part_of_the_path() -> None:
    """A check refuses with a message, or with a part of the path of its own."""
    with pytest.raises(InvalidRequestError) as caught, Problems() as problems:
        with problems.at("specs.filters[0]"), within(".value"):
            refuse("no number", "[1]")
        with problems.at("specs.filters[1]"):
            refuse("no filter")
    assert caught.value.problems == [
        Problem("specs.filters[0].value[1]", "no number"),
        Problem("specs.filters[1]", "no filter"),
    ]


def test_the_stage_stops_at_its_end() -> None:
    """Nothing after a block with problems is carried out, and a problem counts once."""
    after = False
    with pytest.raises(InvalidRequestError, match="^specs: wrong$"):
        with Problems() as problems:
            problems.add("specs", "wrong")
            problems.add("specs", "wrong")
        after = True
    assert not after


def test_a_column_fails_with_those_that_it_uses() -> None:
    """Only the first failure is a problem; case does not count."""
    with pytest.raises(InvalidRequestError), Problems() as problems:
        with problems.at("specs.derived_columns[0]", "Total"):
            refuse("wrong")
        assert problems.follows("share", ["total"])
        assert problems.follows("rank", ["share", "region"])
        assert not problems.follows("other", ["region"])


def test_items_of_a_list_have_its_path() -> None:
    """Each item's path ends with its position."""
    assert located("specs.filters", "ab") == [Located("specs.filters[0]", "a"), Located("specs.filters[1]", "b")]
