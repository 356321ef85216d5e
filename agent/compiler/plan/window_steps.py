"""Windows: bound, and placed before or after grouping, each after the columns that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.compiler.expressions.column_kinds import Kind, kind_of_aggregate, unequal, unordered
from agent.compiler.expressions.inference import kind_of_expression
from agent.compiler.expressions.literals import digits_of, exact_value
from agent.compiler.expressions.references import Constant, NamedColumn, Reference, unquoted
from agent.compiler.plan.derivations import Derivation, Derivations, bind
from agent.compiler.plan.grouping import Grouped, check_aggregated
from agent.compiler.plan.resolution import Names, Scope, described
from agent.compiler.plan.steps import ComputedStep, DerivedStep, SortKey, WindowStep
from agent.compiler.problems import Problems, cannot, refuse, within
from agent.compiler.spec.window_entries import OFFSETS, RANKINGS
from agent.elements import Aggregation, Located, WindowEntry

_INTEGER_LIMITS = {5: 2**15, 10: 2**31, 20: 2**63}


@dataclass(frozen=True)
class _Item:
    """A window, or a derived column that needs one."""

    name: str
    path: str
    uses: tuple[str, ...]
    source: WindowEntry | Derivation

    def bound(self, scope: Scope) -> tuple[ComputedStep, Kind | None]:
        """The step and the kind of its column."""
        if isinstance(self.source, WindowEntry):
            return _bind(self.source, scope)
        value = bind(self.source.expression, scope)
        return DerivedStep(self.name, value), kind_of_expression(value)


@dataclass
class Windowing:
    """The windows and the columns derived from them, in an order in which they can be computed."""

    before: list[ComputedStep] = field(default_factory=list)
    """Over the rows."""
    after: list[ComputedStep] = field(default_factory=list)
    """Over the groups."""
    paths: dict[str, str] = field(default_factory=dict)
    """Name to path."""
    waiting: list[_Item] = field(default_factory=list)
    """Items after grouping, which are not bound yet."""

    def bind_after(self, grouped: Grouped, problems: Problems) -> None:
        """Bind the items after grouping."""
        for item in self.waiting:
            if problems.follows(item.name, item.uses):
                continue
            with problems.at(item.path, item.name):
                step, kind = item.bound(grouped)
                self.after.append(step)
                grouped.add(NamedColumn(item.name, kind))


def read_windowing(
    entries: list[Located[WindowEntry]],
    aggregations: list[Located[Aggregation]],
    names: Names,
    derivations: Derivations,
    problems: Problems,
) -> Windowing:
    """Place the windows. Those before grouping are bound, and their names are added to `names`."""
    windowing = Windowing()
    items = _items(entries, derivations, problems)
    place = _Place(aggregations, items, names, derivations)
    for item in _in_order(items, problems):
        windowing.paths[item.name] = item.path
        if problems.follows(item.name, item.uses):
            continue
        with problems.at(item.path, item.name):
            if aggregations and place.after_grouping(item):
                derivations.wait(item.name)
                _refuse_two_meanings(item, names, derivations)
                windowing.waiting.append(item)
            else:
                step, kind = item.bound(names)
                windowing.before.append(step)
                names.add(item.name, NamedColumn(item.name, kind))
    return windowing


def _items(entries: list[Located[WindowEntry]], derivations: Derivations, problems: Problems) -> list[_Item]:
    items: dict[str, _Item] = {}
    for path, entry in entries:
        with problems.at(path, entry.name):
            derivations.check_name(entry.name)
            items[entry.name.casefold()] = _Item(entry.name, path, _uses(entry), entry)
    for one in derivations.windowed:
        items.setdefault(one.name.casefold(), _Item(one.name, one.path, one.expression.names, one))
    return list(items.values())


def _uses(entry: WindowEntry) -> tuple[str, ...]:
    """The names of all columns that a window is computed from."""
    own = () if entry.column is None else (entry.column,)
    return tuple(unquoted(text) for text in (*own, *entry.partition_by, *(item.column for item in entry.order_by)))


def _in_order(items: list[_Item], problems: Problems) -> list[_Item]:
    """Topological order: each item after those that it uses. A circle is a problem."""
    ordered: list[_Item] = []
    pending = {item.name.casefold(): item for item in items}
    while pending:
        ready = next((i for i in pending.values() if not any(use.casefold() in pending for use in i.uses)), None)
        if ready is None:
            circle = ", ".join(item.name for item in pending.values())
            for item in pending.values():
                problems.add(item.path, f"is needed for what it needs itself: {circle}")
            break
        ordered.append(pending.pop(ready.name.casefold()))
    return ordered


def _refuse_two_meanings(item: _Item, names: Names, derivations: Derivations) -> None:
    for use in item.uses:
        if derivations.late(use) and names.find(use):
            both = f"{use!r} is a source column and an aggregate's alias"
            refuse(f"{both}; rename the alias or qualify the column")


class _Place:
    """Decides the place: as in SQL a window comes after grouping, unless it needs columns that grouping loses."""

    def __init__(
        self,
        aggregations: list[Located[Aggregation]],
        items: list[_Item],
        names: Names,
        derivations: Derivations,
    ) -> None:
        self._names, self._derivations = names, derivations
        self._keys = [unquoted(text) for _, entry in aggregations for text in entry.group_by]
        columns = [unquoted(entry.column) for _, entry in aggregations if entry.column]
        self._asked = {text.casefold() for text in (*self._keys, *columns)}
        self._derived = {one.name.casefold(): one.expression.names for one in derivations.found}
        self._uses = {**self._derived, **{item.name.casefold(): item.uses for item in items}}

    def after_grouping(self, item: _Item) -> bool:
        """True when the item is computed over the groups."""
        if any(self._derivations.late(use) for use in item.uses):
            return True
        if isinstance(item.source, Derivation) or item.name.casefold() in self._grouping_needs():
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
        own = self._derived.get(name.casefold())
        return own is not None and all(self._kept(use, keys) for use in own)


def _bind(entry: WindowEntry, scope: Scope) -> tuple[WindowStep, Kind | None]:
    """The window with each name resolved, and the kind of its column."""
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
                cannot(f"{described(one)} cannot divide the rows: {reason}")
            partition.append(one)
    order = []
    for position, item in enumerate(entry.order_by):
        with within(f".order_by[{position}]"):
            key = SortKey(scope.resolve(unquoted(item.column)), item.descending, item.nulls_first)
            if reason := unordered(key.column.kind):
                cannot(f"{described(key.column)} cannot be sorted by: {reason}")
            order.append(key)
    with within(".default"):
        default = None if entry.default is None else _default(entry, column)
    step = WindowStep(
        entry.name, entry.function, column, tuple(partition), tuple(order), entry.offset, default, entry.frame
    )
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
