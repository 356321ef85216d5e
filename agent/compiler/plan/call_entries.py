"""Aggregates and windows inside expressions, in the form that they have as entries of their own."""

from __future__ import annotations

from agent.compiler.expressions.syntax_tree import AggregateCall, Expression, LiteralValue, SortedBy, WindowCall
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.compiler.spec.window_entries import AGGREGATES, FUNCTIONS, OFFSETS, RANKINGS
from agent.elements import Aggregation, Frame, SortItem, SqlCondition, WindowEntry

_DISTINCT = {"count": "count_distinct", "min": "min", "max": "max"}


def aggregation_of(call: AggregateCall) -> Aggregation:
    """The aggregate as an entry whose alias is the call's text."""
    function = call.function
    if call.distinct:
        if function not in _DISTINCT:
            cannot(f"{function} of distinct values cannot be expressed by the compiler; {USE_A_MODEL}")
        function = _DISTINCT[function]
    if call.order_by or len(call.arguments) > 1 or function not in AGGREGATE_FUNCTIONS:
        cannot(f"{call.name} cannot be expressed by the compiler; {USE_A_MODEL}")
    where = None if call.condition is None else SqlCondition(call.condition.text)
    return Aggregation(function, _column(function, call.arguments), call.name, where=where)  # type: ignore[arg-type]


AGGREGATE_FUNCTIONS = ("sum", "avg", "count", "min", "max", "count_distinct")


def window_of(call: WindowCall, name: str) -> WindowEntry:
    """The window as an entry."""
    if call.function not in FUNCTIONS:
        cannot(f"{call.function}() as a window cannot be expressed by the compiler; {USE_A_MODEL}")
    if call.distinct or call.condition is not None or call.ignore_nulls:
        cannot(f"{call.name} holds DISTINCT, FILTER or IGNORE NULLS; {USE_A_MODEL}")
    if not call.order_by and call.function not in AGGREGATES:
        refuse(f"{call.function} needs ORDER BY: without an order any row may be the first")
    column, offset, default = _arguments(call)
    frame = None if call.frame is None else Frame(call.frame.unit, call.frame.start, call.frame.end)
    if frame is not None and frame.unit == "range" and not {frame.start, frame.end} <= {None, 0}:
        cannot("a RANGE frame with a distance cannot be expressed by the compiler; count rows with ROWS")
    partition = tuple(one.text for one in call.partition_by)
    return WindowEntry(
        call.function, name, column, partition, tuple(map(_sort_item, call.order_by)), offset, default, frame
    )


def _column(function: str, arguments: tuple[Expression, ...]) -> str | None:
    """The aggregated column; None for the number of rows."""
    constant = bool(arguments) and isinstance(arguments[0].tree, LiteralValue)
    if not arguments or (function == "count" and constant and arguments[0].tree.value is not None):  # type: ignore[union-attr]
        return None
    return arguments[0].text


def _arguments(call: WindowCall) -> tuple[str | None, int, str | int | bool | None]:
    """Column, offset and default."""
    if call.function in RANKINGS:
        if call.arguments:
            refuse(f"{call.function} takes no column")
        return None, 0, None
    if call.function not in OFFSETS:
        return _column(call.function, call.arguments), 0, None
    if not call.arguments:
        refuse(f"{call.function} needs a column")
    more = [_constant(one) for one in call.arguments[1:]]
    offset, default = more[0] if more else 1, more[1] if len(more) > 1 else None
    if not isinstance(offset, int) or offset < 1:
        refuse(f"an offset is a whole number of rows from 1, not {offset!r}")
    return call.arguments[0].text, offset, default


def _constant(argument: Expression) -> str | int | bool | None:
    tree = argument.tree
    if not isinstance(tree, LiteralValue):
        cannot(f"{argument.text} is no constant, and the compiler takes constants alone there; {USE_A_MODEL}")
    if tree.family == "number" and isinstance(tree.value, str) and tree.value.lstrip("-").isdigit():
        return int(tree.value)
    return tree.value


def _sort_item(item: SortedBy) -> SortItem:
    """The item; NULLs are larger than every value by default, as in PostgreSQL."""
    nulls_first = item.descending if item.nulls_first is None else item.nulls_first
    return SortItem(item.expression.text, item.descending, nulls_first)
