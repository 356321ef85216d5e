"""Tie-breakers: windows that count rows get them, and a limit is refused without them."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan, read_specification
from tests.agent.compiler.scene import (
    ORDERS,
    aggregate,
    down,
    names,
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


LIMITS: list[tuple[dict[str, Any], str]] = [
    (
        {"transformations": [step("sort", columns=["amount"]), step("limit", n=2)]},
        "rows that are equal in amount may tie at the last place; then order_id, customer_id, placed, note decide",
    ),
    (
        {
            "aggregations": [aggregate("sum", "amount", "total", "customer_id")],
            "transformations": [step("sort", columns=["total"]), step("limit", n=1)],
        },
        "rows that are equal in total may tie at the last place; then customer_id decide",
    ),
    ({"transformations": [step("limit", n=2)]}, "no order is given, so the first rows by order_id, "),
]


@pytest.mark.parametrize(("specs", "message"), LIMITS)
def test_a_limit_tells_by_which_columns_rows_may_tie(specs: dict[str, Any], message: str) -> None:
    """The other columns of the result make the order total, so that each run gives the same rows."""
    request = request_for(ORDERS, **specs)
    reading = read_specification(request, snapshot_for(request))
    told = [note for note in reading.notes if note.path.startswith("specs.transformations")]
    assert [message in note.message for note in told] == [True]
    assert len(reading.certain_plan().ordering.keys) == len(reading.certain_plan().outputs)


def test_a_limit_over_sorted_groups_cannot_tie() -> None:
    """The sort holds every column that is grouped by."""
    grouped = [aggregate("sum", "amount", "total", "customer_id")]
    order = [step("sort", columns=["total", "customer_id"]), step("limit", n=1)]
    request = request_for(ORDERS, aggregations=grouped, transformations=order)
    assert read_specification(request, snapshot_for(request)).notes == ()
