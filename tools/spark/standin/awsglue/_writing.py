"""Conversion of Spark's rows to Arrow batches, in the types of the table that Spark's JDBC sink would create."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import types as T

_BATCH_ROWS = 8_192
_BUFFER_BYTES = 1 << 20
"""Bytes read at a time; by default pyarrow reads a whole column of a row group, up to 128 MB."""

# https://github.com/apache/spark/blob/v3.5.6/sql/core/src/main/scala/org/apache/spark/sql/jdbc/PostgresDialect.scala
_TYPES: dict[type[T.DataType], tuple[str, pa.DataType]] = {
    T.StringType: ("TEXT", pa.string()),
    T.BinaryType: ("BYTEA", pa.binary()),
    T.BooleanType: ("BOOLEAN", pa.bool_()),
    T.ByteType: ("SMALLINT", pa.int16()),
    T.ShortType: ("SMALLINT", pa.int16()),
    T.IntegerType: ("INTEGER", pa.int32()),
    T.LongType: ("BIGINT", pa.int64()),
    T.FloatType: ("REAL", pa.float32()),
    T.DoubleType: ("DOUBLE PRECISION", pa.float64()),
    T.DateType: ("DATE", pa.date32()),
    T.TimestampType: ("TIMESTAMP", pa.timestamp("us")),
    T.TimestampNTZType: ("TIMESTAMP", pa.timestamp("us")),
}


@dataclass(frozen=True)
class SinkColumn:
    """A result's column as PostgreSQL gets it."""

    name: str
    sql_type: str
    arrow_type: pa.DataType


def sink_column(field: T.StructField) -> SinkColumn:
    """The column for a field of the result. Raises ValueError, naming it, for a type that the sink cannot write."""
    kind = field.dataType
    element = kind.elementType if isinstance(kind, T.ArrayType) else kind
    found = _scalar(element)
    # Spark's sink fails at an array of byte strings too.
    if found is None or (element is not kind and isinstance(element, T.BinaryType)):
        raise ValueError(f"column {field.name!r}: Can't get JDBC type for {kind.simpleString()}")
    sql_type, arrow_type = found
    if element is kind:
        return SinkColumn(field.name, sql_type, arrow_type)
    return SinkColumn(field.name, f"{sql_type}[]", pa.list_(arrow_type))


def _scalar(kind: T.DataType) -> tuple[str, pa.DataType] | None:
    if isinstance(kind, T.DecimalType):
        return f"NUMERIC({kind.precision},{kind.scale})", pa.decimal128(kind.precision, kind.scale)
    return _TYPES.get(type(kind))


def batches(path: Path, columns: list[SinkColumn]) -> pa.RecordBatchReader:
    """The rows of Spark's Parquet files, in order, a batch at a time."""
    schema = pa.schema([(column.name, column.arrow_type) for column in columns])

    def stream() -> Iterator[pa.RecordBatch]:
        for file in sorted(path.glob("part-*.parquet")):
            for batch in pq.ParquetFile(file, buffer_size=_BUFFER_BYTES).iter_batches(_BATCH_ROWS):
                arrays = [values.cast(kind) for values, kind in zip(batch.columns, schema.types, strict=True)]
                yield pa.record_batch(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, stream())
