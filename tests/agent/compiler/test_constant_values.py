"""A filter's value that is SQL of constants, and the further keys of a source table."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import read_specification
from tests.agent.compiler.scene import ORDERS, SHOP, aliased, join, request_for, snapshot_for, where
from tests.agent.compiler.test_reader import read


def code_of(sources: list[Any], **specs: Any) -> str:
    """The transform of a specification that is certain."""
    request = request_for(sources, **specs)
    return compile_transform(read_specification(request, snapshot_for(request)).certain_plan())


@pytest.mark.parametrize(
    ("column", "operator", "value", "written"),
    [
        ("placed", "<=", "DATE '1998-12-01' - INTERVAL '90' DAY", "DAY"),
        ("placed", ">=", "'1995-01-01'::date", "1995-01-01"),
        ("placed", "<", "date '1994-01-01' + interval '1' year", "YEAR"),
        ("placed", "=", "CAST('2013-06-01' AS date)", "2013-06-01"),
        ("amount", ">", "1000 * 2", "1000 * 2"),
        ("placed", "BETWEEN", ["DATE '1994-01-01'", "1994-12-31"], "1994-12-31"),
        ("placed", "BETWEEN", "'1994-01-01'::date AND '1994-12-31'::date", "1994-12-31"),
        ("order_id", "IN", ["1 + 1", 5], "1 + 1"),
        ("note", "=", "'gift'", 'F.lit("gift")'),
        ("note", "IN", ["'gift'", "'rush_1'"], '"rush_1"'),
        ("note", "=", "DATE '1994-01-01'", "F.lit(\"DATE '1994-01-01'\")"),
    ],
)
def test_a_value_may_be_sql_of_constants(column: str, operator: str, value: Any, written: str) -> None:
    """It is an expression where it can be no value of the column's type; for a text column it stays a text."""
    assert written in code_of(ORDERS, filters=[where(column, operator, value)])


@pytest.mark.parametrize(("column", "value"), [("placed", "2024-1-5"), ("order_id", "2024-01-05"), ("amount", "1/2")])
def test_a_date_in_another_form_is_no_calculation(column: str, value: str) -> None:
    """2024-01-05 is not 2018."""
    request = request_for(ORDERS, filters=[where(column, ">", value)])
    [problem] = read_specification(request, snapshot_for(request)).problems
    assert "does not fit" in problem.message


def test_further_keys_of_a_source_describe_it() -> None:
    """The columns that a source lists must exist; nothing else follows from them."""
    source = {"table_name": "orders", "columns": ["order_id", {"name": "amount"}], "primary_key": "order_id"}
    assert code_of([source]) == code_of(ORDERS)
    request = request_for([{**source, "columns": ["order_ids"]}])
    [problem] = read_specification(request, snapshot_for(request)).problems
    assert (problem.path, "did you mean 'order_id'" in problem.message) == ("specs.source_tables[0].columns[0]", True)


def test_a_filter_of_a_source_is_a_filter() -> None:
    """Its columns are those of the source."""
    source = {**aliased("orders", "o"), "filter": "amount > 5 AND note = 'gift'"}
    assert code_of([source]) == code_of(
        [aliased("orders", "o")], filters=[where("o.amount", ">", 5), where("o.note", "=", "gift")]
    )


def test_a_filter_of_a_source_before_an_outer_join_is_told() -> None:
    """Before the join it keeps rows without a partner, behind the join it drops them."""
    sources = [SHOP[0], {**SHOP[1], "filter": "amount > 5"}]
    request = request_for(sources, **join("left"))
    [problem] = read_specification(request, snapshot_for(request)).beyond
    assert (problem.path, "before the join" in problem.message) == ("specs.source_tables[1].filter", True)


def test_a_window_over_all_rows_has_no_clauses() -> None:
    """`OVER ()` is read as a window."""
    entries, problems, _ = read(derived_columns=[{"name": "whole", "expression": "sum(amount) OVER ()"}])
    assert ([one.value.partition_by for one in entries.windows], problems) == ([()], [])
