"""Windows resolved: what each of their names stands for, and in which order they are computed."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.plan.column_kinds import Kind, kind_of_aggregate, unequal, unordered
from agent.compiler.plan.conditions import exact_value
from agent.compiler.plan.grouping import check_aggregated
from agent.compiler.plan.problems import refuse, within
from agent.compiler.plan.resolution import Scope, described, unquoted
from agent.compiler.plan.steps import Constant, Reference, SortKey, WindowStep
from agent.compiler.plan.window_entries import OFFSETS, RANKINGS, WindowEntry

_INTEGER_LIMITS = {5: 2**15, 10: 2**31, 20: 2**63}


@dataclass(frozen=True)
class Windowed:
    """A window's step and the kind of its column."""

    step: WindowStep
    kind: Kind | None


def bind_window(entry: WindowEntry, scope: Scope) -> Windowed:
    """The window with each name resolved."""
    column = None
    if entry.column is not None:
        with within(".column"):
            column = scope.resolve(unquoted(entry.column))
            check_aggregated(entry.function, column)
    partition = []
    for position, name in enumerate(entry.partition_by):
        with within(f".partition_by[{position}]"):
            one = scope.resolve(unquoted(name))
            if reason := unequal(one.kind):
                refuse(f"{described(one)} cannot divide the rows: {reason}")
            partition.append(one)
    order = []
    for position, item in enumerate(entry.order_by):
        with within(f".order_by[{position}]"):
            key = SortKey(scope.resolve(unquoted(item.column)), item.descending, item.nulls_first)
            if reason := unordered(key.column.kind):
                refuse(f"{described(key.column)} cannot be sorted by: {reason}")
            order.append(key)
    with within(".default"):
        default = None if entry.default is None else _default(entry, column)
    step = WindowStep(
        entry.name, entry.function, column, tuple(partition), tuple(order), entry.offset, default, entry.frame
    )
    return Windowed(step, _kind(entry.function, None if column is None else column.kind))


def _kind(function: str, kind: Kind | None) -> Kind | None:
    if function in RANKINGS:
        return Kind("integer", whole=10)
    return kind if function in OFFSETS else kind_of_aggregate(function, kind)


def _default(entry: WindowEntry, column: Reference | None) -> Constant:
    """A value of exactly the column's type, so that the new column has that type too."""
    kind = None if column is None else column.kind
    if column is None or kind is None or kind.padded or (kind.family == "decimal" and not kind.whole + kind.scale):
        refuse(f"a default needs a column whose type is certain and not character(n), not {entry.column!r}")
    value = exact_value(entry.default, kind)
    if kind.family == "integer":
        limit = _INTEGER_LIMITS[kind.whole]
        if not isinstance(value.value, int) or not -limit <= value.value < limit:
            refuse(f"{entry.default!r} does not fit the integers of {described(column)}")
    if kind.family != "decimal":
        return value
    digits = _digits(value)
    if digits.whole > kind.whole or digits.scale > kind.scale:
        wanted = f"numeric({kind.whole + kind.scale},{kind.scale})"
        refuse(f"{entry.default!r} does not fit {described(column)}, which is {wanted}")
    return Constant(str(value.value), f"decimal({kind.whole + kind.scale},{kind.scale})")


def _digits(value: Constant) -> Kind:
    whole, _, fraction = str(value.value).lstrip("-").partition(".")
    return Kind("decimal", whole=len(whole.lstrip("0")), scale=len(fraction))
