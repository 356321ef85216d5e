"""Specifications over the shop, each with the rows that it gives, worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.agent.compiler.scene import (
    ON_CUSTOMER,
    ORDERS,
    SHOP,
    Case,
    aggregate,
    aliased,
    derive,
    join,
    names,
    step,
    where,
)

BOSS = {"left_column": "boss", "right_column": "id"}


CASES = {
    "one table passes through": Case(["regions"], ["city", "region"], [("Bern", "south"), ("Rome", "far south")]),
    "an inner join on a shared key lists it once": Case(
        SHOP,
        ["customer_id", "name", "order_id"],
        [(1, "Ann", 10), (1, "Ann", 11), (2, "Bob", 12)],
        join("inner"),
        names("customer_id", "name", "order_id"),
    ),
    "a left join keeps the left side's key": Case(
        SHOP,
        ["customer_id", "order_id"],
        [(1, 10), (1, 11), (2, 12), (3, None)],
        join("left"),
        names("customer_id", "order_id"),
    ),
    "a right join keeps the right side's key": Case(
        SHOP,
        ["customer_id", "order_id", "name"],
        [(1, 10, "Ann"), (1, 11, "Ann"), (2, 12, "Bob"), (9, 13, None), (None, 14, None)],
        join("right"),
        names("customer_id", "order_id", "name"),
    ),
    "an outer join takes the key from either side": Case(
        SHOP,
        ["customer_id", "order_id"],
        [(1, 10), (1, 11), (2, 12), (3, None), (9, 13), (None, 14)],
        join("outer"),
        names("customer_id", "order_id"),
    ),
    "a join named from the other side is mirrored": Case(
        [*SHOP, aliased("regions", "r")],
        ["customer_id", "order_id", "region"],
        [(1, 10, "south"), (1, 11, "south"), (2, 12, None), (3, None, None)],
        {
            "join_conditions": [
                {**ON_CUSTOMER, "join_type": "left"},
                {"left_table": "r", "right_table": "c", "join_type": "right", "on_columns": ["city"]},
            ]
        },
        names("customer_id", "order_id", "region"),
    ),
    "the key of an outer join is grouped as one column": Case(
        SHOP,
        ["customer_id", "n"],
        [(1, 2), (2, 1), (3, 0), (9, 1), (None, 1)],
        {**join("outer"), "aggregations": [aggregate("count", "order_id", "n", "customer_id")]},
    ),
    "three tables join by key, by columns and by a dotted name": Case(
        [*SHOP, "sales.items"],
        ["name", "qty"],
        [("Ann", 2), ("Ann", 3)],
        {
            "join_conditions": [
                {**ON_CUSTOMER},
                {"left_table": "o", "right_table": "sales.items", "on_columns": "order_id"},
            ]
        },
        names("name", "qty"),
    ),
    "a condition may hold more than the key": Case(
        SHOP,
        ["name", "order_id"],
        [("Ann", 11), ("Bob", 12), (None, None)],
        join("left", on_columns=[], condition="c.customer_id = o.customer_id AND o.amount > 6"),
        names("name", "order_id"),
    ),
    "a table joins itself under two aliases": Case(
        [aliased("employees", "e"), aliased("employees", "b")],
        ["worker", "chief"],
        [("Ada", None), ("Ben", "Ada"), ("Cy", "Ada")],
        {
            "join_conditions": [{"left_table": "e", "right_table": "b", "join_type": "left", **BOSS}],
            "transformations": [step("rename", **{"mapping": {"e.name": "worker", "b.name": "chief"}})],
        },
        names("worker", "chief"),
    ),
    "filters on numbers, dates and texts all hold": Case(
        ORDERS,
        ["order_id"],
        [(12,)],
        {
            "filters": [
                where("amount", ">=", 5.01),
                where("placed", ">", "2024-01-01"),
                where("note", "LIKE", "rush\\_%"),
            ]
        },
        names("order_id"),
    ),
    "NOT IN and != drop rows whose value is NULL": Case(
        ORDERS,
        ["order_id"],
        [(12,)],
        {"filters": [where("note", "NOT IN", ["gift", "x"]), where("note", "!=", "rushed")]},
        names("order_id"),
    ),
    "IN and BETWEEN take exact decimals and dates": Case(
        ORDERS,
        ["order_id"],
        [(11,)],
        {
            "filters": [
                where("amount", "IN", [7.5, 1]),
                where("amount", "BETWEEN", [1.01, 7.5]),
                where("placed", "IN", ["2024-01-02"]),
            ]
        },
        names("order_id"),
    ),
    "IS NULL finds what is missing": Case(
        ORDERS, ["order_id"], [(11,), (14,)], {"filters": [where("note", "IS NULL")]}, names("order_id")
    ),
    "a padded character column compares without its padding": Case(
        ["customers"],
        ["name"],
        [("Ann",), ("Bob",)],
        {"filters": [where("code", "IN", ["A", "B  "]), where("code", "<", "C")]},
        names("name"),
    ),
    "a timestamp with an offset is compared in UTC": Case(
        ["sales.items"],
        ["qty"],
        [(2,), (3,)],
        {"filters": [where("sent", ">=", "2024-01-01T13:00:00+01:00")]},
        names("qty"),
    ),
    "a derived column feeds a filter and another one": Case(
        ORDERS,
        ["order_id", "half", "label"],
        [(11, Decimal("3.7500"), "11-x"), (12, Decimal("3.7500"), "12-x")],
        {
            "derived_columns": [
                derive("half", "CAST(amount * 0.5 AS decimal(10,4))"),
                derive("label", "CONCAT(order_id, '-', CASE WHEN half > 3 THEN 'x' ELSE 'y' END)"),
            ],
            "filters": [where("half", ">", 2.5)],
        },
        names("order_id", "half", "label"),
    ),
    "filters stand before and after grouping": Case(
        SHOP,
        ["name", "total", "n"],
        [("Ann", Decimal("12.50"), 2)],
        {
            **join("inner"),
            "aggregations": [aggregate("sum", "amount", "total", "name"), aggregate("count", "*", "n", "name")],
            "filters": [where("placed", "<", "2024-02-15"), where("total", ">", 7.5)],
        },
    ),
    "select and rename give the result's names": Case(
        ORDERS,
        ["order_id", "paid"],
        [(10, Decimal("5.00"))],
        {
            "transformations": [
                step("select", columns=["order_id", "amount"]),
                step("rename", **{"from": "amount", "to": "paid"}),
                step("filter", column="order_id", operator="<=", value=10),
            ]
        },
    ),
    "distinct removes equal rows of the result": Case(
        ORDERS,
        ["amount"],
        [(Decimal("5.00"),), (Decimal("7.50"),), (Decimal("1.00"),), (None,)],
        {"transformations": [step("select", columns=["amount"]), {"type": "distinct"}]},
    ),
    "sort and limit keep the first rows, NULLs first when descending": Case(
        ORDERS,
        ["customer_id", "total"],
        [(None, None), (1, Decimal("12.50")), (2, Decimal("7.50"))],
        {
            "aggregations": [aggregate("sum", "amount", "total", "customer_id")],
            "transformations": [
                step("sort", columns=[{"column": "total", "order": "desc"}, "customer_id"]),
                step("limit", n=3),
            ],
        },
        ordered=True,
    ),
    "a sort by a column outside the result stands before the select": Case(
        ORDERS,
        ["order_id"],
        [(10,), (11,), (12,), (13,), (14,)],
        {"transformations": [step("sort", by=["placed"])]},
        names("order_id"),
        ordered=True,
    ),
    "odd names are quoted where they must be": Case(
        ["Odd Table"],
        ["Order Date", "a.b", "tick`ed", "next order"],
        [(dt.date(2024, 1, 2), 2, "y", 9)],
        {
            "derived_columns": [{"name": "next order", "expression": "`order` + 1"}],
            "filters": [where("Order Date", ">", "2024-01-01"), where("`a.b`", "=", 2), where("next order", "=", 9)],
        },
        names("Order Date", "a.b", "tick`ed", "next order"),
    ),
    "names are found whatever their case and keep the target's": Case(
        ORDERS,
        ["Customer_ID", "Total"],
        [(1, Decimal("12.50")), (2, Decimal("7.50"))],
        {
            "aggregations": [aggregate("sum", "AMOUNT", "total", "CUSTOMER_id")],
            "filters": [where("TOTAL", ">", 2)],
        },
        names("Customer_ID", "Total"),
    ),
}
