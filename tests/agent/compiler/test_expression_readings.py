"""Expressions of two dialects: the one meaning that the columns leave, or both readings."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.problems import Problems
from agent.compiler.reading import Reading, read_specification
from agent.errors import InvalidRequestError
from agent.request import parse_request
from agent.snapshot import Column, Snapshot, Source, Target
from tests.agent.compiler.expression_scene import bound, in_postgres, in_spark

READ: list[tuple[str, str]] = [
    ("n * 2", "n * 2"),
    ("upper(trim(t))", "upper(trim(t))"),
    ('upper("First Name")', "upper(`First Name`)"),
    ('t = "x"', "t = 'x'"),
    ("day > '2024-01-31'", "day > DATE '2024-01-31'"),
    ("n = '2.5'", "n = 2.5"),
    ("b = 'true'", "b = true"),
    ("st = 'open'", "st = 'open'"),
    ("u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    ("code = 'A  '", "rtrim(code) = 'A'"),
    ("code IS NULL", "code IS NULL"),
    ("code = code", "code = code"),
    ("day - DATE '2024-01-01'", "datediff(day, DATE '2024-01-01')"),
    ("day + INTERVAL '1 month 2 days'", "day + INTERVAL '1' MONTH + INTERVAL '2' DAY"),
    ("date_trunc('month', ts)::date", "CAST(date_trunc('month', ts) AS date)"),
    ("'cost ${x}'", "'cost \\u0024{x}'"),
    ("'it''s'", "'it\\'s'"),
    ("id::numeric / 3", "CAST(CAST(id AS decimal(10,0)) AS decimal(24,14)) / 3"),
    ("t || (id + 1)", "t || (id + 1)"),
    ("n BETWEEN SYMMETRIC 2 AND 1", "n BETWEEN 2 AND 1 OR n BETWEEN 1 AND 2"),
    ("sent AT TIME ZONE 'Europe/Berlin'", "from_utc_timestamp(sent, 'Europe/Berlin')"),
]


@pytest.mark.parametrize(("text", "wanted"), READ)
def test_what_has_one_meaning_is_rendered_for_spark(text: str, wanted: str) -> None:
    """The text of the job reads like what was written, without a note."""
    assert in_spark(text) == wanted
    assert bound(text).remarks == ()


NOTED = [
    ("concat(t, t2)", "concat_ws('', t, t2)", "Spark's, which gives NULL"),
    ("n::int", "CAST(round(n) AS int)", "Spark cuts the fraction off"),
    ("CAST(d AS int)", "CAST(rint(d) AS int)", "Spark cuts the fraction off"),
    ("CAST(n AS decimal)", "CAST(n AS decimal(10,2))", "Spark's decimal(10,0)"),
    ("CAST(n AS float)", "CAST(n AS double)", "Spark's float of four bytes"),
    ("round(d)", "rint(d)", "Spark's, which gives 3.0"),
    ("id / 2", "id / 2", "a whole number, as PostgreSQL divides integers"),
]


@pytest.mark.parametrize(("text", "wanted", "other"), NOTED)
def test_the_usual_reading_is_taken_and_noted(text: str, wanted: str, other: str) -> None:
    """The note tells the other reading."""
    assert in_spark(text) == wanted
    ((_, found),) = bound(text).remarks
    assert other in found


SHOWN = [
    ("concat(t, t2)", ["t", "t2"]),
    ("CAST(id AS decimal)", ["id"]),
    ("round(n)", []),
    ("CAST(id AS bigint)", []),
]


@pytest.mark.parametrize(("text", "present"), SHOWN)
def test_a_difference_that_the_columns_cannot_show_is_none(text: str, present: list[str]) -> None:
    """Columns without NULL, and whole numbers, give the same in both dialects."""
    assert bound(text, present=present).remarks == ()


TWICE = [
    ("'\\d'", "PostgreSQL gives '\\d', Spark 'd'"),
    ("to_date(t, 'yyyy-mm-dd')", "the pattern yyyy-MM-dd of Spark, Spark its own yyyy-mm-dd"),
    ("2 ^ id", "or write power(…, …)"),
    ("trim(t, '0')", "PostgreSQL gives 12, Spark ''"),
    ("log(n)", "PostgreSQL gives 2, Spark 4.605170185988092"),
    ("d::text", "Spark digits as 1.0E7"),
    ("t::varchar(3)", "left(…, 3)"),
    ("tags[1]", "the element counted from 1"),
]


@pytest.mark.parametrize(("text", "message"), TWICE)
def test_anything_else_that_differs_is_refused_with_both_answers(text: str, message: str) -> None:
    """The message names the option that decides."""
    problems = Problems()
    with pytest.raises(InvalidRequestError) as refused, problems, problems.at("x"):
        bound(text)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert "`options.expression_dialect`" in problem.message


TRAPS = [
    ("date_format(day, 'DD/MM/yyyy')", "day of the year"),
    ("date_format(day, 'yyyy-mm-dd')", "minutes"),
    ("date_format(day, 'YYYY')", "write yyyy"),
    ("split(t, '|')[0]", "in brackets"),
    ("split(t, '.')[0]", "in brackets"),
    ("regexp_like(t, '[[:space:]]')", "no class"),
    ("regexp_extract(t, '([[:digit:]]+)', 1)", "no class"),
    ("element_at(split(t, ','), id)", "last element"),
]


@pytest.mark.parametrize("dialect", ["auto", "spark"])
@pytest.mark.parametrize(("text", "message"), TRAPS)
def test_a_constant_that_looks_like_something_else_is_refused(text: str, message: str, dialect: DialectChoice) -> None:
    """Spark would take it without an error, and give other rows than the text says."""
    problems = Problems()
    with pytest.raises(InvalidRequestError, match=message), problems, problems.at("x"):
        in_spark(text, dialect)


def test_padding_that_a_function_would_show_is_refused() -> None:
    """PostgreSQL's concat() keeps it, and `||` does not."""
    problems = Problems()
    with pytest.raises(InvalidRequestError) as refused, problems, problems.at("x"):
        bound("concat(code, t)")
    assert "write rtrim(…)" in refused.value.problems[0].message
    assert in_spark("concat(rtrim(code), 'x')", present=["code"]) == "concat_ws('', rtrim(code), 'x')"


DECIDED: list[tuple[str, DialectChoice, str]] = [
    ("id / 2", "postgres", "id div 2"),
    ("id / 2", "spark", "id / 2"),
    ("2 ^ id", "postgres", "power(2, id)"),
    ("2 ^ id", "spark", "2 ^ id"),
    ("n::int", "spark", "CAST(n AS int)"),
    ("concat(t, t2)", "spark", "concat(t, t2)"),
    ("trim(t, '0')", "postgres", "btrim(t, '0')"),
    ("CAST(n AS decimal)", "spark", "CAST(n AS decimal(10,0))"),
    ("'\\d'", "postgres", "'\\\\d'"),
]


@pytest.mark.parametrize(("text", "dialect", "wanted"), DECIDED)
def test_a_dialect_decides(text: str, dialect: DialectChoice, wanted: str) -> None:
    """Nothing is noted then."""
    assert in_spark(text, dialect) == wanted
    assert bound(text, dialect).remarks == ()


def test_the_oracle_has_a_text_of_its_own() -> None:
    """Names, divisions, casts and intervals are PostgreSQL's."""
    assert in_postgres("id / (n - 1)") == 'CAST("id" AS numeric) / nullif("n" - 1, 0)'
    assert in_postgres("id / 2") == 'CAST("id" AS numeric) / 2'
    assert in_postgres("CAST(t AS double)") == 'CAST("t" AS double precision)'
    assert in_postgres("ts + INTERVAL 90 minutes") == "\"ts\" + INTERVAL '1 hour 30 minute'"


def test_a_reading_notes_what_was_decided_and_the_dialect_decides() -> None:
    """The note has the path of the derived column; a column that is NOT NULL shows no difference."""
    assert [(note.path, note.other) for note in _notes("concat(a, b)", {})] == [
        ("specs.derived_columns[0].expression", "Spark's, which gives NULL")
    ]
    assert _notes("concat(a, b)", {"expression_dialect": "spark"}) == ()
    assert _notes("concat(a, a)", {}) == ()


HALVES: list[dict[str, Any]] = [
    {"filters": [{"condition": "n / 2 > 1"}]},
    {
        "filters": [
            {"operator": "OR", "conditions": [{"condition": "n / 2 > 1"}, {"column": "a", "operator": "IS NULL"}]}
        ]
    },
    {"aggregations": [{"function": "count", "alias": "m", "where": "n / 2 > 1", "group_by": ["x"]}]},
]


@pytest.mark.parametrize("specs", HALVES)
def test_a_condition_is_noted_wherever_it_stands(specs: dict[str, Any]) -> None:
    """As a filter, as an alternative of one, and as the filter of an aggregate."""
    reading = _reading({"derived_columns": [{"name": "x", "expression": "a"}], **specs}, {})
    assert ["a whole number, as PostgreSQL divides integers" in note.other for note in reading.notes].count(True) == 1


def _notes(expression: str, options: dict[str, Any]) -> tuple[Any, ...]:
    """The notes on an expression."""
    return _reading({"derived_columns": [{"name": "x", "expression": expression}]}, options).notes


def _reading(specs: dict[str, Any], options: dict[str, Any]) -> Reading:
    """The reading over `a`, which is NOT NULL, `b` and `n`."""
    specs = {"source_tables": ["things"], "target_table": {"name": "result", "columns": ["x"]}, **specs}
    kinds = (Column(name="b", type="text"), Column(name="n", type="integer"))
    columns = (Column(name="a", type="text", nullable=False), *kinds)
    snapshot = Snapshot(
        sources=(Source(key="things", table="things", columns=columns),),
        target=Target(name="result", exists=False),
        origin="event",
    )
    reading = read_specification(parse_request({"run_id": "r", "specs": specs, "options": options}), snapshot)
    assert reading.plan is not None
    return reading
