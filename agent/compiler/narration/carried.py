"""Collects what the elements of a specification carry as evidence for the words that narrate them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from agent.compiler.narration.evidence import Evidence, as_date, as_number, sql_tokens
from agent.compiler.narration.word_tokens import word_set
from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    ConditionGroup,
    Deduplication,
    DerivedColumn,
    Entries,
    JoinCondition,
    PivotedAggregation,
    SelectItem,
    SortItem,
    SqlCondition,
    UnionEntry,
    WindowEntry,
)

_SCALE = re.compile(r"(?:numeric|decimal)\s*\(\s*\d+\s*,\s*(\d+)\s*\)", re.IGNORECASE)
_OPERATOR_FACTS = {
    ">": "gt", ">=": "ge", "<": "lt", "<=": "le", "=": "eq", "!=": "negation", "IN": "in", "LIKE": "like",
    "ILIKE": "like", "BETWEEN": "between",
}  # fmt: skip
_SIDES = (">", "<", ">=", "<=")
_DAYISH = word_set(
    "date dates day time timestamp at on ts year month first last latest earliest recent newest oldest published placed"
)
"""Words in the names of columns that hold days."""
_RANKINGS = {"rank", "dense_rank", "row_number", "ntile", "percent_rank"}


def evidence_of(entries: Entries, types: Iterable[str | None] = ()) -> Evidence:
    """The evidence of all elements. `types` are the target's declared types."""
    found = Evidence()
    for elements in (
        entries.derived, entries.windows, entries.aggregations, entries.unions, entries.deduplications, entries.sort,
        entries.limit, entries.rename, entries.select, entries.joins, entries.filters,
    ):  # fmt: skip
        if elements is entries.select:
            found.keys = {*found.words}
        for _, element in elements:
            add_element(found, element)
    if entries.distinct:
        found.facts.add("distinct")
    found.rounding |= {Decimal(scale) for kind in types for scale in _SCALE.findall(kind or "")}
    lists = (entries.joins, entries.filters, entries.aggregations, entries.derived)
    found.counts |= {len(entries.joins) + 1, *(len(elements) for elements in lists)}
    _combine(found)
    return found


def evidence_of_one(element: object) -> Evidence:
    """The evidence of one element."""
    found = Evidence()
    add_element(found, element)
    return found


def _combine(found: Evidence) -> None:
    """Add the facts that several elements make together."""
    if found.facts >= {"f:sum", "division"}:
        found.facts.add("mean")
    ranks = {f"f:{name}" for name in _RANKINGS}
    if not found.filtered.isdisjoint(found.windows):
        found.facts.add("rank_filter")
    if "outer" in found.facts and "is_null" in found.facts or "exists" in found.facts:
        found.facts.add("anti")
    if found.any_of(ranks) or "dedup" in found.facts:
        found.facts.add("rank")
    if found.facts >= {"window", "order"} and ("frame" in found.facts or found.any_of(("f:sum", "f:avg", "f:count"))):
        found.facts.add("running")


def add_element(found: Evidence, element: object) -> None:
    """Add one element of any kind."""
    if isinstance(element, Comparison | SqlCondition | ConditionGroup):
        found.facts.add("filter")
        _add_condition(found, element, True)
        found.filtered |= _compared(element)
    elif isinstance(element, JoinCondition):
        _add_join(found, element)
    elif isinstance(element, Aggregation):
        _add_aggregation(found, element)
    elif isinstance(element, DerivedColumn):
        found.add_name(element.name)
        found.add_sql(element.expression)
        found.facts.add("derived")
        _add_day_of(found, element.expression, element.expression, element.name)
        if re.search(r"\bover\b", element.expression, re.IGNORECASE):
            found.windows.add(element.name.lower())
            _add_order_of(found, element.expression)
    elif isinstance(element, WindowEntry):
        _add_window(found, element)
    else:
        _add_step(found, element)


def _add_step(found: Evidence, element: object) -> None:
    """Add an element that works on whole rows."""
    if isinstance(element, Deduplication):
        found.facts |= {"dedup", *(["partition"] if element.partition_by else [])}
        _add_names(found, element.partition_by)
        _add_order(found, element.order_by)
    elif isinstance(element, UnionEntry):
        found.facts.add("union")
        _add_names(found, (element.alias, *element.tables, *element.columns))
    elif isinstance(element, dict):
        found.add_value(element)
        found.facts.add("rename")
    elif isinstance(element, tuple) and element and isinstance(element[0], SortItem):
        found.facts.add("sort")
        _add_order(found, element)
    elif isinstance(element, tuple) and element and isinstance(element[0], SelectItem):
        found.facts.add("select")
        for item in element:
            found.add_sql(item.column)
            found.add_name(item.name or item.column)
    elif isinstance(element, tuple):
        rows, ties = element
        found.facts |= {"limit", *(["ties"] if ties else [])}
        found.add_value(rows)


def _add_condition(found: Evidence, condition: Condition, straight: bool) -> None:
    """Add a condition; `straight` is False below a NOT."""
    if isinstance(condition, SqlCondition):
        found.add_sql(condition.text, straight)
        if re.search(r"\bis\s+null\b", condition.text, re.IGNORECASE):
            found.facts.add("is_null")
    elif isinstance(condition, ConditionGroup):
        found.counts.add(len(condition.parts))
        found.facts.add({"or": "or", "not": "negation"}.get(condition.operator, "and"))
        for part in condition.parts:
            _add_condition(found, part, straight and condition.operator != "not")
    else:
        _add_comparison(found, condition, straight)


def _compared(condition: Condition) -> set[str]:
    """The names in a condition, in lower case and without table."""
    if isinstance(condition, ConditionGroup):
        return {name for part in condition.parts for name in _compared(part)}
    text = condition.text if isinstance(condition, SqlCondition) else condition.column
    return {token.lower() for kind, token in sql_tokens(text) if kind in ("name", "quoted", "ticked")}


def _add_comparison(found: Evidence, one: Comparison, straight: bool) -> None:
    found.add_sql(one.column)
    operator = one.operator.upper()
    if "NULL" in operator:
        found.facts |= {"null", "negation" if "NOT" in operator else "is_null"}
        return
    found.facts.add("negation" if operator.startswith("NOT") else _OPERATOR_FACTS.get(operator, operator.lower()))
    if operator == "BETWEEN":
        found.facts |= {"ge", "le"}
    found.add_value(one.value)
    value = one.value
    if isinstance(value, str) and operator in _SIDES and as_number(value) is None and as_date(value) is None:
        found.facts.add("level")
    if isinstance(value, str) and operator in ("IN", "NOT IN", "BETWEEN", "NOT BETWEEN"):
        found.add_sql(f"{one.column} {operator} {value}", straight)
    else:
        found.compare(operator, value, straight)


def _add_join(found: Evidence, join: JoinCondition) -> None:
    kind = str(join.join_type).lower()
    if join.left_table == join.right_table:
        found.facts.add("join_to_itself")
    found.facts.add("inner" if kind == "inner" else "outer" if kind in ("left", "right", "outer") else kind)
    found.facts |= {"anti", "outer"} if "anti" in kind else {"join", kind}
    _add_names(found, (join.left_table, join.right_table))
    for text in (*join.on_columns, join.left_column, join.right_column, join.condition):
        found.add_sql(text or "")


def _add_aggregation(found: Evidence, one: Aggregation) -> None:
    function = one.function.lower()
    found.facts |= {"aggregate", f"f:{function}", *(["group"] if one.group_by else [])}
    column = one.column or ""
    if function == "count_distinct" or (function == "count" and column.strip().lower().startswith("distinct")):
        found.facts |= {"count_distinct", "f:count"}
    found.add_name(one.alias)
    _add_day_of(found, f"{function}(", column, one.alias)
    found.add_sql(column)
    _add_names(found, one.group_by)
    found.counts.add(len(one.group_by))
    found.group_by |= {name.lower().rpartition(".")[2] for name in one.group_by}
    if one.where is not None:
        found.facts.add("case")
        _add_condition(found, one.where, False)
    if isinstance(one, PivotedAggregation):
        found.facts |= {"case", "pivot"}
        found.add_name(one.spread)
        found.add_value(one.value)


def _add_window(found: Evidence, one: WindowEntry) -> None:
    found.facts |= {"window", f"f:{one.function.lower()}", *(["partition"] if one.partition_by else [])}
    found.windows.add(one.name.lower())
    _add_day_of(found, f"{one.function}(", one.column or "", one.name)
    _add_names(found, (one.name, *one.partition_by))
    found.add_sql(one.column or "")
    _add_order(found, one.order_by)
    found.add_value(one.default)
    if one.offset:
        found.add_value(one.offset)
    if one.frame is not None:
        found.facts |= {"frame", *(["frame_after"] if one.frame.end is None or one.frame.end > 0 else [])}
        for bound in (one.frame.start, one.frame.end):
            found.numbers |= {Decimal(abs(bound)), Decimal(abs(bound) + 1)} if bound is not None else set()


def _add_day_of(found: Evidence, calls: str, column: str, name: str) -> None:
    """Add that the first or the last day is computed, as `max(placed)`."""
    words = set(re.findall(r"[^\W\d_]+", f"{column} {name}".lower()))
    if re.search(r"\b(?:max|min)\(", calls, re.IGNORECASE) and not words.isdisjoint(_DAYISH):
        found.facts.add("max_day")


def _add_order(found: Evidence, items: Iterable[object]) -> None:
    for item in items:
        if isinstance(item, SortItem):
            found.add_sql(item.column)
            found.facts |= {"order", "desc" if item.descending else "asc"}


def _add_order_of(found: Evidence, expression: str) -> None:
    """Add the direction of a window's order in SQL text."""
    ordered = re.search(r"\border\s+by\b", expression, re.IGNORECASE)
    if ordered:
        found.facts |= {"order", "desc" if re.search(r"\bdesc\b", expression, re.IGNORECASE) else "asc"}


def _add_names(found: Evidence, names: Iterable[str]) -> None:
    for name in names:
        found.add_sql(name)
        found.add_name(name)
