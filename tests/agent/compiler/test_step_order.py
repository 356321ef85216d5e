"""Steps that are listed in another order than the order of meaning."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.spec.step_order import reversals
from agent.elements import (
    Aggregation,
    Claim,
    Comparison,
    Deduplication,
    Entries,
    JoinCondition,
    Located,
    SelectItem,
    SortItem,
    StepEntry,
    WindowEntry,
)

DATE = (SortItem("placed", True, False),)
ELEMENTS: dict[str, tuple[str, str, Any]] = {
    "join": ("join", "joins", JoinCondition("orders", "customers")),
    "filter status": ("filter", "filters", Comparison("o.status", "=", "paid")),
    "filter customer": ("filter", "filters", Comparison("customer_id", ">", 5)),
    "filter total": ("filter", "filters", Comparison("total", ">", 8)),
    "filter n": ("filter", "filters", Comparison("n", "=", 1)),
    "number": ("window", "windows", WindowEntry("row_number", "n", None, ("o.customer_id",), DATE)),
    "sum": ("aggregate", "aggregations", Aggregation("sum", "o.amount", "total", ("o.customer_id",))),
    "max": ("aggregate", "aggregations", Aggregation("max", "o.amount", "largest", ("o.customer_id",))),
    "names": ("aggregate", "aggregations", Aggregation("sum", "orders.amount", "total", ("customers.name",))),
    "totals": ("aggregate", "aggregations", Aggregation("sum", "orders.amount", "total", ("orders.customer_id",))),
    "latest": ("deduplicate", "deduplications", Deduplication(("customer_id",), DATE)),
    "sort": ("sort", "sort", DATE),
    "limit": ("limit", "limit", (10, False)),
    "select": ("select", "select", (SelectItem("status"),)),
}


def listed(*names: str) -> Entries:
    """The steps in this order."""
    entries = Entries()
    for position, name in enumerate(names):
        path = f"specs.transformations[{position}]"
        if name == "distinct":
            entries.distinct = True
            entries.steps.append(StepEntry(path, "distinct", "", {}))
            continue
        kind, into, element = ELEMENTS[name]
        getattr(entries, into).append(Located(f"{path}.details", element))
        entries.steps.append(StepEntry(path, kind, "", {}, (Claim(into, f"{path}.details"),)))
    return entries


@pytest.mark.parametrize(
    "names",
    [
        ("join", "filter status", "sum", "filter total", "select", "distinct", "sort", "limit"),
        ("filter status", "join"),
        ("filter total", "sum"),
        ("number", "filter n"),
        ("filter status", "number", "filter n"),
        ("number", "filter customer"),
        ("number", "sum", "filter total"),
        ("filter status", "latest", "sum"),
        ("latest", "filter customer"),
        ("distinct", "max"),
        ("distinct", "sort", "limit"),
        ("sort", "limit", "sort"),
        ("sort", "limit", "select"),
        ("names", "join"),
    ],
)
def test_an_order_that_changes_no_rows_is_no_matter(names: tuple[str, ...]) -> None:
    """In the order of meaning, or in one that gives the same rows."""
    assert reversals(listed(*names)) == []


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [
        (("distinct", "sum"), 0, 1),
        (("distinct", "select"), 0, 1),
        (("distinct", "join"), 0, 1),
        (("distinct", "number"), 0, 1),
        (("number", "filter status"), 0, 1),
        (("sum", "number", "filter total"), 1, 2),
        (("sort", "limit", "filter status"), 1, 2),
        (("sort", "limit", "sum"), 1, 2),
        (("limit", "distinct"), 0, 1),
        (("limit", "sort"), 0, 1),
        (("latest", "filter status"), 0, 1),
        (("latest", "join"), 0, 1),
        (("number", "join"), 0, 1),
        (("totals", "join"), 0, 1),
    ],
)
def test_an_order_that_could_change_rows_is_told(names: tuple[str, ...], first: int, second: int) -> None:
    """With both steps."""
    (found,) = reversals(listed(*names))
    assert found.first.path == f"specs.transformations[{first}]"
    assert found.second.path == f"specs.transformations[{second}]"
    assert found.first.path in found.message
    assert found.second.path in found.message


def test_fields_have_no_order() -> None:
    """A filter that stands in `filters` alone is carried out before windows."""
    entries = listed("number")
    entries.filters.append(Located("specs.filters[0]", Comparison("status", "=", "paid")))
    entries.steps.append(StepEntry("specs.transformations[1]", "filter", "Paid orders", {}))
    assert reversals(entries) == []
