"""Steps that stand in another order than the order of meaning, where rows depend on it."""

from __future__ import annotations

from typing import Any

from agent.compiler.plan.steps import PlanPhase
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
    assert len(before(RANK, FILTER).windowed_filters) == 1
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
