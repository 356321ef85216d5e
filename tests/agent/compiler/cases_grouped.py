"""Specifications with groupings over the shop, each with the rows that it gives, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

from tests.agent.compiler.scene import ORDERS, Case, aggregate, derive, names, where

GROUPED = {
    "counts of rows, values and distinct values differ": Case(
        ORDERS,
        ["all_rows", "noted", "amounts", "customers"],
        [(5, 3, 3, 3)],
        {
            "aggregations": [
                aggregate("count", None, "all_rows"),
                aggregate("count", "note", "noted"),
                aggregate("count_distinct", "amount", "amounts"),
                aggregate("count_distinct", "customer_id", "customers"),
            ]
        },
    ),
    "an expression over aggregates stands in the list of aggregates": Case(
        ORDERS,
        ["customer_id", "n", "mean", "most"],
        [
            (1, 2, Decimal("6.3"), Decimal("7.50")),
            (2, 1, Decimal("7.5"), Decimal("7.50")),
            (9, 1, Decimal("1.0"), Decimal("1.00")),
            (None, 1, Decimal("0"), None),
        ],
        {
            "aggregations": [
                aggregate("count", "*", "n", "customer_id"),
                {"column": "COALESCE(ROUND(AVG(amount), 1), 0)", "alias": "mean", "group_by": ["customer_id"]},
                aggregate("max", "amount", "most", "customer_id"),
            ]
        },
    ),
    "expressions over aggregates need no other aggregate": Case(
        ORDERS,
        ["share", "total"],
        [(Decimal("60.0"), Decimal("21.00"))],
        {
            "aggregations": [
                {
                    "expression": "ROUND(100.0 * COUNT(note) FILTER (WHERE amount > 0) / COUNT(*), 1)",
                    "alias": "share",
                },
                {"function": "expression", "expression": "COALESCE(SUM(amount), 0)", "alias": "total"},
            ]
        },
    ),
    "a global aggregate over no rows is one row": Case(
        ORDERS,
        ["n", "least", "most", "mean"],
        [(0, None, None, None)],
        {
            "aggregations": [
                aggregate("count", "*", "n"),
                aggregate("min", "amount", "least"),
                aggregate("max", "placed", "most"),
                aggregate("avg", "order_id", "mean"),
            ],
            "filters": [where("order_id", "<", 0)],
        },
    ),
    "an aggregate may keep its column's name": Case(
        ORDERS, ["amount"], [(Decimal("21.00"),)], {"aggregations": [aggregate("sum", "amount", "amount")]}
    ),
    "derived columns stand before and after grouping": Case(
        ORDERS,
        ["month", "share", "half_year"],
        [(1, 1.0, "H1"), (2, 1.0, "H1"), (3, 0.0, "H1")],
        {
            "derived_columns": [
                {"name": "month", "expression": "month(placed)"},
                {"name": "big", "expression": "CASE WHEN amount > 2 THEN 1 ELSE 0 END"},
                {"name": "share", "expression": "bigs / n"},
                {"name": "half_year", "expression": "CASE WHEN month <= 6 THEN 'H1' ELSE 'H2' END"},
            ],
            "aggregations": [aggregate("sum", "big", "bigs", "month"), aggregate("count", "*", "n", "month")],
            "filters": [where("placed", "IS NOT NULL")],
        },
        names("month", "share", "half_year"),
    ),
    "a filter on a column derived from aggregates comes last": Case(
        ORDERS,
        ["customer_id", "mean"],
        [(2, Decimal("7.50"))],
        {
            "derived_columns": [{"name": "mean", "expression": "CAST(total / n AS decimal(10,2))"}],
            "aggregations": [
                aggregate("sum", "amount", "total", "customer_id"),
                aggregate("count", "amount", "n", "customer_id"),
            ],
            "filters": [where("mean", ">", 7)],
        },
        names("customer_id", "mean"),
    ),
    "a sum of 64-bit integers does not wrap round": Case(
        ["sales.items"],
        ["total"],
        [(Decimal(2 * (2**63 - 1)),)],
        {
            "derived_columns": [derive("most", "order_id * 0 + 9223372036854775807")],
            "aggregations": [aggregate("sum", "most", "total")],
            "filters": [where("total", ">", 2**62)],
        },
    ),
    "a column derived from a group key is computed from the same column": Case(
        ORDERS,
        ["n", "label"],
        [(2, "c1"), (1, "c2"), (1, "c9"), (1, "c")],
        {
            "derived_columns": [derive("label", "concat('c', customer_id)")],
            "aggregations": [aggregate("count", "*", "n", "customer_id")],
        },
        names("n", "label"),
    ),
}
