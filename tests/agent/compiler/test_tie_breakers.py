"""Tie-breakers: windows that count rows get them, and a limit is refused without them."""

from __future__ import annotations

from typing import Any

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from tests.agent.compiler.scene import (
    ORDERS,
    aggregate,
    assert_refused,
    down,
    names,
    problems,
    request_for,
    snapshot_for,
    step,
    window,
)

SALES: list[Any] = ["sales"]


def test_rows_that_tie_are_told_apart_by_what_is_used_of_them() -> None:
    """`row_number` gets tie-breakers; `rank` gives equal rows one number and needs none."""
    order = {"order_by": [down("amount")], "partition_by": "region"}
    entries = [window("row_number", "n", **order), window("rank", "place", **order)]
    request = request_for(SALES, names("sale_id", "n", "place"), transformations=entries)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    first, second = (" ".join(part.split()) for part in code.split("window_2 = "))
    keys = 'F.col("sales.amount").desc_nulls_first()'
    assert f'{keys}, F.col("sales.sale_id").asc_nulls_last(), )' in first
    assert second.startswith(f'Window.partitionBy(F.col("sales.region")).orderBy( {keys} )')


def test_windows_of_one_order_share_it() -> None:
    """Two numberings of the same rows see them in the same order, so that Spark sorts once."""
    entries = [window(kind, kind, column="amount", order_by=["sold"]) for kind in ("lag", "lead")]
    request = request_for(SALES, names("sale_id", "lag", "lead"), transformations=entries)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert code.count("Window.") == 1
    assert code.count(".over(window)") == 2


def test_a_limit_whose_sort_leaves_ties_is_refused() -> None:
    """Two customers may have one total, and either of them might stay."""
    found = problems(
        ORDERS,
        aggregations=[aggregate("sum", "amount", "total", "customer_id")],
        transformations=[step("sort", columns=["total"]), step("limit", n=1)],
    )
    assert_refused(found, "specs.transformations[1].details", "add customer_id to the sort")


def test_a_limit_that_may_cut_ties_says_both_ways_out() -> None:
    """The ways out are a sort by more columns, and keeping the ties."""
    found = problems(ORDERS, transformations=[step("sort", columns=["amount"]), step("limit", n=2)])
    assert_refused(found, "specs.transformations[1].details", 'or say "with_ties": true to keep them all')
