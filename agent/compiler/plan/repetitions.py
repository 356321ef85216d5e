"""Entries that are given twice: a repetition is left out, a contradiction is a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.compiler.plan.pivots import PivotedAggregation
from agent.compiler.plan.steps import FilterStep
from agent.compiler.plan.window_entries import WindowEntry
from agent.errors import Problem
from agent.request import Aggregation, DerivedColumn

_STEPS = "specs.transformations"
_BESIDE = ("!=", "NOT IN", "LIKE", "NOT LIKE")
"""Operators that may stand beside themselves with other values."""
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
        if first is entry or not path.startswith(_STEPS):
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
    """The filters, each once. A step that no row could pass beside another filter contradicts it."""
    kept: list[tuple[str, FilterStep]] = []
    for path, step in entries:
        others = [(where, one) for where, one in kept if (one.column, one.operator) == (step.column, step.operator)]
        listed = not path.startswith(_STEPS)
        if not listed and any(one.values == step.values for _, one in others):
            continue
        clash = next((where for where, _ in others if not listed and _contradicts(step, where)), None)
        if clash is not None:
            problems.append(Problem(path, f"contradicts {clash}"))
        else:
            kept.append((path, step))
    return tuple(step for _, step in kept)


def _contradicts(step: FilterStep, other_path: str) -> bool:
    """Two values cannot both be equal; a step that repeats an entry of `filters` must agree with its values."""
    return step.operator == "=" or (step.operator not in _BESIDE and not other_path.startswith(_STEPS))
