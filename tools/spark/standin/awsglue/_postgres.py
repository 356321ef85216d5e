"""The embedded engine's backend: PostgreSQL through ADBC, Arrow batches and Parquet files.

Rows never become Python objects, and are never in memory all at once. Spark sees the values that its JDBC source shows
with PostgreSQL's driver; PostgreSQL gets the table and rows that Spark's JDBC sink would write.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
from pyspark.sql import DataFrame, SparkSession

from ._backend import RelationNotFoundError
from ._reading import ReadColumn, copy_to_parquet
from ._writing import SinkColumn, batches, sink_column


def quoted(name: str) -> str:
    """A quoted identifier for PostgreSQL."""
    return '"' + name.replace('"', '""') + '"'


class Postgres:
    """Databases by connection name."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls

    def read(self, spark: SparkSession, options: Mapping[str, str]) -> DataFrame | None:
        """The rows of `dbtable`, or of `sampleQuery` if it is given; the transaction is never committed."""
        with self._connect(options) as connection, connection.cursor() as cursor:
            relation = _view_of_query(cursor, options) or options["dbtable"]
            columns = _columns(cursor, relation)
            path = Path(tempfile.mkdtemp(prefix="read-"))
            expressions = ", ".join(column.expression(quoted(column.name)) for column in columns)
            cursor.execute(f"SELECT {expressions} FROM {relation}")
            rows = copy_to_parquet(cursor.fetch_record_batch(), columns, path / "rows.parquet")
        if rows == 0 or not columns:
            return None
        schema = ", ".join(f"c{i} {column.spark_type}" for i, column in enumerate(columns))
        return spark.read.schema(schema).parquet(str(path)).toDF(*(column.name for column in columns))

    def write(self, frame: DataFrame, options: Mapping[str, str]) -> None:
        """Append to `dbtable` in one transaction: all rows arrive, or none and no table."""
        columns = [sink_column(field) for field in frame.schema.fields]
        path = Path(tempfile.mkdtemp(prefix="write-"))
        frame.toDF(*(f"c{i}" for i in range(len(columns)))).write.mode("append").parquet(str(path))
        relation = options["dbtable"]
        with self._connect(options) as connection, connection.cursor() as cursor:
            if _oid(cursor, relation) is None:
                cursor.execute(f"CREATE TABLE {relation} ({_definitions(columns)})")
                schema, table = _schema_and_name(cursor, relation)
                cursor.adbc_ingest(table, batches(path, columns), mode="append", db_schema_name=schema)
            else:
                self._append(cursor, relation, columns, path)
            connection.commit()

    def _append(self, cursor: adbc.Cursor, relation: str, columns: list[SinkColumn], path: Path) -> None:
        """Append through a temporary table, so that PostgreSQL converts the types or says why it cannot."""
        cursor.execute(f"CREATE TEMPORARY TABLE datamorph_rows ({_definitions(columns)}) ON COMMIT DROP")
        cursor.adbc_ingest("datamorph_rows", batches(path, columns), mode="append", temporary=True)
        names = ", ".join(quoted(column.name) for column in columns)
        cursor.execute(f"INSERT INTO {relation} ({names}) SELECT {names} FROM pg_temp.datamorph_rows")

    def _connect(self, options: Mapping[str, str]) -> adbc.Connection:
        name = options.get("connectionName", "")
        if name not in self._urls:
            raise RuntimeError(f"EntityNotFoundException: connection {name!r} is not defined")
        return adbc.connect(self._urls[name])


def _definitions(columns: list[SinkColumn]) -> str:
    return ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in columns)


def _oid(cursor: adbc.Cursor, relation: str) -> int | None:
    """The oid of the table that a relation's SQL name means; None when there is none."""
    cursor.execute("SELECT to_regclass($1)::oid::bigint", (relation,))
    row = cursor.fetchone()
    return None if row is None else row[0]


def _schema_and_name(cursor: adbc.Cursor, relation: str) -> tuple[str, str]:
    cursor.execute(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = to_regclass($1)",
        (relation,),
    )
    schema, name = cursor.fetchone()
    return schema, name


def _columns(cursor: adbc.Cursor, relation: str) -> list[ReadColumn]:
    """The relation's columns. Raises UnsupportedTypeError, naming the column, before a row is read."""
    oid = _oid(cursor, relation)
    if oid is None:
        raise RelationNotFoundError(relation)
    cursor.execute(
        "WITH RECURSIVE chain(attnum, attname, oid, typmod) AS ("
        " SELECT attnum, attname, atttypid, atttypmod FROM pg_attribute"
        " WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped"
        # As PostgreSQL tells every client, a domain is the type that it stands for.
        " UNION ALL SELECT attnum, attname, d.typbasetype, d.typtypmod"
        " FROM chain JOIN pg_type d ON d.oid = chain.oid WHERE d.typtype = 'd')"
        " SELECT attname::text, CASE coalesce(e.typtype, t.typtype) WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain '"
        " ELSE '' END || format_type(t.oid, chain.typmod)"
        " FROM chain JOIN pg_type t ON t.oid = chain.oid AND t.typtype <> 'd'"
        " LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' ORDER BY attnum",
        (oid,),
    )
    return [ReadColumn(name, sql_type) for name, sql_type in cursor.fetchall()]


def _view_of_query(cursor: adbc.Cursor, options: Mapping[str, str]) -> str | None:
    """A temporary view of Glue's `sampleQuery`, whose column types the catalogue then tells; None without one."""
    query = options.get("sampleQuery")
    if not query:
        return None
    # With partitioning on, Glue wants the query to end in WHERE or AND and adds its conditions.
    ending = " true" if options.get("enablePartitioningForSampleQuery") else ""
    cursor.execute(f"CREATE TEMPORARY VIEW datamorph_query AS {query}{ending}")
    return "pg_temp.datamorph_query"
