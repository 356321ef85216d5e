"""An event before its fields are read: its outer form, its limits, and values that no later step can store."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from agent.errors import InvalidRequestError, Problem
from agent.table_spellings import canonical_specs, is_specification
from agent.validation_messages import kind_of, path_of

EVENT_BYTES = 1_000_000
"""Limit of an event as JSON text in UTF-8."""

LIST_ENTRIES = 1_000
"""Limit of each list of `specs`, such as `filters`."""

IN_VALUES = 10_000
"""Limit of the values of one IN or NOT IN."""

TARGET_COLUMNS = 1_600
"""PostgreSQL's limit of the columns of a table."""

EVENT_KEYS = ("run_id", "specs", "source_schemas", "source_data_samples", "options")
"""The keys of an event; beside a bare specification all others are its own."""

_COLUMN_KEYS = {"column_name": "name", "column": "name", "data_type": "type"}
"""Usual keys of a column's description."""

_DEPTH = 100
"""Limit of lists and objects in each other."""

_Path = tuple[int | str, ...]


def checked_event(event: object) -> dict[str, Any]:
    """The event with its specification under `specs`, and with source schemas in one form.

    A bare specification, which has sources itself, is put there. Raises InvalidRequestError for an event that
    is no object or too large, and for values that JSON or PostgreSQL cannot hold.
    """
    if not isinstance(event, dict):
        raise InvalidRequestError([Problem("event", f"a JSON object is needed, not {kind_of(event)}")])
    if "specs" not in event and is_specification(event):
        outside = {key: event[key] for key in EVENT_KEYS if key in event}
        event = {**outside, "specs": {key: value for key, value in event.items() if key not in outside}}
    if problems := [*_unstorable(event, ())]:
        raise InvalidRequestError(problems)
    if (size := _size(event)) > EVENT_BYTES:
        largest = max(event, key=lambda key: _size(event[key]))
        told = f"has {size:,} bytes, more than {EVENT_BYTES:,}; most are in `{largest}`"
        raise InvalidRequestError([Problem("event", f"{told}: three sample rows a table are enough")])
    if problems := [*_too_long(event.get("specs"))]:
        raise InvalidRequestError(problems)
    schemas = event.get("source_schemas")
    if "specs" in event:
        event = {**event, "specs": canonical_specs(event["specs"], schemas)}
    if isinstance(schemas, dict):
        event = {**event, "source_schemas": {table: _schema(schema) for table, schema in schemas.items()}}
    return event


def _schema(schema: object) -> object:
    """A table's columns as `{"columns": [{"name", "type"}]}`.

    They may be a list, or map names to types, and may have the keys of `information_schema.columns`. Other forms stay
    as they are.
    """
    columns = schema.get("columns", schema) if isinstance(schema, dict) else schema
    if isinstance(columns, dict) and columns and all(isinstance(kind, str) for kind in columns.values()):
        return {"columns": [{"name": name, "type": kind} for name, kind in columns.items()]}
    if not isinstance(columns, list):
        return schema
    whole = schema if isinstance(schema, dict) else {}
    return {**whole, "columns": [_column(column) for column in columns]}


def _column(column: object) -> object:
    if not isinstance(column, dict):
        return column
    spelled = {_COLUMN_KEYS.get(key, key): value for key, value in column.items()}
    return spelled if len(spelled) == len(column) else column


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _unstorable(value: object, at: _Path) -> Iterator[Problem]:
    if len(at) > _DEPTH:
        yield Problem("event", "is nested too deeply")
    elif isinstance(value, str):
        yield from _unstorable_text(value, at)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(path_of(at), "is NaN or Infinity, which JSON has no words for; write null or a text")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, (*at, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unstorable_text(key, at)
            yield from _unstorable(item, (*at, key))


def _unstorable_text(text: object, at: _Path) -> Iterator[Problem]:
    if not isinstance(text, str) or (text.isascii() and "\0" not in text):
        return
    if "\0" in text:
        yield Problem(path_of(at), "holds a NUL character (\\u0000), which PostgreSQL cannot store; remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        # The path itself may hold the key in question.
        path = path_of(at).encode(errors="backslashreplace").decode()
        yield Problem(path, "holds half of a surrogate pair, as `\\ud800`; write the whole character")


def _too_long(specs: object) -> Iterator[Problem]:
    if not isinstance(specs, dict):
        return
    for name, entries in specs.items():
        if isinstance(entries, list) and len(entries) > LIST_ENTRIES:
            told = f"has {len(entries):,} entries, more than {LIST_ENTRIES:,}"
            yield Problem(f"specs.{name}", f"{told}; a view, or a table of values to join, says it shorter")
    target = specs.get("target_table")
    columns = target.get("columns") if isinstance(target, dict) else None
    if isinstance(columns, list) and len(columns) > TARGET_COLUMNS:
        told = f"has {len(columns):,} columns, and a table of PostgreSQL at most {TARGET_COLUMNS:,}"
        yield Problem("specs.target_table.columns", told)
    yield from _long_lists(specs, ("specs",))


def _long_lists(value: object, at: _Path) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _long_lists(item, (*at, key))
    elif isinstance(value, list):
        # The lists right below `specs` have a limit of their own.
        if len(at) > 2 and len(value) > IN_VALUES:
            told = f"has {len(value):,} values, more than {IN_VALUES:,}"
            yield Problem(path_of(at), f"{told}; load them into a table and join it")
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _long_lists(item, (*at, index))
