"""Grouping: the keys, the aggregates, and what can still be named after it."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from agent.compiler.plan.column_kinds import MAX_DIGITS, kind_of_aggregate, unequal, unordered
from agent.compiler.plan.conditions import exact_value, leave_failed
from agent.compiler.plan.derivations import Derivation, Derivations, bind
from agent.compiler.plan.inference import kind_of_expression
from agent.compiler.plan.pivots import PivotedAggregation
from agent.compiler.plan.problems import collecting, refuse
from agent.compiler.plan.resolution import Names, described, unquoted
from agent.compiler.plan.steps import (
    AggregateStep,
    BoundExpression,
    DerivedStep,
    FilterStep,
    Grouping,
    GroupKey,
    NamedColumn,
    Reference,
)
from agent.errors import Problem
from agent.nearest import did_you_mean
from agent.request import Aggregation


def read_grouping(
    entries: list[tuple[str, Aggregation]], before: Names, derivations: Derivations, problems: list[Problem]
) -> Grouping:
    """The one grouping of all aggregates; what is wrong goes to `problems`."""
    keys = _read_keys(entries, before, derivations, problems)
    aggregates: list[AggregateStep] = []
    names = {key.name.casefold(): "a group_by column" for key in keys}
    for path, entry in entries:
        with collecting(problems):
            fold = entry.alias.casefold()
            if fold in names:
                refuse(f"{path}.alias", f"{entry.alias!r} is the name of {names[fold]} too; choose another alias")
            names[fold] = "another aggregate"
            aggregates.append(_aggregate(entry, before, derivations, path))
    return Grouping(keys, tuple(aggregates))


def _read_keys(
    entries: list[tuple[str, Aggregation]], before: Names, derivations: Derivations, problems: list[Problem]
) -> tuple[GroupKey, ...]:
    """The keys in the order of the first list; a list that names other columns is a problem."""
    first: list[Reference] = []
    for position, (path, entry) in enumerate(entries):
        found = []
        for place, name in enumerate(entry.group_by):
            with collecting(problems):
                where = f"{_at(path, entry)}.group_by[{place}]"
                key = _before_grouping(name, before, derivations, where)
                if reason := unequal(key.kind):
                    refuse(where, f"{described(key)} cannot be grouped by: {reason}")
                found.append(key)
        if position == 0:
            first = list(dict.fromkeys(found))
        elif len(found) == len(entry.group_by) and set(found) != set(first):
            message = (
                f"groups by other columns than {entries[0][0]}; all aggregates of a specification share one grouping"
            )
            problems.append(Problem(f"{path}.group_by", message))
    return _named_keys(first, entries, problems)


def _at(path: str, entry: Aggregation) -> str:
    """Where the fields of an entry stand; those of a pivot's aggregates in its details."""
    return entry.at if isinstance(entry, PivotedAggregation) else path


def _named_keys(
    references: list[Reference], entries: list[tuple[str, Aggregation]], problems: list[Problem]
) -> tuple[GroupKey, ...]:
    keys: dict[str, GroupKey] = {}
    for reference in references:
        other = keys.setdefault(reference.name.casefold(), GroupKey(reference, reference.name))
        if other.column != reference:
            both = f"{described(other.column)} and {described(reference)}"
            message = f"{both} would both be called {reference.name!r}; derive one of them under another name"
            problems.append(Problem(f"{entries[0][0]}.group_by", message))
    return tuple(keys.values())


def _before_grouping(name: str, before: Names, derivations: Derivations, path: str) -> Reference:
    text = unquoted(name)
    if not before.find(text) and derivations.late(text):
        refuse(path, f"{name!r} is computed from aggregates, so it is not there before grouping")
    return before.resolve(text, path)


def _aggregate(entry: Aggregation, before: Names, derivations: Derivations, path: str) -> AggregateStep:
    function = entry.function
    only = _only(entry, before, derivations) if isinstance(entry, PivotedAggregation) else None
    if entry.column in (None, "*"):
        if function != "count":
            refuse(f"{path}.column", f"{function} needs a column; only count takes all rows")
        return AggregateStep(function, None, entry.alias, kind_of_aggregate(function, None), only)
    where = f"{entry.at}.value_column" if isinstance(entry, PivotedAggregation) else f"{path}.column"
    column = _before_grouping(str(entry.column), before, derivations, where)
    kind = column.kind
    if function in ("sum", "avg"):
        check_summed(function, column, where)
    check_compared(function, column, where)
    return AggregateStep(function, column, entry.alias, kind_of_aggregate(function, kind), only)


def _only(entry: PivotedAggregation, before: Names, derivations: Derivations) -> FilterStep:
    """The rows whose pivoted column has the listed value."""
    column = _before_grouping(entry.spread, before, derivations, f"{entry.at}.column")
    kind = column.kind
    value = exact_value(entry.value, kind, entry.value_path)
    return FilterStep(column, "=", (value,), trimmed=kind is not None and kind.padded > 0)


def check_compared(function: str, column: Reference, path: str) -> None:
    """Refuse what compares values that Spark compares otherwise than PostgreSQL, or not at all."""
    reasons = {"min": unordered, "max": unordered, "count_distinct": unequal}
    if function in reasons and (reason := reasons[function](column.kind)):
        refuse(path, f"{function} of {described(column)}: {reason}")


def check_summed(function: str, column: Reference, path: str) -> None:
    """Refuse what Spark would read as a number in silence, and a sum that Spark would make NULL when it overflows."""
    kind = column.kind
    leave_failed(column)
    if kind is None:
        hint = "derive it with CAST(... AS type), so that its type is certain"
        refuse(path, f"{function} of {described(column)}, whose type is not known; {hint}")
    if not kind.numeric:
        refuse(path, f"{function} of {described(column)}, which is {kind.family}; give a numeric column")
    # numeric without precision is decimal(38,18) in Spark; real sums stay within its 20 whole digits
    digits = kind.whole + kind.scale
    if kind.family == "decimal" and digits > MAX_DIGITS - 10 and (kind.whole, kind.scale) != (20, 18):
        wide = f"numeric({digits},{kind.scale})"
        refuse(path, f"{function} of {described(column)}, which is {wide}: Spark has no digits left for a larger sum")


class Grouped:
    """What can be named after grouping, and which of the derived columns are computed there."""

    def __init__(self, grouping: Grouping, before: Names, found: list[Derivation], problems: list[Problem]) -> None:
        self._before = before
        self._keys = {key.column: NamedColumn(key.name, key.column.kind) for key in grouping.keys}
        self._names = Names()
        self._finished = False
        self.steps: list[DerivedStep] = []
        """The derived columns that can be computed here, in order."""
        for named in self._keys.values():
            self._names.add(named.name, named)
        for step in grouping.aggregates:
            self._names.add(step.name, NamedColumn(step.name, step.kind))
        for derivation in found:
            self._place(derivation, problems)

    def add(self, column: NamedColumn) -> None:
        """Let one more column be named, as a window's."""
        self._names.add(column.name, column)

    def add_failed(self, names: Iterable[str]) -> None:
        """Let what is refused be named, so that nothing is said twice."""
        for name in names:
            if not self._names.find(name):
                self._names.add(name, NamedColumn(name, failed=True))

    def finished(self) -> Grouped:
        """The same names for output columns, renames and sort, where a plain name means the grouped column."""
        result = copy.copy(self)
        result._finished = True
        return result

    def _place(self, derivation: Derivation, problems: list[Problem]) -> None:
        """Compute it after grouping when it needs an aggregate, or when it uses nothing but what is grouped by."""
        if self._names.find(derivation.name):
            return
        value = None
        if derivation.value is not None:
            value = self._moved(derivation.value)
        else:
            with collecting(problems):
                value = bind(derivation.expression, self, derivation.path)
            if value is None:
                self.add_failed([derivation.name])
        if value is None:
            return
        self.steps.append(DerivedStep(derivation.name, value))
        self._names.add(derivation.name, NamedColumn(derivation.name, kind_of_expression(value)))

    def _moved(self, value: BoundExpression) -> BoundExpression | None:
        """The same value over what is there after grouping; None when a part of it is lost."""
        placed = {step.name: NamedColumn(step.name, kind_of_expression(step.value)) for step in self.steps}
        found = [
            self._keys.get(one) or placed.get(one.name if isinstance(one, NamedColumn) else "")
            for one in value.references
        ]
        moved = tuple(one for one in found if one is not None)
        return BoundExpression(value.expression, moved) if len(moved) == len(found) else None

    def find(self, text: str) -> list[Reference]:
        """What `text` stands for after grouping: its own names first, then a source column that is a key."""
        own = self._names.find(text)
        known = self._before.find(text)
        kept: list[Reference] = [self._keys[column] for column in known if len(known) == 1 and column in self._keys]
        failed: list[Reference] = [one for one in known if isinstance(one, NamedColumn) and one.failed]
        return own or kept or failed

    def resolve(self, text: str, path: str) -> Reference:
        """The column after grouping. Raises InvalidRequestError, saying when it is lost by grouping."""
        found = self.find(text)
        if not found and self._before.find(text):
            refuse(path, f"{text!r} is neither grouped by nor aggregated; add it to `group_by` or aggregate it")
        if not found:
            refuse(path, f"unknown column {text!r}{did_you_mean(text, self.shown(), listed=True)}")
        known = [] if self._finished else self._before.find(text)
        if known and found[0] in self._keys.values() and found[0] not in [self._keys.get(one) for one in known]:
            was = " or ".join(described(one) for one in known)
            refuse(path, f"{text!r} is {was} before grouping and another column after it; qualify it")
        return found[0]

    def shown(self) -> list[str]:
        """The names that there are after grouping."""
        return self._names.shown()
