"""Entries given twice: a repetition is left out, a contradiction is a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.compiler.problems import Problems
from agent.elements import Aggregation, DerivedColumn, Located, PivotedAggregation, WindowEntry

STEPS = "specs.transformations"
"""Path of the entries that may repeat a structured field."""


_Entry = TypeVar("_Entry")


def without_repetitions(
    entries: list[Located[_Entry]],
    identity: Callable[[_Entry], object],
    meaning: Callable[[_Entry], object],
    problems: Problems,
) -> list[Located[_Entry]]:
    """The entries without those of `transformations` that repeat another. One that differs is a problem."""
    seen: dict[object, Located[_Entry]] = {}
    kept = []
    for entry in entries:
        first = seen.setdefault(identity(entry.value), entry)
        if first is entry or not entry.path.startswith(STEPS):
            kept.append(entry)
        elif meaning(first.value) != meaning(entry.value):
            problems.add(entry.path, f"contradicts {first.path}")
    return kept


def aggregates_once(entries: list[Located[Aggregation]], problems: Problems) -> list[Located[Aggregation]]:
    """The aggregates, each once."""
    return without_repetitions(entries, lambda entry: entry.alias.casefold(), _aggregate_meaning, problems)


def _aggregate_meaning(entry: Aggregation) -> object:
    only = (entry.spread, repr(entry.value)) if isinstance(entry, PivotedAggregation) else None
    return entry.function, entry.column or "*", frozenset(entry.group_by), only


def derived_once(entries: list[Located[DerivedColumn]], problems: Problems) -> list[Located[DerivedColumn]]:
    """The derived columns, each once."""
    return without_repetitions(
        entries, lambda entry: entry.name.casefold(), lambda entry: entry.expression.strip(), problems
    )


def windows_once(entries: list[Located[WindowEntry]], problems: Problems) -> list[Located[WindowEntry]]:
    """The windows, each once."""
    return without_repetitions(entries, lambda entry: entry.name.casefold(), repr, problems)
