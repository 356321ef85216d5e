"""Windows: bound, and placed before or after grouping, each after the columns that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.compiler.expressions.column_kinds import Kind, kind_of_aggregate, unequal, unordered
from agent.compiler.expressions.literals import digits_of, exact_value
from agent.compiler.expressions.references import Constant, Reference
from agent.compiler.plan.computed_columns import Computed
from agent.compiler.plan.derivations import refuse_shadowed
from agent.compiler.plan.grouping import check_aggregated
from agent.compiler.plan.resolution import Names, Scope, described
from agent.compiler.plan.steps import SortKey, WindowStep
from agent.compiler.problems import cannot, refuse, within
from agent.compiler.spec.window_entries import OFFSETS, RANKINGS
from agent.elements import WindowEntry

_INTEGER_LIMITS = {5: 2**15, 10: 2**31, 20: 2**63}


class WindowPlaces:
    """Decides the place: as in SQL a window comes after grouping, unless it needs columns that grouping loses."""

    def __init__(self, keys: Sequence[str], aggregated: Sequence[str], items: Sequence[Computed], names: Names) -> None:
        self._keys, self._names = keys, names
        self._asked = {text.casefold() for text in (*keys, *aggregated)}
        self._uses = {item.name.casefold(): item.uses for item in items}
        self._derived = {fold for item in items if (fold := item.name.casefold()) and not _is_window(item)}

    def after_grouping(self, item: Computed) -> bool:
        """True when a window over source columns is computed over the groups."""
        if not _is_window(item) or item.name.casefold() in self._grouping_needs():
            return False
        keys = {reference for text in self._keys for reference in self._names.find(text)}
        return all(self._kept(use, keys) for use in item.uses)

    def _grouping_needs(self) -> set[str]:
        """The names that group keys and aggregates need, directly or through derived columns."""
        needed: set[str] = set()
        pending = set(self._asked)
        while pending:
            name = pending.pop()
            needed.add(name)
            pending |= {use.casefold() for use in self._uses.get(name, ())} - needed
        return needed

    def _kept(self, name: str, keys: Iterable[Reference]) -> bool:
        """True when grouping keeps the column, or all columns that it is derived from."""
        found = self._names.find(name)
        if found and all(reference in keys for reference in found):
            return True
        derived = name.casefold() in self._derived
        return derived and all(self._kept(use, keys) for use in self._uses[name.casefold()])


def _is_window(item: Computed) -> bool:
    return isinstance(item.source, WindowEntry)


def bind_window(name: str, entry: WindowEntry, scope: Scope) -> tuple[WindowStep, Kind | None]:
    """The window with each name resolved, under its name in the plan, and the kind of its column."""
    column = None
    if entry.column is not None:
        with within(".column"):
            refuse_shadowed(entry.column, scope)
            column = scope.resolve(entry.column)
            check_aggregated(entry.function, column)
    partition = []
    for position, text in enumerate(entry.partition_by):
        with within(f".partition_by[{position}]"):
            one = scope.resolve(text)
            if reason := unequal(one.kind):
                cannot(f"{described(one)} cannot divide the rows: {reason}")
            partition.append(one)
    order = []
    for position, item in enumerate(entry.order_by):
        with within(f".order_by[{position}]"):
            key = SortKey(scope.resolve(item.column), item.descending, item.nulls_first)
            if reason := unordered(key.column.kind):
                cannot(f"{described(key.column)} cannot be sorted by: {reason}")
            order.append(key)
    with within(".default"):
        default = None if entry.default is None else _default(entry, column)
    step = WindowStep(name, entry.function, column, tuple(partition), tuple(order), entry.offset, default, entry.frame)
    return step, _kind(entry.function, None if column is None else column.kind)


def _kind(function: str, kind: Kind | None) -> Kind | None:
    if function in RANKINGS:
        return Kind("integer", whole=10)
    return kind if function in OFFSETS else kind_of_aggregate(function, kind)


def _default(entry: WindowEntry, column: Reference | None) -> Constant:
    """The default as a constant of the column's type, so that the new column has that type too."""
    kind = None if column is None else column.kind
    if column is None or kind is None or kind.padded or (kind.family == "decimal" and not kind.whole + kind.scale):
        cannot(f"a default needs a column whose type is certain and not character(n), not {entry.column!r}")
    value = exact_value(entry.default, kind)
    if kind.family == "integer":
        limit = _INTEGER_LIMITS[kind.whole]
        if not isinstance(value.value, int) or not -limit <= value.value < limit:
            refuse(f"{entry.default!r} does not fit the integers of {described(column)}")
    if kind.family != "decimal":
        return value
    digits = digits_of(str(value.value))
    if digits.whole > kind.whole or digits.scale > kind.scale:
        wanted = f"numeric({kind.whole + kind.scale},{kind.scale})"
        refuse(f"{entry.default!r} does not fit {described(column)}, which is {wanted}")
    return Constant(str(value.value), f"decimal({kind.whole + kind.scale},{kind.scale})")
