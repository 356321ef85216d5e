"""Key pools: for each class of joined columns, values that every member's type can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from pydantic import JsonValue

from agent.sampling.filters import SourceFilter, satisfying, violating
from agent.sampling.join_keys import KeyClass, Member
from agent.sampling.made_values import fitted, generated
from agent.snapshot import Column

POOL = 6
"""Count of matching keys per class.

It is smaller than a table's row count, so that some key comes twice in every table, and even, so that two listings of
one table can alternate.
"""

_SEARCHED = 60
"""Generated candidates per column."""

_FILTERS = 60
"""Filters that keys are made of one by one, and that get a key which fails only them."""

Cells = Mapping[Member, JsonValue]
"""A key in each member's type: 5, `5.00` and the text `5`."""


@dataclass(frozen=True)
class Pool:
    """The keys of a class's members, row by row."""

    key_class: KeyClass
    values: Mapping[Member, Sequence[JsonValue]]
    """Cycle of keys per member; the members hold the same key at the same position where filters allow it."""
    broken: Mapping[int, Cells]
    """Key that fails a filter on a member, by the filter's position."""
    unmatched: Cells
    """Key per member that no other member holds; a member of a small type may lack one."""

    def cell(self, member: Member, row: int) -> JsonValue:
        """The key in a row."""
        values = self.values[member]
        return values[row % len(values)]


def make_pool(
    key_class: KeyClass, columns: Mapping[Member, Column], lead: Sequence[JsonValue], filters: Sequence[SourceFilter]
) -> Pool | None:
    """The pool of a class whose first column holds `lead`; None when no value fits the types of all columns."""
    columns = {member: columns[member] for member in key_class.members}
    # `key IS NULL` after an outer join selects rows without a partner: no key can pass it.
    filters = [item for item in filters if item.member in columns and item.operator != "IS NULL"]
    keys = list(_keys(columns, lead, filters))
    if not keys:
        return None
    chosen = _matching_keys(key_class, columns, lead, keys, filters)
    values = {m: [cells[m] for cells in chosen] for m in columns} if chosen else _separate_keys(columns, keys, filters)
    broken = {item.position: cells for item in filters[:_FILTERS] if (cells := _failing_key(item, filters, columns))}
    return Pool(key_class, values, broken, _unmatched(columns, keys, filters, values, broken))


def _in_all_types(value: JsonValue, columns: Mapping[Member, Column]) -> Cells | None:
    cells = {member: fitted(value, column) for member, column in columns.items()}
    # Lists cannot be members of a set: array keys stay as they are.
    return None if any(cell is None or isinstance(cell, list) for cell in cells.values()) else cells


def _keys(
    columns: Mapping[Member, Column], lead: Sequence[JsonValue], filters: Sequence[SourceFilter]
) -> Iterator[Cells]:
    """Keys that all members can hold, distinct in every member; those of the leading column come first."""
    seen: set[tuple[Member, JsonValue]] = set()
    for value in _distinct(_candidates(columns, lead, filters)):
        cells = _in_all_types(value, columns)
        if cells is not None and not seen & set(cells.items()):
            seen |= set(cells.items())
            yield cells


def _candidates(
    columns: Mapping[Member, Column], lead: Sequence[JsonValue], filters: Sequence[SourceFilter]
) -> Iterator[JsonValue]:
    yield from lead
    of_member: dict[Member, list[SourceFilter]] = {}
    for item in filters:
        of_member.setdefault(item.member, []).append(item)
    for member, own in of_member.items():
        yield from satisfying(own, columns[member])
    for item in filters[:_FILTERS]:
        yield from satisfying([item], item.column)
        yield from violating(item, [], item.column)
    for column in columns.values():
        yield from (generated(column, index) for index in range(_SEARCHED))


def _distinct(values: Iterable[JsonValue]) -> Iterator[JsonValue]:
    """Each value once, without lists: arrays are no keys."""
    seen: set[tuple[type, JsonValue]] = set()
    for value in values:
        # True, 1 and 1.0 are equal, and fit different types.
        if not isinstance(value, list | dict) and (type(value), value) not in seen:
            seen.add((type(value), value))
            yield value


def _passes(cells: Cells, filters: Iterable[SourceFilter]) -> bool:
    return all(item.passes(cells[item.member]) for item in filters)


def _matching_keys(
    key_class: KeyClass,
    columns: Mapping[Member, Column],
    lead: Sequence[JsonValue],
    keys: Sequence[Cells],
    filters: Sequence[SourceFilter],
) -> list[Cells]:
    good = [cells for cells in keys if _passes(cells, filters)]
    if not key_class.composite:
        return good[:POOL]
    # Composite keys: row by row as the leading table holds them, repeats included, so that whole rows match.
    rows = [cells for value in lead[:POOL] if (cells := _in_all_types(value, columns)) and _passes(cells, filters)]
    return rows or good[:POOL]


def _separate_keys(
    columns: Mapping[Member, Column], keys: Sequence[Cells], filters: Sequence[SourceFilter]
) -> dict[Member, list[JsonValue]]:
    """Keys when none passes all filters: filtered columns take their own, the others all of these in turn."""
    groups: dict[tuple[Member, str], list[SourceFilter]] = {}
    for item in filters:
        groups.setdefault((item.member, item.source), []).append(item)
    passing = {name: [c for c in keys if _passes(c, group)][: POOL // 2] for name, group in groups.items()}
    values = {}
    for member in columns:
        own = _in_turn([cells for name, cells in passing.items() if name[0] == member])
        values[member] = [cells[member] for cells in own or _in_turn(list(passing.values())) or keys[:POOL]]
    return values


def _in_turn(lists: Sequence[Sequence[Cells]]) -> list[Cells]:
    return [cells for row in zip_longest(*lists) for cells in row if cells is not None]


def _failing_key(item: SourceFilter, filters: Sequence[SourceFilter], columns: Mapping[Member, Column]) -> Cells | None:
    others = [other for other in filters if other is not item and other.member == item.member]
    spread = (_in_all_types(value, columns) for value in violating(item, others, item.column))
    return next((cells for cells in spread if cells is not None), None)


def _unmatched(
    columns: Mapping[Member, Column],
    keys: Sequence[Cells],
    filters: Sequence[SourceFilter],
    values: Mapping[Member, Sequence[JsonValue]],
    broken: Mapping[int, Cells],
) -> Cells:
    taken = {(member, cell) for member, cells in values.items() for cell in cells}
    taken |= {item for cells in broken.values() for item in cells.items()}
    free = [cells for cells in keys if not taken & set(cells.items())]
    unmatched: dict[Member, JsonValue] = {}
    for member in columns:
        own = [item for item in filters if item.member == member]
        free.sort(key=lambda cells: not _passes(cells, own))
        for cells in islice(free, 1):
            unmatched[member] = cells[member]
            free.remove(cells)
    return unmatched
