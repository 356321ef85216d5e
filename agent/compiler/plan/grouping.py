"""Grouping: the keys, the aggregates, and the names that are left after it."""

from __future__ import annotations

import copy

from agent.compiler.expressions.column_kinds import MAX_DIGITS, kind_of_aggregate, unequal, unordered
from agent.compiler.expressions.inference import kind_of_expression
from agent.compiler.expressions.literals import exact_value
from agent.compiler.expressions.references import BoundExpression, NamedColumn, Reference, unquoted
from agent.compiler.plan.derivations import Derivation, Derivations, bind
from agent.compiler.plan.resolution import Names, described
from agent.compiler.plan.steps import AggregateStep, DerivedStep, FilterStep, Grouping, GroupKey
from agent.compiler.problems import Problems, cannot, refuse, within
from agent.elements import Aggregation, Located, PivotedAggregation
from agent.nearest import did_you_mean


def read_grouping(
    entries: list[Located[Aggregation]], before: Names, derivations: Derivations, problems: Problems
) -> Grouping:
    """The one grouping of all aggregates."""
    keys = _read_keys(entries, before, derivations, problems)
    aggregates: list[AggregateStep] = []
    names = {key.name.casefold(): "a group_by column" for key in keys}
    for entry in entries:
        fold = entry.value.alias.casefold()
        if fold in names:
            message = f"{entry.value.alias!r} is the name of {names[fold]} too; choose another alias"
            problems.add(f"{entry.path}.alias", message)
            continue
        names[fold] = "another aggregate"
        with problems.at(_details(entry)):
            aggregates.append(_aggregate(entry.value, before, derivations))
    return Grouping(keys, tuple(aggregates))


def _details(entry: Located[Aggregation]) -> str:
    """The path of an entry's fields; the aggregates of a pivot share the pivot's details."""
    return entry.path.removesuffix(entry.value.value_at) if isinstance(entry.value, PivotedAggregation) else entry.path


def _read_keys(
    entries: list[Located[Aggregation]], before: Names, derivations: Derivations, problems: Problems
) -> tuple[GroupKey, ...]:
    """The keys in the order of the first list. A list that names other columns is a problem."""
    first: list[Reference] = []
    for position, entry in enumerate(entries):
        found = []
        for place, name in enumerate(entry.value.group_by):
            with problems.at(f"{_details(entry)}.group_by[{place}]"):
                key = _before_grouping(name, before, derivations)
                if reason := unequal(key.kind):
                    cannot(f"{described(key)} cannot be grouped by: {reason}")
                found.append(key)
        if position == 0:
            first = list(dict.fromkeys(found))
        elif len(found) == len(entry.value.group_by) and set(found) != set(first):
            message = f"groups by other columns than {entries[0].path}; all aggregates share one grouping"
            problems.add(f"{entry.path}.group_by", message)
    return _named_keys(first, entries, problems)


def _named_keys(
    references: list[Reference], entries: list[Located[Aggregation]], problems: Problems
) -> tuple[GroupKey, ...]:
    keys: dict[str, GroupKey] = {}
    for reference in references:
        other = keys.setdefault(reference.name.casefold(), GroupKey(reference, reference.name))
        if other.column != reference:
            both = f"{described(other.column)} and {described(reference)}"
            message = f"{both} would both be called {reference.name!r}; derive one of them under another name"
            problems.add(f"{entries[0].path}.group_by", message)
    return tuple(keys.values())


def _before_grouping(name: str, before: Names, derivations: Derivations, at: str = "") -> Reference:
    text = unquoted(name)
    if not before.find(text) and derivations.late(text):
        refuse(f"{name!r} is computed from aggregates, so it is not there before grouping", at)
    return before.resolve(text, at)


def _aggregate(entry: Aggregation, before: Names, derivations: Derivations) -> AggregateStep:
    function = entry.function
    if entry.where is not None:
        cannot("an aggregate over some of the rows cannot be expressed by the compiler", ".filter")
    pivot = entry if isinstance(entry, PivotedAggregation) else None
    only = _only(pivot, before, derivations) if pivot else None
    if entry.column in (None, "*"):
        if function != "count":
            refuse(f"{function} needs a column; only count takes all rows", ".column")
        return AggregateStep(function, None, entry.alias, kind_of_aggregate(function, None), only)
    with within(".value_column" if pivot else ".column"):
        column = _before_grouping(str(entry.column), before, derivations)
        check_aggregated(function, column)
    return AggregateStep(function, column, entry.alias, kind_of_aggregate(function, column.kind), only)


def _only(entry: PivotedAggregation, before: Names, derivations: Derivations) -> FilterStep:
    """The rows whose pivoted column has the listed value."""
    column = _before_grouping(entry.spread, before, derivations, ".column")
    with within(entry.value_at):
        value = exact_value(entry.value, column.kind)
    return FilterStep(column, "=", (value,), trimmed=column.kind is not None and column.kind.padded > 0)


def check_aggregated(function: str, column: Reference) -> None:
    """Refuse an aggregate that Spark would compute otherwise than PostgreSQL, or make NULL when it overflows."""
    if function in ("sum", "avg"):
        _check_summed(function, column)
    reasons = {"min": unordered, "max": unordered, "count_distinct": unequal}
    if function in reasons and (reason := reasons[function](column.kind)):
        cannot(f"{function} of {described(column)}: {reason}")


def _check_summed(function: str, column: Reference) -> None:
    """Refuse a column that Spark would cast to a number silently, and a sum that is NULL when it overflows."""
    kind = column.kind
    if kind is None:
        hint = "derive it with CAST(... AS type), so that its type is certain"
        cannot(f"{function} of {described(column)}, whose type is not known; {hint}")
    if not kind.numeric:
        refuse(f"{function} of {described(column)}, which is {kind.family}; give a numeric column")
    # numeric without precision is decimal(38,18) in Spark; real sums stay within its 20 whole digits
    digits = kind.whole + kind.scale
    if kind.family == "decimal" and digits > MAX_DIGITS - 10 and (kind.whole, kind.scale) != (20, 18):
        wide = f"numeric({digits},{kind.scale})"
        cannot(f"{function} of {described(column)}, which is {wide}: Spark has no digits left for a larger sum")


class Grouped:
    """The names after grouping, and the derived columns that are computed there."""

    def __init__(self, grouping: Grouping, before: Names) -> None:
        self._before = before
        self._keys = {key.column: NamedColumn(key.name, key.column.kind) for key in grouping.keys}
        self._names = Names()
        self._finished = False
        self.steps: list[DerivedStep] = []
        """The derived columns that are computed after grouping, in order."""
        for named in self._keys.values():
            self._names.add(named.name, named)
        for step in grouping.aggregates:
            self._names.add(step.name, NamedColumn(step.name, step.kind))

    def derive(self, found: list[Derivation], problems: Problems) -> None:
        """Place the derived columns that need an aggregate, or use only columns that are grouped by."""
        for one in found:
            if self._names.find(one.name) or problems.follows(one.name, one.expression.names):
                continue
            with problems.at(one.path, one.name):
                value = self._moved(one.value) if one.value is not None else bind(one.expression, self)
                if value is not None:
                    self.steps.append(DerivedStep(one.name, value))
                    self.add(NamedColumn(one.name, kind_of_expression(value)))

    def add(self, column: NamedColumn) -> None:
        """Add the name of a column that is computed after grouping, as a window's."""
        self._names.add(column.name, column)

    def finished(self) -> Grouped:
        """The names for output columns, renames and sort: there a plain name means the grouped column."""
        result = copy.copy(self)
        result._finished = True
        return result

    def _moved(self, value: BoundExpression) -> BoundExpression | None:
        """The value over the columns after grouping; None when grouping loses one of them."""
        placed = {step.name: NamedColumn(step.name, kind_of_expression(step.value)) for step in self.steps}
        found = [
            self._keys.get(one) or placed.get(one.name if isinstance(one, NamedColumn) else "")
            for one in value.references
        ]
        moved = tuple(one for one in found if one is not None)
        return BoundExpression(value.expression, moved) if len(moved) == len(found) else None

    def find(self, text: str) -> list[Reference]:
        """The column that `text` names after grouping: its own names first, then a source column that is a key."""
        own = self._names.find(text)
        known = self._before.find(text)
        return own or [self._keys[column] for column in known if len(known) == 1 and column in self._keys]

    def resolve(self, text: str, at: str = "") -> Reference:
        """The column after grouping. Refuses a column that grouping loses, and an unknown one."""
        found = self.find(text)
        if not found and self._before.find(text):
            refuse(f"{text!r} is neither grouped by nor aggregated; add it to `group_by` or aggregate it", at)
        if not found:
            refuse(f"unknown column {text!r}{did_you_mean(text, self.shown(), listed=True)}", at)
        known = [] if self._finished else self._before.find(text)
        if known and found[0] in self._keys.values() and found[0] not in [self._keys.get(one) for one in known]:
            was = " or ".join(described(one) for one in known)
            cannot(f"{text!r} is {was} before grouping and another column after it; qualify it", at)
        return found[0]

    def shown(self) -> list[str]:
        """The names after grouping."""
        return self._names.shown()
