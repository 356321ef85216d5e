"""Implicit casts, and units that give NULL, are refused where they stand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.expressions.sql_words import DATE_UNITS, WEEKDAYS
from agent.compiler.reading import build_plan
from tests.agent.compiler.expression_scene import in_spark
from tests.agent.compiler.scene import (
    TABLES,
    aliased,
    assert_refused,
    collected,
    derive,
    names,
    problems,
    request_for,
    snapshot_for,
    where,
)

SHAPE = {
    "id": "integer", "t": "text", "n": "numeric(10,2)", "d": "double precision", "ts": "timestamp without time zone",
    "day": "date", "b": "boolean", "sent": "timestamp with time zone",
}  # fmt: skip


@pytest.fixture(autouse=True)
def things(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a table hold a column of each common type."""
    monkeypatch.setitem(TABLES, "things", SHAPE)
    yield


CONVERTED = [
    ("t > 5", "t > 5 compares string with integer, which Spark converts; write '5'"),
    ("n = 'abc'", "compares string with decimal, which Spark converts; write CAST"),
    ("t IN (1, 2)", "compares string with integer"),
    ("d BETWEEN 'a' AND 'z'", "compares string with float"),
    ("b = 1", "compares boolean with integer"),
    ("day = id", "compares date with integer"),
    ("nullif(n, 'x')", "compares string with decimal"),
    ("CASE t WHEN 5 THEN 1 END", "compares string with integer"),
    ("t || 'a' > 5", "compares string with integer"),
    ("ts = 'nonsense'", "'nonsense' does not fit a timestamp column; give a timestamp as 2024-01-31 08:30:00"),
    ("day > '2024-02-30'", "'2024-02-30' does not fit a date column"),
    ("day IN ('2024-01-01', 'today')", "'today' does not fit a date column"),
    ("t + 1", "t + 1 takes string for a number, which Spark converts; write CAST"),
    ("t * n", "takes string for a number"),
    ("-t", "takes string for a number"),
    ("round(t, 2)", "round(t, 2) takes string"),
    ("pmod(t, 2)", "pmod(t, 2) takes string"),
    ("b + 1", "takes boolean for a number"),
    ("split(t, ',')[0] > 5", "[0] > 5 compares string with integer, which Spark converts; write '5'"),
    ("(split(t, ','))[0] * n", "takes string for a number"),
    ("regexp_extract_all(t, '([0-9])', 1)[0] + 1", "takes string for a number"),
    ("array_join(split(t, ','), '') > 5", "compares string with integer"),
    ("t + INTERVAL 1 day", "takes string for a date or timestamp"),
    ("year(t)", "year(t) takes string, which is not certain for year(); write CAST"),
    ("date_format(t, 'yyyy')", "takes string for a date or timestamp"),
    ("datediff(day, t)", "takes date, string"),
    ("extract(year FROM t)", "takes string and string"),
    ("weekday(t)", "takes string"),
    ("from_utc_timestamp(t, 'UTC')", "takes string, string"),
    ("date_add('soon', 1)", "takes string"),
    ("NOT t", "takes string for true or false"),
    ("b AND t", "takes string for true or false"),
    ("if(t, 1, 2)", "takes string for true or false"),
    ("CASE WHEN t THEN 1 END", "takes string for true or false"),
    ("n LIKE '1%'", "takes decimal for a text"),
    ("md5(id)", "takes integer"),
    ("sha1(n + 1)", "takes decimal"),
    ("sha2(day, 256)", "takes date"),
    ("base64(b)", "takes boolean"),
    ("unbase64(id)", "takes integer"),
    ("crc32(d)", "takes float"),
    ("soundex(ts)", "takes timestamp"),
    ("coalesce(n, t)", "gives decimal or string, which Spark converts; write CAST"),
    ("CASE WHEN id = 1 THEN 1 ELSE 'a' END", "gives integer or string"),
    ("if(b, day, 'never')", "'never' does not fit a date column; give a date as 2024-01-31"),
    ("coalesce(day, '2024-01-01 10:00:00')", "does not fit a date column"),
    ("coalesce(day, n, '2024-01-01')", "gives date or decimal"),
    ("coalesce(day, concat(t, '-01'))", "gives date or string, which Spark converts; write CAST"),
    ("greatest(day, 'never')", "'never' does not fit a date column"),
    ("greatest(n, b)", "gives decimal or boolean"),
    ("date_trunc('foo', ts)", "'foo' is not a unit of date_trunc(); known are"),
    ("date_part('hors', ts)", "did you mean 'hour'?"),
    ("extract(yaer FROM ts)", "'yaer' is not a unit of extract(); did you mean 'year'?"),
    ("extract('foo' FROM ts)", "'foo' is not a unit of extract(); known are"),
    ("next_day(day, 'mondy')", "did you mean 'monday'?"),
    ("next_day(day, t)", "needs its unit as a text in quotes"),
]


@pytest.mark.parametrize(("expression", "message"), CONVERTED)
def test_what_spark_would_convert_in_silence_is_refused(expression: str, message: str) -> None:
    """The message names the operands that are compared, computed or chosen."""
    found = problems(["things"], names("id"), derived_columns=[derive("new", expression)])
    assert_refused(found, "specs.derived_columns[0].expression", message)


INTERVALS = [
    ("ts - sent", "write unix_seconds(ts) - unix_seconds(sent) for the seconds"),
    ("ts - day", "write unix_seconds(ts) - unix_seconds(CAST(day AS timestamp)) for the seconds"),
    ("INTERVAL '1 day'", "add it to a date or timestamp"),
]


@pytest.mark.parametrize(("expression", "message"), INTERVALS)
def test_an_interval_as_a_value_is_refused(expression: str, message: str) -> None:
    """The message gives the function that counts the days or seconds."""
    found = problems(["things"], names("new"), derived_columns=[derive("new", expression)])
    assert_refused(found, "specs.derived_columns[0].expression", f"is an interval, which no column holds; {message}")


FINE = [
    "n > 5", "id = 2.5", "d < n", "t = 'x'", "t IN ('a', 'b')", "day = '2024-01-31'", "ts >= '2024-01-31 08:30'",
    "ts > day", "day BETWEEN '2024-01-01' AND '2024-12-31'", "coalesce(t, 'x')", "coalesce(n, 0)", "t = NULL",
    "CASE WHEN b THEN NULL ELSE n END", "CASE id WHEN 5 THEN 'five' END", "t || n", "concat('c', id)", "year(day)",
    "year(to_date(t))", "year('2024-01-31')", "hour(ts)", "day + 1", "ts - INTERVAL 1 hour",
    "datediff(day, '2024-01-01')", "NOT b", "CAST(t AS int) > 5",
    "coalesce(day, '1970-01-01')", "CASE WHEN day IS NULL THEN '2024-01-01' ELSE day END",
    "nvl(ts, '1970-01-01 10:00')", "if(b, '2024-01-01', day)",
    "coalesce(day, ts, '2024-01-01 10:00:00')", "greatest(day, DATE '1970-01-01')",
    "CAST(split(t, ',')[0] AS int) + 1", "element_at(split(t, ','), 1) = 'a'",
    "datediff(day, CAST('2024-01-01' AS DATE))", "unix_seconds(ts) - unix_seconds(CAST(day AS timestamp))",
    "ts - sent > INTERVAL 1 hour", "ts + (ts - sent)",
    "extract(day FROM ts - sent)",
    "extract(yr FROM ts)", "extract(doy FROM day)",
    "md5(CAST(id AS string))", "sha2(t, 256)", "base64(t)", "unbase64(t)", "crc32(t)", "soundex(t)", "hash(id, t)",
    "n = CAST('5' AS decimal(10,2))", "date_trunc('MONTH', ts)", "if(b, 1, 2.5)",
]  # fmt: skip


@pytest.mark.parametrize("expression", FINE)
def test_what_needs_no_conversion_is_accepted(expression: str) -> None:
    """Numbers of several types, quoted dates that are dates, and CAST are accepted."""
    assert problems(["things"], names("new"), derived_columns=[derive("new", expression)]) == []


@pytest.mark.spark
def test_spark_computes_what_is_accepted(ansi_spark: Any) -> None:
    """Spark computes accepted expressions in ANSI mode without an error."""
    row = (
        "SELECT 5 AS id, '2024' AS t, CAST(2.5 AS decimal(10,2)) AS n, 0.5D AS d, true AS b, "
        "timestamp'2024-05-06 07:08:09' AS ts, date'2024-05-06' AS day, timestamp'2024-05-06 05:00:00' AS sent"
    )
    (found,) = collected(ansi_spark.sql(f"SELECT {', '.join(FINE)} FROM ({row})"))
    nothing = {expression for expression, value in zip(FINE, found, strict=True) if value is None}
    assert nothing == {"t = NULL", "CASE WHEN b THEN NULL ELSE n END"}


WITHOUT_ERROR = {
    "floor(1e19)": 2**63 - 1, "ceil(-1e19)": -(2**63), "log10(0)": None, "log2(-1)": None, "log1p(-1)": None,
    "factorial(21)": None, "width_bucket(5, 1, 1, 3)": None,
    "exp(1000)": math.inf, "power(10, 400)": math.inf,
    "sqrt(-1)": "NaN", "asin(7)": "NaN", "acos(-7)": "NaN", "power(-8, 0.5)": "NaN",
}  # fmt: skip


@pytest.mark.spark
def test_what_has_no_value_and_gives_no_error_is_as_the_page_says(ansi_spark: Any) -> None:
    """Any other expression without a value raises an error in ANSI mode."""
    (found,) = collected(ansi_spark.sql(f"SELECT {', '.join(WITHOUT_ERROR)}"))
    shown = ["NaN" if isinstance(value, float) and math.isnan(value) else value for value in found]
    assert dict(zip(WITHOUT_ERROR, shown, strict=True)) == WITHOUT_ERROR


def test_a_join_condition_is_held_to_the_same() -> None:
    """A join condition is checked wherever the comparison stands in it."""
    condition = "a.id = b.id AND (a.b OR b.t < 8)"
    found = problems(
        [aliased("things", "a"), aliased("things", "b")],
        names("day"),
        join_conditions=[{"left_table": "a", "right_table": "b", "condition": condition}],
    )
    assert_refused(found, "specs.join_conditions[0].condition", "b.t < 8 compares string with integer")


@pytest.mark.spark
def test_each_accepted_unit_gives_a_value(ansi_spark: Any) -> None:
    """Spark knows every accepted unit."""
    calls = [f"trunc(day, '{unit}')" for unit in sorted(DATE_UNITS)]
    calls += [f"next_day(day, '{day}')" for day in sorted(WEEKDAYS)]
    query = f"SELECT {', '.join(calls)} FROM VALUES (timestamp'2024-05-06 07:08:09', date'2024-05-06') AS v(ts, day)"
    (row,) = collected(ansi_spark.sql(query))
    assert [call for call, value in zip(calls, row, strict=True) if value is None] == []


DIVISORS = [
    ("n / d", "n / nullif(d, 0)"),
    ("n/d/id", "n / nullif(d, 0) / nullif(id, 0)"),
    ("n / 2 % -2.5 + n / .5", "CAST(n AS decimal(22,14)) / 2 % -2.5 + CAST(n AS decimal(22,14)) / .5"),
    ("n div 0 + n / 0.0", "n div nullif(0, 0) + CAST(n AS decimal(22,14)) / nullif(0.0, 0)"),
    ("n / - id * d", "CAST(n AS decimal(13,5)) / nullif(-id, 0) * d"),
    ("n % (id + 1) > d", "n % nullif(id + 1, 0) > d"),
    ("n / (d / n)", "n / nullif(d / nullif(n, 0), 0)"),
    ("mod(n, id + 1)", "n % nullif(id + 1, 0)"),
    ("pmod(big, id)", "pmod(big, nullif(id, 0))"),
    (
        "n / CASE WHEN id > 0 THEN id ELSE 1 END * 2",
        "CAST(n AS decimal(13,5)) / nullif(CASE WHEN id > 0 THEN id ELSE 1 END, 0) * 2",
    ),
    ("n / nullif(id, 0)", "CAST(n AS decimal(13,5)) / nullif(id, 0)"),
    ("n / nullif(id, 1)", "CAST(n AS decimal(13,5)) / nullif(nullif(id, 1), 0)"),
]


@pytest.mark.parametrize(("text", "wanted"), DIVISORS)
def test_each_divisor_that_may_be_zero_is_guarded(text: str, wanted: str) -> None:
    """A number that is not zero, and nullif with 0, stay as they are."""
    assert in_spark(text) == wanted


def test_the_code_guards_a_merged_key_as_a_whole() -> None:
    """A divisor may be a key that an outer join makes of two columns."""
    sources: list[Any] = [aliased("things", "x"), aliased("things", "y")]
    join = {"left_table": "x", "right_table": "y", "join_type": "outer", "on_columns": "id"}
    derived = [derive("part", "100 / id")]
    request = request_for(sources, names("part"), join_conditions=[join], derived_columns=derived)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert "100 / nullif(coalesce(x.id, y.id), 0)" in code


EXACT = [
    ("n", 12345678901234567.89, 'has more digits than a JSON number keeps; write it as text: "…"'),
    ("n", 0.1234567890123456, "write it as text"),
    ("id", 9007199254740993.0, "write it as text"),
    ("n", 2**63, f'is beyond 64-bit integers; write it as text: "{2**63}"'),
    ("n", "1e3", "'1e3' does not fit a decimal column; give a number"),
    ("n", " 5", "give a number"),
    ("id", "5.5", "'5.5' does not fit a integer column; give a number"),
    ("id", str(2**63), "is beyond 64-bit integers"),
    ("n", "9" * 39, "has more than 38 digits"),
    ("d", "0,5", "'0,5' does not fit a float column; give a number"),
    ("b", "maybe", "'maybe' does not fit a boolean column; give true or false"),
    ("b", 2, "2 does not fit a boolean column; give true or false"),
    ("n", "1,000.50", "give a number, as 1000.50"),
    ("d", "5%", "give a number: 5 where the column holds percent, 0.05 where it holds shares"),
]


@pytest.mark.parametrize(("column", "value", "message"), EXACT)
def test_a_number_that_lost_digits_is_refused(column: str, value: object, message: str) -> None:
    """A JSON number with a fraction is read into a double and loses digits; a text keeps them."""
    found = problems(["things"], names("id"), filters=[where(column, "=", value)])
    assert_refused(found, "specs.filters[0].value", message)


@pytest.mark.parametrize(("column", "value"), [("n", "5"), ("n", "-0.125"), ("id", "5"), ("n", 0.1), ("n", 1e15)])
def test_a_number_that_is_exact_is_accepted(column: str, value: object) -> None:
    """It is accepted as a number and as text."""
    assert problems(["things"], names("id"), filters=[where(column, "=", value)]) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [*(("b", word) for word in ("true", "Yes", "t", "1", "off", 1, 0)), ("day", "2024-01-31T00:00:00"),
     ("day", "2024-01-31T00:00:00Z"), ("day", "2024-01-31 00:00")],
)  # fmt: skip
def test_a_truth_value_and_a_midnight_may_be_written_in_other_ways(column: str, value: object) -> None:
    """A boolean in the words of PostgreSQL or as 0 and 1; a date with the time of midnight."""
    assert problems(["things"], names("id"), filters=[where(column, "=", value)]) == []
