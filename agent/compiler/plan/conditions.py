"""Filters: a value must fit its column exactly, or be another column; a refusal says which value would fit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from pydantic import JsonValue

from agent.compiler.expressions.column_kinds import Kind, mismatch, unordered
from agent.compiler.expressions.literals import exact_value
from agent.compiler.expressions.references import Constant, Reference, unquoted
from agent.compiler.expressions.syntax_tree import Expression, Mention, Operation
from agent.compiler.expressions.typed_values import BoundExpression
from agent.compiler.plan.computations import Computations
from agent.compiler.plan.derivations import bind, refuse_shadowed
from agent.compiler.plan.resolution import Scope, described
from agent.compiler.plan.steps import ConditionStep, FilterStep, RowCondition
from agent.compiler.problems import USE_A_MODEL, cannot, fitting, refuse, within
from agent.elements import Comparison, Condition, ConditionGroup, SqlCondition

_WELL_ESCAPED = re.compile(r"(?:[^\\]|\\[\\%_])*", re.DOTALL)
"""A LIKE pattern whose backslashes all escape something: Spark fails at any other one, PostgreSQL ignores it."""
_TEXT_ONLY = frozenset({"LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"})
_NULL_IN_LIST = {
    "IN": "null in the list finds no row; leave it out, and for rows where the column is NULL too filter on a derived "
    "column that says `... OR column IS NULL`",
    "NOT IN": "with null in the list the filter would keep no row; leave it out",
}
_RANGES = frozenset({"BETWEEN", "NOT BETWEEN"})
_LISTS = frozenset({"IN", "NOT IN"}) | _RANGES
_EQUALITIES = frozenset({"=", "!=", "IN", "NOT IN"})
_COMPARED = frozenset({"=", "!=", ">", "<", ">=", "<="})
_AS_COMPARISONS: dict[str, tuple[Literal["and", "or"], tuple[str, ...]]] = {
    "IN": ("or", ("=",)),
    "NOT IN": ("and", ("!=",)),
    "BETWEEN": ("and", (">=", "<=")),
    "NOT BETWEEN": ("or", ("<", ">")),
}
"""Operators over lists as comparisons with single values, and the word between them."""
_DIGITS_ALONE = re.compile(r"\d+([-/.:]\d+)+", re.ASCII)
"""A date or number in another form than the column's, as `2024-1-5`: no calculation."""
_TEXTS = frozenset({"string", "enum", "json", "uuid", "boolean"})
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?")
_NUMBER = re.compile(r"\s*[-+]?\s*[\d.]+(e[-+]?\d+)?\s*", re.IGNORECASE | re.ASCII)
"""A number, whether a column can hold it or not."""
_NO_VALUE = (None, True, "", "null", "NULL")


class ConditionReader:
    """Reads conditions over the names at one point of the plan."""

    def __init__(self, work: Computations) -> None:
        self._work = work

    def step(self, entry: Condition, scope: Scope) -> RowCondition:
        """The condition with each name resolved."""
        match entry:
            case Comparison():
                refuse_shadowed(entry.column, scope, ".column")
                column = scope.resolve(entry.column, ".column")
                return self._computed(entry, column, scope) or filter_step(entry, column, scope)
            case SqlCondition(text):
                return self._sql(self._work.expression(text), scope)
            case ConditionGroup(operator, parts):
                return ConditionStep(operator, tuple(self.step(part, scope) for part in parts))

    def _sql(self, expression: Expression, scope: Scope) -> BoundExpression:
        """The condition of a SQL text. A word alone is a column that is true or false."""
        tree = expression.tree
        alone = tree.operands[0] if isinstance(tree, Operation) and tree.operator == "not" else tree
        if not isinstance(alone, Mention) or alone.call is not None:
            return bind(expression, scope)
        if not scope.find(alone.name):
            cannot(f'"{expression.text}" names no column; write a condition as SQL, or {USE_A_MODEL}')
        kind = scope.resolve(alone.name).kind
        if kind is None or kind.family != "boolean":
            text = expression.text
            cannot(f'"{text}" is no condition: {alone.name} is no boolean; compare it with a value, or {USE_A_MODEL}')
        return bind(expression, scope)

    def _computed(self, entry: Comparison, column: Reference, scope: Scope) -> RowCondition | None:
        """A comparison with an expression: a text that is no value of the column's type, as `shipped + 5`."""
        if entry.literal or not _NAME.fullmatch(entry.column):
            return None
        if entry.operator in _AS_COMPARISONS and isinstance(entry.value, list):
            return self._listed(entry, entry.value, column, scope)
        if entry.operator not in _COMPARED or not _is_no_value(entry.value, column, scope):
            return None
        text = f"{entry.column} {entry.operator} ({entry.value})"
        expression = fitting(lambda: self._work.expression(text))
        return None if expression is None else fitting(lambda: bind(expression, scope))

    def _listed(
        self, entry: Comparison, values: list[JsonValue], column: Reference, scope: Scope
    ) -> RowCondition | None:
        """IN or BETWEEN as comparisons with one value each, where a value is an expression."""
        word, operators = _AS_COMPARISONS[entry.operator]
        single = operators * len(values) if len(operators) == 1 else operators
        if len(single) != len(values) or not any(_is_no_value(value, column, scope) for value in values):
            return None
        parts = [replace(entry, operator=operator, value=value) for operator, value in zip(single, values, strict=True)]
        return ConditionStep(word, tuple(self.step(part, scope) for part in parts))


def _is_no_value(value: JsonValue, column: Reference, scope: Scope) -> bool:
    """True for a text that can only be an expression: it is no column, and no value of the column's type."""
    kind = column.kind
    if not isinstance(value, str) or kind is None or kind.family in (*_TEXTS, "array", "binary"):
        return False
    if scope.find(unquoted(value)) or _DIGITS_ALONE.fullmatch(value) or _NUMBER.fullmatch(value):
        return False
    return fitting(lambda: exact_value(value, kind)) is None


def filter_step(entry: Comparison, column: Reference, scope: Scope) -> FilterStep:
    """The filter on a resolved column. Refuses a value that does not fit the column."""
    kind, operator = column.kind, entry.operator
    if operator in ("IS NULL", "IS NOT NULL"):
        if not any(entry.value is one or (isinstance(one, str) and entry.value == one) for one in _NO_VALUE):
            refuse(f"{operator} takes no value", ".value")
        return FilterStep(column, operator)
    if operator in _TEXT_ONLY:
        _check_pattern(entry.value, kind)
    else:
        _check_operator(operator, kind)
    with within(".value"):
        texts_only = entry.literal or operator in _TEXT_ONLY
        values = tuple(exact_value(item, kind) if texts_only else _value(item, column, scope) for item in _items(entry))
    return FilterStep(column, operator, values, trimmed=kind is not None and kind.padded > 0)


def _check_operator(operator: str, kind: Kind | None) -> None:
    """Refuse a comparison that means another thing to Spark, or nothing."""
    if kind is None:
        return
    if kind.family in ("json", "binary", "array"):
        known = kind.named or "bytea"
        cannot(f"{operator} on a column of type {known}; {USE_A_MODEL}, or filter on IS NULL", ".operator")
    if kind.family == "enum" and operator not in _EQUALITIES:
        cannot(f"{operator} on an enum: {unordered(kind)}; use = or IN", ".operator")
    if kind.family == "boolean" and operator not in _EQUALITIES:
        refuse(f"{operator} on a boolean column; use = or !=", ".operator")


def _value(item: object, column: Reference, scope: Scope) -> Constant | Reference:
    """A constant of the column's type, or another column.

    A text is a column where it is qualified, or where it is no value of the type. A bare word that may be both is
    refused.
    """
    name = unquoted(item) if isinstance(item, str) else ""
    found = scope.find(name) if name else []
    if not found:
        return exact_value(item, column.kind)
    constant = None if "." in name else fitting(lambda: exact_value(item, column.kind))
    if constant is None:
        return _other_column(scope.resolve(name), column)
    if len(found) == 1 and (found[0].kind is None or not _reason(found[0], column)):
        cannot(f"{item!r} may be the text {item!r} or the column {described(found[0])}; qualify the column, or quote "
               f"the text in a derived column: {described(column)} = '{item}'")  # fmt: skip
    return constant


def _other_column(other: Reference, column: Reference) -> Reference:
    """The column that the filter's column is compared with. Refuses types that Spark would convert."""
    if reason := _reason(other, column):
        cannot(f"{described(column)} and {described(other)} cannot be compared with certainty: {reason}")
    return other


def _reason(one: Reference, other: Reference) -> str:
    if one.kind is None or other.kind is None:
        return "the type of one of them is not certain"
    moments = {"date", "timestamp"}
    if {one.kind.family, other.kind.family} == moments and not (one.kind.zoned or other.kind.zoned):
        return ""
    return mismatch(one.kind, other.kind)


def _items(entry: Comparison) -> list[object]:
    if entry.operator not in _LISTS:
        if isinstance(entry.value, list | dict):
            refuse(f"{entry.operator} takes one value, not {type(entry.value).__name__}; use IN for a list")
        return [entry.value]
    if not isinstance(entry.value, list) or not entry.value:
        refuse(f"{entry.operator} takes a list of values")
    if entry.operator in _RANGES and len(entry.value) != 2:
        refuse(f"{entry.operator} takes a list of two values, the lower one first")
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
