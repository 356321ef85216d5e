"""Expressions and filter values: uncertain ones are refused, usual ones have a type."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.snapshot import Column, Snapshot, Source, Target
from tests.agent.compiler.scene import (
    aggregate,
    aliased,
    assert_refused,
    derive,
    names,
    problems,
    request_for,
    snapshot_for,
    where,
)

ORDERS: list[Any] = ["orders"]


EXPRESSIONS = [
    ("amont * 2", "unknown column 'amont'; did you mean 'amount'?"),
    ("rand()", "another answer on each run"),
    ("uuid()", "another answer on each run"),
    ("monotonically_increasing_id()", "another answer on each run"),
    ("input_file_name()", "another answer on each run"),
    ("reflect('java.lang.System', 'exit', 0)", "function reflect() is not one"),
    ("java_method('a', 'b')", "function java_method() is not one"),
    ("`reflect`('a', 'b')", "function reflect() is not one"),
    ("nosuch(amount)", "function nosuch() is not one"),
    ("uper(note)", "did you mean 'upper'?"),
    ("(SELECT 1)", "a subquery"),
    ("amount IN (SELECT 1)", "a subquery"),
    ("CAST(amount AS txt)", "unknown type 'txt'"),
    ("current_user", "depends on who runs the job"),
    ("'it' 's'", "two texts side by side"),
    ("amount -- all of it", "holds a comment"),
    ("amount) + (1", "cannot be read"),
    ("amount; 1", "';' is not a part"),
    ("amount total", "an alias"),
    ("orders.*", "`*`"),
    ("amount = note", "string with decimal, which Spark converts; write CAST"),
    ("date_trunc(unit, placed)", "unknown column 'unit'"),
    ("date_trunc(year, placed + INTERVAL 1 day)", "unknown column 'year'"),
    (" + ".join(["1"] * 500), "is nested too deeply: at most 120 operators in a row"),
    (" AND ".join(["amount = 1"] * 10_000), "is too long at character"),
    ("(" * 3000 + "1" + ")" * 3000, "is nested too deeply at character 33, `(`: at most 32 levels"),
    ("(" * 50_000, "is nested too deeply at character 33"),
    ("CASE WHEN amount = 1 THEN " * 40 + "1" + " END" * 40, "is nested too deeply at character"),
    ("array[" * 16 + "1" + "]" * 16, "nests lists, structs and calls named as types 13 deep"),
    ("NOT " * 3000 + "true", "is nested too deeply: at most 120 operators in a row"),
    ("5L", "'5L' is a number with a suffix; write CAST(5 AS type)"),
    ("amount * 1.5D", "'1.5D' is a number with a suffix"),
    ("'amount", "cannot be read"),
]


@pytest.mark.parametrize(("expression", "message"), EXPRESSIONS)
def test_expressions_that_are_not_certain_are_refused(expression: str, message: str) -> None:
    """Each unknown, random, unsafe or doubtful part of an expression is named."""
    derived = [derive("new", expression), derive("later", "1")]
    assert_refused(problems(ORDERS, derived_columns=derived), "specs.derived_columns[0].expression", message)


def test_a_join_condition_that_is_nested_too_deeply_is_told_at_its_path() -> None:
    """Conditions have the same limits as expressions."""
    sources: list[Any] = [aliased("orders", "o"), aliased("customers", "c")]
    join = {"left_table": "o", "right_table": "c", "condition": "array[" * 16}
    found = problems(sources, join_conditions=[join])
    assert_refused(found, "specs.join_conditions[0].condition", "compute an inner part as a column of its own first")


PADDED = [
    (["customers"], {"aggregations": [aggregate("count", "*", "n", "code")]}, "CASE WHEN n > 0 THEN code = 'A' END"),
    (["customers"], {"aggregations": [aggregate("max", "code", "top")]}, "top = 'A'"),
    (
        [aliased("customers", "c"), aliased("customers", "d")],
        {"join_conditions": [{"left_table": "c", "right_table": "d", "join_type": "outer", "on_columns": "code"}]},
        "code = 'A'",
    ),
]


@pytest.mark.parametrize(("sources", "specs", "expression"), PADDED)
def test_padding_is_trimmed_after_joins_and_groups(sources: list[Any], specs: dict[str, Any], expression: str) -> None:
    """A key, a maximum and a merged key of a character(n) column are padded too."""
    request = request_for(sources, names("new"), derived_columns=[derive("new", expression)], **specs)
    assert "rtrim(" in compile_transform(build_plan(request, snapshot_for(request)))


WORDS = ["comment", "desc", "show", "set", "use", "cache", "load", "explain", "call", "kill", "begin", "if", "update"]


@pytest.mark.parametrize("word", WORDS)
def test_a_column_named_as_a_command_may_begin_an_expression(word: str) -> None:
    """SQL's commands are plain names inside an expression; the code quotes them."""
    request = request_for(["t"], derived_columns=[derive("new", f"{word} + 1")])
    source = Source(key="t", table="t", columns=(Column(name=word, type="integer"),))
    snapshot = Snapshot(sources=(source,), target=Target(name="result", exists=False), origin="event")
    assert f'F.expr("t.`{word}` + 1")' in compile_transform(build_plan(request, snapshot))


INFERRED = [
    ("date_trunc('month', placed)", "2024-01-01 00:00:00"),
    ("to_timestamp(note)", "2024-01-01 00:00:00"),
    ("current_timestamp", "2024-01-01"),
    ("CAST(note AS TIMESTAMP)", "2024-01-01 10:00:00"),
    ("CAST(placed AS timestamp) + INTERVAL 1 hour", "2024-01-01 10:00:00"),
    ("date_add(placed, 1)", "2024-01-01"),
    ("date_sub(placed, 1)", "2024-01-01"),
    ("placed + INTERVAL 1 day", "2024-01-01"),
    ("to_date(note)", "2024-01-01"),
    ("trunc(placed, 'MM')", "2024-01-01"),
    ("last_day(placed)", "2024-01-01"),
    ("add_months(placed, 1)", "2024-01-01"),
    ("make_date(2024, 1, 1)", "2024-01-01"),
    ("CAST(note AS DATE)", "2024-01-01"),
    ("coalesce(placed, current_date)", "2024-01-01"),
    ("coalesce(placed, '1970-01-01')", "2024-01-01"),
    ("CASE WHEN amount > 1 THEN '1970-01-01' ELSE current_timestamp END", "2024-01-01 10:00:00"),
    ("nvl(amount, 0)", 1),
    ("nullif(amount, 0)", 0.5),
    ("greatest(amount, order_id)", 1.5),
    ("if(amount > 1, amount, NULL)", 1.5),
    ("nvl2(note, 1, 2)", 1),
    ("CASE WHEN amount > 1 THEN 1 ELSE amount END", 1),
    ("length(note)", 3),
    ("year(placed)", 2024),
    ("extract(year FROM placed)", 2024),
    ("hour(current_timestamp)", 3),
    ("datediff(placed, placed)", 0),
    ("CAST(amount AS decimal(12,3))", 1.125),
    ("instr(note, 'x')", 1),
    ("amount div 2", 1),
]
MISFITS = {str: 5, int: "abc", float: "abc"}


@pytest.mark.parametrize(("expression", "value"), INFERRED)
def test_usual_expressions_have_a_type_that_filters_keep_to(expression: str, value: Any) -> None:
    """A filter on the derived column takes a value of its type and refuses another."""
    derived = [derive("new", expression)]
    fits, fails = (
        problems(ORDERS, names("new"), derived_columns=derived, filters=[where("new", ">=", one)])
        for one in (value, MISFITS[type(value)])
    )
    assert fits == []
    assert_refused(fails, "specs.filters[0].value", "does not fit")


def test_a_derived_column_without_a_certain_type_is_not_compared() -> None:
    """Spark would convert one side in silence, so the advice is a CAST."""
    for operator, value in (("=", "x"), (">", 1), ("IN", ["x"]), ("BETWEEN", ["a", "b"]), ("LIKE", "x%"), ("=", True)):
        derived = [derive("new", "NULL")]
        found = problems(ORDERS, names("new"), derived_columns=derived, filters=[where("new", operator, value)])
        assert_refused(found, "specs.filters[0].value", "derive it with CAST(... AS type)")


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_a_moment_beyond_the_calendar_is_refused(value: str) -> None:
    """A moment whose UTC form lies before year 1 or after year 9999 is refused."""
    found = problems(["sales.items"], names("qty"), filters=[where("sent", "=", value)])
    assert_refused(found, "specs.filters[0].value", "outside the years 1 to 9999")


@pytest.mark.parametrize("value", ["2024-01-01\n", "٢٠٢٤-01-01"])
def test_a_date_is_ten_plain_characters(value: str) -> None:
    """A trailing line break and digits of another script are refused."""
    found = problems(ORDERS, names("order_id"), filters=[where("placed", "=", value)])
    assert_refused(found, "specs.filters[0].value", "give a date as 2024-01-31")


FILTERS = [
    (where("amount", ">", "1,000"), "value", "'1,000' does not fit a decimal column; give a number, as 1000"),
    (
        where("amount", ">", "5%"),
        "value",
        "give a number: 5 where the column holds percent, 0.05 where it holds shares",
    ),
    (where("amount", ">", True), "value", "does not fit a decimal column"),
    (where("amount", ">", None), "value", "use IS NULL"),
    (where("amount", ">", [1]), "value", "takes one value"),
    (where("order_id", "IN", []), "value", "takes a list"),
    (where("order_id", "IN", [1, None]), "value", "NULL equals nothing"),
    (where("order_id", "BETWEEN", [1]), "value", "two values"),
    (where("order_id", "=", 2**63), "value", "beyond 64-bit"),
    (where("order_id", "IS NULL", 5), "value", "takes no value"),
    (where("note", "=", 1), "value", "give a text"),
    (where("note", "LIKE", "a\\b"), "value", "a backslash in a pattern"),
    (where("amount", "LIKE", "1%"), "operator", "LIKE needs a text column"),
    (where("placed", ">", "01.02.2024"), "value", "give a date as 2024-01-31"),
    (where("placed", ">", "2024-02-30"), "value", "give a date as 2024-01-31"),
    (where("placed", ">", "2024-01-01T10:00:00"), "value", "give a date as 2024-01-31"),
    (where("big", "=", 2), "value", "does not fit a boolean column"),
    (where("big", ">", True), "operator", "use = or !="),
    (where("label", "=", 5), "value", "give a text"),
    (where("double_price", "=", "abc"), "value", "give a number"),
    (where("nte", "=", "x"), "column", "did you mean 'note'?"),
]


@pytest.mark.parametrize(("entry", "field", "message"), FILTERS)
def test_filter_values_that_do_not_fit_are_refused(entry: dict[str, Any], field: str, message: str) -> None:
    """A value that Spark would convert in silence, or that can never hold, is refused."""
    derived = [
        derive("big", "amount > 5"),
        derive("label", "CONCAT(note, 'x')"),
        derive("double_price", "amount * 2.0"),
    ]
    assert_refused(problems(ORDERS, derived_columns=derived, filters=[entry]), f"specs.filters[0].{field}", message)
