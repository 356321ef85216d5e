from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from tests.tools.spark.scene import Bench, script
from tools.records import JobRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

# column, PostgreSQL type, a value and its neighbour, Spark type, PostgreSQL type of the table that Spark creates
TYPES = [
    ("i2", "smallint", "-32768", "32767", "smallint", "smallint"),
    ("i4", "integer", "-2147483648", "2147483647", "int", "integer"),
    ("i8", "bigint", "-9223372036854775808", "9223372036854775807", "bigint", "bigint"),
    ("n52", "numeric(5,2)", "-999.99", "0.01", "decimal(5,2)", "numeric(5,2)"),
    ("n38", "numeric(38,0)", f"{10**38 - 1}", f"-{10**38 - 1}", "decimal(38,0)", "numeric(38,0)"),
    ("n", "numeric", "1.5", "-12345678901234567890.123456789012345678", "decimal(38,18)", "numeric(38,18)"),
    ("f4", "real", "1.1", "'NaN'", "float", "real"),
    ("f8", "double precision", "1e308", "'-Infinity'", "double", "double precision"),
    ("b", "boolean", "true", "false", "boolean", "boolean"),
    ("d", "date", "'0001-01-01'", "'9999-12-31'", "date", "date"),
    ("ts", "timestamp", "'1500-02-03 04:05:06.789012'", "'2024-03-31 02:30:00'", "timestamp", "timestamp"),
    ("tz", "timestamptz", "'2024-03-31 02:30:00+02'", "'1969-12-31 23:59:59.5+00'", "timestamp", "timestamp"),
    ("s", "text", "'a''\"\\ 日本'", "''", "string", "text"),
    ("vc", "varchar(5)", "'abc  '", "'xyz'", "string", "text"),
    ("c", "char(5)", "'ab'", "'abcde'", "string", "text"),
]
LONG_NAMES = {"timestamp": "timestamp without time zone"}


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run SQL in UTC and return its rows."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def succeed(bench: Bench, name: str, body: str) -> JobRun:
    """Run a job that must succeed."""
    run = bench.run(name, script(body))
    assert run.state == "SUCCEEDED", bench.runner.log_tail(name, run.job_run_id)
    return run


def test_every_type_survives_the_round_trip(bench: Bench, postgres_url: str) -> None:
    """A table of every supported type, NULLs included, comes out as it went in, in the types that Spark maps to."""
    definitions = ", ".join(f"{column} {kind}" for column, kind, *_ in TYPES)
    execute(postgres_url, f"CREATE TABLE every ({definitions})")
    for row in (2, 3):
        execute(postgres_url, f"INSERT INTO every VALUES ({', '.join(str(entry[row]) for entry in TYPES)})")
    execute(postgres_url, f"INSERT INTO every VALUES ({', '.join('NULL' for _ in TYPES)})")
    run = succeed(
        bench,
        "types",
        """
        frame = read("every")
        write(frame, "public.copy")
        report(frame.count(), [f"{name} {kind}" for name, kind in frame.dtypes])
        """,
    )
    report = bench.runner.report("types", run.job_run_id)
    assert report is not None
    assert report.columns == tuple(f"{entry[0]} {entry[4]}" for entry in TYPES)
    created = execute(
        postgres_url,
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'copy'::regclass AND attnum > 0 ORDER BY attnum",
    )
    assert created == [(entry[0], LONG_NAMES.get(entry[5], entry[5])) for entry in TYPES]
    # bpchar loses its padding in a cast to text; format() shows it as it is sent
    texts = ", ".join(f"format('%s', {entry[0]})" if entry[0] != "tz" else "tz::timestamp::text" for entry in TYPES)
    texts = texts.replace("format('%s', n)", "round(n, 18)::text")
    before, after = (execute(postgres_url, f"SELECT {texts} FROM {table} ORDER BY i2") for table in ("every", "copy"))
    assert len(before) == 3 and before[0][-1] == "ab   "
    assert after == before


@pytest.mark.parametrize(
    ("create", "dbtable"),
    [
        ('CREATE SCHEMA sales; CREATE TABLE sales.orders ("id" int)', "sales.orders"),
        ('CREATE TABLE "MixedCase" ("Order ID" int)', '"MixedCase"'),
        ('CREATE TABLE public."Order Lines" ("a""b`c,;.{}()=" int)', 'public."Order Lines"'),
        ('CREATE TABLE "say ""hi""" ("id" int, "ID" int)', '"say ""hi"""'),
        ("CREATE TABLE base (id int); CREATE TABLE part (id int); CREATE VIEW both_ AS SELECT * FROM base", "both_"),
    ],
)
def test_names_are_postgres_own(bench: Bench, postgres_url: str, create: LiteralString, dbtable: str) -> None:
    """Schemas, capitals, spaces, quotes and views are found as PostgreSQL finds them; column names stay as they are."""
    execute(postgres_url, create)
    source = dbtable if dbtable != "both_" else "base"
    columns = execute(
        postgres_url, f"SELECT count(*) FROM pg_attribute WHERE attrelid = '{dbtable}'::regclass AND attnum > 0"
    )
    execute(postgres_url, f"INSERT INTO {source} VALUES ({', '.join('7' for _ in range(int(str(columns[0][0]))))})")
    succeed(bench, "names", f"write(read({dbtable!r}), 'public.\"The Copy\"')")
    assert execute(postgres_url, 'SELECT * FROM "The Copy"') == execute(postgres_url, f"SELECT * FROM {dbtable}")
    names = "SELECT attname::text FROM pg_attribute WHERE attnum > 0 AND attrelid = '{}'::regclass ORDER BY attnum"
    assert execute(postgres_url, names.format('"The Copy"')) == execute(postgres_url, names.format(dbtable))


def test_an_empty_table_has_no_columns(bench: Bench, postgres_url: str) -> None:
    """As on Glue, a source without rows comes without columns; an empty result still makes a table."""
    execute(postgres_url, "CREATE TABLE nothing (id int)")
    succeed(
        bench,
        "empty",
        """
        assert read("nothing").columns == []
        write(spark.createDataFrame([], "id int, name string"), "public.still_nothing")
        """,
    )
    assert execute(postgres_url, "SELECT id, name FROM still_nothing") == []


def test_a_write_appends_to_a_table_that_is_there(bench: Bench, postgres_url: str) -> None:
    """Rows are added by column name, and PostgreSQL converts between the types."""
    execute(
        postgres_url, "CREATE TABLE there (name varchar(9), id bigint, extra int); INSERT INTO there VALUES ('a', 1, 2)"
    )
    succeed(bench, "append", """write(spark.sql("SELECT 5 AS id, 'b' AS name"), "there")""")
    assert execute(postgres_url, "SELECT * FROM there ORDER BY id") == [("a", 1, 2), ("b", 5, None)]


def test_a_sample_query_chooses_the_columns(bench: Bench, postgres_url: str) -> None:
    """Glue's sampleQuery is read instead of the whole table, and leaves nothing behind."""
    execute(postgres_url, "CREATE TABLE wide (id int, n numeric(5,2), odd money); INSERT INTO wide VALUES (1, 2.5, 3)")
    run = succeed(
        bench,
        "query",
        """
        frame = read("wide", sampleQuery="SELECT n, id FROM wide WHERE ", enablePartitioningForSampleQuery="true")
        report(frame.count(), [f"{name} {kind}" for name, kind in frame.dtypes])
        """,
    )
    report = bench.runner.report("query", run.job_run_id)
    assert report is not None and (report.rows, report.columns) == (1, ("n decimal(5,2)", "id int"))


@pytest.mark.parametrize(
    ("create", "body", "message"),
    [
        ("CREATE TABLE t (id int, price money)", "read('t')", "column 'price': type 'money' is not supported"),
        ("CREATE TABLE t AS SELECT ARRAY[[1, 2]] AS grid", "read('t')", "'grid' holds an array, which Spark cannot"),
        ("CREATE TABLE t AS SELECT time '08:30:00.5' AS at", "read('t')", "'at' holds a time, which Spark would cut"),
        ("SELECT 1", "read('nowhere')", 'relation "nowhere" does not exist'),
        ("SELECT 1", "read('MixedCase')", 'relation "MixedCase" does not exist'),
        ("CREATE TABLE t AS SELECT 'NaN'::numeric AS n", "read('t')", "'n': a value does not fit decimal(38,18)"),
        ("CREATE TABLE t AS SELECT 1e20 AS n", "read('t')", "'n': a value does not fit decimal(38,18)"),
        ("CREATE TABLE t AS SELECT 'infinity'::date AS \"the d'\"", "read('t')", "\"the d'\" holds an infinite value"),
        ("CREATE TABLE t AS SELECT '-infinity'::timestamptz AS z", "read('t')", "'z' holds an infinite value"),
        ("SELECT 1", "write(spark.sql('SELECT map(1, 2) AS a'), 't')", "column 'a': Can't get JDBC type for map"),
        ("SELECT 1", "write(spark.sql(r\"SELECT 'a\\u0000b' AS a\"), 't')", 'for encoding "UTF8": 0x00'),
        ("CREATE TABLE t (a int)", "write(spark.sql(\"SELECT 'x' AS a\"), 't')", 'column "a" is of type integer but'),
        ("CREATE TABLE t (a int)", "write(spark.sql('SELECT 1 AS b'), 't')", '"b" of relation "t" does not exist'),
        ("SELECT 1", "write(spark.range(1), 'nowhere.t')", 'schema "nowhere" does not exist'),
        ("SELECT 1", "write(spark.range(1), 't (x int); DROP TABLE y; --')", "cannot insert multiple commands"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused(
    bench: Bench, postgres_url: str, create: LiteralString, body: str, message: str
) -> None:
    """A table, type or value outside the list is an error that names it, and no table is left half-written."""
    execute(postgres_url, create)
    before = execute(postgres_url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    run = bench.run("refused", script(body))
    assert run.state == "FAILED"
    assert message in run.error
    after = execute(postgres_url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert after == before
