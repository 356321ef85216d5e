"""The cast guard of the script: what fits is cast, what does not fit is refused by column name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from agent.request import parse_request
from agent.script import assemble
from agent.snapshot import Snapshot, Target
from tests.tools.spark.cast_cases import DOES_NOT_FIT, FITS, MEANS_SOMETHING_ELSE, ROUNDED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [
    pytest.mark.spark,
    # PySpark leaves the socket of each collect() to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Fitted = Callable[..., "DataFrame"]


@pytest.fixture(scope="module")
def guard(spark: SparkSession) -> dict[str, Any]:
    """Take the guard out of an assembled script: its functions only, for their imports need Glue."""
    specs = {"source_tables": ["t"], "target_table": {"name": "x"}}
    request = parse_request({"run_id": "r", "specs": specs})
    target = Snapshot(sources=(), target=Target(name="x", exists=False), origin="event")
    text = assemble("def transform(sources):\n    return None\n", request, target, "c").text
    guard = text[text.index("# types that have no counterpart") : text.index("def read(")]
    names: dict[str, Any] = {"SOURCES": []}
    exec("import re\nfrom contextlib import contextmanager\nfrom pyspark.sql import functions as F\n" + guard, names)
    return names


@pytest.fixture(scope="module")
def fitted(guard: dict[str, Any]) -> Fitted:
    """Give the guard's frame alone."""
    return lambda *args, **options: guard["fitted"](*args, **options)[0]


@pytest.fixture(scope="module")
def notes(guard: dict[str, Any]) -> Callable[..., list[str]]:
    """Give what the guard says of a result that fits."""
    return lambda *args: guard["fitted"](*args, "the result", result=True)[1]


@pytest.mark.parametrize(("value", "wanted", "result"), FITS)
def test_a_value_that_fits_is_cast(
    spark: SparkSession, fitted: Fitted, value: str, wanted: str, result: str | None
) -> None:
    """Among NULLs."""
    frame = spark.sql(f"SELECT {value} AS x UNION ALL SELECT NULL")
    cast = fitted(frame, [("x", wanted, wanted, True)], "the result")
    assert cast.dtypes == [("x", wanted)]
    told = [row[0] for row in cast.selectExpr("cast(x as string)").collect()]
    assert told == [result, None]


@pytest.mark.parametrize(("value", "wanted"), DOES_NOT_FIT)
def test_a_value_that_does_not_fit_is_refused(spark: SparkSession, fitted: Fitted, value: str, wanted: str) -> None:
    """Spark alone would give NULL or another number."""
    frame = spark.sql(f"SELECT {value} AS x UNION ALL SELECT NULL")
    with pytest.raises(ValueError, match=f"^column x: 1 values do not fit {wanted.split('(')[0]}"):
        fitted(frame, [("x", wanted, wanted, True)], "the result")


def test_a_missing_column_is_named(spark: SparkSession, fitted: Fitted) -> None:
    """Together with those that are there; an optional one may be missing."""
    frame = spark.sql("SELECT 1 AS a, 2 AS b")
    with pytest.raises(ValueError, match=r"the result lacks columns \['c'\]; it has \['a', 'b'\]"):
        fitted(frame, [("a", "int", "integer", True), ("c", "int", "integer", True)], "the result")
    assert fitted(frame, [("b", "int", "integer", True), ("c", "int", "integer", False)], "the result").columns == ["b"]


def test_a_column_is_found_whatever_the_case(spark: SparkSession, fitted: Fitted) -> None:
    """As Spark finds it; it gets the target's spelling."""
    frame = spark.sql("SELECT 1 AS Total, 2 AS b")
    columns = [("b", "int", "integer", True), ("total", "int", "integer", False)]
    cast = fitted(frame, columns, "the result", result=True)
    assert (cast.columns, [tuple(row) for row in cast.collect()]) == (["b", "total"], [(2, 1)])


def test_a_column_that_the_target_does_not_take_is_refused(spark: SparkSession, fitted: Fitted) -> None:
    """It would be lost in silence; a source may have more columns than are read."""
    frame, columns = spark.sql("SELECT 1 AS a, 2 AS totl"), [("a", "int", "integer", True)]
    with pytest.raises(ValueError, match=r"the result has columns \['totl'\], which the target does not take"):
        fitted(frame, columns, "the result", result=True)
    assert fitted(frame, columns, "source t").columns == ["a"]


@pytest.mark.parametrize(("value", "wanted", "count"), ROUNDED)
def test_rounding_to_the_target_s_digits_is_told(
    spark: SparkSession, notes: Callable[..., list[str]], value: str, wanted: str, count: int
) -> None:
    """An average is meant to be rounded to the digits that the target has, but not in silence."""
    frame = spark.sql(f"SELECT {value} AS x UNION ALL SELECT NULL")
    told = [f"column x: {count} values were rounded to the type"] if count else []
    assert notes(frame, [("x", wanted, "the type", True)]) == told


@pytest.mark.parametrize(("value", "wanted"), MEANS_SOMETHING_ELSE)
def test_a_cast_that_means_something_else_is_refused(
    spark: SparkSession, fitted: Fitted, value: str, wanted: str
) -> None:
    """An epoch is no timestamp, an array is no text."""
    with pytest.raises(ValueError, match=f"^column x is .*, which the target cannot hold as {wanted}"):
        fitted(spark.sql(f"SELECT {value} AS x"), [("x", wanted, wanted, True)], "the result")


def test_a_column_of_nulls_without_a_type_takes_the_target_s(spark: SparkSession, fitted: Fitted) -> None:
    """`F.lit(None)` is right where NULL is wanted."""
    cast = fitted(spark.sql("SELECT NULL AS x"), [("x", "int", "integer", True)], "the result")
    assert cast.dtypes == [("x", "int")]


@pytest.mark.parametrize(
    ("text", "sql_type", "fits"),
    [
        ("abc", "character varying(3)", True),
        ("abcd", "character varying(3)", False),
        ("abc ", "character varying(3)", False),
        ("ab", "character(3)", True),
        ("abc  ", "character(3)", True),
        ("abcd", "character(3)", False),
        ("äöü", "character varying(3)", True),
        ("abcd", "text", True),
        ("abcd", "character varying", True),
    ],
)
def test_a_text_must_have_room(spark: SparkSession, fitted: Fitted, text: str, sql_type: str, fits: bool) -> None:
    """Before the publish, where PostgreSQL would refuse it or cut its blanks."""
    frame = spark.sql(f"SELECT '{text}' AS x UNION ALL SELECT NULL")
    columns = [("x", "string", sql_type, True)]
    if fits:
        assert fitted(frame, columns, "the result", result=True).columns == ["x"]
        return
    with pytest.raises(ValueError, match="^column x: 1 values do not fit"):
        fitted(frame, columns, "the result", result=True)


@pytest.mark.parametrize(("value", "fits"), [("array('abc', null)", True), ("array('a', 'abcd')", False)])
def test_each_text_of_an_array_must_have_room(spark: SparkSession, fitted: Fitted, value: str, fits: bool) -> None:
    """An array is one value, and refused as a whole."""
    frame, columns = spark.sql(f"SELECT {value} AS x"), [("x", "array<string>", "character varying(3)[]", True)]
    if fits:
        assert fitted(frame, columns, "the result", result=True).columns == ["x"]
        return
    with pytest.raises(ValueError, match="^column x: 1 values do not fit character varying"):
        fitted(frame, columns, "the result", result=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("timestamp'1970-01-01 08:30:00'", "1970-01-01 08:30:00"),
        ("'08:30:15.25'", "1970-01-01 08:30:15.25"),
        ("' 08:30'", "1970-01-01 08:30:00"),
        ("timestamp'2024-01-01 08:30:00'", None),
        ("date'2024-01-01'", None),
        ("'24:00:00'", None),
        ("'2024-01-01 08:30:00'", None),
        ("'half past eight'", None),
    ],
)
def test_a_time_of_day_is_a_timestamp_of_1970(spark: SparkSession, fitted: Fitted, value: str, shown: str) -> None:
    """Or a text of it; the day of any other timestamp would be lost."""
    frame = spark.sql(f"SELECT {value} AS x UNION ALL SELECT NULL")
    columns = [("x", "timestamp", "time without time zone", True)]
    if shown is None:
        with pytest.raises(ValueError, match="^column x: 1 values do not fit time without time zone"):
            fitted(frame, columns, "the result", result=True)
        return
    cast = fitted(frame, columns, "the result", result=True)
    assert [row[0] for row in cast.selectExpr("cast(x as string)").collect()] == [shown, None]


@pytest.mark.parametrize(
    ("wanted", "sql_type"), [("string", "text"), (None, "any type"), ("timestamp", "timestamp without time zone")]
)
def test_a_time_of_day_does_not_become_a_day_of_1970(
    spark: SparkSession, guard: dict[str, Any], monkeypatch: pytest.MonkeyPatch, wanted: str | None, sql_type: str
) -> None:
    """Spark shows it as a timestamp; a column of a source is known, of a computed one the values are told."""
    monkeypatch.setitem(guard, "HAS_TIMES", True)
    frame = spark.sql("SELECT timestamp'1970-01-01 08:30:00' AS x UNION ALL SELECT timestamp'2024-01-01 08:30:00'")
    source, _ = guard["fitted"](frame, [("x", "timestamp", "time without time zone", True)], "source t")
    columns = [("y", wanted, sql_type, True)]
    with pytest.raises(ValueError, match=f"column y is a time of day, which the target cannot hold as {sql_type}"):
        guard["fitted"](source.alias("t").selectExpr("t.x AS y"), columns, "the result", result=True)
    computed = source.selectExpr("x + interval 0 hours AS y")
    _, notes = guard["fitted"](computed, columns, "the result", result=True)
    assert notes == [f"column y: 1 values are of 1970-01-01, as times of day are read, and were written as {sql_type}"]
    assert guard["fitted"](computed, [("y", "timestamp", "time without time zone", True)], "the result")[1] == []


def test_without_a_declared_type_scalars_arrays_and_bytes_stay_as_they_are(spark: SparkSession, fitted: Fitted) -> None:
    """They have a counterpart in PostgreSQL."""
    frame = spark.sql("SELECT 1 AS i, array('x') AS a, X'00' AS b, date'2024-02-29' AS d")
    columns = [(name, None, "any type", True) for name in frame.columns]
    assert fitted(frame, columns, "the result", result=True).dtypes == frame.dtypes


@pytest.mark.parametrize(
    "value",
    ["map('a', 1)", "struct(1)", "interval 1 day", "interval 1 month", "array(array(1))", "array(map('a', 1))",
     "array(struct(1))", "array(X'00')"],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_by_column(spark: SparkSession, fitted: Fitted, value: str) -> None:
    """Before anything is written."""
    with pytest.raises(ValueError, match="^column x is .*, which the target cannot hold as any type"):
        fitted(spark.sql(f"SELECT {value} AS x"), [("x", None, "any type", True)], "the result", result=True)
