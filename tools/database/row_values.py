"""Rows of a table as JSON values, exact and short, for every type."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import JsonValue

from agent.errors import UnsupportedTypeError
from agent.snapshot import Column, Row
from agent.sql_identifiers import quote_name
from agent.types import Family, canonical, element_type, family
from tools.database.connection import Connection

CELL = 200
"""Characters of a cell; the rest is cut."""
_ELEMENTS = 10
"""Elements of an array; the rest is cut."""


def first_rows(connection: Connection, relation: str, columns: Sequence[Column], rows: int) -> tuple[Row, ...]:
    """Return up to `rows` rows, in the table's own order, of a relation that is quoted for SQL."""
    if rows <= 0 or not columns:
        return ()
    picked = ", ".join(_selected(column) for column in columns)
    found = connection.execute(f"SELECT {picked} FROM {relation} LIMIT {int(rows)}").fetchall()
    return tuple(
        {column.name: _cell(column, value) for column, value in zip(columns, values, strict=True)} for values in found
    )


def given_rows(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """Return a caller's sample rows in the same form: the table's columns alone, null for a missing value."""
    return tuple({column.name: _given(column, row.get(column.name)) for column in columns} for row in rows)


def _family(column: Column) -> Family | None:
    try:
        return family(column.type)
    except UnsupportedTypeError:
        return None


def _selected(column: Column) -> str:
    name = quote_name(column.name)
    kind = _family(column)
    if kind in ("integer", "float", "boolean"):
        return name
    if kind == "string":
        # A cast would drop the padding of char(n); the other types may be long, and the server cuts them.
        return name if canonical(column.type).startswith("character(") else f"left({name}, {CELL})"
    if kind == "array":
        # Each element is cut for itself: one long text would leave nothing of the others.
        first = f"unnest(({name}[:])[1:{_ELEMENTS}]) WITH ORDINALITY AS u(e, n)"
        return f"CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT left(e::text, {CELL}) FROM {first} ORDER BY n) END"
    # As text, because a Python date or Decimal cannot hold `infinity`, the year 12000 or every NaN.
    return f"left({name}::text, {CELL})"


def _cell(column: Column, value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list):
        element = Column(name=column.name, type=element_type(column.type))
        return [None if item is None else _element(element, item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    text = str(value)[:CELL]
    if _family(column) == "timestamp":
        text = text.replace(" ", "T", 1)
        return f"{text}:00" if text.endswith("+00") else text
    return text


def _element(column: Column, text: str) -> JsonValue:
    """An element of an array, which comes as text."""
    kind = _family(column)
    if kind == "boolean":
        return text == "true"
    if kind == "integer":
        return int(text)
    return _cell(column, float(text) if kind == "float" else text)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _given(column: Column, value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return value[:CELL]
    if _family(column) == "decimal" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value
