"""Statements of a specification's entries: elements, each once, and the entries that state them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse
from agent.compiler.spec.aggregate_entries import AggregateParts, aggregate_item, named_keys, read_aggregates
from agent.compiler.spec.condition_entries import read_conditions
from agent.compiler.spec.derived_entries import DerivedParts, of_text, read_casts, read_derived, read_fills
from agent.compiler.spec.fields import Details, Fields, one_or_many
from agent.compiler.spec.join_entries import read_joins
from agent.compiler.spec.merged_elements import Merged
from agent.compiler.spec.pivots import read_pivot
from agent.compiler.spec.result_entries import read_deduplication, read_limit, read_rename, read_select, read_sort
from agent.compiler.spec.source_names import SourceNames
from agent.compiler.spec.sql_conditions import is_condition
from agent.compiler.spec.union_entries import read_union
from agent.compiler.spec.window_entries import RANKINGS, read_window
from agent.elements import Claim, Comparison, Condition, ConditionGroup, Entries, StepEntry
from agent.request import Specification

_JOIN_TYPES = ("left_join", "right_join", "inner_join", "full_join", "outer_join", "full_outer_join", "left_outer_join")
_WINDOW_TYPES = (*RANKINGS, "lag", "lead")
Stated = tuple[str, str, Any]
"""Kind, path, and the parts of an element."""


class Statements:
    """Collects what the entries state, and settles it: elements stand once, a contradiction is a problem."""

    def __init__(self, specs: Specification, problems: Problems, notes: Notes) -> None:
        self.entries = Entries()
        self.problems, self._notes = problems, notes
        self._sources = SourceNames(specs.source_tables)
        self._listed: list[Stated] = []
        self._before_joins: list[tuple[str, str]] = []
        self._keys: dict[str, tuple[str, str]] = {}
        """Name of each key of a grouping that has one, with its path and expression."""
        self._lists_columns = bool(specs.target_table.columns)
        self.steps: list[tuple[StepEntry, list[Stated]]] = []

    def add(self, path: str, kind: str, details: Details, written: str = "") -> None:
        """Read an entry of a kind. `written` is the type of its transformation."""
        with self.problems.at(path):
            for suffix, stated, value in _READERS[kind](self, details, written, path):
                self._state(stated, path + suffix, value)

    def _state(self, kind: str, path: str, value: Any) -> None:
        (self.steps[-1][1] if self.steps else self._listed).append((kind, path, value))

    def add_filters(self, path: str, value: JsonValue) -> None:
        """Read a list of filters; words between its entries may connect them."""
        items = one_or_many(value)
        plain = not any(isinstance(item, dict) and "connector" in Fields(item, "filter") for _, item in items)
        for place, item in items if plain else [("", value)]:
            with self.problems.at(path + place):
                for part in _all_parts(read_conditions(item)):
                    self._state("filter", path + place, part)

    def state_filter(self, path: str, condition: Condition, before_joins: str) -> None:
        """A filter on the rows of the table `before_joins`."""
        self._before_joins.append((path, before_joins))
        for part in _all_parts(condition):
            self._state("filter", path, part)

    def _refuse_filters_before_outer_joins(self) -> None:
        """A filter on one table drops rows of the result too, where no outer join keeps the rows of the others."""
        outer = next((join for join in self.entries.joins if join.value.join_type != "inner"), None)
        for path, table in self._before_joins if outer else ():
            with self.problems.at(path):
                cannot(
                    f"filters {table!r} before the join of {outer.path if outer else ''}, which keeps rows without a "
                    f"partner: write the condition in `filters` to drop them too, or {USE_A_MODEL}"
                )

    def add_text(self, path: str, kind: str, item: JsonValue) -> None:
        """Read an entry that is a text alone."""
        with self.problems.at(path):
            if not isinstance(item, str):
                refuse(f"an object is needed, not {item!r}")
            if kind == "derive":
                self._state("derive", path, of_text(item))
            elif kind == "join" and is_condition(item):
                self.add(path, kind, {"condition": item})
            elif kind == "aggregate" and "(" in item:
                self._state("aggregate", path, aggregate_item(item))
            else:
                cannot(f'"{item}" is free text; write an object, or {USE_A_MODEL}')

    def settle(self) -> None:
        """Make the elements, those of the structured fields first."""
        merged = Merged(self.entries, self._sources, self._notes)
        for kind, path, value in self._listed:
            with self.problems.at(path):
                merged.add(kind, path, value, listed=True)
        claims: list[list[Claim]] = []
        later: list[Callable[[], None]] = []
        for _, stated in self.steps:
            own: list[Claim] = []
            claims.append(own)
            for kind, path, value in stated:
                with self.problems.at(path):
                    if merged.is_mention(kind, value):
                        later.append(self._mentioned(merged, kind, path, value, own))
                    else:
                        own += merged.add(kind, path, value, listed=False)
                        merged.claimed |= {claim.path for claim in own}
        for name, (path, expression) in self._keys.items():
            with self.problems.at(path):
                merged.add("derive", f"{path}.group_by", DerivedParts(name, expression), listed=False)
        for resolve in later:
            resolve()
        merged.finish(self.problems)
        self._refuse_filters_before_outer_joins()
        self.entries.steps = [
            replace(step, claims=tuple(dict.fromkeys(own))) for (step, _), own in zip(self.steps, claims, strict=True)
        ]

    def _mentioned(self, merged: Merged, kind: str, path: str, value: Any, own: list[Claim]) -> Callable[[], None]:
        """The look for the elements that an entry only mentions, after all elements are known."""

        def resolve() -> None:
            with self.problems.at(path):
                own.extend(merged.mentioned(kind, path, value))
                merged.claimed.update(claim.path for claim in own)

        return resolve

    def joins(self, details: Details, written: str, path: str) -> list[Stated]:
        """The joins of an entry."""
        implied = written.replace("_join", "") if written in _JOIN_TYPES else ""
        return [(place, "join", parts) for place, parts in read_joins(details, self._sources, implied)]

    def filters(self, details: Details, written: str, path: str) -> list[Stated]:
        """The conditions of an entry that all rows must meet, one by one."""
        fields = Fields(details, "filter")
        asked = [name for name in fields if name not in ("columns", "table", "connector", "column")]
        if not asked:
            columns = (*fields.names("columns"), *fields.names("column"))
            return [("", "filter_columns", columns)] if columns else []
        return [("", "filter", part) for part in _all_parts(read_conditions(details))]

    def aggregates(self, details: Details, written: str, path: str) -> list[Stated]:
        """The aggregates of an entry, its grouping, and the conditions on them."""
        read, fields = read_aggregates(details, path, self._notes)
        found = []
        for place, whole in read:
            part, made = named_keys(whole)
            found.append((place, part))
            self._keys |= {name: (path, expression) for name, expression in made}
        stated: list[Stated] = [(place, "aggregate", part) for place, part in found if part != AggregateParts()]
        if "having" in fields:
            place = fields.at("having")
            stated += [(place, "filter", part) for part in _all_parts(read_conditions(fields.get("having")))]
        if "order_by" in fields:
            stated.append((fields.at("order_by"), "sort", read_sort({"columns": fields.get("order_by")}).order))
        return stated

    def derived(self, details: Details, written: str, path: str) -> list[Stated]:
        """The new columns of an entry."""
        return [(place, "derive", parts) for place, parts in read_derived(details)]

    def windows(self, details: Details, written: str, path: str) -> list[Stated]:
        """The windows of an entry, with a filter on the first ranks where it says one."""
        fields = Fields(details, "window")
        listed = fields.get("windows")
        if listed is not None and not fields.text("function", "a function"):
            shared = {key: value for key, value in details.items() if value is not listed}
            found = []
            for place, item in one_or_many(listed):
                if not isinstance(item, dict):
                    refuse(
                        f"an object with `function` and `name` is needed, not {item!r}", fields.at("windows") + place
                    )
                found.append((fields.at("windows") + place, "window", read_window({**shared, **item})))
            return found
        if [name for name in fields if name != "name"] == [] and "name" in fields:
            return [("", "derive", DerivedParts(fields.text("name", "the new column's name")))]
        if {"expression", "sql", "expr", "formula"} & {key.lower() for key in details} and "function" not in fields:
            return self.derived(details, written, path)
        window = read_window(details, written if written in _WINDOW_TYPES else "")
        stated: list[Stated] = [("", "window", window)]
        if "limit" in fields and window.function in RANKINGS:
            rows = read_limit({"n": fields.get("limit")}).limit
            stated.append((fields.at("limit"), "filter", Comparison(window.name, "<=", rows[0] if rows else 1)))
        return stated

    def cut(self, details: Details, written: str, path: str) -> list[Stated]:
        """Order and limit of an entry."""
        fields = Fields(details, "limit")
        if "partition_by" in fields and ("name" in fields or self._lists_columns):
            return self._first_of_each(fields)
        sorts = "sort" in written or "order" in written or written == "arrange"
        whole = read_sort(details) if sorts and "limit" not in written else read_limit(details)
        found: list[Stated] = [("", "sort", whole.order)] if whole.order else []
        return found + ([("", "limit", whole.limit)] if whole.limit else [])

    def _first_of_each(self, fields: Fields) -> list[Stated]:
        """The first rows of each group: a window that numbers them, and a filter on its column."""
        name = fields.text("name", "a column name") or "row_in_group"
        shared = {key: fields.get(key) for key in ("partition_by", "order_by", "direction")}
        function = fields.text("function", "a function") or "row_number"
        window = read_window({**shared, "function": function, "name": name})
        rows = read_limit({"n": fields.get("rows")}).limit
        return [("", "window", window), ("", "filter", Comparison(name, "<=", rows[0] if rows else 1))]

    def sorts(self, details: Details, written: str, path: str) -> list[Stated]:
        """The order of an entry, with a limit where it says one."""
        return self.cut(details, "sort", path)

    def selects(self, details: Details, written: str, path: str) -> list[Stated]:
        """The columns of a select step, and those that it computes."""
        if written.startswith("drop"):
            cannot(f"a result without some columns: list those that stay, or {USE_A_MODEL}")
        chosen = read_select(details)
        stated: list[Stated] = [("", "derive", DerivedParts(one.name, one.expression)) for one in chosen.derived]
        stated += [("", "select", chosen.items)] if chosen.items is not None else []
        return stated + ([("", "distinct", True)] if chosen.distinct else [])

    def duplicates(self, details: Details, written: str, path: str) -> list[Stated]:
        """The rule of an entry that removes duplicates."""
        rule = read_deduplication(details)
        return [("", "distinct", True) if rule is None else ("", "deduplicate", rule)]

    def changed(self, details: Details, written: str, path: str) -> list[Stated]:
        """Columns that keep their names and get another type, or constants for NULL."""
        fills = written not in _CASTS
        read = read_fills if fills else read_casts
        return [(place, "derive", DerivedParts(one.name, one.expression)) for place, one in read(details)]


def _all_parts(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that all rows must meet."""
    if isinstance(condition, ConditionGroup) and condition.operator == "and":
        return tuple(one for part in condition.parts for one in _all_parts(part))
    return (condition,)


_CASTS = (
    "cast",
    "convert",
    "type_cast",
    "type_conversion",
    "cast_column",
    "cast_columns",
    "change_type",
    "convert_type",
)
_READERS: dict[str, Callable[[Statements, Details, str, str], list[Stated]]] = {
    "join": Statements.joins,
    "filter": Statements.filters,
    "aggregate": Statements.aggregates,
    "derive": Statements.derived,
    "window": Statements.windows,
    "sort": Statements.sorts,
    "limit": lambda self, details, written, path: self.cut(details, "limit", path),
    "select": Statements.selects,
    "rename": lambda _, details, written, path: [("", "rename", read_rename(details))],
    "distinct": Statements.duplicates,
    "deduplicate": Statements.duplicates,
    "cast": Statements.changed,
    "fill": Statements.changed,
    "union": lambda _, details, written, path: [("", "union", read_union(details, written))],
    "pivot": lambda _, details, written, path: [(one.value_at, "pivot", one) for one in read_pivot(details)],
}
