"""Pivots and unions: an uncertain one is refused by its path, with the right form."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError
from agent.snapshot import Column, Snapshot, Source, Target
from tests.agent.compiler.scene import aggregate, aliased, assert_refused, problems, request_for, step, where

SALES: list[Any] = ["sales"]


PIVOTS = [
    ({"values": ["a"]}, ".column", "the column whose values become columns is needed as a text"),
    ({"column": "region"}, ".function", "is needed"),
    ({"column": "region", "function": "median"}, ".function", "'median' cannot be expressed"),
    ({"column": "region", "function": "count"}, ".values", "what is not listed is not in the result"),
    ({"column": "region", "function": "sum", "values": ["a"]}, ".value_column", "sum needs a column"),
    ({"column": "region", "function": "count", "values": [None]}, ".values[0]", "gives no column name"),
    ({"column": "region", "function": "count", "values": [5]}, ".values[0]", "does not fit a string column"),
    (
        {"column": "region", "function": "count", "values": [{"value": None, "alias": "none"}]},
        ".values[0].value",
        "NULL equals nothing",
    ),
    ({"column": "regin", "function": "count", "values": ["a"]}, ".column", "did you mean 'region'?"),
    ({"column": "region", "function": "count", "values": ["a"], "fill": 0}, ".fill", "unknown key"),
]


@pytest.mark.parametrize(("details", "suffix", "message"), PIVOTS)
def test_pivots_that_are_not_certain_are_refused(details: dict[str, Any], suffix: str, message: str) -> None:
    """Values must be listed, fit the column, and give names."""
    found = problems(SALES, transformations=[step("pivot", **details)])
    assert_refused(found, f"specs.transformations[0].details{suffix}", message)


def test_a_pivot_shares_the_grouping_and_the_names() -> None:
    """Two columns of one name, and two groupings, are refused."""
    entry = step("pivot", column="region", values=["x"], function="count", group_by="paid")
    same = problems(SALES, transformations=[entry], aggregations=[aggregate("count", "*", "x", "paid")])
    assert_refused(same, "specs.transformations[0].details.values[0]", "contradicts specs.aggregations[0]")
    other = problems(SALES, transformations=[entry], aggregations=[aggregate("count", "*", "n", "rep")])
    assert any("the compiler has one grouping" in problem.message for problem in other)


UNIONS = [
    ({"tables": ["spring", "autumn"]}, ".all", "UNION ALL"),
    ({"tables": ["spring"], "all": True}, ".tables", "at least two listed sources"),
    ({"tables": ["spring", "sprig"], "all": True}, ".tables[1]", "did you mean 'spring'?"),
    ({"tables": ["spring", "spring"], "all": True}, ".tables", "lists 'spring' twice"),
    ({"tables": ["spring", "regions"], "all": True}, "", "have different columns: amount, units, region"),
    ({"tables": ["spring", "autumn"], "all": True, "alias": "regions"}, ".alias", "two sources are called 'regions'"),
    ({"tables": ["spring", "autumn"], "all": True, "columns": ["town"]}, ".columns[0]", "has no column 'town'"),
    ({"tables": ["spring", "autumn"], "all": True, "by": "name"}, ".by", "unknown key"),
]


@pytest.mark.parametrize(("details", "suffix", "message"), UNIONS)
def test_unions_that_are_not_certain_are_refused(details: dict[str, Any], suffix: str, message: str) -> None:
    """A union says whether equal rows stay, and its members have columns of one name."""
    sources = ["spring", "autumn", "regions"]
    found = problems(sources, transformations=[step("union", **details)])
    assert_refused(found, f"specs.transformations[0].details{suffix}", message)


def test_the_members_of_a_union_cannot_be_named_after_it() -> None:
    """Only the union's alias names its columns."""
    sources = [aliased("orders", "o"), aliased("sales.items", "i")]
    stacked = step("union", tables=["o", "i"], all=True, columns=["order_id"])
    found = problems(sources, transformations=[stacked], filters=[where("o.order_id", "=", 1)])
    assert_refused(found, "specs.filters[0].column", "unknown column 'o.order_id'")
    assert problems(sources, transformations=[stacked], filters=[where("united.order_id", "=", 1)]) == []


KINDS = [
    ("text", "integer", "string and integer would be converted in silence"),
    ("date", "timestamp", "date and timestamp would be converted in silence"),
    ("double precision", "numeric(5,2)", "float and decimal would be converted in silence"),
    ("timestamp", "timestamptz", "one side has a time zone and the other has none"),
    ("character(3)", "character(5)", "another length"),
    ("character(3)", "text", "another length"),
    ("numeric(38,0)", "numeric(38,10)", "no numeric of 38 digits holds both in full"),
    ("numeric(5,2)", "bigint", ""),
    ("varchar(3)", "text", ""),
]


@pytest.mark.parametrize(("one", "two", "message"), KINDS)
def test_columns_of_a_union_need_one_type(one: str, two: str, message: str) -> None:
    """Types that would be cast are refused; texts, and numbers that fit one numeric, are stacked."""
    request = request_for(["t", "u"], transformations=[step("union", tables=["t", "u"], all=True)])
    sources = tuple(
        Source(key=key, table=key, columns=(Column(name="x", type=kind),)) for key, kind in (("t", one), ("u", two))
    )
    snapshot = Snapshot(sources=sources, target=Target(name="result", exists=False), origin="event")
    if not message:
        assert build_plan(request, snapshot).unions[0].members == ("t", "u")
        return
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot)
    assert_refused(caught.value.problems, "specs.transformations[0].details", message)


def test_what_is_not_stacked_must_still_be_joined() -> None:
    """The problem has the path of the source's entry."""
    found = problems(
        ["regions", "spring", "autumn"], transformations=[step("union", tables=["spring", "autumn"], all=True)]
    )
    assert_refused(found, "specs.transformations[0].details", "'united' is never joined")
