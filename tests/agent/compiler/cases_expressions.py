"""Expressions and exact values, each with the rows that it gives, worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.agent.compiler.scene import ORDERS, Case, derive, names, step, where

EXPRESSIONS = {
    "a division by zero is NULL, however it is written": Case(
        ["ledger"],
        ["entry", "share", "whole", "rest", "left_over", "positive_rest"],
        [(1, None, None, None, None, None), (2, 1.0, 1, 0, 0, 0), (3, None, None, None, None, None)],
        {
            "derived_columns": [
                derive("share", "entry / parts"),
                derive("whole", "entry div parts"),
                derive("rest", "entry % parts"),
                derive("left_over", "mod(entry, parts)"),
                derive("positive_rest", "pmod(entry, parts)"),
            ]
        },
        names("entry", "share", "whole", "rest", "left_over", "positive_rest"),
    ),
    "a divisor keeps its place beside other operators": Case(
        ["ledger"],
        ["entry", "nested", "chosen", "signed"],
        [(1, None, Decimal("1.0"), None), (2, 4.0, Decimal("1.0"), -1.0), (3, None, Decimal("3.0"), None)],
        {
            "derived_columns": [
                derive("nested", "entry / parts * 2 / (parts / 2) * 2"),
                derive("chosen", "CAST(entry / CASE WHEN parts = 2 THEN parts ELSE 1 END AS decimal(3,1))"),
                derive("signed", "entry / -parts"),
            ]
        },
        names("entry", "nested", "chosen", "signed"),
    ),
    "a number as text is compared to its last digit": Case(
        ["ledger"],
        ["entry"],
        [(2,)],
        {
            "filters": [
                where("paid", "=", "12345678901234567.89"),
                where("rate", ">=", "0.12345678901234567891"),
                where("entry", "IN", ["2", 3]),
            ]
        },
        names("entry"),
    ),
    "the time zone functions move a timestamp": Case(
        ["sales.items"],
        ["order_id", "there", "here"],
        [
            (10, dt.datetime.fromisoformat("2024-01-01 13:00"), dt.datetime.fromisoformat("2024-01-01 11:00")),
            (11, dt.datetime.fromisoformat("2024-01-02 13:00"), dt.datetime.fromisoformat("2024-01-02 11:00")),
        ],
        {
            "derived_columns": [
                derive("there", "from_utc_timestamp(sent, 'Europe/Zurich')"),
                derive("here", "to_utc_timestamp(sent, 'Europe/Zurich')"),
            ]
        },
        names("order_id", "there", "here"),
    ),
    "dates and timestamps in quotes are compared as such": Case(
        ["sales.items"],
        ["order_id"],
        [(11,)],
        {
            "derived_columns": [derive("late", "sent > '2024-01-01 12:00' AND to_date(sent) <= '2024-01-02'")],
            "filters": [where("late", "=", True)],
        },
        names("order_id"),
    ),
    "two steps on one column keep what both keep": Case(
        ORDERS,
        ["order_id"],
        [(13,)],
        {
            "transformations": [
                step("filter", column="note", operator="LIKE", value="%u%"),
                step("filter", column="note", operator="LIKE", value="%d"),
                step("filter", column="amount", operator="<", value=5),
                step("filter", column="amount", operator="<", value=7),
            ]
        },
        names("order_id"),
    ),
}
