"""Assembles the complete Glue job around a `transform`."""

from __future__ import annotations

import pprint
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UnsupportedTypeError
from agent.request import Request
from agent.snapshot import Column, Snapshot, Source
from agent.types import canonical, spark_type
from prompts import fill

_TEMPLATE = Path(__file__).with_name("job_template.txt")

JobColumn = tuple[str, str | None, str, bool]
"""Name, Spark type (None: as it comes), PostgreSQL type as `canonical` gives it, required."""


@dataclass(frozen=True)
class Script:
    """A complete Glue job."""

    text: str
    transform_line: int
    """1-based line of the script on which `transform` begins."""
    transform_lines: int

    def line_in_transform(self, script_line: int | None) -> int | None:
        """A line of the script as a line of the transform; None when it lies outside."""
        if script_line is None:
            return None
        line = script_line - self.transform_line + 1
        return line if 1 <= line <= self.transform_lines else None


def assemble(transform: str, request: Request, snapshot: Snapshot, connection: str) -> Script:
    """The Glue job for a transform. Raises UnsupportedTypeError for a source or target column."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    body = transform.strip("\n")
    text = fill(
        template,
        target_literal=" ".join(snapshot.target.name.split()).replace("\\", "/").replace('"', "'"),
        transform=body + "\n",
        connection=repr(connection),
        sources=_literal([(s.key, s.relation or s.table, _source_columns(s)) for s in snapshot.sources]),
        table_names=_literal(_table_names(snapshot)),
        columns=_literal(target_columns(request, snapshot)),
    )
    before = text.index(body)
    return Script(text, text.count("\n", 0, before) + 1, body.count("\n") + 1)


def target_columns(request: Request, snapshot: Snapshot) -> list[JobColumn]:
    """What the target takes, in order: the specification's list, else the existing target's columns, else empty.

    Without a list, a column with a default or an identity may be left out by the transform, and one of an
    unsupported type is left out by the script.
    """
    existing = {column.name: column for column in snapshot.target.columns}
    listed = request.specs.target_table.columns
    if listed:
        types = [existing[c.name].type if c.name in existing else c.type for c in listed]
        return [_job_column(c.name, sql_type, True) for c, sql_type in zip(listed, types, strict=True)]
    return [_job_column(c.name, c.type, _must_be_given(c)) for c in snapshot.target.columns if _can_be_given(c)]


def _can_be_given(column: Column) -> bool:
    try:
        return bool(spark_type(column.type)) and not column.generated
    except UnsupportedTypeError:
        return False


def _must_be_given(column: Column) -> bool:
    return not (column.has_default or column.identity)


def _job_column(name: str, sql_type: str | None, required: bool) -> JobColumn:
    if sql_type is None:
        return (name, None, "any type", required)
    return (name, spark_type(sql_type, name), canonical(sql_type), required)


def _source_columns(source: Source) -> list[JobColumn]:
    return [_job_column(c.name, c.type, True) for c in source.columns]


def _table_names(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Tables listed once, under another key than their name."""
    tables = [s.table for s in snapshot.sources]
    keys = {s.key for s in snapshot.sources}
    once = [s for s in snapshot.sources if tables.count(s.table) == 1]
    return [(s.table, s.key) for s in once if s.table not in keys]


def _literal(value: object) -> str:
    return pprint.pformat(value, width=110, sort_dicts=False)
