"""Masking of sample rows for prompts: shape without content, and cells of bounded length."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pydantic import JsonValue

from agent.snapshot import Column, Row
from agent.types import Family, element_type, family

CELL_LIMIT = 200
"""Characters of a cell in a prompt; longer cells are cut."""

_NUMBER = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")
_ZONE = re.compile(r"[+-][\d:]+$|Z$")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


def mask_rows(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """The rows with their types, lengths and magnitudes, but without their content; NULL and booleans stay.

    A cell whose column is not among `columns` is masked by its own JSON type. Raises UnsupportedTypeError.
    """
    families = {column.name: _cell_family(column) for column in columns}
    return tuple({name: _masked(cell, families.get(name)) for name, cell in row.items()} for row in rows)


def _cell_family(column: Column) -> Family:
    """The family of a column's cells; for an array, of its elements."""
    kind = family(column.type, column.name)
    return family(element_type(column.type)) if kind == "array" else kind


def cut_cells(rows: Sequence[Row], limit: int = CELL_LIMIT) -> tuple[Row, ...]:
    """The rows with texts of at most `limit` characters; a cut text ends in `…`.

    A list or an object that is longer as JSON is cut as JSON text.
    """
    return tuple({name: _cut(cell, limit) for name, cell in row.items()} for row in rows)


def _masked(cell: JsonValue, kind: Family | None) -> JsonValue:
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, list):
        return [_masked(item, kind) for item in cell]
    if isinstance(cell, dict):
        return {_masked_text(name): _masked(item, None) for name, item in cell.items()}
    if isinstance(cell, int | float):
        # Infinity and NaN hold no digits and stay.
        return type(cell)(_one_digit(str(cell)))
    if kind in ("integer", "decimal", "float") and _NUMBER.fullmatch(cell):
        return _one_digit(cell)
    if kind in ("date", "timestamp"):
        return _masked_moment(cell)
    if kind in ("time", "uuid", "binary"):
        return _zeros(cell)
    return _masked_text(cell)


def _zeros(text: str) -> str:
    r"""A time, uuid or bytea with zeros, still valid for its type: `00:00:00`, `\x0000`."""
    mark = "\\x" if text.startswith("\\x") else ""
    return mark + "".join("0" if letter.isalnum() else letter for letter in text[len(mark) :])


def _one_digit(number: str) -> str:
    """The number rounded down to one digit: `-1234.56` becomes `-1000.00`; 996 rounded up overflows numeric(3,0)."""
    mantissa, mark, exponent = number.lower().partition("e")
    first = re.search("[1-9]", mantissa)
    kept = first.end() if first else 0
    return mantissa[:kept] + re.sub(r"\d", "0", mantissa[kept:]) + mark + exponent


def _masked_moment(text: str) -> str:
    """The year and the shape of a moment: `2013-05-17T08:30:00+00:00` becomes `2013-01-01T00:00:00+00:00`."""
    match = _DATE.match(text)
    if match is None:
        return _masked_text(text)
    clock, zone = _ZONE.split(text[match.end() :], maxsplit=1)[0], "".join(_ZONE.findall(text[match.end() :]))
    return f"{text[:4]}-01-01" + re.sub(r"\d", "0", clock) + zone


def _masked_text(text: str) -> str:
    return "".join(_masked_letter(letter) for letter in text)


def _masked_letter(letter: str) -> str:
    if letter.isdecimal():
        return "9"
    if letter.isalpha():
        return "A" if letter.isupper() else "a"
    return letter


def _cut(cell: JsonValue, limit: int) -> JsonValue:
    if isinstance(cell, list | dict):
        text = json.dumps(cell, ensure_ascii=False)
        return _cut(text, limit) if len(text) > limit else cell
    if isinstance(cell, str) and len(cell) > limit:
        return cell[: limit - 1] + "…"
    return cell
