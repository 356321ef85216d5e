"""Transformations and the result: columns, names, order and limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError
from agent.sanitizing.policy import check_policy
from agent.snapshot import Column, Target
from tests.agent.compiler.scene import (
    aggregate,
    aliased,
    assert_refused,
    derive,
    names,
    problems,
    request_for,
    snapshot_for,
    step,
    where,
)

CO: list[Any] = [aliased("customers", "c"), aliased("orders", "o")]
JOIN: dict[str, Any] = {"left_table": "c", "right_table": "o", "on_columns": ["customer_id"]}
ORDERS: list[Any] = ["orders"]
MODEL = "choose a model with --model"


def said(entry: dict[str, Any], description: str) -> dict[str, Any]:
    """An entry of `transformations` with a description."""
    return {**entry, "description": description}


TRANSFORMATIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "sort", "description": "Rank by spend"}, ".description", '"Rank" stands in words alone'),
    ({"type": "filter", "description": "only orders of 2024"}, ".description", '"2024" stands in words alone'),
    (step("unpivot", on="note"), "", "cannot express a transformation of type 'unpivot': it knows aggregate, cast"),
    ({**step("limit", n=1), "ratio": 0.5}, ".ratio", "unknown key"),
    (step("filter", column="order_id", operator="=", value=1, unit="EUR"), ".details.unit", "unknown key"),
    (step("filter", column="order_id", operator="~=", value=1), ".details.operator", "unknown operator"),
    (step("derive", name="x"), ".details", "'x' has no expression"),
    (step("sort", columns=["order_id"], nulls="lost"), ".details.columns[0].nulls", "write first or last"),
    (step("sort", columns=["order_id"], order="up"), ".details.columns[0]", "write asc or desc"),
    (step("sort", columns=["ordr_id"]), ".details", "did you mean 'order_id'?"),
    (step("limit", n=0), ".details.n", "a whole number from 1"),
    (step("limit", n="ten"), ".details.n", "a whole number from 1"),
    (step("limit", n=1, rows=2), ".details", "say the same thing in two ways"),
    (step("limit", n=1, with_ties=True), ".details", "ties are between rows that are sorted"),
    (step("limit", n=1, with_ties="yes"), ".details.with_ties", "is true or false"),
    (step("sort", columns=[{"column": "note", "nulls": "top"}]), ".details.columns[0].nulls", "write first or last"),
    (step("select", columns=["nte"]), ".details", "did you mean 'note'?"),
    (step("rename", **{"from": "note"}), ".details", 'a rename is {"from": old, "to": new}'),
    (step("rename", mapping={"note": "placed", "placed": "note"}), ".details", "is renamed itself"),
    (step("filter", column="amount", operator=">", value=2), ".details", "contradicts specs.filters[0]"),
    (step("derive", name="twice", expression="amount * 3"), ".details", "contradicts specs.derived_columns[0]"),
]


@pytest.mark.parametrize(("entry", "suffix", "message"), TRANSFORMATIONS)
def test_transformations_that_are_not_certain_are_refused(entry: dict[str, Any], suffix: str, message: str) -> None:
    """Free text, unknown types and keys, arbitrary rows and contradictions are refused by the entry's path."""
    found = problems(
        ORDERS,
        filters=[where("amount", ">", 1)],
        derived_columns=[derive("twice", "amount * 2")],
        transformations=[entry],
    )
    assert_refused(found, f"specs.transformations[0]{suffix}", message)


DESCRIBED = [
    said(step("filter", column="amount", operator=">", value=2.5), "Only orders over 2.5"),
    said(step("sort", by=["order_id"], order="desc"), "Largest first, descending"),
    said(step("sort", columns=["note", {"column": "order_id", "order": "desc"}]), "note ascending, order_id desc"),
    said(step("derive", name="x", expression="round(amount, 2)"), "Amount to 2 digits"),
    said(step("select", columns=["order_id"]), "Keep only the id"),
]


@pytest.mark.parametrize("entry", DESCRIBED)
def test_a_description_that_the_details_carry_is_taken(entry: dict[str, Any]) -> None:
    """A description may repeat words and numbers of the details."""
    assert problems(ORDERS, transformations=[entry]) == []


def test_a_second_exclusion_contradicts_nothing() -> None:
    """A column may have several filters `!=` and `NOT IN`."""
    more = [step("filter", **where("note", "!=", "b")), step("filter", **where("note", "NOT IN", ["c"]))]
    filters = [where("note", "!=", "a"), where("note", "NOT IN", ["d"])]
    request = request_for(ORDERS, filters=filters, transformations=more)
    assert len(build_plan(request, snapshot_for(request)).before.filters) == 4


def test_a_join_repeated_from_the_other_side_contradicts_nothing() -> None:
    """A left join from the right table's side is the right join of the left's."""
    first = {"left_table": "c", "right_table": "o", "join_type": "left", "left_column": "customer_id"}
    first["right_column"] = "order_id"
    again = {"left_table": "o", "right_table": "c", "join_type": "right", "left_column": "order_id"}
    again["right_column"] = "customer_id"
    assert problems(CO, names("name"), join_conditions=[first], transformations=[step("join", **again)]) == []
    wrong = {**again, "join_type": "left"}
    found = problems(CO, names("name"), join_conditions=[first], transformations=[step("join", **wrong)])
    assert_refused(found, "specs.transformations[0].details", "contradicts specs.join_conditions[0]")


def test_a_new_name_that_another_column_has_is_refused() -> None:
    """`note` of the target may be the column or the renamed one."""
    renamed = [step("rename", **{"from": "customer_id", "to": "note"})]
    found = problems(ORDERS, names("order_id", "note"), transformations=renamed)
    assert_refused(found, "specs.target_table.columns[1]", "rename to a name that is free")


def test_an_existing_target_gives_the_columns_of_a_grouping() -> None:
    """A grouping fills the existing target's columns in their order, and loses no aggregate."""
    grouped = [aggregate("count", "*", "n", "customer_id"), aggregate("sum", "amount", "total", "customer_id")]
    request = request_for(ORDERS, aggregations=grouped)
    columns = [Column(name=name, type="numeric") for name in ("total", "customer_id", "n")]
    plan = build_plan(request, snapshot_for(request, existing(*columns)))
    assert [output.name for output in plan.outputs] == ["total", "customer_id", "n"]
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot_for(request, existing(*columns[:2])))
    assert_refused(caught.value.problems, "specs.aggregations[0].alias", "not a column of the existing target")


def test_transformations_that_repeat_a_structured_field_change_nothing() -> None:
    """Equal entries of both kinds give the plan of one."""
    fields: dict[str, Any] = {
        "join_conditions": [JOIN],
        "filters": [where("amount", ">", 1)],
        "aggregations": [aggregate("count", "*", "n", "city")],
    }
    join = {"left_table": "customers", "right_table": "orders", "on_columns": ["customer_id"]}
    repeated = [
        step("join", **join),
        step("filter", **where("o.amount", ">", 1)),
        step("aggregate", **aggregate("count", "*", "n", "city")),
    ]
    once, twice = request_for(CO, **fields), request_for(CO, transformations=repeated, **fields)
    assert build_plan(once, snapshot_for(once)) == build_plan(twice, snapshot_for(twice))


def test_transformations_without_a_structured_twin_count_as_one() -> None:
    """A join, an aggregate and a filter given only as transformations give the plan of the structured fields."""
    fields: dict[str, Any] = {
        "join_conditions": [JOIN],
        "filters": [where("amount", ">", 1)],
        "aggregations": [aggregate("count", "*", "n", "city")],
    }
    kinds = {"join_conditions": "join", "filters": "filter", "aggregations": "aggregate"}
    entries = [step(kinds[name], **entry) for name, found in fields.items() for entry in found]
    plain, listed = request_for(CO, **fields), request_for(CO, transformations=entries)
    assert build_plan(plain, snapshot_for(plain)) == build_plan(listed, snapshot_for(listed))


def test_unknown_keys_anywhere_are_refused_by_path() -> None:
    """An unknown key may change the meaning."""
    found = problems(
        [{"table_name": "orders", "where": "x"}], filters=[{**where("amount", ">", 1), "unit": "EUR"}], having=[]
    )
    assert [problem.path for problem in found] == [
        "specs.source_tables[0].where",
        "specs.filters[0].unit",
    ]


STAGES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"transformations": [{"type": "rank", "description": "rank them"}, step("limit", n=0)]},
        ["specs.transformations[0].description", "specs.transformations[1].details.n"],
    ),
    (
        {"derived_columns": [derive("x", "nosuch(1)"), derive("y", "amuont")]},
        ["specs.derived_columns[0].expression", "specs.derived_columns[1].expression"],
    ),
    (
        {"filters": [where("amount", ">", "x"), where("nte", "=", "x")]},
        ["specs.filters[0].value", "specs.filters[1].column"],
    ),
    ({}, ["specs.target_table.columns[1]", "specs.target_table.columns[2]"]),
]


@pytest.mark.parametrize("wrong", range(len(STAGES)))
def test_the_first_stage_with_problems_tells_them_all(wrong: int) -> None:
    """Steps, derived columns, filters and the result's columns are stages; later stages wait."""
    specs = {key: value for given, _ in STAGES[wrong:] for key, value in given.items()}
    found = problems(ORDERS, names("order_id", "nothing", "no more"), **specs)
    assert sorted(problem.path for problem in found) == sorted(STAGES[wrong][1])


def existing(*columns: Column) -> Target:
    """An existing target."""
    return Target(name="result", exists=True, columns=columns)


def test_an_existing_target_gives_the_columns_and_their_order() -> None:
    """Generated columns and unsupplied columns with a default or identity are left to the database."""
    request = request_for(ORDERS)
    target = existing(
        Column(name="loaded_at", type="timestamp", has_default=True),
        Column(name="row_id", type="bigint", identity="always"),
        Column(name="Note", type="text"),
        Column(name="double", type="numeric", generated=True),
        Column(name="order_id", type="integer"),
    )
    plan = build_plan(request, snapshot_for(request, target))
    assert [output.name for output in plan.outputs] == ["Note", "order_id"]


def test_an_existing_targets_column_that_nothing_supplies_is_refused() -> None:
    """A column without a default is missing from the sources; the nearest name is given."""
    request = request_for(ORDERS)
    target = existing(Column(name="order_id", type="integer"), Column(name="amounts", type="numeric"))
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot_for(request, target))
    assert_refused(caught.value.problems, "specs.target_table.columns", "'amounts' is not supplied; did you mean")


def test_a_derived_column_that_the_existing_target_lacks_is_refused() -> None:
    """The column would be lost silently."""
    request = request_for(ORDERS, derived_columns=[derive("twice", "amount * 2")])
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot_for(request, existing(Column(name="order_id", type="integer"))))
    assert_refused(caught.value.problems, "specs.derived_columns[0].expression", "not a column of the existing target")


def test_repeated_names_of_a_join_are_refused_without_a_list_of_columns() -> None:
    """Both tables have a `name`; the result cannot have two."""
    sources = [aliased("employees", "e"), aliased("employees", "b")]
    joins = [{"left_table": "e", "right_table": "b", "left_column": "boss", "right_column": "id"}]
    found = problems(sources, join_conditions=joins)
    assert {problem.path for problem in found} == {"specs.target_table.columns"}
    assert "2 columns of the result would be called 'id'" in found[0].message


COLUMNS = st.sampled_from(["order_id", "customer_id", "amount", "placed", "note", "twice", "n", "ORDERS.amount", "x y"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.lists(st.integers()),
)
OPERATORS = st.sampled_from(["=", "!=", ">", "IN", "NOT IN", "LIKE", "NOT LIKE", "BETWEEN", "IS NULL", "IS NOT NULL"])
EXPRESSION = st.sampled_from(["amount * 2", "upper(note)", "n + 1", "twice", "'\"\\n'", "`x y`", "year(placed)", "1"])


@given(
    filters=st.lists(st.builds(where, COLUMNS, OPERATORS, VALUES), max_size=3),
    derived=st.lists(st.builds(derive, st.sampled_from(["twice", "x y", "a`b"]), EXPRESSION), max_size=2),
    aggregations=st.lists(
        st.builds(aggregate, st.sampled_from(["sum", "count", "max"]), COLUMNS, st.sampled_from(["n", "t t"]), COLUMNS),
        max_size=2,
    ),
    description=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40),
)
def test_whatever_has_a_plan_compiles_to_code_that_the_policy_takes(
    filters: list[Any], derived: list[Any], aggregations: list[Any], description: str
) -> None:
    """A specification is either refused with problems, or its code parses and holds only allowed names."""
    try:
        request = request_for(
            ORDERS, {"description": description}, filters=filters, derived_columns=derived, aggregations=aggregations
        )
        plan = build_plan(request, snapshot_for(request))
    except InvalidRequestError as error:
        assert error.problems
        return
    assert check_policy(compile_transform(plan)) == []
