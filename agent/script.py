"""The script: the complete Glue job around a `transform`."""

from __future__ import annotations

import pprint
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UnsupportedTypeError
from agent.request import Request
from agent.sanitizing.policy import checked_texts
from agent.snapshot import Column, Snapshot, Source
from agent.sql_identifiers import quote_name
from agent.types import canonical, family, spark_type
from agent.used_columns import columns_read
from prompts import fill

_TEMPLATE = Path(__file__).with_name("job_template.txt")

PARALLEL_FROM = 1_000_000
"""Rows, by PostgreSQL's estimate, above which Glue reads a source in parallel, where a key allows it."""

JobColumn = tuple[str, str | None, str, bool]
"""Name, Spark type (None: as computed), PostgreSQL type as `canonical` gives it, required."""


@dataclass(frozen=True)
class Script:
    """A complete Glue job."""

    text: str
    transform_line: int
    """1-based line of the script on which `transform` begins."""
    transform_lines: int

    def line_in_transform(self, script_line: int | None) -> int | None:
        """The line of the transform for a line of the script; None outside the transform."""
        if script_line is None:
            return None
        line = script_line - self.transform_line + 1
        return line if 1 <= line <= self.transform_lines else None


def assemble(transform: str, request: Request, snapshot: Snapshot, connection: str) -> Script:
    """The Glue job for a transform. Raises UnsupportedTypeError for a source or target column."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    body = transform.strip("\n")
    wanted = target_columns(request, snapshot)
    names = dict.fromkeys(column.name for source in snapshot.sources for column in source.columns)
    read = columns_read(body, names, [name for name, *_ in wanted])
    text = fill(
        template,
        target_literal=" ".join(snapshot.target.name.split()).replace("\\", "/").replace('"', "'"),
        transform=body + "\n",
        connection=repr(connection),
        sources=_literal([_source(source, read) for source in snapshot.sources]),
        table_names=_literal(_table_names(snapshot)),
        columns=_literal(wanted),
        checked_texts=_literal(checked_texts(body)),
    )
    before = text.index(body)
    return Script(text, text.count("\n", 0, before) + 1, body.count("\n") + 1)


def target_columns(request: Request, snapshot: Snapshot) -> list[JobColumn]:
    """The target's columns, in order: the specification's list, else the existing target's columns, else empty.

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


def _read_column(column: Column) -> JobColumn:
    """A column that is read. Of a numeric whose digits are known, the PostgreSQL type is the one that holds them."""
    name, spark, sql_type, required = _job_column(column.name, column.type, True)
    return (name, spark, column.held or sql_type, required)


def _source(source: Source, read: frozenset[str] | None) -> tuple[str, str, str | None, list[JobColumn]]:
    """Key, relation, the column for a parallel read, and the columns that are read: at least one."""
    kept = source.columns if read is None else [c for c in source.columns if c.name in read] or source.columns[:1]
    columns = [_read_column(c) for c in kept]
    return source.key, source.relation or source.table, parallel_by(source), columns


def parallel_by(source: Source) -> str | None:
    """The key column for a parallel read of a large source: unique, never NULL, and plain in SQL without quotes.

    It holds numbers or texts: Glue's hash of a uuid or a time is not documented.

    None for a small source, and for one without such a column. A row whose key is NULL would be in no part.
    """
    if (source.rows_estimate or 0) <= PARALLEL_FROM:
        return None
    fit = {c.name for c in source.columns if not c.nullable and family(c.type) in ("integer", "decimal", "string")}
    keys = [key[0] for key in source.unique_keys if len(key) == 1 and key[0] in fit]
    return next((key for key in keys if quote_name(key) == key), None)


def _table_names(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Table names and keys of the tables that are listed once under an alias."""
    times = Counter(s.table for s in snapshot.sources)
    keys = {s.key for s in snapshot.sources}
    once = [s for s in snapshot.sources if times[s.table] == 1]
    return [(s.table, s.key) for s in once if s.table not in keys]


def _literal(value: object) -> str:
    return pprint.pformat(value, width=110, sort_dicts=False)
