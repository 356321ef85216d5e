"""Pivots: one aggregate for each listed value of a column, as SQL's `sum(x) FILTER (WHERE column = value)`."""

from __future__ import annotations

import json

from pydantic import JsonValue

from agent.compiler.problems import refuse, within
from agent.compiler.spec.aggregate_entries import function_of
from agent.compiler.spec.fields import Details, Fields, normal_key
from agent.elements import PivotedAggregation

KEYS = ("column", "values", "function", "value_column", "group_by")
_VALUE_KEYS = ("value", "alias", "name")


def read_pivot(given: Details) -> list[PivotedAggregation]:
    """The aggregates of a pivot, in the order of its values."""
    fields = Fields(given, "pivot")
    spread = fields.text("column", "the column whose values become columns")
    if spread is None:
        refuse("the column whose values become columns is needed as a text", ".column")
    word = fields.text("function", "a function")
    if word is None:
        refuse("`function` is needed", ".function")
    function = function_of(word, fields.at("function"))
    column = fields.text("value_column", "the column that is aggregated")
    column = None if column == "*" else column
    if column is None and function != "count":
        refuse(f"{function} needs a column; only count takes all rows", fields.at("value_column"))
    pivoted: list[PivotedAggregation] = []
    for where, item in _values(fields):
        with within(where):
            value, alias = _named(item)
            _refuse_same_name(alias, value, pivoted)
        value_at = f"{where}.value" if isinstance(item, dict) else where
        keys = fields.names("group_by")
        pivoted.append(PivotedAggregation(function, column, alias, keys, None, spread, value, value_at))
    return pivoted


def _values(fields: Fields) -> list[tuple[str, JsonValue]]:
    """The values that become columns, each with its place."""
    values, at = fields.get("values"), fields.at("values")
    if isinstance(values, dict):
        return [(f"{at}.{value}", {"value": value, "alias": alias}) for value, alias in values.items()]
    if not isinstance(values, list) or not values:
        refuse("is a list of the values that become columns: what is not listed is not in the result", at)
    return [(f"{at}[{position}]", item) for position, item in enumerate(values)]


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
        names = {normal_key(key): value for key, value in item.items()}
        unknown = next((key for key in item if normal_key(key) not in _VALUE_KEYS), None)
        if unknown is not None:
            refuse('unknown key here; a value is {"value": ..., "alias": name}', f".{unknown}")
        alias = names.get("alias") or names.get("name")
        if not isinstance(alias, str) or not alias.strip():
            refuse("the column's name is needed as a text", ".alias")
        return names.get("value"), alias
    if item is None or item == "" or isinstance(item, list):
        refuse(f'{item!r} gives no column name; write {{"value": ..., "alias": name}} with a value to look for')
    return item, str(item).lower() if isinstance(item, bool) else str(item)
