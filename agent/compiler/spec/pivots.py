"""Pivots: one aggregate for each listed value of a column, as SQL's `sum(x) FILTER (WHERE column = value)`."""

from __future__ import annotations

import json
from typing import get_args

from pydantic import JsonValue

from agent.compiler.problems import refuse, within
from agent.compiler.spec.entry_details import Details, known_keys, names_of, text_of, word_of
from agent.elements import AggregateFunction, PivotedAggregation

KEYS = ("column", "values", "function", "value_column", "group_by")
_VALUE_KEYS = ("value", "alias")


def read_pivot(details: Details) -> list[PivotedAggregation]:
    """The aggregates of a pivot, in the order of its values."""
    spread = text_of(details, "column", "the column whose values become columns")
    function = word_of(details, "function", get_args(AggregateFunction))
    values = details.get("values")
    if not isinstance(values, list) or not values:
        refuse("is a list of the values that become columns: what is not listed is not in the result", ".values")
    given = details.get("value_column")
    column = None if given in (None, "*") else text_of(details, "value_column", "the column that is aggregated")
    if column is None and function != "count":
        refuse(f"{function} needs a column; only count takes all rows", ".value_column")
    pivoted: list[PivotedAggregation] = []
    for position, item in enumerate(values):
        where = f".values[{position}]"
        with within(where):
            value, alias = _named(item)
            _refuse_same_name(alias, value, pivoted)
        pivoted.append(
            PivotedAggregation(
                function=function,  # type: ignore[arg-type]  # `word_of` gave one of them
                column=column,
                alias=alias,
                group_by=names_of(details, "group_by"),
                spread=spread,
                value=value,
                value_at=f"{where}.value" if isinstance(item, dict) else where,
            )
        )
    return pivoted


def _refuse_same_name(alias: str, value: JsonValue, others: list[PivotedAggregation]) -> None:
    """Refuse another value under a column name that is taken. Spark's names ignore case."""
    same = next((one for one in others if one.alias.casefold() == alias.casefold()), None)
    if same is None or (repr(same.value) == repr(value) and same.alias == alias):
        return
    shown = json.dumps({"value": value, "alias": "..."}, ensure_ascii=False)
    case = "" if same.alias == alias else " but for its case"
    taken = f"its column would be called {alias!r}, as that of {same.value!r}{case}"
    refuse(f"{taken}; give it a name of its own, as {shown}")


def _named(item: JsonValue) -> tuple[JsonValue, str]:
    """The value and the name of its column."""
    if isinstance(item, dict):
        known_keys(item, _VALUE_KEYS)
        return item.get("value"), text_of(item, "alias", "the column's name")
    if item is None or item == "" or isinstance(item, list):
        refuse(f'{item!r} gives no column name; write {{"value": ..., "alias": name}} with a value to look for')
    return item, str(item).lower() if isinstance(item, bool) else str(item)
