"""Expressions as SQL: the job's text in Spark gives the value of the oracle's text in PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.sanitizing.sql_policy import check_sql
from tests.agent.compiler.expression_scene import in_postgres, in_spark
from tests.agent.compiler.scene import collected
from tools.local.postgres import EmbeddedServer

ROWS: list[tuple[str | None, ...]] = [
    ("1", "10", "2.50", "0.5", "Ann", " b ", "2024-01-31", "2024-02-29 23:59:59.5", "2024-03-01 01:02:03", "true",
     "A  ", "open"),
    ("-3", "7", "-2.45", "-2.5", "", "x", "2023-12-31", "1999-12-31 00:00:00", "2024-01-01 00:00:00", "false",
     "BC ", "paid"),
    ("0", "4000000000", "0.00", "1.5", "it's", "Ann", "2024-02-29", "2024-02-29 12:00:00", "2023-02-28 06:30:00",
     "true", "   ", "open"),
    ("12", "-5", "99999999.99", "3.25", "a_b%", "ANN", "1970-01-01", "1970-01-01 00:00:00", "2024-12-31 23:00:00",
     None, "abc", None),
    (None,) * 12,
]  # fmt: skip
COLUMNS = {
    "id": ("integer", "int"), "big": ("bigint", "bigint"), "n": ("numeric(10,2)", "decimal(10,2)"),
    "d": ("double precision", "double"), "t": ("text", "string"), "t2": ("text", "string"), "day": ("date", "date"),
    "ts": ("timestamp", "timestamp"), "sent": ("timestamptz", "timestamp"), "b": ("boolean", "boolean"),
    "code": ("character(3)", "string"), "st": ("text", "string"),
}  # fmt: skip
"""Column to its types in PostgreSQL and in Spark."""

SAME: list[str] = [
    "id + 1", "-id", "-(-id)", "id - (id - 1)", "id - -1", "2 * (id + 1) - id * 3", "n * 2 + id", "id % 5", "n % 1",
    "id div 2", "mod(id, 5)", "100.0 * id / 4", "n / (id - 12)", "id / 0", "n / 4", "d * 2", "d / id", "abs(n)",
    "n > 2 AND (b OR NOT b) OR n IS NULL", "NOT (b AND n > 0)", "b IS TRUE", "b IS NOT FALSE", "(n > 0) = b",
    "n BETWEEN 0 AND 3", "n NOT BETWEEN 0 AND 3", "n BETWEEN SYMMETRIC 3 AND 0", "id IN (1, 12)", "id NOT IN (1, -3)",
    "id IN (1, NULL)", "id IS DISTINCT FROM 1", "id IS NOT DISTINCT FROM NULL", "id <=> 1", "t = 'it''s'", "t <> ''",
    "t LIKE 'a\\_%'", "t LIKE 'A%'", "t NOT LIKE '%n'", "t ILIKE 'a%'", "t LIKE 'a!_b!%' ESCAPE '!'",
    "t || '-' || t2", "'Q' || id", "t || n", "'cost ${amount}' || t", "'a\"b' || t", "code = 'A'", "code = 'A '",
    "code || '|'", "code IN ('BC', 'x')", "(b IS NULL) = b", "(n > 0) IS NULL", "(t || t2) LIKE 'A%'",
    "upper(code) || '|'", "code < 'B'", "CASE WHEN n > 0 THEN 'up' ELSE 'down' END",
    "CASE id WHEN 1 THEN 'one' WHEN 12 THEN 'dozen' END", "CASE WHEN b THEN id ELSE n END", "coalesce(t, t2, 'none')",
    "coalesce(day, '1970-01-01')", "nullif(t, '')", "greatest(id, n)", "least(day, '2024-01-01')", "if(b, 1, 2.5)",
    "nvl(id, 0)", "n = '2.5'", "day > '2023-12-31'", "day = DATE '2024-02-29'", "ts >= '2024-02-29 12:00'",
    "ts > day", "day + 1", "day - 1", "1 + day", "day - DATE '2024-01-01'", "day - '2024-01-01' + 1",
    "ts + INTERVAL '1 month'", "ts - INTERVAL '1 day 2 hours'", "ts + INTERVAL 90 minutes",
    "ts + id * INTERVAL '1 day'",
    "ts - sent > INTERVAL '1 day'", "ts - sent < INTERVAL '36 hours'", "extract(epoch FROM ts - sent)",
    "extract(day FROM ts - sent)", "ts::date", "CAST(day AS timestamp)", "n::int", "d::int", "n::bigint", "id::numeric",
    "n::numeric(10,1)", "d::numeric(10,1)", "id::text", "n::text", "day::text", "ts::text", "b::text", "b::int",
    "id::double precision", "n::float8 / 3", "'12'::int + id", "id::varchar(50)", "sent AT TIME ZONE 'Europe/Berlin'",
    "ts AT TIME ZONE 'UTC'", "concat(t, t2)", "concat(t, '-', id)", "round(n)", "round(n, 1)", "round(d)", "trim(t2)",
    "trim(BOTH 'n' FROM t2)", "trim(LEADING 'A' FROM t)", "substring(t FROM 2 FOR 2)", "position('n' IN t)",
    "upper(t) || lower(t2)", "length(t)", "extract(year FROM day)", "extract(month FROM ts)", "date_trunc('month', ts)",
    "date_trunc('month', day)::date",
    "ceil(n)", "floor(n)", "power(2, id)", "n ^ 2", "replace(t, 'n', 'm')", "left(t, 2)",
    "t ~ '^[A-Z]'", "t ~* 'ANN?'", "t !~ 'n+$'", "t RLIKE 'n'", "regexp_replace(t, '[^a-z]', '', 'g')", "date(ts)",
    "int(n)",
    "extract(year FROM age(day, DATE '1999-03-01'))", "extract(year FROM age(DATE '1999-03-01', day))",
    "CAST(extract(year FROM day) AS int)",
    "to_char(day, 'YYYY-MM')", "to_char(ts, 'DD.MM.YYYY HH24:MI:SS')", "date_format(ts, 'yyyy/MM/dd HH:mm')",
    "to_date(day::text, 'YYYY-MM-DD')", "to_date(day::text, 'yyyy-MM-dd')",
    "isnull(t)", "isnotnull(n)", "md5(t)", "to_date(substring(ts::text, 1, 10))",
    "t IS NULL OR t = ''", "id & 3", "id | 3", "b = 'true'", "sent > '2024-01-01'", "day BETWEEN '2024-01-01' AND ts",
]  # fmt: skip
POSTGRES = ["id / 5", "'a\\b' || t", "n / id", "2 ^ 3", "day + INTERVAL '1 day'", "t || id + 1", "concat(t, n)"]
SPARK = ["concat(t, t2)", "CAST(n AS int)", "'a\\tb' || t", 't || "x"', "CAST(id AS decimal)", "round(d)"]


def alike(spark: Any, postgres: Any) -> bool:
    """True for equal values; an inexact number counts up to its twelfth digit."""
    if isinstance(spark, bool) or isinstance(postgres, bool):
        return spark is postgres
    if isinstance(spark, int | float | Decimal) and isinstance(postgres, int | float | Decimal):
        return abs(float(spark) - float(postgres)) <= 1e-6 * max(1.0, abs(float(postgres)))
    if isinstance(spark, dt.date | dt.datetime) and isinstance(postgres, dt.date | dt.datetime):
        return moment(spark) == moment(postgres)
    return bool(spark == postgres)


def moment(value: dt.date) -> dt.datetime:
    """A date as its midnight; a moment in UTC without its zone."""
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


CASES: list[tuple[str, DialectChoice]] = [
    *((text, "auto") for text in SAME), *((text, "postgres") for text in POSTGRES), *((text, "spark") for text in SPARK)
]  # fmt: skip


@pytest.mark.parametrize(("text", "dialect"), CASES)
def test_the_text_passes_the_policy(text: str, dialect: DialectChoice) -> None:
    """The policy of transforms takes the rendered text."""
    assert check_sql(in_spark(text, dialect), 1) == []


@pytest.mark.parametrize("text", ["hash(t)", "xxhash64(t)", "crc32(t)", "soundex(t)", "levenshtein(t, t2)"])
def test_a_function_of_spark_alone_has_no_text_for_postgres(text: str) -> None:
    """The oracle cannot compare it, and says so."""
    assert in_spark(text) == text
    with pytest.raises(ValueError, match="has no form in PostgreSQL"):
        in_postgres(text)


@pytest.mark.parametrize(
    ("text", "dialect", "told"),
    [
        ("element_at(tags, NULL)", "auto", "is the last element where its place is NULL"),
        ("t RLIKE '[[:space:]]'", "spark", "Spark knows no class like"),
    ],
)
def test_what_spark_takes_otherwise_than_it_looks_is_refused(text: str, dialect: DialectChoice, told: str) -> None:
    """Spark raises no error for these, and gives another value."""
    with pytest.raises(Exception, match=told):
        in_spark(text, dialect)


@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.parametrize("ansi", [True, False])
def test_both_texts_give_the_same_values(spark: Any, empty_postgres: psycopg.Connection, ansi: bool) -> None:
    """Each expression gives the same value in each row, with ANSI mode on and off."""
    spark.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    frame = spark.sql(_query(1, [f"({in_spark(text, dialect)})" for text, dialect in CASES]))
    found = collected(frame)
    empty_postgres.execute("SET TIME ZONE 'UTC'")
    wanted = empty_postgres.execute(
        _query(0, [f"({in_postgres(text, dialect)})" for text, dialect in CASES]).encode()
    ).fetchall()
    different = [
        (text, one, other)
        for row, expected in zip(found, wanted, strict=True)
        for (text, _), one, other in zip(CASES, row, expected, strict=True)
        if not alike(one, other)
    ]
    assert different == []


def _query(dialect: int, columns: list[str]) -> str:
    """The expressions over the rows; `dialect` is 0 for PostgreSQL and 1 for Spark."""
    quote, escaped = ("`", "\\'") if dialect else ('"', "''")
    cells = [["NULL" if cell is None else "'" + cell.replace("'", escaped) + "'" for cell in row] for row in ROWS]
    rows = ", ".join(f"({', '.join(row)})" for row in cells)
    names = ", ".join(f"c{place}" for place in range(len(COLUMNS)))
    casts = ", ".join(
        f"CAST(c{place} AS {types[dialect]}) AS {quote}{name}{quote}"
        for place, (name, types) in enumerate(COLUMNS.items())
    )
    inner = f"SELECT {casts} FROM (VALUES {rows}) AS v({names})"
    return f"SELECT {', '.join(columns)} FROM ({inner}) AS x ORDER BY coalesce(id, 99)"


@pytest.fixture
def empty_postgres(postgres_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A connection to a server without tables."""
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        yield connection
