"""Entries given twice: a repetition is left out, a contradiction is a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.compiler.plan.pivots import PivotedAggregation
from agent.compiler.plan.problems import Located, Problems
from agent.compiler.plan.steps import FilterStep
from agent.compiler.plan.window_entries import WindowEntry
from agent.request import Aggregation, DerivedColumn

_STEPS = "specs.transformations"
_BESIDE = ("!=", "NOT IN", "LIKE", "NOT LIKE")
"""Operators that one column may have twice with different values."""
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
        if first is entry or not entry.path.startswith(_STEPS):
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


def filters_once(entries: list[Located[FilterStep]], problems: Problems) -> tuple[FilterStep, ...]:
    """The filters, each once. A step that no row could pass beside another filter contradicts it."""
    kept: list[Located[FilterStep]] = []
    for path, step in entries:
        others = [(where, one) for where, one in kept if (one.column, one.operator) == (step.column, step.operator)]
        listed = not path.startswith(_STEPS)
        if not listed and any(one.values == step.values for _, one in others):
            continue
        clash = next((where for where, _ in others if not listed and _contradicts(step, where)), None)
        if clash is not None:
            problems.add(path, f"contradicts {clash}")
        else:
            kept.append(Located(path, step))
    return tuple(step for _, step in kept)


def _contradicts(step: FilterStep, other_path: str) -> bool:
    """True for two equalities with different values, and for a step whose values differ from those in `filters`."""
    return step.operator == "=" or (step.operator not in _BESIDE and not other_path.startswith(_STEPS))
