"""Windows resolved: what each of their names stands for, and in which order they are computed."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.plan.column_kinds import Kind, kind_of_aggregate, unequal, unordered
from agent.compiler.plan.conditions import exact_value
from agent.compiler.plan.grouping import check_compared, check_summed
from agent.compiler.plan.problems import refuse
from agent.compiler.plan.resolution import Scope, described, unquoted
from agent.compiler.plan.steps import Constant, Reference, SortKey, WindowStep
from agent.compiler.plan.window_entries import OFFSETS, RANKINGS, WindowEntry

_INTEGER_LIMITS = {5: 2**15, 10: 2**31, 20: 2**63}


@dataclass(frozen=True)
class Windowed:
    """A window's step and the kind of its column."""

    step: WindowStep
    kind: Kind | None


def bind_window(entry: WindowEntry, scope: Scope, path: str) -> Windowed:
    """The window with each name resolved. Raises InvalidRequestError."""
    column = None if entry.column is None else scope.resolve(unquoted(entry.column), f"{path}.column")
    kind = None if column is None else column.kind
    if column is not None and entry.function in ("sum", "avg"):
        check_summed(entry.function, column, f"{path}.column")
    if column is not None:
        check_compared(entry.function, column, f"{path}.column")
    partition = [
        scope.resolve(unquoted(name), f"{path}.partition_by[{position}]")
        for position, name in enumerate(entry.partition_by)
    ]
    order = [
        SortKey(scope.resolve(unquoted(item.column), f"{path}.order_by[{position}]"), item.descending, item.nulls_first)
        for position, item in enumerate(entry.order_by)
    ]
    for position, one in enumerate(partition):
        if reason := unequal(one.kind):
            refuse(f"{path}.partition_by[{position}]", f"{described(one)} cannot divide the rows: {reason}")
    for position, key in enumerate(order):
        if reason := unordered(key.column.kind):
            refuse(f"{path}.order_by[{position}]", f"{described(key.column)} cannot be sorted by: {reason}")
    default = None if entry.default is None else _default(entry, column, f"{path}.default")
    step = WindowStep(
        entry.name, entry.function, column, tuple(partition), tuple(order), entry.offset, default, entry.frame
    )
    return Windowed(step, _kind(entry.function, kind))


def _kind(function: str, kind: Kind | None) -> Kind | None:
    if function in RANKINGS:
        return Kind("integer", whole=10)
    return kind if function in OFFSETS else kind_of_aggregate(function, kind)


def _default(entry: WindowEntry, column: Reference | None, path: str) -> Constant:
    """A value of exactly the column's type, so that the new column has that type too."""
    kind = None if column is None else column.kind
    if column is None or kind is None or kind.padded or (kind.family == "decimal" and not kind.whole + kind.scale):
        refuse(path, f"a default needs a column whose type is certain and not character(n), not {entry.column!r}")
    value = exact_value(entry.default, kind, path)
    if kind.family == "integer":
        limit = _INTEGER_LIMITS[kind.whole]
        if not isinstance(value.value, int) or not -limit <= value.value < limit:
            refuse(path, f"{entry.default!r} does not fit the integers of {described(column)}")
    if kind.family != "decimal":
        return value
    digits = _digits(value)
    if digits.whole > kind.whole or digits.scale > kind.scale:
        wanted = f"numeric({kind.whole + kind.scale},{kind.scale})"
        refuse(path, f"{entry.default!r} does not fit {described(column)}, which is {wanted}")
    return Constant(str(value.value), f"decimal({kind.whole + kind.scale},{kind.scale})")


def _digits(value: Constant) -> Kind:
    whole, _, fraction = str(value.value).lstrip("-").partition(".")
    return Kind("decimal", whole=len(whole.lstrip("0")), scale=len(fraction))
