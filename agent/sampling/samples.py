"""Rows for the dry run: matching and unmatched join keys, and cells on both sides of every filter.

Ten random rows of each table would join to nothing and pass no filter, and a wrong script would succeed on them.
The rows are deterministic: the same request and snapshot give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from agent.compiler.spec.entries import elements_of
from agent.elements import Entries
from agent.request import Request
from agent.sampling.filters import SourceFilter, satisfying, source_filters, violating
from agent.sampling.join_keys import KeyClass, Member, key_classes
from agent.sampling.key_pools import Pool, make_pool
from agent.sampling.made_values import fitted, generated
from agent.snapshot import Column, Row, Snapshot, Source

_MOST_SAMPLES = 10
_BROKEN_FILTERS = 300
"""Limit of filters that get a row of their own, which fails only them."""
_FULL_ROWS = 8
"""Least rows without NULL per table; generated rows fill up the samples."""


@dataclass(frozen=True)
class _Table:
    name: str
    columns: tuple[Column, ...]
    listings: tuple[str, ...]
    """Keys of the sources that read this table."""
    rows: tuple[Row, ...]
    """Completed samples, then generated rows."""
    sampled: int = 0
    """Count of the rows that come from samples."""

    def generated_row(self, index: int) -> Row:
        return {column.name: generated(column, index) for column in self.columns}


@dataclass(frozen=True)
class _Alignment:
    """Demands of a request's joins and filters on the cells."""

    filters: Mapping[Member, Sequence[SourceFilter]]
    pools: Mapping[Member, Pool] = field(default_factory=dict)
    shifted: frozenset[Member] = frozenset()
    """Second key columns of a table in one class (an origin and a destination): they take the next row's key."""

    def good(self, table: _Table, column: Column, row: int, cell: JsonValue) -> JsonValue:
        """A cell that joins and passes the filters; `cell` itself when it already does."""
        member = (table.name, column.name)
        if member in self.pools:
            return self.pools[member].cell(member, row + (member in self.shifted))
        # Two listings of one table may have contradictory filters: they alternate by row.
        listing = table.listings[row % len(table.listings)]
        filters = [item for item in self.filters.get(member, ()) if item.source == listing]
        if all(item.passes(cell) for item in filters):
            return cell
        cells = satisfying(filters, column)
        return cells[row % len(cells)] if cells else cell

    def failing(self, item: SourceFilter, member: Member, cell: JsonValue) -> JsonValue:
        """The cell of a row that fails one filter; a key fails it in all tables, so that the row still joins."""
        pool = self.pools.get(member)
        if pool is not None and item.member in pool.values:
            return pool.broken.get(item.position, {}).get(member, cell)
        if member != item.member:
            return cell
        others = [other for other in self.filters[member] if other is not item and other.source == item.source]
        cells = violating(item, others, item.column)
        return cells[0] if cells else cell


def sample_tables(request: Request, snapshot: Snapshot) -> dict[str, list[Row]]:
    """The rows of every source table, keyed by table as the specification wrote it.

    The order is: good rows (samples first), which join and pass the filters; one row per filter that fails only it;
    one row per join key without a partner; one row that is NULL in every nullable column.
    """
    tables = _tables(snapshot)
    entries = elements_of(request.specs)
    classes = key_classes(entries, snapshot)
    filters = source_filters(entries, snapshot, classes)
    alignment = _align(tables, filters, classes, circle=_circle(entries, snapshot))
    breaks = [(_turn(item, index, tables), item) for index, item in enumerate(filters[:_BROKEN_FILTERS])]
    return {table.name: _rows(table, alignment, breaks) for table in tables}


def real_rows(request: Request, snapshot: Snapshot) -> dict[str, list[Row]]:
    """The sample rows. Their keys are exchanged for those of other sample rows, so that rows join."""
    tables = [replace(table, rows=table.rows[: table.sampled]) for table in _tables(snapshot)]
    entries = elements_of(request.specs)
    classes = key_classes(entries, snapshot)
    alignment = _align(tables, (), classes, circle=_circle(entries, snapshot))
    return {
        table.name: [_good_row(table, alignment, index, row) for index, row in enumerate(table.rows)]
        for table in tables
    }


def _circle(entries: Entries, snapshot: Snapshot) -> bool:
    """True for a cycle of joins: rows match only if every member holds the same key in the same row."""
    return len(entries.joins) >= len(snapshot.sources)


def _tables(snapshot: Snapshot) -> list[_Table]:
    by_name: dict[str, list[Source]] = {}
    for source in snapshot.sources:
        by_name.setdefault(source.table, []).append(source)
    return [_table(name, sources) for name, sources in by_name.items()]


def _table(name: str, sources: Sequence[Source]) -> _Table:
    columns = sources[0].columns
    samples = next((source.samples for source in sources if source.samples), ())[:_MOST_SAMPLES]
    rows = [_whole(sample, columns, index) for index, sample in enumerate(samples)]
    full = sum(None not in row.values() for row in rows)
    table = _Table(name, columns, tuple(source.key for source in sources), ())
    rows += [table.generated_row(len(samples) + index) for index in range(_FULL_ROWS - full)]
    return _Table(name, columns, table.listings, tuple(rows), len(samples))


def _whole(sample: Row, columns: Sequence[Column], index: int) -> Row:
    row: Row = {}
    for column in columns:
        cell = fitted(sample.get(column.name), column)
        # A sampled NULL stays; a missing column or a value of another type is generated.
        null = column.name in sample and sample[column.name] is None and column.nullable
        row[column.name] = generated(column, index) if cell is None and not null else cell
    return row


def _align(
    tables: Sequence[_Table], filters: Sequence[SourceFilter], classes: Sequence[KeyClass], *, circle: bool
) -> _Alignment:
    columns = {(table.name, column.name): column for table in tables for column in table.columns}
    rows = {table.name: table.rows for table in tables}
    pools: dict[Member, Pool] = {}
    shifted: set[Member] = set()
    for key_class in classes:
        table, column = key_class.members[0]
        lead = [row[column] for row in rows[table] if row[column] is not None]
        pool = make_pool(key_class, columns, lead, filters)
        if pool is not None:
            pools.update(dict.fromkeys(key_class.members, pool))
            shifted |= set() if circle or key_class.composite else _second_members(key_class)
    by_member: dict[Member, list[SourceFilter]] = {}
    for item in filters:
        by_member.setdefault(item.member, []).append(item)
    return _Alignment(by_member, pools, frozenset(shifted))


def _second_members(key_class: KeyClass) -> set[Member]:
    first: dict[str, Member] = {}
    for member in key_class.members:
        first.setdefault(member[0], member)
    return set(key_class.members) - set(first.values())


def _turn(item: SourceFilter, index: int, tables: Sequence[_Table]) -> int:
    """A row number that belongs to the filter's listing, see `good`."""
    listings = next(table.listings for table in tables if table.name == item.member[0])
    return index * len(listings) + listings.index(item.source)


def _rows(table: _Table, alignment: _Alignment, breaks: Sequence[tuple[int, SourceFilter]]) -> list[Row]:
    rows = [_good_row(table, alignment, index, row) for index, row in enumerate(table.rows)]
    made = len(rows)
    for turn, item in breaks:
        row = _good_row(table, alignment, turn, table.generated_row(made + turn))
        rows.append({name: alignment.failing(item, (table.name, name), cell) for name, cell in row.items()})
    for name, cell in _unmatched(table, alignment):
        index = len(rows)
        rows.append({**_good_row(table, alignment, index, table.generated_row(index)), name: cell})
    last = _good_row(table, alignment, len(rows), table.generated_row(len(rows)))
    rows.append({column.name: None if column.nullable else last[column.name] for column in table.columns})
    return rows


def _good_row(table: _Table, alignment: _Alignment, index: int, row: Row) -> Row:
    return {column.name: alignment.good(table, column, index, row[column.name]) for column in table.columns}


def _unmatched(table: _Table, alignment: _Alignment) -> list[tuple[str, JsonValue]]:
    members = [(table.name, column.name) for column in table.columns]
    found = [(member, alignment.pools[member]) for member in members if member in alignment.pools]
    return [(member[1], pool.unmatched[member]) for member, pool in found if member in pool.unmatched]
