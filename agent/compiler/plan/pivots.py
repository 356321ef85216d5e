"""Pivots: one aggregate for each listed value of a column, as SQL's `sum(x) FILTER (WHERE column = value)`."""

from __future__ import annotations

import json
from typing import get_args

from pydantic import JsonValue

from agent.compiler.plan.entry_details import Details, known_keys, names_of, text_of, word_of
from agent.compiler.plan.problems import refuse
from agent.request import AggregateFunction, Aggregation

KEYS = ("column", "values", "function", "value_column", "group_by")
_VALUE_KEYS = ("value", "alias")


class PivotedAggregation(Aggregation):
    """An aggregate over the rows whose column `spread` equals `value`."""

    spread: str
    value: JsonValue
    at: str
    """Path of the pivot's details."""
    value_path: str


def read_pivot(details: Details, path: str) -> list[PivotedAggregation]:
    """The aggregates of a pivot, in the order of its values. Raises InvalidRequestError."""
    known_keys(details, KEYS, path)
    spread = text_of(details, "column", path, "the column whose values become columns")
    function = word_of(details, "function", get_args(AggregateFunction), path)
    values = details.get("values")
    if not isinstance(values, list) or not values:
        refuse(f"{path}.values", "is a list of the values that become columns: what is not listed is not in the result")
    given = details.get("value_column")
    column = None if given in (None, "*") else text_of(details, "value_column", path, "the column that is aggregated")
    if column is None and function != "count":
        refuse(f"{path}.value_column", f"{function} needs a column; only count takes all rows")
    pivoted: list[PivotedAggregation] = []
    for position, item in enumerate(values):
        where = f"{path}.values[{position}]"
        value, alias = _named(item, where)
        _refuse_same_name(alias, value, pivoted, where)
        pivoted.append(
            PivotedAggregation(
                function=function,  # type: ignore[arg-type]  # `word_of` gave one of them
                column=column,
                alias=alias,
                group_by=names_of(details, "group_by", path),
                spread=spread,
                value=value,
                at=path,
                value_path=f"{where}.value" if isinstance(item, dict) else where,
            )
        )
    return pivoted


def _refuse_same_name(alias: str, value: JsonValue, others: list[PivotedAggregation], path: str) -> None:
    """Refuse another value under a column name that is taken; Spark does not tell case apart."""
    same = next((one for one in others if one.alias.casefold() == alias.casefold()), None)
    if same is None or (repr(same.value) == repr(value) and same.alias == alias):
        return
    shown = json.dumps({"value": value, "alias": "..."}, ensure_ascii=False)
    case = "" if same.alias == alias else " but for its case"
    taken = f"its column would be called {alias!r}, as that of {same.value!r}{case}"
    refuse(path, f"{taken}; give it a name of its own, as {shown}")


def _named(item: JsonValue, path: str) -> tuple[JsonValue, str]:
    """The value and the name of its column."""
    if isinstance(item, dict):
        known_keys(item, _VALUE_KEYS, path)
        return item.get("value"), text_of(item, "alias", path, "the column's name")
    if item is None or item == "" or isinstance(item, list):
        refuse(path, f'{item!r} gives no column name; write {{"value": ..., "alias": name}} with a value to look for')
    return item, str(item).lower() if isinstance(item, bool) else str(item)
