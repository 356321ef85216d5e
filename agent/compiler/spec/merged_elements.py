"""The elements of a specification, each once: a repetition is recognised, a contradiction quotes both places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse
from agent.compiler.spec.aggregate_entries import AggregateParts, aggregation
from agent.compiler.spec.derived_entries import DerivedParts
from agent.compiler.spec.element_words import call_text, shown
from agent.compiler.spec.join_entries import JoinParts
from agent.compiler.spec.merged_joins import mentioned_joins, stated_join
from agent.compiler.spec.repetitions import (
    condition_key,
    same_aggregate,
    same_condition,
    same_names,
    same_order,
    same_text,
    same_window,
)
from agent.compiler.spec.source_names import SourceNames
from agent.compiler.spec.sql_texts import canonical, column_parts, is_column
from agent.compiler.spec.window_entries import derived_window
from agent.elements import (
    Aggregation,
    Claim,
    Comparison,
    Condition,
    Deduplication,
    DerivedColumn,
    Entries,
    Located,
    PivotedAggregation,
    WindowEntry,
)


class Merged:
    """Adds elements to Entries. Names and keys of what is there are indexed, so that long lists take linear time."""

    def __init__(self, entries: Entries, sources: SourceNames, notes: Notes) -> None:
        self._entries, self._sources, self._notes = entries, sources, notes
        self._filters: dict[object, list[int]] = {}
        self._named: dict[str, tuple[str, Located[Any]]] = {}
        """Casefolded name of each aggregate, derived column and window, with its kind."""
        self._group_by: list[Located[tuple[str, ...]]] = []
        self.claimed: set[str] = set()
        """Paths of the elements that steps state."""

    def is_mention(self, kind: str, value: Any) -> bool:
        """True for parts that state no element of their own."""
        match value:
            case JoinParts():
                return not value.says_how
            case AggregateParts():
                return value.function is None and value.expression is None or value.alias is None
            case DerivedParts():
                return value.name is None or value.expression is None
        return kind == "filter_columns"

    def add(self, kind: str, path: str, value: Any, listed: bool) -> list[Claim]:
        """Add an element; returns the elements that its entry states. `listed` is True in a structured field."""
        match kind, value:
            case "join", JoinParts():
                return stated_join(path, value, self._entries, self._sources, listed)
            case "filter", _:
                return [self._filter(path, value, listed)]
            case "aggregate", AggregateParts():
                return self._aggregate(path, value, listed)
            case "pivot", PivotedAggregation():
                return [self._name("aggregations", value.alias, path, value, listed)]
            case "derive", DerivedParts(name=str(name), expression=str(expression)):
                return [self._derived(name, expression, path, listed, value.data_type)]
            case "derive", DerivedParts():
                refuse(
                    *("`name` is needed: the new column's name", ".name")
                    if value.expression
                    else ("`expression` is needed", ".expression")
                )
            case "window", WindowEntry():
                return [self._name("windows", value.name, path, value, listed)]
        return [self._single(kind, path, value)]

    def _filter(self, path: str, condition: Condition, listed: bool) -> Claim:
        found, key = self._entries.filters, condition_key(condition)
        for position in self._filters.get(key, ()) if not listed else ():
            known = found[position]
            if same_condition(condition, known.value, self._sources):
                if isinstance(condition, Comparison) and isinstance(known.value, Comparison) and condition.literal:
                    found[position] = Located(known.path, replace(known.value, literal=True))
                return Claim("filters", known.path)
        self._filters.setdefault(key, []).append(len(found))
        found.append(Located(path, condition))
        return Claim("filters", path)

    def _aggregate(self, path: str, part: AggregateParts, listed: bool) -> list[Claim]:
        if part.group_by:
            self._group_by.append(Located(path, part.group_by))
        if part.function is None and part.expression is None:
            if part.column is not None or part.group_by is None or part.alias:
                refuse("`function` is needed", ".function")
            return []
        if part.expression is not None:
            if part.alias is None:
                cannot(f"{part.expression!r} is no single aggregate; {USE_A_MODEL}", ".column")
            if part.where is not None:
                cannot("a filter beside an expression of aggregates: write FILTER (WHERE …) in each of them", ".filter")
            self._entries.grouped_by = self._entries.grouped_by or part.group_by or ()
            return [self._derived(part.alias, part.expression, path, listed)]
        element = aggregation(part, f"{path}.alias", self._notes)
        return [self._name("aggregations", element.alias, path, element, listed)]

    def _derived(self, name: str, expression: str, path: str, listed: bool, data_type: str = "") -> Claim:
        window = derived_window(expression, name)
        if window is not None:
            return self._name("windows", name, path, window, listed)
        self._sources.derived.setdefault(name.casefold(), expression)
        return self._name("derived", name, path, DerivedColumn(name, expression, data_type), listed)

    def _name(self, kind: str, name: str, path: str, element: Any, listed: bool) -> Claim:
        """Add an element that has a name, unless one of this name says the same."""
        known = self._named.get(name.casefold())
        if known is not None and not (listed and known[0] == kind):
            if self._same(known[1].value, element):
                return Claim(known[0], known[1].path)
            if not listed:
                refuse(f"{shown(element)} contradicts {known[1].path}, which is {shown(known[1].value)}")
        located = Located(path, element)
        self._named.setdefault(name.casefold(), (kind, located))
        getattr(self._entries, kind).append(located)
        return Claim(kind, path)

    def _same(self, one: Any, other: Any) -> bool:
        match one, other:
            case PivotedAggregation(), PivotedAggregation():
                return (one.spread, repr(one.value)) == (other.spread, repr(other.value)) and same_aggregate(
                    one, other, self._sources
                )
            case Aggregation(), Aggregation():
                return same_aggregate(one, other, self._sources)
            case DerivedColumn(), DerivedColumn():
                return same_text(one.expression, other.expression, self._sources)
            case WindowEntry(), WindowEntry():
                return same_window(one, other, self._sources)
            case Aggregation(), DerivedColumn():
                return same_text(other.expression, call_text(one), self._sources)
        return False

    def _single(self, kind: str, path: str, value: Any) -> Claim:
        """Add what a specification has once."""
        if kind == "distinct":
            self._entries.distinct = True
            return Claim("distinct", path)
        name = {"deduplicate": "deduplications", "union": "unions"}.get(kind, kind)
        found: list[Located[Any]] = getattr(self._entries, name)
        for known in found if kind in ("sort", "limit", "select", "deduplicate") else ():
            if not self._same_single(kind, known.value, value):
                refuse(f"a second {kind} contradicts {known.path}: {shown(value)} is not {shown(known.value)}")
            return Claim(name, known.path)
        found.append(Located(path, value))
        return Claim(name, path)

    def _same_single(self, kind: str, one: Any, other: Any) -> bool:
        if kind == "sort":
            return same_order(one, other, self._sources)
        if kind == "select":
            return len(one) == len(other) and all(
                a.name == b.name and same_text(a.column, b.column, self._sources)
                for a, b in zip(one, other, strict=True)
            )
        if isinstance(one, Deduplication):
            same = same_names(one.partition_by, other.partition_by, self._sources)
            return same and same_order(one.order_by, other.order_by, self._sources)
        return bool(one == other)

    def mentioned(self, kind: str, path: str, value: Any) -> list[Claim]:
        """The elements that an entry mentions without stating them whole."""
        match value:
            case JoinParts():
                return mentioned_joins(value, self._entries, self._sources, self.claimed)
            case AggregateParts():
                return self._mentioned_aggregate(path, value)
            case DerivedParts():
                return self._mentioned_derived(value)
        return self._mentioned_filters(value)

    def _mentioned_filters(self, columns: Iterable[str]) -> list[Claim]:
        found = [
            Claim("filters", path)
            for path, one in self._entries.filters
            if isinstance(one, Comparison) and any(self._sources.same_column(one.column, column) for column in columns)
        ]
        if not found:
            cannot(f"says no condition on {', '.join(columns)}; write one, or {USE_A_MODEL}")
        return found

    def _mentioned_aggregate(self, path: str, part: AggregateParts) -> list[Claim]:
        """An aggregate without a name is one of those that have one; a grouping alone is that of all."""
        named = part.expression or part.column if part.function is None and part.alias is None else None
        if named and is_column(named):
            return self._mentioned_alias(path, named, part)
        if part.function is None and part.expression is None and part.column is None and not part.alias:
            self._group_by += [Located(path, part.group_by)] if part.group_by else []
            if part.group_by and not self._entries.aggregations:
                cannot(f"groups rows without an aggregate; select the columns and say distinct, or {USE_A_MODEL}")
            return [Claim("aggregations", where) for where, _ in self._entries.aggregations]
        if part.function is not None:
            self._group_by += [Located(path, part.group_by)] if part.group_by else []
            wanted = aggregation(replace(part, alias="-"), path, self._notes)
            same = [
                Claim("aggregations", where)
                for where, one in self._entries.aggregations
                if same_aggregate(one, wanted, self._sources)
            ]
            if same:
                return same
        elif part.alias and part.alias.casefold() in self._named:
            kind, known = self._named[part.alias.casefold()]
            return [Claim(kind, known.path)]
        return self._aggregate(path, part, listed=False)

    def _mentioned_alias(self, path: str, name: str, part: AggregateParts) -> list[Claim]:
        """An element that is mentioned by its name alone. A key of the grouping stands beside aggregates."""
        known = self._named.get(column_parts(name)[1].casefold())
        if known is not None:
            self._group_by += [Located(path, part.group_by)] if part.group_by else []
            return [Claim(known[0], known[1].path)]
        if any(same_text(name, key, self._sources) for key in part.group_by or ()):
            return []
        return self._aggregate(path, part, listed=False)

    def _mentioned_derived(self, part: DerivedParts) -> list[Claim]:
        if part.name is not None:
            known = self._named.get(part.name.casefold())
            if known is None:
                cannot(f"{part.name!r} has no expression; give it one, or {USE_A_MODEL}")
            return [Claim(known[0], known[1].path)]
        text = canonical(part.expression or "")
        found = [Claim("derived", path) for path, one in self._entries.derived if canonical(one.expression) == text]
        found += [
            Claim("aggregations", path)
            for path, one in self._entries.aggregations
            if text in (canonical(one.column or "*"), canonical(call_text(one)))
        ]
        if not found:
            refuse("`name` is needed: the new column's name", ".name")
        return found

    def finish(self, problems: Problems) -> None:
        """Give every aggregate the one grouping, and filters the aliases of the aggregates that they compute."""
        entries = self._entries
        own = [Located(path, one.group_by) for path, one in entries.aggregations if one.group_by]
        groups = [*own, *self._group_by]
        for path, keys in groups[1:]:
            if not same_names(keys, groups[0].value, self._sources):
                shown = f"groups by {', '.join(keys)}, and {groups[0].path} by {', '.join(groups[0].value)}"
                problems.add(f"{path}.group_by", f"{shown}; the compiler has one grouping; {USE_A_MODEL}", beyond=True)
        if groups:
            keys = groups[0].value
            entries.grouped_by = keys
            for position, (path, one) in enumerate(entries.aggregations):
                if not one.group_by:
                    self._notes.add(path, f"is grouped by {', '.join(keys)}, as {groups[0].path} says")
                    entries.aggregations[position] = Located(path, replace(one, group_by=keys))
        calls = [
            (call_text(one), one.alias)
            for _, one in entries.aggregations
            if one.where is None and not isinstance(one, PivotedAggregation)
        ]
        for position, (path, condition) in enumerate(entries.filters):
            if isinstance(condition, Comparison) and "(" in condition.column:
                same = [alias for call, alias in calls if same_text(call, condition.column, self._sources)]
                if same:
                    entries.filters[position] = Located(path, replace(condition, column=same[-1]))
