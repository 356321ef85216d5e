"""The outer form of an event, and its limits: each told with its path."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import InvalidRequestError, Problem
from agent.raw_event import EVENT_BYTES, EVENT_KEYS, IN_VALUES, LIST_ENTRIES, TARGET_COLUMNS, checked_event
from agent.request import Request

SPECS: dict[str, Any] = {"source_tables": ["orders"], "target_table": {"name": "t"}}


def event(**specs: Any) -> dict[str, Any]:
    return {"run_id": "r1", "specs": {**SPECS, **specs}}


def among(values: int) -> dict[str, Any]:
    return {"column": "a", "operator": "IN", "value": list(range(values))}


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def told(given: object) -> list[Problem]:
    with pytest.raises(InvalidRequestError) as raised:
        checked_event(given)
    return raised.value.problems


def test_a_bare_specification_is_an_event() -> None:
    """An object with `source_tables` itself; what belongs to the event stays beside the specification."""
    assert checked_event({"run_id": "r1", **SPECS, "options": {}}) == {"run_id": "r1", "options": {}, "specs": SPECS}


def test_the_keys_of_an_event_are_those_of_the_request() -> None:
    """Beside a bare specification too."""
    assert set(EVENT_KEYS) == set(Request.model_fields)


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        (["specs"], "event", "a JSON object is needed, not a list"),
        (event(notes=nested(20_000)), "event", "is nested too deeply"),
        (event(description="x" * EVENT_BYTES), "event", "more than 1,000,000; most are in `specs`"),
        (
            {**event(), "source_data_samples": {"orders": [{"a": float("nan")}]}},
            "source_data_samples.orders[0].a",
            "NaN",
        ),
        (event(filters=[{"value": float("-inf")}]), "specs.filters[0].value", "Infinity"),
        (event(filters=[{"value": "a\0b"}]), "specs.filters[0].value", "holds a NUL character (\\u0000)"),
        (event(filters=[{"a\0": 1}]), "specs.filters[0]", "NUL"),
        (event(note="\ud800"), "specs.note", "half of a surrogate pair"),
        (event(filters=[{}] * (LIST_ENTRIES + 1)), "specs.filters", "has 1,001 entries, more than 1,000"),
        (event(notes=[1] * (LIST_ENTRIES + 1)), "specs.notes", "has 1,001 entries, more than 1,000"),
        (event(filters=[among(IN_VALUES + 1)]), "specs.filters[0].value", "has 10,001 values, more than 10,000"),
        (
            event(transformations=[{"type": "filter", "details": among(IN_VALUES + 1)}]),
            "specs.transformations[0].details.value",
            "load them into a table and join it",
        ),
        (
            event(target_table={"name": "t", "columns": ["a"] * (TARGET_COLUMNS + 1)}),
            "specs.target_table.columns",
            "has 1,601 columns",
        ),
    ],
)
def test_what_is_too_large_or_cannot_be_stored_is_refused_at_its_path(given: object, path: str, words: str) -> None:
    """Before anything else is looked at."""
    [problem] = told(given)
    assert problem.path == path
    assert words in problem.message


def test_each_place_is_told() -> None:
    """All at once."""
    assert [p.path for p in told(event(a="\0", b=["\0"]))] == ["specs.a", "specs.b[0]"]


def test_whatever_is_within_the_limits_passes() -> None:
    """Up to the last entry and value."""
    given = event(filters=[{}] * LIST_ENTRIES, transformations=[{"details": among(IN_VALUES)}])
    assert checked_event(given) == given


SCHEMA = {"columns": [{"name": "id", "type": "integer"}, {"name": "t", "type": "text"}]}


@pytest.mark.parametrize(
    "written",
    [
        SCHEMA,
        {"id": "integer", "t": "text"},
        {"columns": {"id": "integer", "t": "text"}},
        SCHEMA["columns"],
        [{"column_name": "id", "data_type": "integer"}, {"column": "t", "type": "text"}],
    ],
    ids=["columns", "names to types", "columns by name", "list", "information schema"],
)
def test_a_table_is_described_in_any_usual_form(written: object) -> None:
    """Names with types, as catalogues and programs list them."""
    assert checked_event({**event(), "source_schemas": {"orders": written}})["source_schemas"] == {"orders": SCHEMA}


@pytest.mark.parametrize("written", [{}, {"columns": 5}, {"id": 5}, "text", [], ["id"], {"columns": [], "note": 1}])
def test_any_other_description_is_left_to_the_request(written: object) -> None:
    """It tells what is missing."""
    found = checked_event({**event(), "source_schemas": {"orders": written}})["source_schemas"]["orders"]
    assert found in (written, {"columns": written})
