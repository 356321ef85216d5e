"""Rows for the dry run stand on both sides of every filter, and still join."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.agent.sampling.scene import (
    AIRPORTS,
    CUSTOMERS,
    FLIGHTS,
    ORDERS,
    Keep,
    is_valid,
    joined,
    kept,
    on,
    rows_of,
    source,
    where,
)

FILTERS: list[tuple[str, str, str, Any, Keep]] = [
    ("integer", "x", "=", 42, lambda x: x == 42),
    ("integer", "x", "!=", 3, lambda x: x != 3),
    ("integer", "x", ">", 1000, lambda x: x > 1000),
    ("integer", "x", ">", 2.5, lambda x: x > 2.5),
    ("integer", "x", "<=", -5, lambda x: x <= -5),
    ("numeric(6,2)", "x", ">=", 99.99, lambda x: float(x) >= 99.99),
    ("numeric(6,2)", "x", "BETWEEN", [10, 20], lambda x: 10 <= float(x) <= 20),
    ("double precision", "x", "<", 0, lambda x: x < 0),
    ("text", "x", "LIKE", "A_%z", lambda x: x.startswith("A") and x.endswith("z") and len(x) > 2),
    ("text", "x", "ILIKE", "a%", lambda x: x.lower().startswith("a")),
    ("integer", "x", "NOT BETWEEN", [10, 20], lambda x: not 10 <= x <= 20),
    ("character varying(3)", "x", "NOT LIKE", "x%", lambda x: not x.startswith("x")),
    ("text", "x", "IN", ["UA", "AA"], lambda x: x in ("UA", "AA")),
    ("text", "x", "NOT IN", ["UA", "AA"], lambda x: x not in ("UA", "AA")),
    ("text", "x", ">", "m", lambda x: x > "m"),
    ("date", "x", ">=", "2030-01-01", lambda x: x >= "2030-01-01"),
    ("timestamp without time zone", "x", "<", "1999-12-31", lambda x: x < "1999-12-31"),
    ("boolean", "x", "=", False, lambda x: x is False),
]


@pytest.mark.parametrize(("kind", "column", "operator", "value", "keep"), FILTERS)
def test_stands_on_both_sides_of_a_filter(kind: str, column: str, operator: str, value: Any, keep: Keep) -> None:
    """At least half of the rows pass, and one that is not NULL fails."""
    rows = rows_of(source("t", {"x": kind}), filters=[where(column, operator, value)])["t"]
    passing, _ = kept(rows, lambda row: row["x"] is not None and keep(row["x"]))
    _, failing = kept([row for row in rows if row["x"] is not None], lambda row: keep(row["x"]))
    assert passing * 2 >= len(rows)
    assert failing >= 1


@pytest.mark.parametrize(("operator", "half"), [("IS NULL", True), ("IS NOT NULL", False)])
def test_meets_null_filters(operator: str, half: bool) -> None:
    """`IS NULL` gets NULL in most rows, `IS NOT NULL` in some."""
    rows = rows_of(source("t", {"x": "integer"}), filters=[where("x", operator)])["t"]
    nulls, others = kept(rows, lambda row: row["x"] is None)
    assert (nulls > others) == half
    assert min(nulls, others) >= 1


@pytest.mark.parametrize(
    ("operator", "value", "edge"),
    [(">", 10, 10), (">=", 10, 9), ("<", 10, 10), ("<=", 10, 11), ("BETWEEN", [5, 9], 10)],
)
def test_fails_a_filter_at_its_edge(operator: str, value: Any, edge: int) -> None:
    """The next value on the wrong side is there, so that `>` for `>=` shows."""
    cells = [row["x"] for row in rows_of(source("t", {"x": "integer"}), filters=[where("x", operator, value)])["t"]]
    assert edge in cells or (operator == "BETWEEN" and 4 in cells)


def test_each_filter_is_failed_alone() -> None:
    """For each filter there is a row that only this one drops, so that a lost filter shows."""
    filters = [where("amount", ">", 100), where("status", "=", "done"), where("ordered", ">=", "2020-01-01")]
    tests: list[Keep] = [lambda r: float(r["amount"]) > 100, lambda r: r["status"] == "done",
                         lambda r: r["ordered"] >= "2020-01-01"]  # fmt: skip
    rows = [row for row in rows_of(ORDERS, filters=filters)["orders"] if None not in row.values()]
    outcomes = {tuple(test(row) for test in tests) for row in rows}
    assert {(True, True, True), (False, True, True), (True, False, True), (True, True, False)} <= outcomes


def test_a_filtered_key_stays_aligned() -> None:
    """`customer_id = 7`: the class takes 7, so that a joined row passes; a row that fails it joins too."""
    tables = rows_of(CUSTOMERS, ORDERS, joins=[on("c", "o", "customer_id")], filters=[where("customer_id", "=", 7),
                     where("amount", ">", 50)])  # fmt: skip
    pairs = [("o", "orders", [("c.customer_id", "o.customer_id")])]
    rows = joined(tables, "customers c", pairs)
    assert any(row["c.customer_id"] == 7 and row["o.amount"] and float(str(row["o.amount"])) > 50 for row in rows)
    assert any(row["c.customer_id"] != 7 for row in rows)


def test_filters_that_pull_one_class_apart_are_both_met() -> None:
    """A flight from JFK to LAX is there, although one table of airports serves both ends."""
    listed = [FLIGHTS, source("airports a", AIRPORTS), source("airports b", AIRPORTS)]
    joins = [
        {"left_table": "f", "right_table": "a", "left_column": "origin", "right_column": "faa"},
        {"left_table": "f", "right_table": "b", "left_column": "dest", "right_column": "faa"},
    ]
    filters = [where("f.origin", "=", "JFK"), where("dest", "=", "LAX"), where("a.state", "=", "NY")]
    tables = rows_of(*listed, joins=joins, filters=filters)
    rows = joined(tables, "flights f", [("a", "airports", [("f.origin", "a.faa")]),
                                        ("b", "airports", [("f.dest", "b.faa")])])  # fmt: skip
    assert any((r["f.origin"], r["f.dest"], r["a.state"]) == ("JFK", "LAX", "NY") for r in rows)


def test_a_filter_of_one_listing_is_failed_alone() -> None:
    """Where a table is listed twice, the row that fails a filter passes the others of the same listing."""
    columns = {"faa": "text!", "state": "character(2)", "name": "text"}
    listed = [source("airports a", columns), source("airports b", columns)]
    rows = rows_of(*listed, filters=[where("b.state", "=", "CA"), where("b.name", "=", "X")])["airports"]
    outcomes = {(row["state"] == "CA", row["name"] == "X") for row in rows if None not in row.values()}
    assert {(True, True), (False, True), (True, False)} <= outcomes


@pytest.mark.parametrize(
    "filters",
    [
        [where("name", "=", "x")],
        [where("total", ">", 5)],
        [where("status", "=", "done")],
        [where("nowhere", "=", 1)],
        [where("amount", ">", "a lot")],
        [where("amount", "BETWEEN", [1])],
        [where("o.customer_id", "IN", [])],
    ],
)
def test_leaves_filters_that_it_does_not_understand(filters: Any) -> None:
    """Ambiguous, derived, unknown and ill-typed filters change no row."""
    other = source("people p", {"name": "text"})
    derived = [{"name": "total", "expression": "amount * 2"}, {"name": "status", "expression": "upper(o.status)"}]
    plain = rows_of(CUSTOMERS, ORDERS, other, derived_columns=derived)
    assert rows_of(CUSTOMERS, ORDERS, other, derived_columns=derived, filters=filters) == plain


def test_contradictory_filters_leave_valid_rows() -> None:
    """`> 5` and `< 3` cannot both pass; rows are there and valid all the same."""
    rows = rows_of(ORDERS, filters=[where("amount", ">", 5), where("amount", "<", 3)])["orders"]
    assert all(is_valid(row[column.name], column) for row in rows for column in ORDERS.columns)


def test_hundreds_of_exclusions_on_one_column_take_no_time() -> None:
    """300 `!=` filters on one column are met within seconds, and each is failed by a row."""
    filters = [where("x", "!=", value) for value in range(300)]
    began = time.perf_counter()
    cells = [row["x"] for row in rows_of(source("t", {"x": "integer"}), filters=filters)["t"]]
    assert time.perf_counter() - began < 10
    assert set(range(300)) <= set(cells)
    assert any(isinstance(cell, int) and not 0 <= cell < 300 for cell in cells)


def test_character_cells_stand_padded_and_compare_without_padding() -> None:
    """PostgreSQL sends `character(4)` as four characters; a filter does not see the blanks."""
    table = source("t", {"x": "character(4)"}, [{"x": "A"}])
    cells = [row["x"] for row in rows_of(table, filters=[where("x", "=", "A")])["t"]]
    assert "A   " in cells
    assert {len(str(cell)) for cell in cells if cell is not None} == {4}
    assert any(cell not in ("A   ", None) for cell in cells)
