"""A mistake is told once, with its path, and without its consequences."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError
from agent.snapshot import Column, Target
from tests.agent.compiler.scene import (
    ON_CUSTOMER,
    ORDERS,
    SHOP,
    aggregate,
    assert_refused,
    derive,
    names,
    problems,
    request_for,
    snapshot_for,
    step,
    where,
    window,
)

TOTAL = [aggregate("sum", "amount", "total_amount", "note")]


def details(*suffixes: str) -> list[str]:
    """Paths in the details of the first transformation."""
    return [f"specs.transformations[0].details{suffix}" for suffix in suffixes]


def pivot(**changes: Any) -> dict[str, Any]:
    """A specification with a pivot of the orders."""
    given = {"column": "note", "values": ["a", "b"], "function": "sum", "value_column": "amount", **changes}
    return {"transformations": [step("pivot", **given)]}


ALONE: list[tuple[dict[str, Any], list[str]]] = [
    ({"aggregations": [aggregate("sum", "note", "s")]}, ["specs.aggregations[0].column"]),
    (
        {"aggregations": [aggregate("sum", "amount", "S"), aggregate("sum", "amount", "s")]},
        ["specs.aggregations[1].alias"],
    ),
    (pivot(value_column="amuont"), details(".value_column")),
    (pivot(column="noet"), details(".column")),
    (pivot(group_by=["palced"]), details(".group_by[0]")),
    (
        {
            "derived_columns": [derive("x", "upper(note)"), derive("y", "lower(note)")],
            "aggregations": [aggregate("sum", "x", "sx"), aggregate("sum", "y", "sy")],
        },
        ["specs.aggregations[0].column", "specs.aggregations[1].column"],
    ),
    (
        {
            "derived_columns": [derive("x", "amuont + 1"), derive("y", "x * 2")],
            "aggregations": [aggregate("sum", "x", "sx", "note"), aggregate("max", "y", "sy", "note")],
            "filters": [where("x", ">", 5), where("sx", ">", 5)],
        },
        ["specs.derived_columns[0].expression"],
    ),
    (
        {"derived_columns": [derive("x", "total + amuont")], "aggregations": [aggregate("sum", "amount", "total")]},
        ["specs.derived_columns[0].expression"],
    ),
    (
        {"transformations": [window("sum", "w", column="note"), window("rank", "r", order_by=["w"])]},
        details(".column"),
    ),
]


@pytest.mark.parametrize(("specs", "paths"), ALONE)
@pytest.mark.parametrize("target", ["missing", "listed", "existing"])
def test_a_mistake_is_said_once(specs: dict[str, Any], paths: list[str], target: str) -> None:
    """Columns that fail with it have no problem of their own, whatever the target is."""
    made = [one["alias"] for one in specs.get("aggregations", [])]
    made += [one["details"]["alias"] for one in specs.get("transformations", []) if "alias" in one["details"]]
    request = request_for(ORDERS, names(*made) if target == "listed" and len(made) == 1 else None, **specs)
    columns = tuple(Column(name=name, type="numeric(38,4)") for name in dict.fromkeys(map(str.lower, made)))
    there = Target(name="result", exists=True, columns=columns)
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot_for(request, there if target == "existing" and columns else None))
    assert [problem.path for problem in caught.value.problems] == paths


STACKED = ["spring", "autumn"]
MANGLED: list[tuple[list[Any], dict[str, Any], str]] = [
    (
        SHOP,
        {"join_conditions": [{**ON_CUSTOMER, "right_table": "ordres"}]},
        "specs.join_conditions[0].right_table",
    ),
    (SHOP, {"transformations": [step("join", **{**ON_CUSTOMER, "join_type": "inenr"})]}, details(".join_type")[0]),
    (SHOP, {"transformations": [step("jion", **ON_CUSTOMER)]}, "specs.transformations[0]"),
    (STACKED, {"transformations": [step("union", tables=STACKED)]}, details(".all")[0]),
    (STACKED, {"transformations": [step("union", tables=["spring", "autmn"], all=True)]}, details(".tables[1]")[0]),
]


@pytest.mark.parametrize(("sources", "specs", "path"), MANGLED)
def test_a_mangled_join_does_not_leave_sources_unjoined(sources: list[Any], specs: dict[str, Any], path: str) -> None:
    """The only problem is the join's: once it is repaired, it joins them."""
    assert [problem.path for problem in problems(sources, names("city"), **specs)] == [path]


NEAREST: list[tuple[dict[str, Any], str]] = [
    ({"filters": [where("total_amuont", ">", 5)]}, "specs.filters[0].column"),
    (
        {"transformations": [window("rank", "r", order_by=["total_amuont"])]},
        "specs.transformations[0].details.order_by[0]",
    ),
    ({"derived_columns": [derive("x", "total_amuont + 1")]}, "specs.derived_columns[0].expression"),
]


@pytest.mark.parametrize(("specs", "path"), NEAREST)
def test_a_mistyped_alias_has_the_nearest_name(specs: dict[str, Any], path: str) -> None:
    """Aggregates, windows and derived columns are suggested like source columns."""
    found = problems(ORDERS, aggregations=TOTAL, **specs)
    assert_refused(found, path, "unknown column 'total_amuont'; did you mean 'total_amount'?")


def test_details_are_told_as_the_structured_fields_are() -> None:
    """The message shows the wrong value, and the path of a key that has no meaning."""
    wrong = [step("filter", column=5, operator="=", value=1), step("join", lefft="c", right="o", on="customer_id")]
    found = problems(SHOP, names("name"), transformations=wrong)
    assert_refused(found, "specs.transformations[0].details.column", "not 5")
    assert_refused(found, "specs.transformations[1].details.lefft", "unknown key")
    found = problems(SHOP, names("name"), join_conditions=[{"lefft": "c", "right_table": "o"}])
    assert_refused(found, "specs.join_conditions[0].lefft", "unknown key")


def test_details_beside_the_details_are_told_where_they_belong() -> None:
    """A key of the type's details may stand beside them; any other key is unknown."""
    found = problems(ORDERS, transformations=[{"type": "sort", "columns": ["order_id"], "why": 1}])
    assert [(one.path, one.message.split(",")[0]) for one in found] == [
        ("specs.transformations[0].why", "unknown key"),
    ]


def test_pivot_values_that_make_one_name_need_an_alias() -> None:
    """Spark's names ignore case. A repeated value is one column."""
    found = problems(ORDERS, **pivot(values=["open", "Open"]))
    said = "its column would be called 'Open', as that of 'open' but for its case; give it a name of its own"
    assert_refused(found, "specs.transformations[0].details.values[1]", said)
    assert problems(ORDERS, **pivot(values=["open", {"value": "Open", "alias": "open_2"}])) == []
    assert problems(ORDERS, **pivot(values=["open", "open"])) == []


def test_null_in_a_list_is_told_for_what_it_does() -> None:
    """With NULL in the list IN finds only the other values, and NOT IN finds nothing."""
    for operator, effect in (("IN", "null in the list finds no row"), ("NOT IN", "the filter would keep no row")):
        found = problems(ORDERS, filters=[where("note", operator, ["a", None])])
        assert_refused(found, "specs.filters[0].value", effect)


BESIDE = [
    ("LIKE", "%p%", "%e%", True),
    (">", "a", "b", True),
    ("=", "a", "b", False),
]


@pytest.mark.parametrize(("operator", "one", "other", "fine"), BESIDE)
def test_steps_that_may_both_hold_contradict_nothing(operator: str, one: str, other: str, fine: bool) -> None:
    """Only equalities with different values contradict each other."""
    steps = [step("filter", **where("note", operator, value)) for value in (one, other, other)]
    found = problems(ORDERS, transformations=steps)
    assert [problem.path for problem in found] == ([] if fine else ["specs.transformations[1].details"])
    if fine:
        request = request_for(ORDERS, transformations=steps)
        assert len(build_plan(request, snapshot_for(request)).before.filters) == 2
