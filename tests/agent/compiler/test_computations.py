"""Computed columns in any order, with aggregates and windows inside their expressions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.compiler.scene import (
    ON_CUSTOMER,
    ORDERS,
    SHOP,
    Case,
    aggregate,
    aliased,
    assert_refused,
    collected,
    derive,
    down,
    names,
    problems,
    run,
    step,
    where,
    window,
)

SALES: list[Any] = ["sales"]
BY_REGION = [aggregate("sum", "amount", "total", "region")]


CASES = {
    "a column is derived from one that is listed later": Case(
        ORDERS,
        ["order_id", "four"],
        [(10, 20), (11, 30)],
        {
            "derived_columns": [derive("four", "two * 2"), derive("two", "amount * 2")],
            "filters": [where("order_id", "<=", 11)],
        },
        names("order_id", "four"),
    ),
    "an aggregate over an expression": Case(
        ORDERS,
        ["customer_id", "total"],
        [(1, 25), (2, 15)],
        {
            "aggregations": [aggregate("sum", "amount * 2", "total", "customer_id")],
            "filters": [where("customer_id", "<=", 2)],
        },
    ),
    "a group by an expression has a name made from it": Case(
        ORDERS,
        ["month_placed", "n"],
        [(1, 2), (2, 1), (3, 1), (None, 1)],
        {"aggregations": [aggregate("count", "*", "n", "month(placed)")]},
    ),
    "a group by the expression of a derived column is that column": Case(
        ORDERS,
        ["month", "n"],
        [(1, 2), (2, 1), (3, 1), (None, 1)],
        {
            "aggregations": [aggregate("count", "*", "n", "month(placed)")],
            "derived_columns": [derive("month", "month(placed)")],
        },
    ),
    "without group_by all rows are one group": Case(
        ORDERS, ["n"], [(5,)], {"aggregations": [aggregate("count", "*", "n")]}
    ),
    "a window inside an expression, over the groups": Case(
        SALES,
        ["region", "total", "share"],
        [(None, 2350, 13), ("north", 5100, 29), ("south", 10725, 61), ("west", -500, -3)],
        {
            "aggregations": BY_REGION,
            "derived_columns": [derive("share", "CAST(100 * total / SUM(total) OVER () AS INT)")],
            "transformations": [step("sort", by=["region"], ascending=True)],
        },
    ),
    "a rank as a derived column, and the best of each": Case(
        SALES,
        ["region", "rep", "total", "place"],
        [("north", "Ada", 3050, 1), ("south", "Cy", 10724, 1)],
        {
            "aggregations": [aggregate("sum", "amount", "total", "region", "rep")],
            "derived_columns": [derive("place", "RANK() OVER (PARTITION BY region ORDER BY total DESC NULLS LAST)")],
            "filters": [where("place", "=", 1), where("region", "IN", ["north", "south"])],
        },
    ),
    "an aggregate inside an expression": Case(
        ORDERS,
        ["customer_id", "n", "mean"],
        [(1, 2, 6), (2, 1, 8)],
        {
            "aggregations": [aggregate("count", "*", "n", "customer_id")],
            "derived_columns": [derive("mean", "CAST(SUM(amount) / COUNT(*) AS INT)")],
            "filters": [where("customer_id", "<=", 2)],
        },
    ),
    "a filter on an aggregate that is not in the result": Case(
        ORDERS,
        ["customer_id", "n"],
        [(1, 2)],
        {
            "aggregations": [aggregate("count", "*", "n", "customer_id")],
            "filters": [where("SUM(amount * 2)", ">", 20)],
        },
    ),
    "a name is cleaned in place": Case(
        SHOP,
        ["name", "order_id"],
        [("ANN", 10), ("ANN", 11), ("BOB", 12)],
        {"join_conditions": [ON_CUSTOMER], "derived_columns": [derive("name", "upper(name)")]},
        names("name", "order_id"),
    ),
    "groups are made of the cleaned name": Case(
        SALES,
        ["region", "n"],
        [("N", 4), ("S", 4), ("W", 1), (None, 2)],
        {
            "derived_columns": [derive("region", "upper(substring(region, 1, 1))")],
            "aggregations": [aggregate("count", "*", "n", "region")],
        },
    ),
    "columns that pass through are the result": Case(
        SHOP,
        ["customer", "amount"],
        [("Ann", 500), ("Ann", 750), ("Bob", 750)],
        {
            "join_conditions": [ON_CUSTOMER],
            "derived_columns": [derive("customer", "c.name"), derive("amount", "o.amount")],
        },
    ),
}


@pytest.mark.spark
@pytest.mark.parametrize("name", CASES)
def test_spark_gives_the_rows_that_are_meant(spark: Any, name: str) -> None:
    """Amounts are compared in hundredths."""
    case = CASES[name]
    frame = run(spark, case)
    assert frame.columns == case.columns
    found = [tuple(int(v * 100) if type(v).__name__ == "Decimal" and c in ("total", "amount") else v
                   for c, v in zip(case.columns, row, strict=True)) for row in collected(frame)]  # fmt: skip
    if name == "an aggregate over an expression":
        found = [(key, value // 100) for key, value in found]
    assert sorted(found, key=repr) == sorted(case.rows, key=repr)


REFUSED = [
    (
        {"derived_columns": [derive("a", "b + 1"), derive("b", "a + 1")]},
        "derived_columns[0].expression",
        "is needed for what it needs itself: a, b",
    ),
    ({"derived_columns": [derive("a", "SUM(amount)")]}, "derived_columns[0].expression", "an entry of `aggregations`"),
    (
        {"derived_columns": [derive("note", "trim(note)")], "filters": [where("note", "=", "x")]},
        "filters[0].column",
        "'note' may be the column orders.note or the derived column of that name",
    ),
    (
        {"derived_columns": [derive("note", "trim(note)"), derive("n", "upper(note)")]},
        "derived_columns[1].expression",
        "write orders.note for the source's",
    ),
    (
        {"derived_columns": [derive("a", "RANK() OVER (PARTITION BY note)")]},
        "derived_columns[0].expression",
        "rank needs ORDER BY",
    ),
    (
        {
            "derived_columns": [derive("r", "RANK() OVER (ORDER BY amount)")],
            "transformations": [window("rank", "r", order_by=[down("amount")])],
        },
        "transformations[0].details",
        "contradicts specs.derived_columns[0]",
    ),
]


@pytest.mark.parametrize(("specs", "path", "message"), REFUSED)
def test_columns_with_two_meanings_are_refused(specs: dict[str, Any], path: str, message: str) -> None:
    """Both readings are told."""
    assert_refused(problems(ORDERS, **specs), f"specs.{path}", message)


def test_the_same_window_in_both_lists_is_one() -> None:
    """A derived column may repeat a window of `transformations`, with other names for its columns."""
    derived = [derive("r", "RANK() OVER (PARTITION BY o.note ORDER BY o.amount DESC)")]
    listed = [window("rank", "r", partition_by=["note"], order_by=[down("amount")])]
    assert problems([aliased("orders", "o")], derived_columns=derived, transformations=listed) == []
