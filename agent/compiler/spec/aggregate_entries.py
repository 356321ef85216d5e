"""Aggregates in any of the usual spellings: keys, calls as text, and lists under one grouping."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeGuard

from pydantic import JsonValue

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.condition_entries import read_conditions
from agent.compiler.spec.conditional_aggregates import is_conditional, over_condition, refuse_counted_condition
from agent.compiler.spec.fields import Details, Fields, names_in, normal_key, one_or_many
from agent.compiler.spec.key_spellings import FUNCTIONS
from agent.compiler.spec.sql_conditions import sql_condition
from agent.compiler.spec.sql_texts import aliased, call_parts, canonical, column_parts, is_column
from agent.elements import AggregateFunction, Aggregation, Condition, ConditionGroup
from agent.nearest import did_you_mean

_ROWS = ("*", "1", "all", "rows", "records")
_NO_FUNCTION = ("", "expression", "custom", "calculated", "formula", "derived", "sql", "ratio", "expr")
"""Words that stand for no function: the text beside them says the whole."""
_SHOWN = "sum, avg, count, min, max or count_distinct"


@dataclass(frozen=True)
class AggregateParts:
    """An aggregate as an entry says it; what it does not say is None."""

    function: AggregateFunction | None = None
    column: str | None = None
    alias: str | None = None
    group_by: tuple[str, ...] | None = None
    where: Condition | None = None
    expression: str | None = None
    """A text that is more than one aggregate, as `sum(a) / count(*)`."""


def read_aggregates(given: Details, path: str, notes: Notes) -> tuple[list[tuple[str, AggregateParts]], Fields]:
    """The aggregates of one entry, each with its place in it, and the entry's fields."""
    given, moved = _mapping_apart(given)
    fields = Fields(given, "aggregate")
    columns = fields.get("aggregations")
    by_key = normal_key(fields.at("aggregations")[1:]) in ("columns", "fields")
    if by_key and isinstance(columns, list) and "group_by" not in fields and all(_is_name(item) for item in columns):
        # {"type": "group_by", "columns": ["city"]} lists the keys of the grouping
        given = {"group_by": columns, **{key: value for key, value in given.items() if value is not columns}}
        fields = Fields(given, "aggregate")
    group_by = group_keys(fields)
    whole = _part(fields, group_by)
    listed = fields.get("aggregations")
    found: list[tuple[str, AggregateParts]] = []
    if isinstance(listed, dict):
        found += _mapped(listed, moved or fields.at("aggregations"), group_by)
    else:
        for place, item in one_or_many(listed):
            at = (moved or fields.at("aggregations")) + place
            if isinstance(item, str) and normal_key(item) in FUNCTIONS and whole.column:
                # {"column": "amount", "functions": ["sum", "avg"]}
                found.append((at, AggregateParts(function_of(item), whole.column, None, group_by)))
                continue
            with within(at):
                found.append((at, aggregate_item(item, group_by)))
    if whole.function or whole.expression or not found:
        found.insert(0, ("", whole))
    return found, fields


def _mapping_apart(given: Details) -> tuple[Details, str]:
    """The entry with `agg: {…}` as its list of aggregates, as pandas has it, and the place of that key."""
    fields = Fields(given, "aggregate")
    if not isinstance(fields.get("function"), dict | list) or "aggregations" in fields:
        return given, ""
    at = fields.at("function")
    return {"aggregations" if f".{name}" == at else name: value for name, value in given.items()}, at


def _is_name(item: JsonValue) -> bool:
    return isinstance(item, str) and is_column(item) and normal_key(item) not in FUNCTIONS


def group_keys(fields: Fields) -> tuple[str, ...] | None:
    """The keys of the grouping; None where the entry does not speak of it."""
    if not fields.written("group_by"):
        return None
    keys = fields.get("group_by")
    keys = [_key(one) for one in keys] if isinstance(keys, list) else keys
    return tuple(names_in(keys, fields.at("group_by")))


def _key(item: JsonValue) -> JsonValue:
    """A key of the grouping; an object with an expression and its name is `expression AS name`."""
    if not isinstance(item, dict) or len(item) != 2:
        return item
    named = Fields(item, "derive")
    expression, name = named.get("expression") or named.get("weak_name"), named.get("name")
    return f"{expression} AS {name}" if isinstance(expression, str) and isinstance(name, str) else item


def named_keys(part: AggregateParts) -> tuple[AggregateParts, list[tuple[str, str]]]:
    """The aggregate grouped by names alone, and name and expression of each key that has both."""
    names, made = [], []
    for text, name in map(aliased, part.group_by or ()):
        same = name is None or is_column(text) and column_parts(text)[1].casefold() == name.casefold()
        names.append(text if name is None or same else name)
        if name is not None and not same:
            if any(one == name.casefold() and two != "(" for one, two in pairwise([*canonical(text).split(), ""])):
                cannot(f"{name!r} names a key and a column in its expression; name the key otherwise, or {USE_A_MODEL}")
            made.append((name, text))
    return (part if part.group_by is None else replace(part, group_by=tuple(names))), made


def aggregate_item(item: JsonValue, group_by: tuple[str, ...] | None = None) -> AggregateParts:
    """An aggregate that is listed under its grouping."""
    if isinstance(item, str):
        expression, alias = aliased(item)
        return replace(_of_text(expression), alias=alias, group_by=group_by)
    if not isinstance(item, dict):
        refuse(f"an object with `function`, `column` and `alias` is needed, not {item!r}")
    fields = Fields(item, "aggregate")
    own = group_keys(fields)
    return _part(fields, group_by if own is None else own)


def _mapped(listed: Details, at: str, group_by: tuple[str, ...] | None) -> list[tuple[str, AggregateParts]]:
    """An object that maps a column to its functions, or a new name to an aggregate."""
    found = []
    for key, value in listed.items():
        with within(f"{at}.{key}"):
            several = value if _are_functions(value) else [value]
            found += [(f"{at}.{key}", _mapped_one(key, one, group_by)) for one in several]
    return found


def _are_functions(value: JsonValue) -> TypeGuard[list[JsonValue]]:
    return isinstance(value, list) and bool(value) and all(_is_function(one) for one in value)


def _is_function(value: JsonValue) -> TypeGuard[str]:
    return isinstance(value, str) and normal_key(value) in FUNCTIONS


def _mapped_one(key: str, value: JsonValue, group_by: tuple[str, ...] | None) -> AggregateParts:
    """`{column: function}`, `{name: "sum(x)"}`, `{name: [column, function]}` or `{name: {…}}`."""
    if isinstance(value, dict):
        fields = Fields(value, "aggregate")
        # The key is the column where the object has a name of its own and no column.
        own = "column" if "alias" in fields and "column" not in fields and not _is_call(fields) else "alias"
        return _part(Fields({own: key, **value}, "aggregate"), group_by)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and _is_function(value[1]):
        return replace(_of_function(value[1], value[0]), alias=key, group_by=group_by)
    if not isinstance(value, str):
        refuse(f"a function is needed, not {value!r}")
    if _is_function(value):
        return AggregateParts(function_of(value), key, None, group_by)
    return replace(_of_text(value), alias=key, group_by=group_by)


def _is_call(fields: Fields) -> bool:
    function = _written_function(fields)
    return function is not None and ("(" in function or function_of(function) == "count")


def _part(fields: Fields, group_by: tuple[str, ...] | None) -> AggregateParts:
    """One aggregate from its keys."""
    function, column = _written_function(fields), _column(fields)
    part = AggregateParts()
    if column is not None and _is_over_aggregates(column) and normal_key(function or "") in _NO_FUNCTION:
        part = AggregateParts(expression=column)
    elif function is not None:
        with within(fields.at("function")):
            part = _of_function(function, column)
    elif column is not None:
        part = _of_text(column)
        part = AggregateParts(column=column) if part.expression else part
    if fields.get("distinct") in (True, "true", "yes", 1) and part.function:
        part = replace(part, function=distinct(part.function))
    alias = fields.text("alias", "the name of the result") or fields.text("weak_alias", "the name of the result")
    where = part.where
    if "where" in fields:
        with within(fields.at("where")):
            own = read_conditions(fields.get("where"))
        where = own if where is None else ConditionGroup("and", (where, own))
    if where is None and function and is_conditional(function):
        refuse(f"{function} needs a condition, as `condition`", fields.at("function"))
    return replace(part, alias=alias, group_by=group_by, where=where)


def _is_over_aggregates(text: str) -> bool:
    """True for a text that holds aggregates and is more than one, as `round(avg(amount), 2)`."""
    words = canonical(text).split()
    calls = any(two == "(" and normal_key(one) in FUNCTIONS for one, two in pairwise(words))
    return calls and _of_text(text).expression is not None


def _written_function(fields: Fields) -> str | None:
    return fields.text("function", "an aggregate's name") or fields.text("weak_function", "an aggregate's name")


def _column(fields: Fields) -> str | None:
    value = fields.get("column")
    if isinstance(value, list):
        if len(value) != 1:
            cannot(
                f"an aggregate over several columns cannot be expressed by the compiler; {USE_A_MODEL}",
                fields.at("column"),
            )
        value = value[0]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        refuse(f"a text is needed, not {value!r}", fields.at("column"))
    table = fields.text("table", "a table's name")
    if value and table and is_column(value) and not column_parts(value)[0]:
        return f"{table}.{value}"
    return value.strip() if value else None


def _of_function(function: str, column: str | None) -> AggregateParts:
    """An aggregate from its function, which may hold its argument, and its column, which may repeat the call."""
    if "(" in function or is_conditional(function):
        return _of_text(function if "(" in function else f"{function}({column or ''})")
    name = function_of(function)
    if column is None:
        return AggregateParts(name)
    if name == "count":
        refuse_counted_condition(column)
    inner = _of_text(column)
    if inner.function and inner.function in (name, distinct(name)):
        return inner
    text, unique = _without_distinct(column)
    if unique:
        name = distinct(name)
    return AggregateParts(name, "*" if text.lower() in _ROWS and name == "count" else text)


def _of_text(text: str) -> AggregateParts:
    """An aggregate from a text, as `COUNT(DISTINCT x) FILTER (WHERE y > 1)`; any other text is an expression."""
    call = call_parts(text)
    if call is not None and is_conditional(call[0]) and not call[2]:
        function, column, where = over_condition(call[0], call[1])
        return AggregateParts(function, column, where=where)
    if call is None or normal_key(call[0]) not in FUNCTIONS:
        return AggregateParts(expression=text)
    name, argument, rest = call
    where = None
    if rest:
        condition = call_parts(rest)
        if (
            condition is None
            or condition[0].upper() != "FILTER"
            or condition[2]
            or condition[1][:6].upper() != "WHERE "
        ):
            return AggregateParts(expression=text)
        where = sql_condition(condition[1][6:])
    column, unique = _without_distinct(argument)
    function = distinct(function_of(name)) if unique else function_of(name)
    return AggregateParts(
        function, "*" if column.lower() in _ROWS and function == "count" else column or None, where=where
    )


def _without_distinct(text: str) -> tuple[str, bool]:
    if text[:9].upper() in ("DISTINCT ", "DISTINCT("):
        rest = text[8:].strip()
        return (rest[1:-1].strip() if rest[:1] == "(" and rest[-1:] == ")" else rest), True
    return text, False


def function_of(word: str, at: str = "") -> AggregateFunction:
    """The canonical function. An unknown one may be known to a model."""
    name = FUNCTIONS.get(normal_key(word))
    if name is None:
        near = did_you_mean(normal_key(word), FUNCTIONS) or f"; use {_SHOWN}"
        cannot(f"the aggregate {word!r} cannot be expressed by the compiler{near}, or {USE_A_MODEL}", at)
    return name  # type: ignore[return-value]  # the table's names are the functions


def distinct(function: AggregateFunction) -> AggregateFunction:
    """The function over distinct values."""
    if function in ("sum", "avg"):
        cannot(f"{function} of distinct values cannot be expressed by the compiler; {USE_A_MODEL}")
    return "count_distinct" if function == "count" else function


def made_alias(part: AggregateParts) -> str:
    """A name for an aggregate that has none: `sum_amount`, and `count` for all rows."""
    column = part.column or "*"
    if column == "*":
        return "count"
    if not is_column(column):
        refuse("`alias` is needed: the name of the result", ".alias")
    return f"{part.function}_{column_parts(column)[1]}"


def aggregation(part: AggregateParts, path: str, notes: Notes) -> Aggregation:
    """The canonical aggregate, with a name that is made where none is given."""
    if part.function is None:
        refuse("`function` is needed", ".function")
    alias = part.alias
    if alias is None:
        alias = made_alias(part)
        notes.add(path, f"the aggregate has no alias; its column is called {alias!r}")
    return Aggregation(part.function, part.column, alias, part.group_by or (), part.where)
