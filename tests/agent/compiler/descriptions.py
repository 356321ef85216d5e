"""Descriptions beside the fields that they narrate, from `tests/data/descriptions.txt`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.compiler.narration.carried import evidence_of
from agent.compiler.narration.descriptions import NamesInPassing, unsaid_words
from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    Deduplication,
    DerivedColumn,
    Entries,
    Frame,
    JoinCondition,
    Located,
    SelectItem,
    SortItem,
    SqlCondition,
    WindowEntry,
    located,
)

_DATA = Path(__file__).parents[2] / "data" / "descriptions.txt"


@dataclass(frozen=True)
class Description:
    """A text, the fields beside it, and the words that no field carries."""

    fields: str
    kind: str
    text: str
    unread: tuple[str, ...]

    def found(self) -> list[str]:
        """The words that the reader finds unread."""
        fields = json.loads(self.fields)
        step = "" if self.kind == "column" else self.kind
        names = NamesInPassing(("result",), frozenset(fields["columns"]))
        return unsaid_words(self.text, evidence_of(entries(fields)), names, step)


def descriptions() -> Iterator[Description]:
    """The descriptions in the order of the file."""
    fields = ""
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            fields = line
        elif " | " in line and not line.startswith("#"):
            kind, _, rest = line.partition(" | ")
            text, _, words = rest.partition(" >> ")
            unread = tuple(word.strip() for word in words.split(" / ") if word.strip())
            yield Description(fields, kind, text, unread)


def entries(fields: dict[str, Any]) -> Entries:
    """The elements of a line of fields."""
    found = Entries()
    group_by = tuple(fields.get("group_by", ()))
    found.joins = located("specs.join_conditions", [_join(*one) for one in fields.get("joins", ())])
    found.filters = located("specs.filters", [_filter(one) for one in fields.get("filters", ())])
    aggregations = [_aggregation(group_by, *one) for one in fields.get("aggregations", ())]
    found.aggregations = located("specs.aggregations", aggregations)
    derived = [DerivedColumn(name, expression) for name, expression in fields.get("derived", {}).items()]
    found.derived = located("specs.derived_columns", derived)
    found.windows = located("specs.windows", [_window(*one) for one in fields.get("windows", ())])
    if "sort" in fields:
        found.sort = [Located("specs.sort", _order(fields["sort"]))]
    if "limit" in fields:
        found.limit = [Located("specs.limit", (fields["limit"], False))]
    if "dedup" in fields:
        keys, order = fields["dedup"]
        found.deduplications = [Located("specs.dedup", Deduplication(tuple(keys), _order(order)))]
    if "select" in fields:
        found.select = [Located("specs.select", tuple(SelectItem(name) for name in fields["select"]))]
    found.distinct = fields.get("distinct", False)
    return found


def _join(left: str, right: str, kind: Any, left_column: str, right_column: str) -> JoinCondition:
    return JoinCondition(left, right, kind, (), left_column, right_column)


def _filter(written: Any) -> Condition:
    return SqlCondition(written) if isinstance(written, str) else Comparison(*written)


def _aggregation(group_by: tuple[str, ...], function: Any, column: str, alias: str, where: str = "") -> Aggregation:
    return Aggregation(function, column, alias, group_by, SqlCondition(where) if where else None)


def _window(function: str, name: str, column: str, keys: list[str], order: list[str], rows: int = 0) -> WindowEntry:
    frame = Frame("rows", -rows, 0) if rows else None
    offset = 1 if function in ("lag", "lead") else 0
    return WindowEntry(function, name, column, tuple(keys), _order(order), offset, None, frame)


def _order(items: list[str]) -> tuple[SortItem, ...]:
    return tuple(SortItem(item.split()[0], item.endswith(" DESC"), False) for item in items)
