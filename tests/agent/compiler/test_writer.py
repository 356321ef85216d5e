"""Generated code: the rows that it gives, its layout, and its limits."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.sanitizing.policy import check_policy
from tests.agent.compiler.cases import CASES as PLAIN
from tests.agent.compiler.cases_expressions import EXPRESSIONS
from tests.agent.compiler.cases_grouped import GROUPED
from tests.agent.compiler.scene import (
    ORDERS,
    SHOP,
    Case,
    aggregate,
    aliased,
    collected,
    derive,
    join,
    names,
    request_for,
    run,
    snapshot_for,
    where,
)

CASES = {**PLAIN, **GROUPED, **EXPRESSIONS}


@pytest.mark.spark
@pytest.mark.parametrize("name", CASES)
def test_the_transform_gives_the_rows_that_the_specification_means(ansi_spark: Any, name: str) -> None:
    """On real Spark the generated code gives the columns and rows that were worked out by hand."""
    case = CASES[name]
    result = run(ansi_spark, case)
    assert result.columns == case.columns
    rows = collected(result)
    if case.ordered:
        assert rows == case.rows
    else:
        assert sorted(rows, key=repr) == sorted(case.rows, key=repr)


@pytest.mark.parametrize("name", CASES)
def test_the_transform_passes_the_policy(name: str) -> None:
    """Generated code holds nothing that the policy refuses, and no line over 100 characters."""
    case = CASES[name]
    request = request_for(case.sources, case.target, **case.specs)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert check_policy(code) == []
    assert max(len(line) for line in code.splitlines()) <= 100


def test_the_code_reads_as_one_step_a_statement() -> None:
    """The whole text for a join with a filter and a grouping."""
    request = request_for(
        SHOP,
        {"description": "Spend by city"},
        **join("left"),
        filters=[where("city", "!=", "Oslo")],
        aggregations=[aggregate("sum", "amount", "spend", "city"), aggregate("count", "order_id", "orders", "city")],
    )
    assert compile_transform(build_plan(request, snapshot_for(request))) == (
        "def transform(sources: dict[str, DataFrame]) -> DataFrame:\n"
        '    """Spend by city."""\n'
        '    customers = sources["c"]\n'
        '    orders = sources["o"]\n'
        '    joined = customers.join(orders, F.col("c.customer_id") == F.col("o.customer_id"), "left")\n'
        '    kept = joined.where(F.col("c.city") != F.lit("Oslo"))\n'
        '    grouped = kept.groupBy(F.col("c.city")).agg(\n'
        '        F.sum(F.col("o.amount")).alias("spend"),\n'
        '        F.count(F.col("o.order_id")).alias("orders"),\n'
        "    )\n"
        '    return grouped.select("city", "spend", "orders")\n'
    )


@pytest.mark.parametrize(
    "description",
    ['ends """ early', 'a"', "back\\", "twin\nlines", "\x01\u2028", "x" * 1000, "  ", "'''", "word " * 200, "{x} %s"],
)
def test_a_description_stays_inside_the_docstring(description: str) -> None:
    """Whatever the description holds, the function's body is the same."""
    plain, odd = (request_for(ORDERS, {"description": text}) for text in ("plain", description))
    trees = [ast.parse(compile_transform(build_plan(one, snapshot_for(one)))) for one in (plain, odd)]
    functions = [tree.body[0] for tree in trees]
    bodies = [[ast.dump(part) for part in f.body[1:]] for f in functions if isinstance(f, ast.FunctionDef)]
    assert bodies[0] == bodies[1]
    assert all(isinstance(f, ast.FunctionDef) and ast.get_docstring(f) for f in functions)


def test_a_text_value_stays_a_text() -> None:
    """Quotes, backslashes and line breaks in a value reach Spark as they are."""
    value = 'a"b\\c\nd\u2028é😀'
    request = request_for(ORDERS, filters=[where("note", "=", value)])
    tree = ast.parse(compile_transform(build_plan(request, snapshot_for(request))))
    assert value in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def test_a_long_expression_is_broken_and_stays_the_same() -> None:
    """An expression over the line's width is cut into parts that join to the same text."""
    branches = " ".join(f"WHEN order_id = {number} THEN 'number {number}'" for number in range(20))
    request = request_for(ORDERS, derived_columns=[{"name": "label", "expression": f"CASE {branches} END"}])
    code = compile_transform(build_plan(request, snapshot_for(request)))
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert f"CASE {branches} END".replace("order_id", "orders.order_id") in texts
    assert max(len(line) for line in code.splitlines()) <= 100


def test_long_names_and_values_break_the_lines() -> None:
    """Merged keys, texts without blanks and quotes leave no line over 100 characters."""
    sources = [aliased("customers", "the_customers_of_the_shop"), aliased("orders", "the_orders_of_the_shop")]
    join = {"left_table": sources[0]["alias"], "right_table": sources[1]["alias"], "join_type": "outer"}
    request = request_for(
        sources,
        join_conditions=[{**join, "on_columns": ["customer_id"]}],
        filters=[where("customer_id", ">", 1), where("customer_id", "IN", [2, 3]), where("customer_id", "!=", 7)],
        derived_columns=[derive("label", f"concat(note, '{'x' * 300}', \"{'y ' * 100}\")")],
        aggregations=[aggregate("count_distinct", "customer_id", "number_of_customers", "label")],
    )
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert max(len(line) for line in code.splitlines()) <= 100
    assert check_policy(code) == []


def test_long_chains_stay_within_the_policy() -> None:
    """Hundreds of derived columns and filters are cut into several statements."""
    derived = [derive(f"d{number}", f"order_id + {number}") for number in range(200)]
    filters = [where("order_id", "!=", number) for number in range(300)]
    request = request_for(ORDERS, derived_columns=derived, filters=filters)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert check_policy(code) == []
    assert code.count("order_id") >= 500


@pytest.mark.spark
@pytest.mark.parametrize("second", ["inner", "left", "right", "outer"])
@pytest.mark.parametrize("first", ["inner", "left", "right", "outer"])
def test_a_shared_key_is_its_first_value_that_is_not_null(spark: Any, first: str, second: str) -> None:
    """In every row of every chain of joins the bare key equals whichever of its members are there."""
    sources = [aliased("customers", "c"), aliased("orders", "o"), aliased("orders", "p")]
    joins = [
        {"left_table": "c", "right_table": "o", "join_type": first, "on_columns": ["customer_id"]},
        {"left_table": "o", "right_table": "p", "join_type": second, "condition": "o.customer_id = p.customer_id"},
    ]
    members = [f"key_of_{alias}" for alias in "cop"]
    derived = [{"name": name, "expression": f"{name[-1]}.customer_id"} for name in members]
    case = Case(sources, [], [], {"join_conditions": joins, "derived_columns": derived}, names("customer_id", *members))
    rows = collected(run(spark, case))
    assert rows
    for key, *found in rows:
        assert {member for member in found if member is not None} == ({key} if key is not None else set())
