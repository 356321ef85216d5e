"""Conversion of sample rows from JSON to Parquet files in a table's Spark types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from agent.errors import InvalidRequestError, Problem
from tools.records import SampleTable

_DECIMAL = re.compile(r"^decimal\((\d+),\s*(\d+)\)$")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d")
_MILLISECONDS_FROM = 1e11
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


def write_samples(path: Path, name: str, table: SampleTable) -> None:
    """Write the rows to a Parquet file with columns named c0, c1 …; a column that a row lacks is NULL.

    Raises InvalidRequestError with one problem for each value that its column's type does not take.
    """
    problems: list[Problem] = []
    arrays = {}
    for i, (column, spark_type) in enumerate(table.columns):
        arrow_type, convert = _converter(spark_type)
        values = []
        for number, row in enumerate(table.rows):
            value = row.get(column)
            try:
                values.append(None if value is None else convert(value))
            except (ValueError, TypeError, OverflowError, OSError, InvalidOperation):
                where = f"source_data_samples.{name}[{number}].{column}"
                problems.append(Problem(where, f"{json.dumps(value)} is no value of type {spark_type}"))
                values.append(None)
        arrays[f"c{i}"] = pa.array(values, arrow_type)
    if problems:
        raise InvalidRequestError(problems)
    pq.write_table(pa.table(arrays), path)


def _converter(spark_type: str) -> tuple[pa.DataType, Callable[[JsonValue], object]]:
    """The Arrow type of a Spark type, and a function that converts a JSON value or raises."""
    if spark_type.startswith("array<"):
        element_type, element = _converter(spark_type[6:-1])
        return pa.list_(element_type), lambda value: _list(value, element)
    decimal = _DECIMAL.match(spark_type)
    if decimal:
        precision, scale = int(decimal[1]), int(decimal[2])
        return pa.decimal128(precision, scale), lambda value: _decimal(value, precision, scale)
    return _CONVERTERS[spark_type]


def _list(value: JsonValue, element: Callable[[JsonValue], object]) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(value)
    return [None if item is None else element(item) for item in value]


def _integer(bits: int) -> Callable[[JsonValue], int]:
    def convert(value: JsonValue) -> int:
        number = Decimal(_number_text(value))
        if number != number.to_integral_value() or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(value)
        return int(number)

    return convert


def _decimal(value: JsonValue, precision: int, scale: int) -> Decimal:
    """The number, rounded half up to the scale as PostgreSQL does on insert. Raises for one with too many digits."""
    number = Decimal(_number_text(value))
    if not number.is_finite():
        raise ValueError(value)
    return number.quantize(Decimal(1).scaleb(-scale), context=Context(precision, ROUND_HALF_UP))


def _float(value: JsonValue) -> float:
    return float(_number_text(value))


def _number_text(value: JsonValue) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    return str(value).strip()


def _boolean(value: JsonValue) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _timestamp(value: JsonValue) -> datetime:
    """ISO 8601, in UTC without a zone; a number is seconds since 1970, from 1e11 on milliseconds.

    A time of day gets the date 1970-01-01, as in Spark.
    """
    if isinstance(value, str):
        text = value.strip()
        moment = datetime.fromisoformat(f"1970-01-01T{text}" if _TIME_OF_DAY.fullmatch(text) else text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS_FROM else value, UTC)


def _binary(value: JsonValue) -> bytes:
    r"""Bytes of PostgreSQL's text form, `\x00ff`."""
    if not isinstance(value, str) or not value.startswith("\\x"):
        raise ValueError(value)
    return bytes.fromhex(value[2:])


def _date(value: JsonValue) -> date:
    return _timestamp(value).date()


def _string(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text.encode()  # half a surrogate pair is valid JSON, but no valid text
    return text


_CONVERTERS: dict[str, tuple[pa.DataType, Callable[[JsonValue], object]]] = {
    "smallint": (pa.int16(), _integer(16)),
    "int": (pa.int32(), _integer(32)),
    "bigint": (pa.int64(), _integer(64)),
    "float": (pa.float32(), _float),
    "double": (pa.float64(), _float),
    "boolean": (pa.bool_(), _boolean),
    "date": (pa.date32(), _date),
    "timestamp": (pa.timestamp("us", tz="UTC"), _timestamp),
    "string": (pa.string(), _string),
    "binary": (pa.binary(), _binary),
}
