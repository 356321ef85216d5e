"""Cells of sample rows: values generated for a column, and values converted to a column's type without loss.

A cell is JSON: integers and floats are numbers, arrays are lists, other types PostgreSQL's text.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation, localcontext
from functools import lru_cache

from pydantic import JsonValue

from agent.sampling.special_values import fitted_special, generated_special
from agent.snapshot import Column
from agent.types import Family, canonical, element_type, family, spark_type

_INTEGER_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_REAL_MAX = 3.4028234e38
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Dates that break naive parsing: one-digit months and days, both ends of a year, a leap day.
_DAYS = (
    "2013-02-03", "2012-12-31", "2013-01-01", "2024-02-29", "2013-10-09", "2013-03-10", "2013-11-30", "2014-06-05",
)  # fmt: skip
_TIMES = ("04:05:06", "23:59:59", "00:00:00", "12:30:00", "01:02:03", "09:00:07", "17:45:10")
# First value and count by column name: make_date(year, month, day) gives NULL for other numbers.
_CALENDAR = {"year": (2013, 2), "month": (1, 12), "day": (1, 28), "hour": (0, 24), "minute": (0, 60), "second": (0, 60)}
_ONE_DIGIT_DATE = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?=$|[ T])")


@lru_cache(maxsize=1024)
def column_family(column: Column) -> Family:
    """The family of a column's type. Raises UnsupportedTypeError, naming the column."""
    return family(column.type, column.name)


@lru_cache(maxsize=1024)
def element_column(column: Column) -> Column:
    """The elements of an array as a column of their own."""
    return column.model_copy(update={"type": element_type(column.type)})


def precision_and_scale(column: Column) -> tuple[int, int]:
    """Precision and scale of a numeric column's values: (5, 2) for `numeric(5,2)`, (38, 18) for `numeric`."""
    precision, scale = spark_type(column.held or column.type, column.name)[len("decimal(") : -1].split(",")
    return int(precision), int(scale)


def length_limit(column: Column) -> int | None:
    """The n of `char(n)` and `varchar(n)`; None for text without a limit."""
    base = canonical(column.type)
    if "(" in base:
        return int(base.split("(")[1][:-1])
    return 1 if base == "character" else None


def generated(column: Column, index: int) -> JsonValue:
    """The value in row `index` of a column without samples; deterministic, never NULL."""
    kind = column_family(column)
    if kind == "integer":
        return _integer(column, index)
    if kind == "decimal":
        return _decimal(column, index)
    if kind == "float":
        return index + 1.5
    if kind == "boolean":
        return index % 2 == 0
    if kind == "array":
        return [generated(element_column(column), index + place) for place in range(2)]
    if kind == "time":
        return _TIMES[index % len(_TIMES)]
    if kind in ("uuid", "json", "enum", "binary"):
        return generated_special(column, kind, index)
    day = _DAYS[index % len(_DAYS)]
    if kind == "date":
        return _later(day, index // len(_DAYS))
    if kind == "timestamp":
        return fitted(f"{_later(day, index // len(_DAYS))}T{_TIMES[index % len(_TIMES)]}", column)
    return _text(column, index)


def _integer(column: Column, index: int) -> int:
    first, count = _CALENDAR.get(column.name.lower(), (1, 2**15 - 2))
    return first + index % count


def _decimal(column: Column, index: int) -> str:
    precision, scale = precision_and_scale(column)
    shown = min(scale, 2) if canonical(column.type) == "numeric" else scale
    fraction = index * 37 % 10**shown
    unscaled = ((index + 1) * 10**shown + fraction) % 10**precision
    return format(Decimal(unscaled).scaleb(-shown), "f")


def _later(day: str, years: int) -> str:
    moved = date.fromisoformat(day)
    # 1 March replaces the leap day in other years.
    shift = moved.replace(month=3, day=1) if (moved.month, moved.day) == (2, 29) and years % 4 else moved
    return shift.replace(year=1 + (shift.year + years - 1) % 9999).isoformat()


def _text(column: Column, index: int) -> str:
    limit = length_limit(column)
    text = f"{column.name}_{index + 1}"
    if limit is None or len(text) <= limit:
        return text.ljust(padding(column))
    digits = _base36(index + 1)[-limit:]
    return column.name[: limit - len(digits)] + digits


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def fitted(value: JsonValue, column: Column) -> JsonValue:
    """The value as a cell of this column, or None when the column's type cannot hold it without loss."""
    kind = column_family(column)
    if value is None:
        return None
    if kind == "array":
        return _as_list(value, column)
    if kind in ("time", "uuid", "json", "enum", "binary"):
        return fitted_special(value, column, kind)
    if isinstance(value, list | dict):
        return None
    if kind == "boolean":
        return _as_boolean(value)
    if isinstance(value, bool):
        return None
    if kind == "string":
        return _as_text(value, column)
    if kind in ("date", "timestamp"):
        return _as_moment(value, column, kind)
    number = _number(value)
    return None if number is None else _as_number(number, column, kind)


def _as_list(value: JsonValue, column: Column) -> JsonValue:
    if not isinstance(value, list):
        return None
    element = element_column(column)
    cells = [fitted(item, element) for item in value]
    lost = any(cell is None and item is not None for cell, item in zip(cells, value, strict=True))
    return None if lost else cells


def _as_boolean(value: JsonValue) -> bool | None:
    if isinstance(value, bool):
        return value
    words = {"true": True, "t": True, "false": False, "f": False}
    return words.get(value.strip().lower()) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def padding(column: Column) -> int:
    """The n of `char(n)`, whose values PostgreSQL sends padded to n characters; 0 for any other type."""
    base = canonical(column.type).split("(")[0]
    return (length_limit(column) or 0) if base == "character" else 0


def _as_text(value: str | int | float, column: Column) -> str | None:
    text, limit, padded = str(value), length_limit(column), padding(column)
    if padded:
        text = text.rstrip(" ").ljust(padded)
    # PostgreSQL stores no NUL character, and a lone surrogate is not UTF-8.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return None
    return text if limit is None or len(text) <= limit else None


def _as_moment(value: str | int | float, column: Column, kind: Family) -> str | None:
    moment = _moment(value)
    if moment is None:
        return None
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    if kind == "date":
        return naive.date().isoformat() if naive.time() == datetime.min.time() else None
    return naive.isoformat() + ("+00:00" if canonical(column.type) == "timestamp with time zone" else "")


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    padded = _ONE_DIGIT_DATE.sub(lambda m: f"{m[1]}-{m[2]:0>2}-{m[3]:0>2}", value.strip())
    # fromisoformat also reads `20130102` and `2013-W01-1`, which are texts here.
    if not re.match(r"^\d{4}-\d\d-\d\d", padded):
        return None
    try:
        moment = datetime.fromisoformat(padded)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    # 1e999999 would be written out in a million digits.
    return number if number.is_finite() and abs(number.adjusted()) < 400 else None


def _as_number(number: Decimal, column: Column, kind: Family) -> JsonValue:
    if kind == "integer":
        limit = _INTEGER_LIMITS[canonical(column.type)]
        return int(number) if number == number.to_integral_value() and -limit <= number < limit else None
    if kind == "float":
        as_float = float(number)
        top = _REAL_MAX if canonical(column.type) == "real" else math.inf
        return as_float if math.isfinite(as_float) and abs(as_float) <= top else None
    return _as_decimal(number, column)


def _as_decimal(number: Decimal, column: Column) -> str | None:
    precision, scale = precision_and_scale(column)
    with localcontext(prec=500):
        exact = number.quantize(Decimal(1).scaleb(-scale)) + 0
        if exact != number or (exact and exact.adjusted() >= precision - scale):
            return None
        as_written = canonical(column.type) == "numeric" and -int(number.as_tuple().exponent) <= scale
        return format(number + 0 if as_written else exact, "f")


Comparable = Decimal | str | bool | datetime


def comparable(value: JsonValue, column: Column) -> Comparable | None:
    """The value in the form that filters on this column compare; None when it has none."""
    kind = column_family(column)
    if value is None or isinstance(value, list | dict) or kind in ("array", "json"):
        return None
    if kind == "boolean":
        return _as_boolean(value)
    if kind == "time":
        return _moment(f"1970-01-01T{fitted(value, column)}")
    if kind in ("uuid", "enum", "binary"):
        cell = fitted(value, column)
        return cell if isinstance(cell, str) else None
    if kind == "string":
        return str(value).rstrip(" ") if padding(column) else str(value)
    if isinstance(value, bool):
        return None
    if kind in ("date", "timestamp"):
        moment = _moment(value)
        return moment.replace(tzinfo=None) if moment else None
    return _number(value)
