"""Filters: a value must fit its column exactly; a refusal says which value would."""

from __future__ import annotations

import re

from agent.compiler.expressions.column_kinds import Kind, unordered
from agent.compiler.expressions.literals import exact_value
from agent.compiler.expressions.references import Reference
from agent.compiler.plan.steps import FilterStep
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse, within
from agent.compiler.spec.repetitions import STEPS
from agent.elements import Comparison, Located

_WELL_ESCAPED = re.compile(r"(?:[^\\]|\\[\\%_])*", re.DOTALL)
"""A LIKE pattern whose backslashes all escape something: Spark fails at any other one, PostgreSQL ignores it."""
_TEXT_ONLY = frozenset({"LIKE", "NOT LIKE"})
_NULL_IN_LIST = {
    "IN": "null in the list finds no row; leave it out, and for rows where the column is NULL too filter on a derived "
    "column that says `... OR column IS NULL`",
    "NOT IN": "with null in the list the filter would keep no row; leave it out",
}
_LISTS = frozenset({"IN", "NOT IN", "BETWEEN"})


def filter_step(entry: Comparison, column: Reference) -> FilterStep:
    """The filter on a resolved column. Refuses a value that does not fit the column."""
    kind, operator = column.kind, entry.operator
    if operator in ("IS NULL", "IS NOT NULL"):
        if entry.value is not None:
            refuse(f"{operator} takes no value", ".value")
        return FilterStep(column, operator)
    if operator in _TEXT_ONLY:
        _check_pattern(entry.value, kind)
    elif kind is not None and kind.family in ("json", "binary", "array"):
        known = kind.named or "bytea"
        cannot(f"{operator} on a column of type {known}; {USE_A_MODEL}, or filter on IS NULL", ".operator")
    elif kind is not None and kind.family == "enum" and operator not in ("=", "!=", "IN", "NOT IN"):
        cannot(f"{operator} on an enum: {unordered(kind)}; use = or IN", ".operator")
    elif kind is not None and kind.family == "boolean" and operator not in ("=", "!=", "IN", "NOT IN"):
        refuse(f"{operator} on a boolean column; use = or !=", ".operator")
    with within(".value"):
        values = tuple(exact_value(item, kind) for item in _items(entry))
    return FilterStep(column, operator, values, trimmed=kind is not None and kind.padded > 0)


def _items(entry: Comparison) -> list[object]:
    if entry.operator not in _LISTS:
        if isinstance(entry.value, list | dict):
            refuse(f"{entry.operator} takes one value, not {type(entry.value).__name__}; use IN for a list")
        return [entry.value]
    if not isinstance(entry.value, list) or not entry.value:
        refuse(f"{entry.operator} takes a list of values")
    if entry.operator == "BETWEEN" and len(entry.value) != 2:
        refuse("BETWEEN takes a list of two values, the lower one first")
    if entry.operator in _NULL_IN_LIST and None in entry.value:
        refuse(f"NULL equals nothing, so {_NULL_IN_LIST[entry.operator]}")
    return list(entry.value)


def _check_pattern(value: object, kind: Kind | None) -> None:
    if kind is not None and kind.family != "string":
        refuse(f"LIKE needs a text column, not {kind.family}", ".operator")
    if kind is not None and kind.padded:
        cannot(f"LIKE on character({kind.padded}) sees the padding; derive rtrim(...) first", ".operator")
    if isinstance(value, str) and not _WELL_ESCAPED.fullmatch(value):
        cannot("a backslash in a pattern may only stand before %, _ or another backslash", ".value")
    if not isinstance(value, str):
        refuse("LIKE takes a text pattern", ".value")


_BESIDE = ("!=", "NOT IN", "LIKE", "NOT LIKE")
"""Operators that one column may have twice with different values."""


def filters_once(entries: list[Located[FilterStep]], problems: Problems) -> tuple[FilterStep, ...]:
    """The filters, each once. A step that no row could pass beside another filter contradicts it."""
    kept: list[Located[FilterStep]] = []
    for path, step in entries:
        others = [(where, one) for where, one in kept if (one.column, one.operator) == (step.column, step.operator)]
        listed = not path.startswith(STEPS)
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
    return step.operator == "=" or (step.operator not in _BESIDE and not other_path.startswith(STEPS))
