"""Structured filters on source columns: evaluation on cells, and cells made to pass or to fail.

Filters are tested at the boundary: `> 10` gets 11 to pass and 10 to fail, so that `>` written as `>=` shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import islice

from pydantic import JsonValue

from agent.elements import Comparison, Condition, ConditionGroup, Entries
from agent.sampling.join_keys import KeyClass, Member, find_column
from agent.sampling.made_values import Comparable, column_family, comparable, fitted, generated
from agent.snapshot import Column, Snapshot

_UNARY = ("IS NULL", "IS NOT NULL")
_MEMBERSHIP = ("=", "!=", "IN", "NOT IN")
_REACH = 6
"""Steps to each side of a filter's value."""
_MOST_CELLS = 40
"""Limit of cells that pass or fail; a table has fewer rows that need different ones."""
_TRIED = 4_000
"""Limit of cells that are tried, so that a thousand filters take no million comparisons."""
_VALUES = 50
"""Values of one filter that cells are made of, beside the smallest and the largest one."""


@dataclass(frozen=True, eq=False)
class SourceFilter:
    """A filter of the specification on one source column; compared by identity, so that results can be cached."""

    position: int
    """Index in the list of all filters."""
    source: str
    """Key of the source that the filter names."""
    member: Member
    column: Column
    operator: str
    value: JsonValue

    def passes(self, cell: JsonValue) -> bool:
        """True when the filter in SQL keeps a row with this cell; NULL passes `IS NULL` only."""
        if self.operator in _UNARY:
            return (cell is None) == (self.operator == "IS NULL")
        left = comparable(cell, self.column)
        if left is None:
            return False
        if self.operator.endswith("LIKE"):
            return (self._pattern.fullmatch(str(cell)) is not None) != self.operator.startswith("NOT")
        if self.operator in _MEMBERSHIP:
            return (left in self._members) == (self.operator in ("=", "IN"))
        return _compare(left, self.operator, self.operands)

    @cached_property
    def operands(self) -> tuple[Comparable | None, ...]:
        """The filter's values in comparable form."""
        return tuple(comparable(value, self.column) for value in _operands(self.value))

    @cached_property
    def telling_values(self) -> tuple[JsonValue, ...]:
        """The filter's values, of very many the first, the smallest and the largest."""
        values = _operands(self.value)
        if len(values) <= _VALUES:
            return tuple(values)
        by_size = sorted(zip(self.operands, range(len(values)), strict=True), key=lambda pair: pair[0])  # type: ignore[arg-type, return-value]
        return (*values[:_VALUES], values[by_size[0][1]], values[by_size[-1][1]])

    @cached_property
    def _members(self) -> frozenset[Comparable | None]:
        return frozenset(self.operands)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return _like(str(self.value), self.operator.endswith("ILIKE"))


def source_filters(entries: Entries, snapshot: Snapshot, classes: Sequence[KeyClass] = ()) -> tuple[SourceFilter, ...]:
    """The filters that name one source column and compare it with values of its type, in the order listed.

    Filters on derived columns, windows and aggregates, alternatives (OR), conditions as SQL, ambiguous names and values
    of another type are left out.
    """
    made = {derived.name for _, derived in entries.derived} | {window.name for _, window in entries.windows}
    made |= {aggregation.alias for _, aggregation in entries.aggregations}
    found = []
    for position, item in enumerate(_comparisons([condition for _, condition in entries.filters])):
        place = None if item.column in made else find_column(snapshot, item.column, classes)
        if place is not None and _comparable_operands(item, place.column):
            member = (place.source.table, place.column.name)
            found.append(SourceFilter(position, place.source.key, member, place.column, item.operator, item.value))
    return tuple(found)


def _comparisons(conditions: Iterable[Condition]) -> Iterator[Comparison]:
    """The comparisons that every row must pass."""
    for condition in conditions:
        if isinstance(condition, Comparison):
            yield condition
        elif isinstance(condition, ConditionGroup) and condition.operator == "and":
            yield from _comparisons(condition.parts)


def satisfying(filters: Sequence[SourceFilter], column: Column) -> Sequence[JsonValue]:
    """Cells that pass all these filters, boundary values first, at most 40; empty when the type has none."""
    return _satisfying(tuple(filters), column)


@lru_cache(maxsize=256)
def _satisfying(filters: tuple[SourceFilter, ...], column: Column) -> Sequence[JsonValue]:
    if any(item.operator == "IS NULL" for item in filters):
        return [None] if column.nullable and all(item.passes(None) for item in filters) else []
    passes = _all_of(filters, column)
    return list(islice((cell for cell in islice(_candidates(filters, column), _TRIED) if passes(cell)), _MOST_CELLS))


def violating(broken: SourceFilter, others: Sequence[SourceFilter], column: Column) -> list[JsonValue]:
    """Cells that fail `broken`; those that pass `others` come first."""
    cells = [*islice((cell for cell in _candidates([broken], column) if not broken.passes(cell)), _MOST_CELLS)]
    if not cells and broken.operator == "IS NOT NULL" and column.nullable:
        return [None]
    passes = _all_of(others, column)
    return sorted(cells, key=lambda cell: not passes(cell))


def _all_of(filters: Sequence[SourceFilter], column: Column) -> Callable[[JsonValue], bool]:
    """A predicate for cells that pass all filters; hundreds of `!=` and `NOT IN` values become one set."""
    excluding = [item for item in filters if _excludes(item, column)]
    excluded = {value for item in excluding for value in item.operands}
    # NULL fails each of them: the first one drops it for all.
    others = [*excluding[:1], *(item for item in filters if not _excludes(item, column))]

    def passes(cell: JsonValue) -> bool:
        return comparable(cell, column) not in excluded and all(item.passes(cell) for item in others)

    return passes


def _excludes(item: SourceFilter, column: Column) -> bool:
    return item.operator in ("!=", "NOT IN") and item.column == column


def _comparable_operands(item: Comparison, column: Column) -> bool:
    if item.operator in _UNARY:
        return True
    if item.operator.endswith("LIKE"):
        return isinstance(item.value, str) and isinstance(comparable("", column), str)
    operands = _operands(item.value)
    if item.operator.endswith("BETWEEN") and len(operands) != 2:
        return False
    return bool(operands) and all(comparable(value, column) is not None for value in operands)


def _operands(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _compare(left: Comparable, operator: str, right: Sequence[Comparable | None]) -> bool:
    low, high = right[0], right[-1]
    outcomes = {
        ">": lambda: left > low,  # type: ignore[operator]  # both come from `comparable` for one column
        ">=": lambda: left >= low,  # type: ignore[operator]
        "<": lambda: left < low,  # type: ignore[operator]
        "<=": lambda: left <= low,  # type: ignore[operator]
        "BETWEEN": lambda: low <= left <= high,  # type: ignore[operator]
        "NOT BETWEEN": lambda: left < low or left > high,  # type: ignore[operator]
    }
    return outcomes[operator]()


def _like(pattern: str, ignoring_case: bool) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.compile(regex, flags=re.DOTALL | (re.IGNORECASE if ignoring_case else 0))


def _candidates(filters: Iterable[SourceFilter], column: Column) -> Iterator[JsonValue]:
    """Distinct cells of the column's type around the filters' values, then generated ones."""
    seen: set[JsonValue] = set()
    for value in _wanted(filters, column):
        cell = fitted(value, column)
        if cell is not None and not isinstance(cell, list | dict) and cell not in seen:
            seen.add(cell)
            yield cell


def _wanted(filters: Iterable[SourceFilter], column: Column) -> Iterator[JsonValue]:
    for item in filters:
        if item.operator.endswith("LIKE"):
            yield from _from_pattern(str(item.value))
        elif item.operator not in _UNARY:
            # The values themselves come first: they pass `=`, `IN` and `>=`, and fail `>`.
            yield from item.telling_values
            for value in item.telling_values:
                yield from _neighbours(value, column)
    yield from (generated(column, index) for index in range(2 * _REACH))


def _from_pattern(pattern: str) -> Iterator[JsonValue]:
    for filling in ("", "x", "ab", "Zz9"):
        parts = re.findall(r"\\.|.", pattern, flags=re.DOTALL)
        yield "".join(filling if part == "%" else (filling[:1] or "a") if part == "_" else part[-1] for part in parts)
    yield from ("", "x", "Qq")


def _neighbours(value: JsonValue, column: Column) -> Iterator[JsonValue]:
    """Values next to a filter's value on both sides, the nearest first."""
    edge = comparable(value, column)
    if isinstance(edge, bool):
        yield not edge
    elif isinstance(edge, str):
        yield from (edge + letter for letter in "abcdef")
        yield from (edge[:-1], edge[:-1] + "!", edge.upper(), edge.lower())
    elif isinstance(edge, Decimal):
        for sign in (1, -1):
            for step in range(1, _REACH + 1):
                yield str(edge + sign * step)
                yield str(edge.to_integral_value() + sign * (step - 1))
                yield str(edge + sign * step * Decimal("0.01"))
    elif edge is not None:
        unit = timedelta(minutes=1) if column_family(column) == "time" else timedelta(days=1)
        for sign in (1, -1):
            for step in range(1, _REACH + 1):
                try:
                    yield (edge + sign * step * unit).isoformat()
                except OverflowError:  # the calendar ends with year 9999
                    return
