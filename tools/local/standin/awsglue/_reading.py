"""PostgreSQL's rows as Parquet files that Spark reads as its JDBC source would show them."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agent.types import spark_type

_ARROW = {
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "string": pa.string(),
}

_INFINITE = re.compile(r'"(column .* holds an infinite value, .*)"$', re.MULTILINE)
_DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")


class SourceColumn:
    """A source's column: name, PostgreSQL type, and the Spark and Arrow types it is read as.

    Raises UnsupportedTypeError for a type outside the list.
    """

    def __init__(self, name: str, sql_type: str) -> None:
        self.name = name
        self.sql_type = sql_type
        self.spark_type = spark_type(sql_type, name)
        decimal = _DECIMAL.match(self.spark_type)
        self.arrow_type = pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else _ARROW[self.spark_type]

    def expression(self, quoted: str) -> str:
        """What to select for this column, given its quoted name."""
        if self.sql_type == "numeric":
            return f"round({quoted}, 18)"  # Spark's JDBC source rounds half up too
        if self.spark_type in ("date", "timestamp"):
            # An infinite value cannot be read, so PostgreSQL is made to say whose it is while it sends the rows.
            complaint = f"column {self.name!r} holds an infinite value, which Spark cannot: ".replace("'", "''")
            refused = f"('{complaint}' || {quoted}::text)::{self.sql_type}"
            return f"CASE WHEN isfinite({quoted}) THEN {quoted} ELSE {refused} END"
        return quoted

    def convert(self, values: pa.Array) -> pa.Array:
        """The driver's values in the column's Arrow type. Raises ValueError, naming the column, for a misfit."""
        if isinstance(values, pa.ExtensionArray):  # numeric comes as text in an opaque type
            values = values.storage
        try:
            return pc.cast(values, self.arrow_type)
        except pa.ArrowInvalid as error:
            raise ValueError(f"column {self.name!r}: a value does not fit {self.spark_type}: {error}") from error


def copy_to_parquet(reader: pa.RecordBatchReader, columns: list[SourceColumn], path: Path) -> int:
    """Write the rows, batch by batch, with columns named c0, c1 …; returns how many there were."""
    schema = pa.schema([(f"c{i}", column.arrow_type) for i, column in enumerate(columns)])
    rows = 0
    try:
        with pq.ParquetWriter(path, schema, compression="lz4") as writer:
            for batch in reader:
                arrays = [column.convert(values) for column, values in zip(columns, batch.columns, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                rows += batch.num_rows
    except OSError as error:
        complaint = _INFINITE.search(str(error))
        if complaint is None:
            raise
        raise ValueError(complaint[1]) from error
    return rows
