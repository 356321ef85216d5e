"""Rows of a table as JSON values: exact, short, and whatever the types are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import JsonValue

from agent.errors import UnsupportedTypeError
from agent.identifiers import quote_name
from agent.snapshot import Column, Row
from agent.types import Family, canonical, family, spark_type
from tools.database.connection import Connection

CELL = 200
"""Characters of a cell that are kept."""


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
    """Return a caller's sample rows in the same form: the table's columns and no others, null for what is missing."""
    return tuple({column.name: _given(column, row.get(column.name)) for column in columns} for row in rows)


def _family(column: Column) -> Family | None:
    try:
        return family(spark_type(column.type))
    except UnsupportedTypeError:
        return None


def _selected(column: Column) -> str:
    name = quote_name(column.name)
    kind = _family(column)
    if kind in ("integer", "float", "boolean"):
        return name
    if kind == "string":
        # char(n) keeps its padding only uncast; the others may be long and are cut by the server.
        return name if canonical(column.type).startswith("character(") else f"left({name}, {CELL})"
    # As text, because a Python date or Decimal cannot hold `infinity`, the year 12000 or every NaN.
    return f"left({name}::text, {CELL})"


def _cell(column: Column, value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    text = str(value)[:CELL]
    if _family(column) == "timestamp":
        text = text.replace(" ", "T", 1)
        return f"{text}:00" if text.endswith("+00") else text
    return text


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
