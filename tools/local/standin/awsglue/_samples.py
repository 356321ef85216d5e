"""A dry run's backend: sources are Parquet files of sample rows, the result goes to `result.json`.

`tables.json` in the directory maps each `dbtable` to `{"file", "columns": [[name, Spark type]], "rows"}`;
the file's own columns are named c0, c1 … so that any name does.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession

from ._backend import RelationNotFoundError

_SAMPLE_ROWS = 20
_ONE_FETCH = 1000


class SampleTables:
    """Sample tables in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
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
        head = frame.take(_ONE_FETCH + 1)
        result = {
            "columns": [[field.name, field.dataType.simpleString()] for field in frame.schema.fields],
            "rows": len(head) if len(head) <= _ONE_FETCH else frame.count(),
            "sample": [[json_value(cell) for cell in row] for row in head[:_SAMPLE_ROWS]],
        }
        (self._directory / "result.json").write_text(json.dumps(result), encoding="utf-8")


def json_value(value: object) -> object:
    """A cell as JSON: numerics, dates and what JSON has no word for as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.date):  # a datetime is a date too
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, Row):
        return {name: json_value(cell) for name, cell in value.asDict().items()}
    if isinstance(value, dict):
        return {str(json_value(key)): json_value(cell) for key, cell in value.items()}
    if isinstance(value, list):
        return [json_value(cell) for cell in value]
    return str(value)
