"""A dry run's backend: sources are Parquet files of sample rows, the result goes to `result.json`.

`tables.json` in the directory maps each `dbtable` to `{"file", "columns": [[name, Spark type]], "rows"}`;
the file's own columns are named c0, c1 … so that any name does.
"""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from ._backend import RelationNotFoundError
from ._broken import DryRunBrokenError

_SAMPLE_ROWS = 20
_ONE_FETCH = 1000
_MAX_CHARACTERS = 16 * 1024**2
"""Limit of a result with sample rows: the process that reads it has no memory limit as this one has."""
_TIMES = (T.DateType, T.TimestampType, T.TimestampNTZType)


class SampleTables:
    """Sample tables in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with _bookkeeping():
            self._tables = json.loads((directory / "tables.json").read_text(encoding="utf-8"))

    def read(self, spark: SparkSession, options: Mapping[str, str]) -> DataFrame | None:
        """The sample rows of `dbtable`."""
        relation = options["dbtable"]
        if relation not in self._tables:
            raise RelationNotFoundError(relation)
        table = self._tables[relation]
        if table["rows"] == 0:
            return None
        schema = ", ".join(f"c{i} {spark_type}" for i, (_, spark_type) in enumerate(table["columns"]))
        frame = spark.read.schema(schema).parquet(str(self._directory / table["file"]))
        return frame.toDF(*(name for name, _ in table["columns"]))

    def write(self, frame: DataFrame, options: Mapping[str, str]) -> None:
        """Keep columns, row count and the first rows."""
        fields = frame.schema.fields
        with _bookkeeping():
            head = _readable(frame).take(_ONE_FETCH + 1)
            result = {
                "columns": [[field.name, field.dataType.simpleString()] for field in fields],
                "rows": len(head) if len(head) <= _ONE_FETCH else frame.count(),
                "sample": [
                    [json_value(cell, field.dataType) for cell, field in zip(row, fields, strict=True)]
                    for row in head[:_SAMPLE_ROWS]
                ],
            }
            text = json.dumps(result)
            if len(text) > _MAX_CHARACTERS:
                text = json.dumps(result | {"sample": []})
            (self._directory / "result.json").write_text(text, encoding="utf-8")


@contextmanager
def _bookkeeping() -> Iterator[None]:
    """Pass Spark's errors of the script's plan on; every other error is the dry run's own, DryRunBrokenError."""
    try:
        yield
    except (CapturedException, Py4JError):
        raise
    except Exception as error:
        raise DryRunBrokenError(f"{type(error).__name__}: {error}") from error


def _readable(frame: DataFrame) -> DataFrame:
    """The rows with dates and times as text: Python's range, years 1 to 9999, is smaller than Spark's."""
    columns = []
    # Columns are renamed, because a script's names may be ambiguous.
    for i, field in enumerate(frame.schema.fields):
        kind = _as_text(field.dataType)
        columns.append(F.col(f"c{i}") if kind == field.dataType else F.col(f"c{i}").cast(kind))
    return frame.toDF(*(f"c{i}" for i in range(len(columns)))).select(columns)


def _as_text(kind: T.DataType) -> T.DataType:
    """The type with strings where it has dates and times."""
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_as_text(kind.elementType), kind.containsNull)
    if isinstance(kind, T.MapType):
        return T.MapType(_as_text(kind.keyType), _as_text(kind.valueType), kind.valueContainsNull)
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(f.name, _as_text(f.dataType), f.nullable) for f in kind.fields])
    return T.StringType() if isinstance(kind, _TIMES) else kind


def json_value(value: object, kind: T.DataType) -> object:
    """A cell of this type as JSON; decimals, dates (ISO 8601) and types that JSON lacks become text."""
    if isinstance(kind, T.StructType) and isinstance(value, tuple):
        return {f.name: json_value(cell, f.dataType) for f, cell in zip(kind.fields, value, strict=True)}
    if isinstance(kind, T.MapType) and isinstance(value, dict):
        pairs = value.items()
        return {str(json_value(key, kind.keyType)): json_value(cell, kind.valueType) for key, cell in pairs}
    if isinstance(kind, T.ArrayType) and isinstance(value, list):
        return [json_value(cell, kind.elementType) for cell in value]
    if isinstance(kind, _TIMES) and isinstance(value, str):
        return value.replace(" ", "T")
    return _atom(value)


def _atom(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)
