"""Steps that stand in another order than the order of meaning, where rows depend on it."""

from __future__ import annotations

from typing import Any

from agent.compiler.plan.steps import PlanPhase, WindowStep
from agent.compiler.reading import build_plan
from tests.agent.compiler.scene import (
    ORDERS,
    aggregate,
    assert_refused,
    down,
    problems,
    request_for,
    snapshot_for,
    step,
    where,
    window,
)

RANK = window("rank", "place", order_by=[down("amount")])
FILTER = step("filter", **where("note", "=", "gift"))


def before(*steps: dict[str, Any], **specs: Any) -> PlanPhase:
    """The phase before grouping of a plan with these steps."""
    request = request_for(ORDERS, transformations=list(steps), **specs)
    return build_plan(request, snapshot_for(request)).before


def test_a_filter_listed_behind_a_window_drops_rows_after_it() -> None:
    """The rank counts the rows that the filter drops; listed before, it does not."""
    assert len(before(RANK, FILTER).rounds[0].filters) == 1
    assert len(before(FILTER, RANK).filters) == 1


def test_a_listed_filter_that_no_step_states_comes_first() -> None:
    """So it does in SQL: WHERE stands before windows."""
    assert len(before(RANK, filters=[where("note", "=", "gift")]).filters) == 1


def test_a_filter_listed_behind_a_window_over_groups_needs_a_group_column() -> None:
    """The note is lost by grouping."""
    grouped = [aggregate("sum", "amount", "total", "customer_id")]
    ranked = window("rank", "place", order_by=[down("total")])
    found = problems(ORDERS, aggregations=grouped, transformations=[ranked, FILTER])
    assert_refused(found, "specs.transformations[1].details.column", "'note' is neither grouped by nor aggregated")


def test_distinct_rows_before_an_aggregation_are_refused() -> None:
    """Behind it they change nothing, and before it they change the values."""
    grouped = step("aggregate", **aggregate("sum", "amount", "total", "note"))
    found = problems(ORDERS, transformations=[{"type": "distinct"}, grouped])
    assert_refused(found, "specs.transformations[1]", "specs.transformations[0] (distinct) comes before")
    total = [aggregate("sum", "amount", "total", "note")]
    found = problems(ORDERS, aggregations=total, transformations=[{"type": "distinct"}])
    assert_refused(found, "specs.transformations[0]", "change its values, and after it they change nothing")
    assert problems(ORDERS, transformations=[grouped, {"type": "distinct"}]) == []


NUMBER = window("row_number", "turn", partition_by=["customer_id"], order_by=["order_id"])
DEDUP = step("deduplicate", columns=["customer_id"], order_by=["placed DESC", "order_id"])


def test_a_window_listed_behind_a_filter_on_windows_sees_the_rows_that_are_left() -> None:
    """Each filter between windows begins a round; without one the windows see the same rows."""
    cut = step("filter", **where("turn", "<=", 1))
    assert [len(one.windowed) for one in before(NUMBER, cut, RANK).rounds] == [1, 1]
    assert [len(one.windowed) for one in before(NUMBER, RANK, cut).rounds] == [2]


def test_a_deduplication_drops_rows_where_it_is_listed() -> None:
    """A rank listed behind it does not count them; one listed before does."""
    assert [len(one.windowed) for one in before(DEDUP, RANK).rounds] == [1, 1]
    assert [len(one.windowed) for one in before(RANK, DEDUP).rounds] == [2]


def test_a_window_that_no_step_lists_beside_a_deduplication_is_refused() -> None:
    """It may count the rows that are dropped, or those that stay."""
    ranked = [{"name": "place", "expression": "RANK() OVER (ORDER BY amount DESC)"}]
    found = problems(ORDERS, derived_columns=ranked, transformations=[DEDUP])
    assert_refused(found, "specs.derived_columns[0]", "or those that it keeps")


def test_the_sort_before_a_deduplication_is_its_order() -> None:
    """So `keep` means in DataFrames; the first row of the order stays, or the last one."""
    sort = step("sort", columns=["placed", "order_id"])
    for keep, descending in (("first", False), ("last", True), ("latest", True)):
        kept = before(sort, step("drop_duplicates", subset=["customer_id"], keep=keep)).windowed[0]
        assert isinstance(kept, WindowStep)
        assert [key.descending for key in kept.order_by[:2]] == [descending] * 2


def test_a_deduplication_needs_an_order_unless_its_columns_are_the_result() -> None:
    """Where the result holds nothing else, any row of a group is the same."""
    bare = step("deduplicate", columns=["customer_id"])
    found = problems(ORDERS, transformations=[bare])
    assert_refused(found, "specs.transformations[0].details", "which one is not said")
    assert problems(ORDERS, {"columns": ["customer_id"]}, transformations=[bare]) == []
