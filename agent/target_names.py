"""Names that PostgreSQL would cut: the target's, and those of the columns that it gets."""

from __future__ import annotations

from collections.abc import Iterator

from agent.elements import Entries
from agent.errors import Problem
from agent.request import TargetTable
from agent.snapshot import Target
from agent.sql_identifiers import MAX_BYTES

_TARGET = "specs.target_table"


def long_names(wanted: TargetTable, target: Target, entries: Entries) -> list[Problem]:
    """A problem for each name of over 63 bytes that a new table or its columns would get."""
    found = [(f"{_TARGET}.name", part) for part in wanted.name.split(".")]
    found += [(f"{_TARGET}.columns[{index}].name", column.name) for index, column in enumerate(wanted.columns)]
    if not wanted.columns and not target.exists:
        found += _made(entries)
    return [Problem(path, _told(name)) for path, name in found if not _fits(name)]


def _made(entries: Entries) -> Iterator[tuple[str, str]]:
    """The names that the specification gives to columns, each with its path."""
    yield from ((f"{path}.alias", one.alias) for path, one in entries.aggregations)
    yield from ((f"{path}.name", one.name) for path, one in entries.derived)
    yield from ((f"{path}.alias", one.name) for path, one in entries.windows)


def _fits(name: str) -> bool:
    return len(name.encode()) <= MAX_BYTES


def _told(name: str) -> str:
    return f"{name[:40]!r}… has {len(name.encode())} bytes, and PostgreSQL cuts names after {MAX_BYTES}; shorten it"
