"""Entries that are given twice: a repetition is left out, a contradiction is a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.errors import Problem
from agent.planning.pivots import PivotedAggregation
from agent.planning.steps import FilterStep
from agent.planning.window_details import WindowEntry
from agent.request import Aggregation, DerivedColumn

_Entry = TypeVar("_Entry")


def without_repetitions(
    entries: list[tuple[str, _Entry]],
    identity: Callable[[_Entry], object],
    meaning: Callable[[_Entry], object],
    problems: list[Problem],
) -> list[tuple[str, _Entry]]:
    """The entries without those of `transformations` that repeat another; one that differs is a problem."""
    seen: dict[object, tuple[str, _Entry]] = {}
    kept = []
    for path, entry in entries:
        first_path, first = seen.setdefault(identity(entry), (path, entry))
        if first is entry or not path.startswith("specs.transformations"):
            kept.append((path, entry))
        elif meaning(first) != meaning(entry):
            problems.append(Problem(path, f"contradicts {first_path}"))
    return kept


def aggregates_once(entries: list[tuple[str, Aggregation]], problems: list[Problem]) -> list[tuple[str, Aggregation]]:
    """The aggregates, each once."""
    return without_repetitions(entries, lambda entry: entry.alias.casefold(), _aggregate_meaning, problems)


def _aggregate_meaning(entry: Aggregation) -> object:
    only = (entry.spread, repr(entry.value)) if isinstance(entry, PivotedAggregation) else None
    return entry.function, entry.column or "*", frozenset(entry.group_by), only


def derived_once(entries: list[tuple[str, DerivedColumn]], problems: list[Problem]) -> list[tuple[str, DerivedColumn]]:
    """The derived columns, each once."""
    return without_repetitions(
        entries, lambda entry: entry.name.casefold(), lambda entry: entry.expression.strip(), problems
    )


def windows_once(entries: list[tuple[str, WindowEntry]], problems: list[Problem]) -> list[tuple[str, WindowEntry]]:
    """The windows, each once."""
    return without_repetitions(entries, lambda entry: entry.name.casefold(), repr, problems)


def filters_once(entries: list[tuple[str, FilterStep]], problems: list[Problem]) -> tuple[FilterStep, ...]:
    """The filters, each once. Several values may be excluded one by one; any other operator says one thing."""
    once = without_repetitions(entries, _filtered, lambda step: step.values, problems)
    return tuple(step for _, step in once)


def _filtered(step: FilterStep) -> object:
    return step.column, step.operator, step.values if step.operator in ("!=", "NOT IN", "NOT LIKE") else ()
