"""Join keys: the joins of a specification as equivalence classes of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from agent.elements import Entries, JoinCondition
from agent.snapshot import Column, Snapshot, Source
from agent.sql_limits import excess

Member = tuple[str, str]
"""A table and one of its columns."""


@dataclass(frozen=True)
class Place:
    """A column and the listed source that it was found in."""

    source: Source
    column: Column


@dataclass(frozen=True)
class KeyClass:
    """Columns that joins equate, in the order in which the joins name them; the first one leads."""

    members: tuple[Member, ...]
    composite: bool
    """True when a join compares further columns too: keys then match row by row."""


def find_column(snapshot: Snapshot, reference: str, classes: Iterable[KeyClass] = ()) -> Place | None:
    """The source column that `column`, `alias.column` or `table.column` means; None when there are none or several.

    A name in several sources means the first one when a class holds them all, because they are equal.
    """
    qualifier, _, name = reference.rpartition(".")
    places = [
        Place(source, column)
        for source in (sources_named(snapshot, qualifier) if qualifier else snapshot.sources)
        for column in source.columns
        if column.name.lower() == name.lower()
    ]
    found = {(place.source.table, place.column.name) for place in places}
    one = len(found) == 1 or any(found <= set(key_class.members) for key_class in classes)
    return places[0] if places and one else None


def sources_named(snapshot: Snapshot, word: str) -> list[Source]:
    """The sources with this alias; else with this table name, with or without its schema."""
    word = word.lower()
    by_key = [source for source in snapshot.sources if source.key.lower() == word]
    by_table = [source for source in snapshot.sources if source.table.lower() == word]
    return by_key or by_table or [s for s in snapshot.sources if s.table.lower().rpartition(".")[2] == word]


def key_classes(entries: Entries, snapshot: Snapshot) -> list[KeyClass]:
    """The classes of all joins, in the order listed; a column joined only to itself is in none."""
    classes: list[list[Member]] = []
    composite: set[Member] = set()
    for _, join in entries.joins:
        pairs = list(_pairs(join, snapshot))
        for left, right in pairs:
            _unite(classes, left, right)
        if len(pairs) > 1:
            composite.update(member for pair in pairs for member in pair)
    return [KeyClass(tuple(members), bool(composite & set(members))) for members in classes if len(members) > 1]


def _unite(classes: list[list[Member]], left: Member, right: Member) -> None:
    joined: list[Member] = []
    for group in [group for group in classes if left in group or right in group]:
        classes.remove(group)
        joined += group
    joined += [member for member in dict.fromkeys((left, right)) if member not in joined]
    classes.append(joined)


def _pairs(join: JoinCondition, snapshot: Snapshot) -> Iterator[tuple[Member, Member]]:
    left, right = sources_named(snapshot, join.left_table), sources_named(snapshot, join.right_table)
    for left_name, right_name in _named_pairs(join):
        pair = _member(left, left_name), _member(right, right_name)
        if pair[0] is not None and pair[1] is not None:
            yield pair[0], pair[1]
    if join.condition is not None:
        yield from _condition_pairs(join.condition, snapshot, left + right)


def _named_pairs(join: JoinCondition) -> Iterator[tuple[str, str]]:
    yield from ((name, name) for name in join.on_columns)
    if join.left_column and join.right_column:
        yield join.left_column, join.right_column


def _member(sources: Iterable[Source], reference: str) -> Member | None:
    name = reference.rpartition(".")[2].lower()
    members = {(s.table, column.name) for s in sources for column in s.columns if column.name.lower() == name}
    return members.pop() if len(members) == 1 else None


def _condition_pairs(condition: str, snapshot: Snapshot, joined: list[Source]) -> Iterator[tuple[Member, Member]]:
    """The `column = column` parts of a condition; other parts align no rows.

    A condition may be free text for a model: one that cannot be parsed gives no pairs.
    """
    try:
        parts = [] if excess(condition) else list(_conjuncts(parse_one(condition, read="spark")))
    except (SqlglotError, RecursionError):
        return
    for part in parts:
        if isinstance(part, exp.EQ) and isinstance(part.left, exp.Column) and isinstance(part.right, exp.Column):
            left, right = (_column_member(side, snapshot, joined) for side in (part.left, part.right))
            if left is not None and right is not None:
                yield left, right


def _conjuncts(expression: exp.Expr) -> Iterator[exp.Expr]:
    """The operands of AND, in order; iterative, because the tree of `a AND b AND …` is as deep as it is long."""
    waiting = [expression]
    while waiting:
        bare = waiting.pop().unnest()
        if isinstance(bare, exp.And):
            waiting += [bare.right, bare.left]
        else:
            yield bare


def _column_member(column: exp.Column, snapshot: Snapshot, joined: list[Source]) -> Member | None:
    return _member(sources_named(snapshot, column.table) if column.table else joined, column.name)
