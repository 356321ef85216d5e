"""Cells of types that Spark reads as other types: time, uuid, json, enum and bytea."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import time

from pydantic import JsonValue

from agent.snapshot import Column
from agent.types import Family

# A time of day, with or without the day on which Spark shows it (1970-01-01); whole seconds, as Spark shows no others.
_TIME = re.compile(r"(?:1970-01-01[ T])?(\d\d:\d\d(?::\d\d(?:\.0{1,6})?)?)")
_HEX = re.compile(r"\\x(?:[0-9a-fA-F]{2})*")


def generated_special(column: Column, kind: Family, index: int) -> JsonValue:
    """The value in row `index` of such a column without samples."""
    if kind == "uuid":
        return str(uuid.UUID(int=index + 1))
    if kind == "json":
        return json.dumps({column.name: index + 1})
    if kind == "binary":
        return f"\\x{index + 1:08x}"
    return column.labels[index % len(column.labels)] if column.labels else f"{column.name}_{index + 1}"


def fitted_special(value: JsonValue, column: Column, kind: Family) -> JsonValue:
    """The value as a cell of such a column, or None when its type cannot hold it; only json holds objects."""
    if kind == "json" and not isinstance(value, str):
        return json.dumps(value)
    # PostgreSQL stores no NUL character, and a lone surrogate is not UTF-8.
    if not isinstance(value, str) or any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
        return None
    if kind == "enum":
        return value if value in column.labels or not column.labels else None
    return _CELLS[kind](value.strip())


def _as_json(text: str) -> str | None:
    try:
        json.loads(text)
    except ValueError:
        return None
    return text


def _as_time(text: str) -> str | None:
    match = _TIME.fullmatch(text)
    try:
        return time.fromisoformat(match[1]).isoformat() if match else None
    except ValueError:
        return None


def _as_uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def _as_binary(text: str) -> str | None:
    return text.lower() if _HEX.fullmatch(text) else None


_CELLS: dict[Family, Callable[[str], str | None]] = {
    "time": _as_time,
    "uuid": _as_uuid,
    "json": _as_json,
    "binary": _as_binary,
}
