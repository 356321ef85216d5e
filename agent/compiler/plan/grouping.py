"""Grouping: the keys, the aggregates, and the names that are left after it."""

from __future__ import annotations

import copy
from dataclasses import replace

from agent.compiler.expressions.column_kinds import kind_of_aggregate, unequal, unordered
from agent.compiler.expressions.literals import exact_value
from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.expressions.typed_values import BoundExpression, over_columns
from agent.compiler.notes import Notes
from agent.compiler.plan.computations import Computations, details_of
from agent.compiler.plan.conditions import ConditionReader
from agent.compiler.plan.derivations import tell_remarks
from agent.compiler.plan.resolution import Names, described
from agent.compiler.plan.steps import AggregateStep, FilterStep, Grouping, GroupKey, RowCondition
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse, within
from agent.elements import Aggregation, Located, PivotedAggregation
from agent.nearest import did_you_mean


class GroupingReader:
    """Reads the one grouping of all aggregates."""

    def __init__(self, work: Computations, before: Names, conditions: ConditionReader, notes: Notes) -> None:
        self._work, self._before, self._conditions, self._notes = work, before, conditions, notes
        self.aliases: dict[str, str] = {}
        """Casefolded text of an aggregate inside an expression, to the equal aggregate that has a name."""

    def read(self, problems: Problems) -> Grouping:
        """The keys and the aggregates."""
        keys = self._keys(self._work.named_aggregations() or self._work.aggregations, problems)
        aggregates: list[AggregateStep] = []
        names = {key.name.casefold(): "a group_by column" for key in keys}
        for entry in sorted(self._work.aggregations, key=lambda one: self._work.is_hidden(one.value.alias)):
            alias, hidden = entry.value.alias, self._work.is_hidden(entry.value.alias)
            if alias.casefold() in names:
                message = f"{alias!r} is the name of {names[alias.casefold()]} too; choose another alias"
                problems.add(f"{entry.path}.alias", message)
                continue
            names[alias.casefold()] = "another aggregate"
            with problems.at(details_of(entry), alias):
                step = self._aggregate(entry.value)
                if step.only is not None:
                    tell_remarks(self._notes, details_of(entry), step.only)
                same = next((one for one in aggregates if replace(one, name="") == replace(step, name="")), None)
                if hidden and same is not None:
                    self.aliases[alias.casefold()] = same.name
                else:
                    aggregates.append(step)
        return Grouping(keys, tuple(aggregates))

    def _keys(self, entries: list[Located[Aggregation]], problems: Problems) -> tuple[GroupKey, ...]:
        """The keys in the order of the first list. A list that names other columns is a problem."""
        first: dict[Reference, str] = {}
        for position, entry in enumerate(entries):
            found: dict[Reference, str] = {}
            with problems.at(details_of(entry)):
                for place, name in enumerate(entry.value.group_by):
                    key, shown = self._key(name, f".group_by[{place}]")
                    found.setdefault(key, shown)
                if position == 0:
                    first = found
                elif set(found) != set(first):
                    message = f"groups by other columns than {entries[0].path}; the compiler has one grouping"
                    cannot(f"{message}; {USE_A_MODEL}", ".group_by")
        return self._named_keys(first, entries, problems)

    def _key(self, name: str, at: str) -> tuple[Reference, str]:
        """The column that rows are grouped by, and its name in the result."""
        key = self._before_grouping(name, at)
        if reason := unequal(key.kind):
            cannot(f"{described(key)} cannot be grouped by: {reason}", at)
        shown = self._before.name_of(name, key)
        if isinstance(key, NamedColumn) and self._work.is_made(name):
            self._notes.add("specs.aggregations", f"the column of the group by {name} is called {shown}")
        return key, shown

    def _named_keys(
        self, references: dict[Reference, str], entries: list[Located[Aggregation]], problems: Problems
    ) -> tuple[GroupKey, ...]:
        keys: dict[str, GroupKey] = {}
        for reference, name in references.items():
            other = keys.setdefault(name.casefold(), GroupKey(reference, name))
            if other.column != reference:
                both = f"{described(other.column)} and {described(reference)}"
                message = f"{both} would both be called {name!r}; derive one of them under another name"
                problems.add(f"{entries[0].path}.group_by", message)
        return tuple(keys.values())

    def _before_grouping(self, name: str, at: str = "") -> Reference:
        if not self._before.find(name) and self._work.late(name):
            refuse(f"{name!r} is computed from aggregates, so it is not there before grouping", at)
        if sources := self._before.shadowed(name):
            column = described(sources[0])
            self._notes.add("specs.derived_columns", f"{name!r} is the derived column", f"the source's column {column}")
        return self._before.resolve(name, at)

    def _aggregate(self, entry: Aggregation) -> AggregateStep:
        function = entry.function
        only: RowCondition | None = None
        pivot = entry if isinstance(entry, PivotedAggregation) else None
        if pivot is not None:
            only = self._pivoted(pivot)
        elif entry.where is not None:
            with within(".filter"):
                only = self._conditions.step(entry.where, self._before)
        name = entry.alias if not self._work.is_hidden(entry.alias) else self._work.made_name(entry.alias)
        if entry.column in (None, "*"):
            if function != "count":
                refuse(f"{function} needs a column; only count takes all rows", ".column")
            return AggregateStep(function, None, name, kind_of_aggregate(function, None), only)
        with within(".value_column" if pivot else ".column"):
            column = self._before_grouping(str(entry.column))
            check_aggregated(function, column)
        return AggregateStep(function, column, name, kind_of_aggregate(function, column.kind), only)

    def _pivoted(self, entry: PivotedAggregation) -> FilterStep:
        """The rows whose pivoted column has the listed value."""
        column = self._before_grouping(entry.spread, ".column")
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


class Grouped:
    """The names after grouping."""

    def __init__(self, grouping: Grouping, before: Names, aliases: dict[str, str], given: dict[str, str]) -> None:
        """`aliases` as in GroupingReader; `given` are the hidden aggregates' names by casefolded text."""
        self._before = before
        self._keys = {key.column: NamedColumn(key.name, key.column.kind) for key in grouping.keys}
        self._names = Names()
        self._finished = False
        self.placed: dict[str, NamedColumn] = {}
        """Columns that could be computed before grouping as well, and their names after it."""
        for named in self._keys.values():
            self._names.add(named.name, named)
        for step in grouping.aggregates:
            self._names.add(step.name, NamedColumn(step.name, step.kind))
        for text, name in {**given, **aliases}.items():
            for one in self._names.find(name):
                self._names.add(text, one)

    def finished(self) -> Grouped:
        """The names for output columns, renames and sort: there a plain name means the grouped column."""
        result = copy.copy(self)
        result._finished = True
        return result

    def moved(self, value: BoundExpression) -> BoundExpression | None:
        """The value over the columns after grouping; None when grouping loses one of them."""
        found = [
            self._keys.get(one) or self.placed.get(one.name if isinstance(one, NamedColumn) else "")
            for one in value.references
        ]
        moved = tuple(one for one in found if one is not None)
        return over_columns(value, moved) if len(moved) == len(found) else None

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

    def name_of(self, text: str, reference: Reference) -> str:
        """The name in a result of the column that `text` stands for."""
        return self._names.name_of(text, reference)

    def add(self, name: str, column: Reference) -> None:
        """Let the text of an expression stand for its column."""
        self._names.add(name, column)

    def define(self, name: str, column: Reference) -> None:
        """Let a name stand for a column that is computed after grouping."""
        self._names.define(name, column)
