"""Windows: an uncertain one is refused by its path, with the right form."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError
from agent.snapshot import Column, Target
from tests.agent.compiler.scene import (
    aggregate,
    assert_refused,
    derive,
    down,
    names,
    problems,
    request_for,
    snapshot_for,
    step,
    where,
    window,
)

SALES: list[Any] = ["sales"]
N = {"order_by": ["sale_id"]}
TOTAL = [aggregate("sum", "amount", "total", "region")]

WINDOWS: list[tuple[dict[str, Any], str, str]] = [
    (step("window", partition_by="region", alias="n"), ".function", "is needed"),
    (step("window", alias="n"), "", "'n' has no expression"),
    (window("percentile", "n", **N), ".function", "'percentile' is not known here; known are rank, dense_rank"),
    (window("rnk", "n", **N), ".function", "did you mean 'rank'?"),
    (window("count_distinct", "n", column="rep"), ".function", "'count_distinct' is not known here"),
    (step("window", function="rank", **N), ".name", "the new column's name is needed"),
    (step("window", function="rank", name="m", alias="n", **N), "", "say the same thing in two ways"),
    (window("rank", "n", column="rep", **N), ".column", "rank takes no column"),
    (window("rank", "n"), ".order_by", "rank needs order_by: without an order any row may be the first"),
    (window("lag", "n", column="rep"), ".order_by", "lag needs order_by"),
    (window("lag", "n", **N), ".column", "lag needs a column; only count takes all rows"),
    (window("sum", "n"), ".column", "sum needs a column; only count takes all rows"),
    (window("sum", "n", column="rep"), ".column", "sum of sales.rep, which is string"),
    (window("sum", "n", column="amunt"), ".column", "did you mean 'amount'?"),
    (window("rank", "n", order_by=["amunt"]), ".order_by[0]", "did you mean 'amount'?"),
    (window("rank", "n", order_by=[down("amount", ascending=True)]), ".order_by[0]", "says the direction twice"),
    (
        window("rank", "n", order_by=[{"column": "amount", "direction": "down"}]),
        ".order_by[0]",
        "asc or desc",
    ),
    (window("rank", "n", order_by=[{"column": "amount", "nulls": "low"}]), ".order_by[0].nulls", "first or last"),
    (window("rank", "n", partition_by=["regin"], **N), ".partition_by[0]", "did you mean 'region'?"),
    (window("rank", "n", partition_by=7, **N), ".partition_by", "is a column name or a list of column names"),
    (window("rank", "n", qualify="x", **N), ".qualify", "unknown key"),
    (window("rank", "n", offset=1, **N), ".offset", "rank takes no offset"),
    (window("lag", "n", column="rep", offset=0, **N), ".offset", "a whole number of rows from 1"),
    (window("sum", "n", column="amount", default=0), ".default", "sum takes no default"),
    (window("lag", "n", column="amount", default=0.005, **N), ".default", "sales.amount, which is numeric(10,2)"),
    (
        window("lag", "n", column="sale_id", default=2**31, **N),
        ".default",
        "does not fit the integers of sales.sale_id",
    ),
    (window("lag", "n", column="sale_id", default=0.5, **N), ".default", "does not fit the integers of sales.sale_id"),
    (window("lag", "n", column="rep", default=0, **N), ".default", "does not fit a string column; give a text"),
    (window("lag", "n", column="odd", default=0, **N), ".default", "needs a column whose type is certain"),
    (window("rank", "n", frame="ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", **N), ".frame", "rank takes no frame"),
    (window("count", "n", frame="ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"), ".frame", "a frame needs order_by"),
    (window("count", "n", frame="3 ROWS BACK", **N), ".frame", "a frame is written as `ROWS BETWEEN"),
    (window("count", "n", frame="RANGE BETWEEN 3 PRECEDING AND CURRENT ROW", **N), ".frame", "count rows with ROWS"),
    (window("count", "n", frame="ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING", **N), ".frame", "ends before it begins"),
    (
        window("count", "n", frame="ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW", **N),
        ".frame",
        "UNBOUNDED FOLLOWING cannot stand there",
    ),
    (window("rank", "odd", **N), "", "contradicts specs.derived_columns[0]"),
    (window("rank", "n", order_by=["n"]), "", "is needed for what it needs itself: n"),
]


@pytest.mark.parametrize(("entry", "suffix", "message"), WINDOWS)
def test_windows_that_are_not_certain_are_refused(entry: dict[str, Any], suffix: str, message: str) -> None:
    """Each unknown function, key, name, order or value stands at its own path."""
    derived = [derive("odd", "NULL")]
    path = (
        f"specs.transformations[0]{suffix}" if suffix == ".description" else f"specs.transformations[0].details{suffix}"
    )
    assert_refused(problems(SALES, transformations=[entry], derived_columns=derived), path, message)


def test_windows_that_need_each_other_are_refused() -> None:
    """A circle through a derived column is refused too."""
    entries = [window("rank", "a", order_by=["x"]), window("rank", "b", order_by=["a"])]
    found = problems(SALES, transformations=entries, derived_columns=[derive("x", "b + 1")])
    assert_refused(found, "specs.transformations[1].details", "is needed for what it needs itself: x, a, b")


def test_two_windows_of_one_name_are_refused_and_a_repetition_is_not() -> None:
    """The same window twice is one; another one under its name contradicts it."""
    once = window("rank", "n", **N)
    assert problems(SALES, transformations=[once, once]) == []
    found = problems(SALES, transformations=[once, window("dense_rank", "n", **N)])
    assert_refused(found, "specs.transformations[1].details", "contradicts specs.transformations[0].details")


AROUND = [
    (
        {"transformations": [window("rank", "n", order_by=["total"], partition_by="rep")]},
        "transformations[0].details.partition_by[0]",
        "'rep' is neither grouped by nor aggregated",
    ),
    (
        {"transformations": [window("rank", "n", order_by=["rep"])]},
        "transformations[0].details",
        "'n' is neither grouped by nor aggregated, so it is lost",
    ),
    (
        {
            "transformations": [window("rank", "n", order_by=["total"])],
            "aggregations": [*TOTAL, aggregate("max", "n", "most", "region")],
        },
        "aggregations[1].column",
        "is computed from aggregates, so it is not there before grouping",
    ),
    (
        {
            "transformations": [window("rank", "n", order_by=["amount"])],
            "aggregations": [aggregate("sum", "amount", "amount", "region")],
        },
        "transformations[0].details",
        "'amount' is a source column and an aggregate's alias",
    ),
]


@pytest.mark.parametrize(("specs", "path", "message"), AROUND)
def test_a_window_that_fits_on_neither_side_of_grouping_is_refused(
    specs: dict[str, Any], path: str, message: str
) -> None:
    """It needs a column that grouping loses and one that only grouping gives."""
    assert_refused(problems(SALES, **{"aggregations": TOTAL, **specs}), f"specs.{path}", message)


def test_a_window_that_the_existing_target_lacks_is_refused() -> None:
    """The window would be lost silently, unless a filter needs it."""
    target = Target(name="result", exists=True, columns=(Column(name="sale_id", type="integer"),))
    for filters, lost in (([], True), ([where("n", "=", 1)], False)):
        request = request_for(SALES, transformations=[window("rank", "n", **N)], filters=filters)
        if not lost:
            assert [one.name for one in build_plan(request, snapshot_for(request, target)).before.windowed] == ["n"]
            continue
        with pytest.raises(InvalidRequestError, match="'n' is not a column of the existing target"):
            build_plan(request, snapshot_for(request, target))


def test_odd_names_stay_quoted_in_windows_and_pivots() -> None:
    """Dots, blanks and backquotes in names reach Spark as they are."""
    request = request_for(
        ["Odd Table"],
        names("Order Date", "the nth"),
        transformations=[window("row_number", "the nth", partition_by="Order Date", order_by=["`a.b`", "`tick``ed`"])],
    )
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert 'partitionBy(F.col("`Odd Table`.`Order Date`"))' in code
    assert 'F.col("`Odd Table`.`tick``ed`").asc_nulls_last()' in code
    assert 'F.col("`the nth`")' in code
