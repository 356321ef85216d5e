"""The reader: the spellings of each kind of entry, and the element that each one means."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.notes import Note, Notes
from agent.compiler.problems import Problems
from agent.compiler.spec.entries import read_entries
from agent.elements import Comparison, Entries
from agent.errors import Problem
from agent.request import parse_request


def read(**specs: Any) -> tuple[Entries, list[Problem], tuple[Note, ...]]:
    """The entries of a specification over the orders o and the customers c, with problems and notes."""
    sources = [{"table_name": "orders", "alias": "o"}, {"table_name": "customers", "alias": "c"}]
    event = {"run_id": "r1", "specs": {"source_tables": sources, "target_table": {"name": "t"}, **specs}}
    problems, notes = Problems(), Notes()
    return read_entries(parse_request(event).specs, problems, notes), problems.found(), notes.found()


@pytest.mark.parametrize(
    ("written", "meant"),
    [("==", "="), ("<>", "!="), (" in ", "IN"), ("not  like", "NOT LIKE"), ("is null", "IS NULL"), (">=", ">=")],
)
def test_operators_have_one_spelling(written: str, meant: str) -> None:
    """Case and spacing of an operator do not count."""
    entries, _, _ = read(filters=[{"column": "a", "operator": written, "value": None if "null" in written else 1}])
    [(path, condition)] = entries.filters
    assert isinstance(condition, Comparison)
    assert (path, condition.operator) == ("specs.filters[0]", meant)


@pytest.mark.parametrize(("written", "meant"), [("LEFT", "left"), ("full outer", "outer"), ("left_outer", "left")])
def test_join_types_have_one_spelling(written: str, meant: str) -> None:
    """SQL's longer words are accepted."""
    join = {"left_table": "o", "right_table": "c", "join_type": written, "on_columns": "id"}
    entries, problems, _ = read(join_conditions=[join])
    [(_, condition)] = entries.joins
    assert (condition.join_type, condition.on_columns, problems) == (meant, ("id",), [])
