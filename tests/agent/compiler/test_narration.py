"""Words of a specification: fields carry them, or they are told as unread."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from agent.compiler.narration.descriptions import NamesInPassing
from agent.compiler.narration.unread import read_narration, unread_words
from agent.compiler.spec.entries import elements_of
from agent.elements import Claim, Entries, Located, StepEntry
from agent.request import Specification
from tests.agent.compiler.descriptions import Description, descriptions, entries

FLIGHTS = {
    "columns": ["origin", "carrier", "dep_delay", "arr_delay", "distance"],
    "filters": [["dep_delay", "IS NOT NULL", None]],
}
EXAMPLES = Path(__file__).parents[3] / "examples"
DESCRIPTIONS = [*descriptions()]


def unread_of(found: Entries, columns: tuple[str, ...] = (), has_columns: bool = False) -> list[tuple[str, str]]:
    """Paths and words that are unread."""
    words = unread_words(found, NamesInPassing(("flights", "f", "result"), frozenset(columns)), has_columns=has_columns)
    return [(one.path, one.words) for one in words.unread]


def steps(found: Entries, *told: tuple[str, str]) -> Entries:
    """The elements with steps of words alone."""
    found.steps = [
        StepEntry(f"specs.transformations[{position}]", kind, text, {}) for position, (kind, text) in enumerate(told)
    ]
    return found


@pytest.mark.parametrize("one", DESCRIPTIONS, ids=lambda one: f"{one.kind}: {one.text}")
def test_words_are_carried_or_told(one: Description) -> None:
    """Nothing is unread where fields carry all; every extra word is told."""
    found = one.found()
    assert bool(found) == bool(one.unread)
    for words in one.unread:
        assert any(words.lower() in told.lower() or told.lower() in words.lower() for told in found), found


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_fields_of_the_examples_carry_their_words(example: Path) -> None:
    """Nothing of them is unread."""
    specs = Specification.model_validate(json.loads(example.read_text(encoding="utf-8"))["specs"])
    assert read_narration(specs, elements_of(specs), ("year", "month", "day", "name", "origin")).unread == []


def test_each_step_of_words_needs_an_element_of_its_kind() -> None:
    """Two filter steps beside one filter: the one that says more than any field is unread as a whole."""
    found = steps(
        entries(FLIGHTS),
        ("filter", "Remove flights without a departure delay"),
        ("filter", "For each origin, keep only the flight with the highest dep_delay"),
    )
    expected = "For each origin, keep only the flight with the highest dep_delay"
    assert unread_of(found) == [("specs.transformations[1].description", expected)]


def test_one_step_may_narrate_several_elements() -> None:
    """A range and a further filter in one sentence."""
    found = steps(
        entries({"filters": [["day", ">=", "2024-01-01"], ["day", "<", "2025-01-01"], ["status", "=", "paid"]]}),
        ("filter", "Keep paid orders of 2024"),
    )
    assert unread_of(found) == []


def test_a_step_that_states_its_element_takes_no_other() -> None:
    """A filter with details and one of words alone beside one more filter."""
    found = entries({"filters": [["status", "=", "paid"], ["dep_delay", "IS NOT NULL", None]]})
    steps(found, ("filter", "Paid orders"), ("filter", "Cancelled flights are excluded"))
    found.steps[0] = StepEntry(
        "specs.transformations[0]",
        "filter",
        "Paid orders",
        {"column": "status"},
        (Claim("filters", "specs.filters[0]"),),
    )
    assert unread_of(found) == []
    found.filters.pop()
    assert unread_of(found) == [("specs.transformations[1].description", "Cancelled flights are excluded")]


@pytest.mark.parametrize(
    ("kind", "text", "carried"),
    [
        ("join", "Join flights with airlines on carrier", False),
        ("limit", "Keep the first rows", False),
        ("deduplicate", "Keep the latest flight of each tail number", False),
        ("window", "Number the flights of each carrier", False),
        ("sort", "Sort by departure delay", True),
        ("select", "Select the output columns", True),
        ("custom", "Handle outliers as discussed", False),
        ("custom", "Write the rows to the target table", True),
        ("convert", "Convert temperatures from Fahrenheit to Celsius", False),
        ("cast", "Cast the delay to an integer", True),
    ],
)
def test_a_step_that_nothing_carries_is_unread(kind: str, text: str, carried: bool) -> None:
    """A sort changes no rows of a result, and declared columns carry a select."""
    found = steps(entries(FLIGHTS), (kind, text))
    assert bool(unread_of(found, has_columns=True)) != carried


def test_a_sort_without_limit_says_nothing_about_rows() -> None:
    """Its direction is not needed."""
    found = steps(entries(FLIGHTS), ("sort", "Sort by dep_delay descending"))
    assert unread_of(found, ("dep_delay",)) == []


def test_words_of_other_keys_count_too() -> None:
    """A note, a description of a column, the target's description."""
    found = entries(FLIGHTS)
    found.texts = [
        Located("specs.filters[0].note", "applies to 'UA' only"),
        Located("specs.target_table.description", "The five worst delays"),
    ]
    assert unread_of(found) == [
        ("specs.filters[0].note", "'UA'"),
        ("specs.target_table.description", "five"),
        ("specs.target_table.description", "worst"),
    ]


def test_descriptions_of_sources_tell_what_is_there() -> None:
    """They are facts about tables, unless they give an order."""
    found = entries(FLIGHTS)
    found.texts = [
        Located("specs.source_tables[0].description", "All 336776 flights of 2013 from three airports"),
        Located("specs.source_tables[1].description", "Use only rows of 2024"),
    ]
    assert unread_of(found) == [("specs.source_tables[1].description", "2024")]


@pytest.mark.parametrize(
    ("kind", "text", "field"),
    [
        ("filter", "Orders of more than 5 items", "specs.filters[0] says items >= 5"),
        ("filter", "Orders after 2024-01-01", "specs.filters[1] says day >= 2024-01-01"),
        ("join", "Left join orders with customers", "specs.join_conditions[0] says inner"),
        ("aggregate", "Average amount by customer", "specs.aggregations[0] says sum of amount"),
        ("limit", "The first ten by amount ascending", "specs.sort says amount DESC"),
        ("filter", "Orders of 7 items", ""),
    ],
)
def test_a_field_that_says_something_else_is_quoted(kind: str, text: str, field: str) -> None:
    """Beside the words, so that one of them can be changed."""
    found = entries(
        {
            "joins": [["orders", "customers", "inner", "customer_id", "id"]],
            "filters": [["items", ">=", 5], ["day", ">=", "2024-01-01"]],
            "aggregations": [["sum", "amount", "amount"]],
            "sort": ["amount DESC"],
            "limit": 10,
        }
    )
    (told,) = unread_words(steps(found, (kind, text)), NamesInPassing()).unread
    assert told.field == field


def test_a_step_leaves_the_filters_to_the_steps_that_tell_their_values() -> None:
    """Its other words need a filter that no step tells."""
    found = entries({"filters": [["order_status", "=", "finalised"], ["nation", "=", "SAUDI ARABIA"]]})
    steps(found, ("filter", "Finalised, Saudi Arabia"), ("filter", "Orders with a high status in their nation"))
    expected = "Orders with a high status in their nation"
    assert unread_of(found) == [("specs.transformations[1].description", expected)]


def test_words_that_relate_rows_take_no_filter_by_count() -> None:
    """Three filters, one step that narrates them all, and one that looks at other rows."""
    lines = {"filters": [["status", "=", "F"], "received > committed", ["nation", "=", "SAUDI ARABIA"]]}
    found = steps(
        entries(lines),
        ("filter", "Status F, late lines, Saudi Arabia"),
        (
            "filter",
            "Only orders to which another supplier contributed as well, and in which no other supplier was late",
        ),
    )
    assert [words for path, words in unread_of(found) if path.startswith("specs.transformations[1]")]
    assert not [words for path, words in unread_of(found) if path.startswith("specs.transformations[0]")]


def test_a_filter_step_without_a_word_of_the_free_filter_is_told() -> None:
    """It is read as that filter, and another condition may have been meant."""
    found = steps(entries(FLIGHTS), ("filter", "Cancelled ones are dropped"))
    (note,) = unread_words(found, NamesInPassing()).notes
    assert note.path == "specs.transformations[0].description"
    assert "comment on specs.filters[0]" in note.message
    assert note.other


def test_an_element_that_another_step_narrates_carries_no_step_of_unknown_type() -> None:
    """Its words are told as a whole."""
    found = entries({"derived": {"speed": "distance / air_time"}})
    steps(found, ("derive", "Speed as distance by air time"), ("custom", "Convert it to a standard"))
    assert unread_of(found) == [("specs.transformations[1].description", "Convert it to a standard")]


@pytest.mark.parametrize(
    "text",
    [
        "'" * 50_000,
        "1," * 25_000,
        "a_" * 25_000,
        "at least " * 20_000,
        "a.b" * 20_000,
        "e.g. (" * 10_000,
        "12-" * 15_000,
    ],
)
def test_reading_takes_linear_time(text: str) -> None:
    """However a text is made."""
    found = steps(entries(FLIGHTS), ("filter", text))
    begun = time.perf_counter()
    unread_of(found)
    assert time.perf_counter() - begun < 10
