"""The filters of one phase: each once, and none that no row could meet beside another."""

from __future__ import annotations

from agent.compiler.plan.steps import FilterStep, RowCondition
from agent.compiler.problems import Problems
from agent.compiler.spec.repetitions import STEPS
from agent.elements import Located

_BESIDE = ("!=", "NOT IN", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "NOT BETWEEN")
"""Operators that one column may have twice with different values."""


def filters_once(entries: list[Located[RowCondition]], problems: Problems) -> tuple[RowCondition, ...]:
    """The filters, each once. A step that no row could pass beside another filter contradicts it."""
    kept: list[Located[RowCondition]] = []
    for path, step in entries:
        if any(one == step for _, one in kept):
            continue
        clash = _contradicted(path, step, kept) if isinstance(step, FilterStep) else None
        if clash is not None:
            problems.add(path, f"contradicts {clash}")
        else:
            kept.append(Located(path, step))
    return tuple(step for _, step in kept)


def _contradicted(path: str, step: FilterStep, kept: list[Located[RowCondition]]) -> str | None:
    """The path of the filter that an entry of `transformations` contradicts."""
    if not path.startswith(STEPS):
        return None
    for where, one in kept:
        same = isinstance(one, FilterStep) and (one.column, one.operator) == (step.column, step.operator)
        if same and (step.operator == "=" or (step.operator not in _BESIDE and not where.startswith(STEPS))):
            return where
    return None
