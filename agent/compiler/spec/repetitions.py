"""Entries that state the same thing: what counts as equal, whatever the spelling."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pydantic import JsonValue

from agent.compiler.spec.equal_expressions import Unfolding
from agent.compiler.spec.join_entries import conjuncts, equality
from agent.compiler.spec.source_names import SourceNames
from agent.compiler.spec.sql_texts import canonical, column_parts, is_column
from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    ConditionGroup,
    JoinCondition,
    JoinType,
    SortItem,
    SqlCondition,
    WindowEntry,
)

STEPS = "specs.transformations"
"""Path of the entries that may repeat a structured field."""
MIRRORED: dict[JoinType, JoinType] = {"inner": "inner", "left": "right", "right": "left", "outer": "outer"}
Side = tuple[str, str]
"""Table and column of one side of a join; the table is empty where it is not told."""


def condition_key(condition: Condition) -> object:
    """A key that equal conditions share; qualifiers are left out."""
    match condition:
        case Comparison(column, operator, value):
            return "compared", _column_key(column), operator, _value_key(value)
        case ConditionGroup("not", parts):
            return "not", condition_key(parts[0])
        case ConditionGroup(operator, parts):
            return operator, frozenset(condition_key(part) for part in parts)
        case SqlCondition(text):
            sides = _compared_columns(text)
            return ("compared", *sides) if sides else ("sql", canonical(text))


def _column_key(text: str) -> str:
    return column_parts(text)[1].casefold() if is_column(text) else canonical(text)


def _compared_columns(text: str) -> tuple[str, str, str] | None:
    """Column, operator and column of `a > b`."""
    words = canonical(text).split()
    if (
        len(words) == 3
        and words[1] in ("=", "!=", "<", "<=", ">", ">=")
        and is_column(words[0])
        and is_column(words[2])
    ):
        return words[0], words[1], words[2]
    return None


def _value_key(value: JsonValue) -> object:
    """A key for values: numbers as text are numbers, a qualified column is its name."""
    if isinstance(value, list):
        return tuple(_value_key(item) for item in value)
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, str) and "." in value and is_column(value):
        return column_parts(value)[1].casefold()
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def same_condition(one: Condition, other: Condition, sources: SourceNames) -> bool:
    """True for conditions of one key whose columns can be the same."""
    if isinstance(one, Comparison) and isinstance(other, Comparison):
        return same_text(one.column, other.column, sources)
    if isinstance(one, SqlCondition) and isinstance(other, SqlCondition):
        return _compared_columns(one.text) is not None or same_text(one.text, other.text, sources)
    if isinstance(one, ConditionGroup) and isinstance(other, ConditionGroup):
        return all(
            any(condition_key(a) == condition_key(b) and same_condition(a, b, sources) for b in other.parts)
            for a in one.parts
        )
    return True


def same_names(one: Iterable[str], other: Iterable[str], sources: SourceNames) -> bool:
    """True for two lists of columns that can mean the same columns, in any order."""
    left, right = list(dict.fromkeys(one)), list(dict.fromkeys(other))
    return len(left) == len(right) and all(any(same_text(a, b, sources) for b in right) for a in left)


def same_text(one: str, other: str, sources: SourceNames) -> bool:
    """True for two columns or expressions that can mean the same."""
    if is_column(one) and is_column(other) and column_parts(one)[1].casefold() == column_parts(other)[1].casefold():
        return sources.same_column(one, other)
    return Unfolding(sources).same(one, other)


def same_order(one: tuple[SortItem, ...], other: tuple[SortItem, ...], sources: SourceNames) -> bool:
    """True for two orders that can mean the same."""
    return len(one) == len(other) and all(
        same_text(a.column, b.column, sources) and a[1:] == b[1:] for a, b in zip(one, other, strict=True)
    )


def same_window(one: WindowEntry, other: WindowEntry, sources: SourceNames) -> bool:
    """True for two windows that can mean the same."""
    return (
        (one.function, one.offset, one.default, one.frame) == (other.function, other.offset, other.default, other.frame)
        and same_text(one.column or "*", other.column or "*", sources)
        and same_names(one.partition_by, other.partition_by, sources)
        and same_order(one.order_by, other.order_by, sources)
    )


def same_aggregate(one: Aggregation, other: Aggregation, sources: SourceNames) -> bool:
    """True for two aggregates that can mean the same; their groups are compared apart."""
    if one.where is None or other.where is None:
        filtered = one.where is other.where
    else:
        filtered = condition_key(one.where) == condition_key(other.where) and same_condition(
            one.where, other.where, sources
        )
    return (
        type(one) is type(other)
        and one.function == other.function
        and filtered
        and same_text(one.column or "*", other.column or "*", sources)
    )


@lru_cache(maxsize=4096)
def join_terms(join: JoinCondition, sources: SourceNames) -> tuple[frozenset[Side] | str, ...]:
    """The terms that a join demands: pairs of columns, and other conditions as text."""
    left, right = sources.same(join.left_table), sources.same(join.right_table)
    terms: list[frozenset[Side] | str] = [
        frozenset(((left, n.casefold()), (right, n.casefold()))) for n in join.on_columns
    ]
    if join.left_column and join.right_column:
        terms.append(frozenset(((left, join.left_column.casefold()), (right, join.right_column.casefold()))))
    for text in conjuncts(join.condition) if join.condition else []:
        sides = equality(text)
        terms.append(frozenset(sources.column(side) for side in sides) if sides else canonical(text))
    return tuple(terms)


def same_term(one: frozenset[Side] | str, other: frozenset[Side] | str) -> bool:
    """True for two terms that can mean the same columns."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(
        any(name == n and (not table or not t or table == t) for t, n in other) for table, name in one
    )


def tables_of(join: JoinCondition, sources: SourceNames) -> frozenset[str]:
    """The two tables of a join."""
    return frozenset((sources.same(join.left_table), sources.same(join.right_table)))


def same_type(one: JoinCondition, other: JoinCondition, sources: SourceNames) -> bool:
    """True for two joins that keep the same rows, whichever side each begins with."""
    swapped = sources.same(one.left_table) == sources.same(other.right_table)
    return one.join_type == (MIRRORED[other.join_type] if swapped else other.join_type)
