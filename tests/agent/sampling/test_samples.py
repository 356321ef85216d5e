"""Rows for the dry run: valid, joined, the same every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import UnsupportedTypeError
from agent.request import Request
from agent.sampling.samples import real_rows, sample_tables
from agent.snapshot import Row, Snapshot
from tests.agent.sampling.scene import (
    AIRPORTS,
    CUSTOMERS,
    FLIGHTS,
    ITEMS,
    ORDERS,
    is_valid,
    joined,
    on,
    request,
    rows_of,
    snapshot_of,
    source,
    where,
)


def test_fills_a_table_without_samples() -> None:
    """There are eight rows without NULL, and one that is NULL wherever it may be."""
    rows = rows_of(ORDERS)["orders"]
    assert sum(None not in row.values() for row in rows) >= 8
    last = rows[-1]
    assert last["order_id"] is not None
    assert {name for name, cell in last.items() if cell is None} == {"customer_id", "amount", "ordered", "status"}


def test_has_one_digit_dates_and_the_end_of_a_year() -> None:
    """Dates that a careless format misreads are among the generated ones."""
    days = {row["ordered"] for row in rows_of(ORDERS)["orders"]}
    assert {"2013-02-03", "2012-12-31"} <= days


def test_both_booleans_are_generated() -> None:
    """A boolean column holds true and false."""
    cells = [row["flag"] for row in rows_of(source("t", {"flag": "boolean!"}))["t"]]
    assert {True, False} == set(cells)


def test_takes_ten_samples_at_most_and_completes_them() -> None:
    """A sample keeps its cells, gets the columns that it lacks, and loses cells that are not of the type."""
    samples: list[Row] = [{"order_id": 100 + n, "amount": 12.5, "status": "far too long", "more": 1} for n in range(12)]
    rows = rows_of(ORDERS.model_copy(update={"samples": tuple(samples)}))["orders"]
    assert [row["order_id"] for row in rows[:10]] == list(range(100, 110))
    assert not {110, 111} & {row["order_id"] for row in rows}
    assert rows[0]["amount"] == "12.50"
    assert rows[0]["status"] != "far too long"
    assert all(list(row) == ["order_id", "customer_id", "amount", "ordered", "status"] for row in rows)


def test_keeps_a_sampled_null() -> None:
    """NULL that was sampled stays NULL, and enough full rows come on top."""
    samples: list[Row] = [{"order_id": n, "amount": None} for n in range(10)]
    rows = rows_of(ORDERS.model_copy(update={"samples": tuple(samples)}))["orders"]
    assert [row["amount"] for row in rows[:10]] == [None] * 10
    assert sum(None not in row.values() for row in rows) >= 8


@pytest.mark.parametrize(
    ("kind", "given_cell", "cell"),
    [
        ("integer", "7", 7),
        ("integer", 7.0, 7),
        ("numeric(5,2)", 1, "1.00"),
        ("numeric", "1.50", "1.50"),
        ("double precision", 2, 2.0),
        ("boolean", "t", True),
        ("date", "2013-2-3", "2013-02-03"),
        ("timestamp without time zone", "2013-02-03 04:05:06", "2013-02-03T04:05:06"),
        ("timestamp with time zone", "2013-02-03T04:05:06+02:00", "2013-02-03T02:05:06+00:00"),
        ("text", 5, "5"),
    ],
)
def test_brings_a_sample_into_its_columns_form(kind: str, given_cell: Any, cell: Any) -> None:
    """An event's loose spellings become one."""
    assert rows_of(source("t", {"x": kind}, [{"x": given_cell}]))["t"][0]["x"] == cell


@pytest.mark.parametrize(
    ("kind", "given_cell"),
    [
        ("smallint", 40_000), ("integer", 1.5), ("integer", True), ("numeric(3,1)", "100"), ("numeric(3,1)", "1.25"),
        ("numeric", "NaN"), ("real", 1e300), ("date", "2013-02-30"), ("date", 20130203), ("boolean", 1),
        ("character varying(2)", "abc"), ("text", "a\x00b"), ("integer", [1]), ("timestamp without time zone", "soon"),
    ],
)  # fmt: skip
def test_replaces_a_sample_that_is_not_of_the_type(kind: str, given_cell: Any) -> None:
    """A value that the column could not hold is made anew."""
    table = source("t", {"x": kind}, [{"x": given_cell}])
    cell = rows_of(table)["t"][0]["x"]
    assert cell is not None
    assert is_valid(cell, table.columns[0])


def test_an_unsupported_type_is_refused_by_column() -> None:
    """Types outside the list are not guessed at."""
    with pytest.raises(UnsupportedTypeError, match="column 'body': type 'xml'"):
        rows_of(source("t", {"body": "xml"}))


def keys(rows: list[Row], column: str) -> list[Any]:
    """The keys of a table that are not NULL."""
    return [row[column] for row in rows if row[column] is not None]


def test_aligns_a_join_and_keeps_strangers_and_repeats() -> None:
    """Keys meet; one on each side meets nothing; one comes twice on the right."""
    tables = rows_of(CUSTOMERS, ORDERS, joins=[on("c", "o", "customer_id")])
    left, right = keys(tables["customers"], "customer_id"), keys(tables["orders"], "customer_id")
    assert len(set(left) & set(right)) >= 5
    assert set(left) - set(right)
    assert set(right) - set(left)
    assert len(right) > len(set(right))


def test_real_rows_are_the_samples_alone_with_keys_that_meet() -> None:
    """An expression over a join sees cells of the sources and none that is made up; without samples nothing."""
    left: list[Row] = [{"customer_id": 100 + n, "name": f"n{n}", "city": "x"} for n in range(3)]
    right: list[Row] = [{"order_id": n, "customer_id": 7 + n, "amount": "1.50", "status": "open"} for n in range(3)]
    sources = (
        CUSTOMERS.model_copy(update={"samples": tuple(left)}),
        ORDERS.model_copy(update={"samples": tuple(right)}),
    )
    rows = real_rows(request(*sources, joins=[on("c", "o", "customer_id")]), snapshot_of(*sources))
    assert [len(table) for table in rows.values()] == [3, 3]
    assert set(keys(rows["customers"], "customer_id")) & set(keys(rows["orders"], "customer_id"))
    assert [row["amount"] for row in rows["orders"]] == ["1.50"] * 3
    assert real_rows(request(ORDERS), snapshot_of(ORDERS)) == {"orders": []}


def test_takes_the_keys_of_the_left_tables_samples() -> None:
    """The right table's sampled keys, which match nothing, give way to the left table's."""
    left = CUSTOMERS.model_copy(update={"samples": ({"customer_id": 901}, {"customer_id": 902})})
    right = ORDERS.model_copy(update={"samples": ({"customer_id": 5}, {"customer_id": 6})})
    rows = rows_of(left, right, joins=[on("c", "o", "customer_id")])["orders"]
    assert [row["customer_id"] for row in rows[:2]] == [901, 902]


def test_aligns_a_chain_of_three_tables_across_types() -> None:
    """Columns of bigint and numeric(12,0) hold equal keys; all three tables meet."""
    tables = rows_of(CUSTOMERS, ORDERS, ITEMS, joins=[on("c", "o", "customer_id"), on("orders", "items", "order_id")])
    pairs = [("o", "orders", [("c.customer_id", "o.customer_id")]), ("i", "items", [("o.order_id", "i.order_id")])]
    assert len(joined(tables, "customers c", pairs)) >= 6


def test_aligns_left_and_right_column_and_a_condition() -> None:
    """All three ways to write a join are read; a table listed twice is one table."""
    listed = [FLIGHTS, source("airports a", AIRPORTS), source("airports b", AIRPORTS)]
    joins = [
        {"left_table": "f", "right_table": "a", "left_column": "origin", "right_column": "faa"},
        {"left_table": "flights", "right_table": "b", "condition": "(f.dest = b.faa) AND b.state <> 'XX'"},
    ]
    tables = rows_of(*listed, joins=joins)
    assert set(tables) == {"flights", "airports"}
    rows = joined(tables, "flights f", [("a", "airports", [("f.origin", "a.faa")]),
                                        ("b", "airports", [("f.dest", "b.faa")])])  # fmt: skip
    assert len(rows) >= 6
    assert any(row["f.origin"] != row["f.dest"] for row in rows)


@pytest.mark.parametrize(
    "condition",
    [
        "c.customer_id = o.customer_id OR 1 = 1",
        "c.customer_id > o.customer_id",
        "(((",
        "array[" * 1000,
        "NOT " * 1000 + "true",
    ],
)
def test_leaves_a_condition_that_is_no_conjunction_of_equalities(condition: str) -> None:
    """Rows then stay as they would be without the join."""
    join = {"left_table": "c", "right_table": "o", "condition": condition}
    assert rows_of(CUSTOMERS, ORDERS, joins=[join]) == rows_of(CUSTOMERS, ORDERS)


def test_aligns_by_a_condition_of_many_parts() -> None:
    """A condition of 3,000 parts joined by AND is read as one of two is."""
    parts = ["c.customer_id = o.customer_id", *(f"c.customer_id > {n}" for n in range(3000))]
    join = {"left_table": "c", "right_table": "o", "condition": " AND ".join(parts)}
    assert rows_of(CUSTOMERS, ORDERS, joins=[join]) == rows_of(CUSTOMERS, ORDERS, joins=[on("c", "o", "customer_id")])


def test_aligns_composite_keys_row_by_row() -> None:
    """A join on three columns keeps the left table's combinations together."""
    samples: list[Row] = [{"origin": "JFK", "year": 2013, "month": 1}, {"origin": "JFK", "year": 2013, "month": 2},
                          {"origin": "EWR", "year": 2013, "month": 1}]  # fmt: skip
    flights = FLIGHTS.model_copy(update={"samples": tuple(samples)})
    weather = source("weather w", {"origin": "text", "year": "bigint", "month": "smallint", "temp": "real"})
    tables = rows_of(flights, weather, joins=[on("f", "w", "origin", "year", "month")])
    pairs = [(f"f.{name}", f"w.{name}") for name in ("origin", "year", "month")]
    rows = joined(tables, "flights f", [("w", "weather", pairs)])
    assert {("JFK", 1), ("JFK", 2), ("EWR", 1)} <= {(row["f.origin"], row["f.month"]) for row in rows}


def test_leaves_keys_whose_types_have_nothing_in_common() -> None:
    """A boolean and a date never meet, and are still valid."""
    left, right = source("a", {"k": "boolean"}), source("b", {"k": "date"})
    tables = rows_of(left, right, joins=[on("a", "b", "k")])
    assert tables == rows_of(left, right)


TYPES = st.sampled_from(
    ["smallint", "integer", "bigint", "numeric", "numeric(1,0)", "numeric(2,2)", "numeric(38,10)", "real",
     "double precision", "boolean", "date", "timestamp without time zone", "timestamp with time zone", "text",
     "character(1)", "character(5)", "character varying(1)", "character varying(12)"]
)  # fmt: skip
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.dates().map(str), st.datetimes().map(str), st.decimals(allow_nan=True).map(str),
)  # fmt: skip
OPERATORS = st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "LIKE", "NOT LIKE", "IS NULL", "IS NOT NULL"])
NAMES = ["id", "month", "a_rather_long_column_name"]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Request, Snapshot]:
    """Three tables of any types with any samples, chained by joins and filtered."""
    sources = []
    for table in ("one", "two", "three"):
        columns = {name: draw(TYPES) + draw(st.sampled_from(["", "!"])) for name in NAMES}
        samples = draw(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, CELLS)), max_size=3))
        sources.append(source(table, columns, samples))
    filters = [
        where(f"{draw(st.sampled_from(['one', 'two', 'three']))}.{draw(st.sampled_from(NAMES))}", draw(OPERATORS), cell)
        for cell in draw(st.lists(CELLS, max_size=3))
    ]
    columns_joined = draw(st.sampled_from([["id"], ["id", "month"]]))
    joins = [on("one", "two", *columns_joined), on("two", "three", "id")]
    return request(*sources, joins=joins, filters=filters), snapshot_of(*sources)


@settings(max_examples=150)
@given(scenes())
def test_every_cell_is_valid_json_of_its_type(scene: tuple[Request, Snapshot]) -> None:
    """Whatever the types, samples, joins and filters, PostgreSQL's columns could hold the rows; twice the same."""
    tables = sample_tables(*scene)
    assert tables == sample_tables(*scene)
    json.dumps(tables, allow_nan=False).encode()
    for listed in scene[1].sources:
        rows = tables[listed.table]
        assert len(rows) >= 9
        assert [(c, r[c.name]) for r in rows for c in listed.columns if not is_valid(r[c.name], c)] == []


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {">": gt, ">=": ge, "<": lt, "<=": le, "=": eq, "!=": ne}
NUMBERS = st.sampled_from(["smallint", "integer", "bigint", "numeric(6,0)", "numeric(9,2)", "text", "double precision"])


@settings(max_examples=60)
@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), st.integers(-50, 50), st.sampled_from(sorted(COMPARISONS)))
def test_any_chain_joins_and_passes_its_filter(kinds: tuple[str, str, str], value: int, operator: str) -> None:
    """Three tables whose keys are numbers of any type join, and a joined row passes the filter on the middle one."""
    sources = [source(f"t{n}", {"k": kind, "v": "integer"}) for n, kind in enumerate(kinds)]
    joins = [on("t0", "t1", "k"), on("t1", "t2", "k")]
    tables = rows_of(*sources, joins=joins, filters=[where("t1.v", operator, value)])
    rows = joined(tables, "t0 t0", [("t1", "t1", [("t0.k", "t1.k")]), ("t2", "t2", [("t1.k", "t2.k")])])
    keep = COMPARISONS[operator]
    assert any(row["t1.v"] is not None and keep(row["t1.v"], value) for row in rows)
