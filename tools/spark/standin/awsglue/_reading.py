"""Conversion of PostgreSQL's rows to Parquet files that Spark reads as its JDBC source would show them."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from agent.types import canonical, element_type, family, spark_type, sql_type

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
    "binary": pa.binary(),
}

_REFUSED = re.compile(r'"(column .* holds (?:an infinite value|a time|an array), .*)"$', re.MULTILINE)
_DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")


class ReadColumn:
    """A source's column: name, PostgreSQL type, and the Spark and Arrow types it is read as.

    Raises UnsupportedTypeError for a type outside the list.
    """

    def __init__(self, name: str, type_name: str) -> None:
        self.name = name
        self.type_name = type_name
        self.spark_type = spark_type(type_name, name)
        self.family = family(type_name, name)
        self.arrow_type = _arrow_type(self.spark_type)

    def expression(self, quoted: str) -> str:
        """The SELECT expression of this column, given its quoted name.

        The expression makes PostgreSQL itself raise an error, with the column's name, at a value that Spark cannot hold
        or that its source would change.
        """
        if self.family == "array":
            return self._array(quoted)
        if canonical(self.type_name) == "numeric":
            return f"round({quoted}, 18)"  # Spark's JDBC source rounds half up too
        if self.family in ("date", "timestamp"):
            refused = self._refusal("an infinite value, which Spark cannot: ", f"{quoted}::text")
            return f"CASE WHEN isfinite({quoted}) THEN {quoted} ELSE {refused} END"
        if self.family == "time":
            refused = self._refusal("a time, which Spark would cut to whole seconds of a day: ", f"{quoted}::text")
            whole = f"date_trunc('second', {quoted}) = {quoted}::interval AND {quoted} < '24:00'"
            return f"date '1970-01-01' + CASE WHEN {quoted} IS NULL OR {whole} THEN {quoted} ELSE {refused} END"
        if self.family in ("uuid", "json", "enum"):
            return f"{quoted}::text"
        return quoted

    def _refusal(self, what: str, shown: str) -> str:
        """An expression of the column's type that raises `what`; `shown` depends on the row, which prevents folding."""
        complaint = f"column {self.name!r} holds {what}".replace("'", "''")
        return f"('{complaint}' || {shown})::{sql_type(self.type_name)}"

    def _array(self, quoted: str) -> str:
        """An array that begins at 1; PostgreSQL's type does not tell how many dimensions a value has."""
        element = element_type(self.type_name)
        many = self._refusal("an array, which Spark cannot read: of dimensions ", f"array_ndims({quoted})")
        cases = f"WHEN array_ndims({quoted}) > 1 THEN {many}"
        value = f"{quoted}[:]"
        if family(element) in ("date", "timestamp"):
            endless = f"'infinity' = ANY ({quoted}) OR '-infinity' = ANY ({quoted})"
            refused = self._refusal("an infinite value, which Spark cannot: in an array of ", f"cardinality({quoted})")
            cases += f" WHEN {endless} THEN {refused}"
        if element == "numeric":
            rounded = f"ARRAY(SELECT round(e, 18) FROM unnest({quoted}) WITH ORDINALITY AS u(e, n) ORDER BY n)"
            value = f"CASE WHEN {quoted} IS NOT NULL THEN {rounded} END"
        chosen = f"CASE {cases} ELSE {value} END"
        as_text = family(element) in ("decimal", "uuid", "json", "enum")
        return f"({chosen})::text[]" if as_text else chosen

    def convert(self, values: pa.Array) -> pa.Array:
        """The driver's values in the column's Arrow type. Raises ValueError, naming the column, for a misfit."""
        if isinstance(values, pa.ExtensionArray):  # numeric comes as text in an opaque type
            values = values.storage
        try:
            return pc.cast(values, self.arrow_type)
        except pa.ArrowInvalid as error:
            raise ValueError(f"column {self.name!r}: a value does not fit {self.spark_type}: {error}") from error


def _arrow_type(spark: str) -> pa.DataType:
    if spark.startswith("array<"):
        return pa.list_(_arrow_type(spark[6:-1]))
    decimal = _DECIMAL.match(spark)
    return pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else _ARROW[spark]


def copy_to_parquet(reader: pa.RecordBatchReader, columns: list[ReadColumn], path: Path) -> int:
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
        complaint = _REFUSED.search(str(error))
        if complaint is None:
            raise
        raise ValueError(complaint[1]) from error
    return rows
