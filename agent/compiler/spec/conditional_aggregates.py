"""Aggregates over the rows of a condition: `count_if(condition)`, `sum_if(column, condition)`."""

from __future__ import annotations

from typing import NamedTuple

from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.compiler.spec.fields import normal_key
from agent.compiler.spec.sql_conditions import sql_condition
from agent.compiler.spec.sql_texts import split_at
from agent.elements import AggregateFunction, Comparison, Condition, ConditionGroup

_FUNCTIONS: dict[str, AggregateFunction] = {
    "count_if": "count", "countif": "count", "count_where": "count", "sum_if": "sum", "sumif": "sum", "avg_if": "avg",
    "avgif": "avg", "averageif": "avg", "average_if": "avg", "min_if": "min", "minif": "min", "max_if": "max",
    "maxif": "max",
}  # fmt: skip
"""Name in small letters, with `_` for blanks, to the plain aggregate."""


class OverCondition(NamedTuple):
    """An aggregate, its column, and the rows that it takes where the call itself says them."""

    function: AggregateFunction
    column: str
    where: Condition | None


def is_conditional(name: str) -> bool:
    """True for the name of an aggregate that needs a condition."""
    return normal_key(name) in _FUNCTIONS


def over_condition(name: str, arguments: str) -> OverCondition:
    """The parts of such a call. The condition may stand apart from it."""
    function, parts = _FUNCTIONS[normal_key(name)], [part for part in split_at(arguments, ",") if part]
    if function == "count":
        column, conditions = "*", [] if parts in ([], ["*"]) else [arguments]
    else:
        column, conditions = parts[0] if parts else "", parts[1:]
    if not column or len(conditions) > 1:
        refuse(f"{name} takes {'a condition' if function == 'count' else 'a column and a condition'}")
    return OverCondition(function, column, sql_condition(conditions[0]) if conditions else None)


def refuse_counted_condition(text: str) -> None:
    """Refuse `count(a > 1)`: SQL counts the rows where it is false too, and its author may not mean them."""
    words = text.strip().upper()
    if not words.startswith(("CASE ", "DISTINCT ")) and isinstance(sql_condition(text), Comparison | ConditionGroup):
        cannot(
            f"count({text}) counts the rows where the condition is true and those where it is false; write count_if "
            f"for the rows where it is true, count of a column for both, or {USE_A_MODEL}"
        )
