"""Contradictions: unread words of which a structured field says something else about the same thing."""

from __future__ import annotations

from collections.abc import Iterator

from agent.compiler.narration.evidence import as_date, as_number
from agent.compiler.narration.said_numbers import said_at
from agent.compiler.narration.said_periods import period_at
from agent.compiler.narration.word_tokens import WordToken, tokens_of, word_set
from agent.elements import Comparison, Condition, ConditionGroup, Entries

_JOINS = word_set("left right inner full outer cross anti semi")
_FUNCTIONS = {
    word: function
    for function, words in {
        "avg": "average averages averaged averaging mean avg", "median": "median", "sum": "sum sums summed summing",
        "max": "maximum max highest largest latest", "min": "minimum min lowest smallest earliest",
        "count_distinct": "distinct unique different",
    }.items()
    for word in words.split()
}  # fmt: skip
"""Words for aggregates, each with its function."""
_DIRECTIONS = {"ascending": False, "asc": False, "descending": True, "desc": True}


def contradicted(words: str, entries: Entries) -> str:
    """The field that says something else, as `specs.filters[0] says amount >= 5`; empty when there is none."""
    tokens = tokens_of(words)
    texts = {token.text for token in tokens}
    if "join" in texts or texts <= _JOINS:
        return next((f"{path} says {one.join_type}" for path, one in entries.joins), "")
    if texts & _DIRECTIONS.keys():
        return next(_directions({_DIRECTIONS[text] for text in texts if text in _DIRECTIONS}, entries), "")
    if texts & _FUNCTIONS.keys():
        return _function({_FUNCTIONS[text] for text in texts if text in _FUNCTIONS}, entries)
    return next(_comparisons(tokens, entries), "")


def _directions(said: set[bool], entries: Entries) -> Iterator[str]:
    """The orders of another direction."""
    orders = [(path, order) for path, order in entries.sort]
    orders += [(path, window.order_by) for path, window in entries.windows]
    orders += [(path, one.order_by) for path, one in entries.deduplications]
    for path, order in orders:
        for item in order:
            if item.descending not in said:
                yield f"{path} says {item.column} {'DESC' if item.descending else 'ASC'}"


def _function(said: set[str], entries: Entries) -> str:
    """The only aggregation, where it has another function."""
    if len(entries.aggregations) != 1 or entries.aggregations[0].value.function in said:
        return ""
    path, one = entries.aggregations[0]
    return f"{path} says {one.function} of {one.column or '*'}"


def _comparisons(tokens: list[WordToken], entries: Entries) -> Iterator[str]:
    """The comparisons with the same number or day; the words compare in another way, or they would be carried."""
    said = [said_at(tokens, position, True) for position in range(len(tokens))]
    numbers = {value for number in said if number for value in number.values}
    periods = [period_at(tokens, position) for position in range(len(tokens))]
    days = {period.low for period in periods if period}
    for path, condition in entries.filters:
        for one in _parts(condition):
            values = one.value if isinstance(one.value, list) else [one.value]
            if any(as_number(value) in numbers or as_date(value) in days for value in values if value is not None):
                yield f"{path} says {one.column} {one.operator} {one.value}"


def _parts(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, ConditionGroup):
        for part in condition.parts:
            yield from _parts(part)
