"""The embedded engine's reads and writes against Spark's own JDBC source and sink with PostgreSQL's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from agent.errors import UnsupportedTypeError
from tests.tools.spark.jdbc_scene import Jdbc, driver_jar, loopback

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from tools.spark.standin.awsglue._postgres import Postgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.spark,
    pytest.mark.postgres,
    # PySpark leaves the socket of each collect() to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

# Europe's clocks went forward at 01:00 and back at 01:00 UTC on these days; America's at other hours.
VALUE = re.compile(r"(?:ARRAY\[.*\]|repeat\(.*?\)|'(?:[^']|'')*')")
_DST = "'2024-03-31 00:59:59.999999', '2024-03-31 02:30:00', '2024-10-27 01:30:00', '2024-03-10 02:30:00'"

# PostgreSQL type, values
SCALARS: list[tuple[LiteralString, LiteralString]] = [
    ("smallint", "'-32768', '0', '32767'"),
    ("integer", "'-2147483648', '2147483647'"),
    ("bigint", "'-9223372036854775808', '9223372036854775807'"),
    ("numeric(5,2)", "'-999.99', '0.01', '0'"),
    ("numeric(20)", "'99999999999999999999'"),
    ("numeric(38,0)", "'99999999999999999999999999999999999999', '-1'"),
    ("numeric(38,10)", "'-9999999999999999999999999999.9999999999', '0.0000000001'"),
    ("numeric(38,38)", "'0.99999999999999999999999999999999999999'"),
    ("numeric", "'1.5', '-12345678901234567890.123456789012345678', '0.1234567890123456785', '1e-30'"),
    ("real", "'1.1', 'NaN', 'Infinity', '-Infinity', '1e-40'"),
    ("double precision", "'1e308', 'NaN', 'Infinity', '-Infinity', '-0', '0.1'"),
    ("boolean", "'t', 'f'"),
    ("date", "'0001-01-01', '1500-02-03', '1582-10-15', '9999-12-31', '2024-02-29'"),
    ("time", "'00:00', '08:30:15', '23:59:59'"),
    ("time(0)", "'12:00'"),
    ("timestamp", "'0001-01-01', '1500-02-03 04:05:06.789012', '9999-12-31 23:59:59.999999', " + _DST),
    ("timestamp(3)", "'1969-12-31 23:59:59.999'"),
    ("timestamptz", "'2024-03-31 02:30:00+02', '1969-12-31 23:59:59.5+00', '2024-10-27 02:30:00+01', " + _DST),
    ("text", "'', ' a''\"\\ 日本\t', repeat('é', 5000)"),
    ("varchar(5)", "'abc  ', ''"),
    ("char(5)", "'ab', '', 'abcde'"),
    ("char", "'x', ''"),
    ("uuid", "'{A0EEBC999C0B4EF8BB6D6BB9BD380A11}', '00000000-0000-0000-0000-000000000000'"),
    ("json", "'{\"b\": 1,   \"a\": [null, \"é\"], \"b\": 2}', '\"text\"', 'null', ' 1.0 '"),
    ("jsonb", "'{\"b\": 1,   \"a\": [null, \"é\"], \"b\": 2}', '\"text\"', 'null', ' 1.0 '"),
    ("mood", "'sad', 'very happy'"),
    ("other.\"Mood\"", "'É'"),
    ("bytea", "'\\x', '\\x00ff', 'text', '\\xe9'"),
]  # fmt: skip

ARRAYS: list[tuple[LiteralString, LiteralString]] = [
    ("smallint[]", "'{-32768,NULL,32767}', '{}', '{NULL}'"),
    ("integer[]", "'{1,2,3}', '[5:6]={7,8}', '[0:1]={7,8}'"),
    ("bigint[]", "'{9223372036854775807}'"),
    ("numeric(5,2)[]", "'{1.25,NULL,-999.99}', '{}'"),
    ("numeric[]", "'{1.5,NULL,0.1234567890123456785}', '{}', '[3:4]={1,2}'"),
    ("real[]", "'{1.5,NaN,-Infinity,NULL}'"),
    ("double precision[]", "'{0.1,NaN,Infinity}'"),
    ("boolean[]", "'{t,f,NULL}'"),
    ("date[]", "'{2024-02-29,NULL,0001-01-01}', '{}'"),
    ("timestamp[]", "'{2024-03-31 02:30:00.123456,NULL}', '[2:2]={1500-02-03 04:05:06.789}'"),
    ("timestamptz[]", "'{2024-03-31 02:30:00+02,NULL}'"),
    ("text[]", '\'{a,NULL,"NULL","","b,\\"c\\\\ {x}"}\', \'{}\''),
    ("varchar(5)[]", "'{\"ab  \"}'"),
    ("char(5)[]", "'{ab,NULL}'"),
    ("uuid[]", "'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,NULL}'"),
    ("json[]", "ARRAY['{\"b\":   1}'::json, NULL]"),
    ("jsonb[]", "ARRAY['{\"b\":   1}'::jsonb, NULL]"),
    ("mood[]", "'{sad,NULL,very happy}'"),
]


@pytest.fixture(scope="module")
def driver(spark: SparkSession) -> None:
    """Make the driver known to the test session's Spark."""
    spark.sql(f"ADD JAR '{driver_jar()}'")


@pytest.fixture
def jdbc(driver: None, spark: SparkSession, postgres_url: str) -> Iterator[Jdbc]:
    """Open Spark's own source and sink on the test's database."""
    with loopback(postgres_url) as url:
        yield Jdbc(spark, url)


@pytest.fixture
def engine(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """Make the embedded engine's backend on the same database."""
    from tools.spark.standin.awsglue._postgres import Postgres

    return Postgres({"c": postgres_url})


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run SQL in UTC and return its rows."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def make_types(url: str) -> None:
    execute(url, "CREATE TYPE mood AS ENUM ('sad', 'very happy')")
    execute(url, "CREATE SCHEMA other; CREATE TYPE other.\"Mood\" AS ENUM ('É')")


def fill(url: str, kind: str, values: str) -> None:
    """Make a table with a row for each value and one for NULL."""
    make_types(url)
    execute(
        url, f"CREATE TABLE t (k serial, x {kind}); INSERT INTO t (x) VALUES ({'), ('.join(VALUE.findall(values))})"
    )
    execute(url, "INSERT INTO t (x) VALUES (NULL)")


def shown(frame: DataFrame) -> list[str]:
    """Rows by their first column, as Python writes them; dates and times as text, for Python's own years end early."""
    columns = [f"cast(`{n}` AS string)" if kind in ("date", "timestamp") else f"`{n}`" for n, kind in frame.dtypes]
    return [repr(row) for row in frame.orderBy("k").selectExpr(*columns).collect()]


@pytest.mark.parametrize(("kind", "values"), SCALARS + ARRAYS, ids=[kind for kind, _ in SCALARS + ARRAYS])
def test_the_source_shows_what_spark_s_own_shows(
    jdbc: Jdbc, engine: Postgres, spark: SparkSession, postgres_url: str, kind: str, values: str
) -> None:
    """The same types, and the same values, NULL included."""
    fill(postgres_url, kind, values)
    theirs, ours = jdbc.read("t"), engine.read(spark, {"connectionName": "c", "dbtable": "t"})
    assert ours is not None
    assert ours.dtypes == theirs.dtypes
    assert shown(ours) == shown(theirs)
    assert len(shown(ours)) > 1


WRITTEN: dict[str, list[str]] = {
    "tinyint": ["-128Y", "127Y"],
    "smallint": ["32767S"],
    "int": ["-2147483648", "1"],
    "bigint": ["9223372036854775807L"],
    "decimal(5,2)": ["999.99BD", "-0.01BD"],
    "decimal(38,18)": ["'12345678901234567890.123456789012345678'"],
    "decimal(38,0)": ["'-99999999999999999999999999999999999999'"],
    "float": ["1.1F", "'NaN'", "'-Infinity'"],
    "double": ["1e308D", "'NaN'", "'Infinity'", "-0D"],
    "boolean": ["true", "false"],
    "string": ["''", "' a\\'\"\\\\ 日本\\t'", "'NULL'"],
    "date": ["date'0001-01-01'", "date'1500-02-03'", "date'9999-12-31'"],
    "timestamp": [
        "timestamp'2024-03-31 00:59:59.999999'",
        "timestamp'2024-10-27 01:30:00'",
        "'1500-02-03 04:05:06.789012'",
    ],
    "timestamp_ntz": ["timestamp_ntz'2024-03-31 02:30:00.123456'"],
    "binary": ["X''", "X'00ff'"],
    "array<tinyint>": ["array(-128Y)"],
    "array<smallint>": ["array(1S, null)"],
    "array<int>": ["array(1, null, 3)", "array()", "array(null)"],
    "array<bigint>": ["array(9223372036854775807L)"],
    "array<decimal(5,2)>": ["array(1.25BD, null)"],
    "array<decimal(38,18)>": ["array(1.5BD)"],
    "array<float>": ["array(1.5F, 'NaN')"],
    "array<double>": ["array(0.1D, 'Infinity')"],
    "array<boolean>": ["array(true, null)"],
    "array<string>": ["array('a', null, '', 'NULL', 'b,\"c\\\\ {x}')"],
    "array<date>": ["array(date'2024-02-29', null, date'1500-02-03')"],
    "array<timestamp>": ["array(timestamp'2024-03-31 02:30:00.123456', null, timestamp'1500-02-03 04:05:06.789')"],
    "array<timestamp_ntz>": ["array(timestamp_ntz'2024-03-31 02:30:00')"],
}

NOT_WRITTEN = ["array(X'00')", "array(array(1))", "map('a', 1)", "struct(1)", "interval 1 day", "null", "array()"]


def stored(url: str, table: str) -> list[tuple[object, ...]]:
    """A table's types, then its rows as PostgreSQL writes them."""
    types = execute(
        url,
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum",
    )
    return types + execute(url, f"SELECT k, format('%s', x) FROM {table} ORDER BY k")


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("there", [False, True], ids=["missing", "existing"])
def test_the_sink_stores_what_spark_s_own_stores(
    jdbc: Jdbc, engine: Postgres, spark: SparkSession, postgres_url: str, kind: str, there: bool
) -> None:
    """The table that is created has the same types, and its rows are the same; so are rows that are appended."""
    values = [*WRITTEN[kind], "null"]
    rows = " UNION ALL ".join(f"SELECT {k} AS k, cast({value} AS {kind}) AS x" for k, value in enumerate(values))
    for _ in range(1 + there):
        jdbc.write(spark.sql(rows), "theirs")
        engine.write(spark.sql(rows), {"connectionName": "c", "dbtable": "ours"})
    assert stored(postgres_url, "ours") == stored(postgres_url, "theirs")
    assert len(stored(postgres_url, "ours")) == 2 + len(values) * (1 + there)


@pytest.mark.parametrize("value", NOT_WRITTEN)
def test_what_spark_s_sink_does_not_write_is_not_written(
    jdbc: Jdbc, engine: Postgres, spark: SparkSession, postgres_url: str, value: str
) -> None:
    """Both refuse; the engine names the column and makes no table."""
    frame = spark.sql(f"SELECT {value} AS x")
    with pytest.raises(Exception, match="JDBC type|byte|interval"):
        jdbc.write(frame, "theirs")
    with pytest.raises(ValueError, match="^column 'x': Can't get JDBC type for "):
        engine.write(frame, {"connectionName": "c", "dbtable": "ours"})
    assert execute(postgres_url, "SELECT to_regclass('ours')") == [(None,)]


# type, value, what Spark's own source does with it, what the engine says
REFUSED = [
    ("numeric", "'NaN'", "fails", "column 'x': a value does not fit decimal(38,18)"),
    ("numeric", "'1e20'", "fails", "column 'x': a value does not fit decimal(38,18)"),
    ("numeric[]", "'{1,NaN}'", "fails", "column 'x': a value does not fit array<decimal(38,18)>"),
    ("integer[]", "'{{1,2},{3,4}}'", "fails", "column 'x' holds an array, which Spark cannot read: of dimensions 2"),
    ("text[]", "'{{a},{b}}'", "[L", "column 'x' holds an array, which Spark cannot read: of dimensions 2"),
    ("json[]", "ARRAY[ARRAY['1'::json]]", "[L", "column 'x' holds an array, which Spark cannot read: of dimensions"),
    ("mood[]", "'{{sad}}'", "[L", "column 'x' holds an array, which Spark cannot read: of dimensions 2"),
    ("numeric[]", "'{{1.5}}'", "fails", "column 'x' holds an array, which Spark cannot read: of dimensions 2"),
    ("date", "'infinity'", "fails", "column 'x' holds an infinite value, which Spark cannot: infinity"),
    ("date[]", "'{2024-01-01,-infinity}'", "fails", "column 'x' holds an infinite value, which Spark cannot: in an"),
    ("timestamp", "'infinity'", "9999-12-31 23:59:59.999", "column 'x' holds an infinite value, which Spark cannot"),
    ("time", "'08:30:00.25'", "1970-01-01 08:30:00", "column 'x' holds a time, which Spark would cut to whole seconds"),
    ("time", "'24:00'", "1970-01-01 00:00:00", "column 'x' holds a time, which Spark would cut to whole seconds of"),
]


@pytest.mark.parametrize(("kind", "value", "theirs", "message"), REFUSED)
def test_what_spark_s_source_would_break_off_at_or_change_is_refused_by_column(
    jdbc: Jdbc,
    engine: Postgres,
    spark: SparkSession,
    postgres_url: str,
    kind: str,
    value: str,
    theirs: str,
    message: str,
) -> None:
    """Rather than shown otherwise than PostgreSQL has it."""
    fill(postgres_url, kind, value)
    if theirs == "fails":
        with pytest.raises(Exception, match="Exception"):
            jdbc.read("t").collect()
    else:
        assert theirs in shown(jdbc.read("t"))[0]
    with pytest.raises(ValueError) as caught:
        engine.read(spark, {"connectionName": "c", "dbtable": "t"})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("kind", ["money", "timetz", "interval", "int4range", "xml", "inet", "bit(3)",
                                  "time[]", "bytea[]", "money[]", "posint[]", "name", "oid"])  # fmt: skip
def test_any_other_type_is_refused_by_column(
    engine: Postgres, spark: SparkSession, postgres_url: str, kind: str
) -> None:
    """Arrays of domains too; a domain itself counts as its base type."""
    execute(postgres_url, f"CREATE DOMAIN posint AS int CHECK (value > 0); CREATE TABLE t (k serial, x {kind})")
    with pytest.raises(UnsupportedTypeError, match="^column 'x': type '.*' is not supported"):
        engine.read(spark, {"connectionName": "c", "dbtable": "t"})
