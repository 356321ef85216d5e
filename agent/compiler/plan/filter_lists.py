"""The filters of one phase: each once, and none that no row could meet beside another."""

from __future__ import annotations

from agent.compiler.expressions.references import Reference
from agent.compiler.plan.steps import FilterStep, RowCondition
from agent.compiler.problems import Problems
from agent.compiler.spec.repetitions import STEPS
from agent.elements import Located

_BESIDE = ("!=", "NOT IN", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "NOT BETWEEN")
"""Operators that one column may have twice with different values."""


def filters_once(entries: list[Located[RowCondition]], problems: Problems) -> tuple[RowCondition, ...]:
    """The filters, each once. A step that no row could pass beside another filter contradicts it."""
    kept: dict[RowCondition, None] = {}
    alike: dict[tuple[Reference, str], list[str]] = {}
    for path, step in entries:
        if step in kept:
            continue
        if isinstance(step, FilterStep):
            places = alike.setdefault((step.column, step.operator), [])
            if clash := _contradicted(path, step.operator, places):
                problems.add(path, f"contradicts {clash}")
                continue
            places.append(path)
        kept[step] = None
    return tuple(kept)


def _contradicted(path: str, operator: str, places: list[str]) -> str | None:
    """The filter of the same column and operator, by its path, that an entry of `transformations` contradicts."""
    if not path.startswith(STEPS) or operator in _BESIDE:
        return None
    return next((where for where in places if operator == "=" or not where.startswith(STEPS)), None)
