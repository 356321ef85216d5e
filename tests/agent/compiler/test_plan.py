"""Joins, grouping and names: an uncertain specification is refused by its path."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError
from agent.request import parse_request
from agent.snapshot import Column, Snapshot, Source, Target, event_snapshot
from tests.agent.compiler.scene import (
    aggregate,
    aliased,
    assert_refused,
    derive,
    names,
    problems,
    request_for,
    snapshot_for,
    where,
)

CO: list[Any] = [aliased("customers", "c"), aliased("orders", "o")]
JOIN: dict[str, Any] = {"left_table": "c", "right_table": "o", "on_columns": ["customer_id"]}
ORDERS: list[Any] = ["orders"]


JOINS = [
    (["customers", "orders"], [], "specs.source_tables[0]", "'customers' is never joined"),
    ([*CO, "regions"], [JOIN], "specs.source_tables[2]", "'regions' is never joined"),
    (["orders", "orders"], [], "specs.source_tables[1]", "give each an alias"),
    (["orders", aliased("regions", "ORDERS")], [], "specs.source_tables[1]", "give each an alias"),
    (CO, [{**JOIN, "right_table": "order"}], "specs.join_conditions[0].right_table", "did you mean 'orders'?"),
    (CO, [{**JOIN, "right_table": "c"}], "specs.join_conditions[0]", "joins 'c' with itself"),
    (
        CO,
        [JOIN, {**JOIN, "join_type": "left", "on_columns": ["customer_id"]}],
        "specs.join_conditions[1]",
        "may be a further condition of that join or a filter on its rows",
    ),
    (
        [*CO, aliased("regions", "r"), aliased("regions", "s")],
        [
            JOIN,
            {"left_table": "s", "right_table": "r", "join_type": "left", "on_columns": ["city"]},
            {"left_table": "c", "right_table": "s", "on_columns": ["city"]},
        ],
        "specs.join_conditions[2]",
        "order the joins so that each brings in one table",
    ),
    (CO, [{**JOIN, "on_columns": []}], "specs.join_conditions[0]", "every row would meet every row"),
    (CO, [{**JOIN, "on_columns": ["city"]}], "specs.join_conditions[0].on_columns[0]", "orders has no column 'city'"),
    (CO, [{**JOIN, "left_column": "name"}], "specs.join_conditions[0]", "come together"),
    (CO, [{**JOIN, "condition": "o.amont > 1"}], "specs.join_conditions[0].condition", "did you mean 'o.amount'?"),
    (CO, [{**JOIN, "on_columns": [], "left_column": "name"}], "specs.join_conditions[0]", "come together"),
    (
        CO,
        [{**JOIN, "on_columns": [], "condition": "o.amount > 1"}],
        "specs.join_conditions[0].condition",
        "must name a column of 'o' and one of what is joined before",
    ),
    (
        CO,
        [{**JOIN, "on_columns": [], "condition": "customer_id = o.order_id"}],
        "specs.join_conditions[0].condition",
        "may be c.customer_id or o.customer_id",
    ),
    (
        CO,
        [{**JOIN, "on_columns": [], "left_column": "name", "right_column": "order_id"}],
        "specs.join_conditions[0]",
        "string and integer would be converted in silence",
    ),
    (
        CO,
        [{**JOIN, "on_columns": [], "left_column": "code", "right_column": "note"}],
        "specs.join_conditions[0]",
        "padded with spaces",
    ),
    (
        [*CO, "regions", "employees"],
        [JOIN, {"left_table": "regions", "right_table": "employees", "condition": "regions.city = employees.name"}],
        "specs.join_conditions[1]",
        "neither 'regions' nor 'employees' is joined yet",
    ),
]


@pytest.mark.parametrize(("sources", "joins", "path", "message"), JOINS)
def test_joins_that_are_not_certain_are_refused(sources: list[Any], joins: list[Any], path: str, message: str) -> None:
    """Each join that would cross, guess or coerce is refused by its path."""
    assert_refused(problems(sources, join_conditions=joins), path, message)


def test_joins_are_ordered_and_conditions_of_joined_tables_added() -> None:
    """An inner join that is listed too early waits; a second condition joins the join of the later table."""
    sources = [*CO, aliased("regions", "r")]
    joins = [
        {"left_table": "r", "right_table": "c", "on_columns": ["city"]},
        {"left_table": "o", "right_table": "r", "left_column": "note", "right_column": "region"},
        {"left_table": "c", "right_table": "o", "on_columns": ["customer_id"]},
    ]
    request = request_for(sources, names("name"), join_conditions=joins)
    plan = build_plan(request, snapshot_for(request))
    assert [(step.source, len(step.equalities)) for step in plan.joins] == [("c", 1), ("o", 2)]
    early = [joins[2], {"left_table": "p", "right_table": "s", "on_columns": ["city"]},
             {"left_table": "c", "right_table": "p", "on_columns": ["city"]}]  # fmt: skip
    more = request_for([*CO, aliased("regions", "p"), aliased("regions", "s")], names("name"), join_conditions=early)
    assert [step.source for step in build_plan(more, snapshot_for(more)).joins] == ["o", "p", "s"]


def test_an_unqualified_name_of_two_sources_names_both() -> None:
    """`name` stands in both tables and joins nothing: the problem lists the candidates."""
    sources = [aliased("employees", "e"), aliased("customers", "c")]
    joins = [{"left_table": "e", "right_table": "c", "left_column": "id", "right_column": "customer_id"}]
    found = problems(sources, names("id"), join_conditions=joins, filters=[where("name", "=", "Ann")])
    assert_refused(found, "specs.filters[0].column", "'name' is ambiguous: it may be e.name or c.name")


def test_a_bare_key_after_an_outer_join_is_not_joined_by_one_side() -> None:
    """USING would join the third table by the first key that is not NULL; a condition says which one is meant."""
    sources = [*CO, aliased("orders", "p")]
    third = {"left_table": "c", "right_table": "p"}
    for join_type in ("outer",):
        first = {**JOIN, "join_type": join_type}
        found = problems(sources, names("name"), join_conditions=[first, {**third, "on_columns": ["customer_id"]}])
        assert_refused(found, "specs.join_conditions[1]", "'customer_id' may mean c.customer_id alone or the first of")
    said = {**third, "condition": "c.customer_id = p.customer_id"}
    assert problems(sources, names("name"), join_conditions=[{**JOIN, "join_type": "outer"}, said]) == []


def test_a_key_that_not_all_its_sources_share_is_ambiguous() -> None:
    """Two tables are joined on `city` and a third has one too: a bare `city` is refused."""
    sources = ["customers", "regions", aliased("regions", "r2")]
    joins = [
        {"left_table": "customers", "right_table": "regions", "on_columns": ["city"]},
        {"left_table": "customers", "right_table": "r2", "left_column": "name", "right_column": "region"},
    ]
    found = problems(sources, names("name"), join_conditions=joins, filters=[where("city", "=", "Bern")])
    assert_refused(found, "specs.filters[0].column", "'city' is ambiguous")


def test_columns_that_differ_only_in_case_are_refused() -> None:
    """Spark reads them as one column."""
    request = request_for(["t"])
    columns = (Column(name="id", type="integer"), Column(name="ID", type="integer"))
    source = Source(key="t", table="t", columns=columns)
    snapshot = Snapshot(sources=(source,), target=Target(name="result", exists=False), origin="event")
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(request, snapshot)
    assert_refused(caught.value.problems, "specs.source_tables[0]", "differ only in case")


GROUPINGS = [
    ([aggregate("sum", "note", "x")], "aggregations[0].column", "sum of orders.note, which is string"),
    ([aggregate("avg", "placed", "x")], "aggregations[0].column", "which is date"),
    ([aggregate("sum", "either", "x")], "aggregations[0].column", "which is string"),
    ([aggregate("avg", "mixed", "x")], "aggregations[0].column", "whose type is not known"),
    ([aggregate("sum", None, "x")], "aggregations[0].column", "sum needs a column"),
    ([aggregate("count_distinct", "*", "x")], "aggregations[0].column", "count_distinct needs a column"),
    ([aggregate("max", "amunt", "x")], "aggregations[0].column", "did you mean 'amount'?"),
    (
        [aggregate("count", "*", "n", "note"), aggregate("sum", "amount", "x", "placed")],
        "aggregations[1].group_by",
        "the compiler has one grouping",
    ),
    ([aggregate("count", "*", "order_id", "order_id")], "aggregations[0].alias", "the name of a group_by column"),
    ([aggregate("count", "*", "n"), aggregate("max", "note", "N")], "aggregations[1].alias", "another aggregate"),
]


@pytest.mark.parametrize(("aggregations", "path", "message"), GROUPINGS)
def test_aggregates_that_are_not_certain_are_refused(aggregations: list[Any], path: str, message: str) -> None:
    """Each aggregate that Spark would coerce, or whose name or grouping is not certain, is refused."""
    derived = [
        derive("either", "coalesce(note, 'x')"),
        derive("mixed", "NULL"),
        derive("wide", "CAST(amount AS decimal(38,2))"),
    ]
    found = problems(ORDERS, {"columns": ["x"]}, aggregations=aggregations, derived_columns=derived)
    assert_refused(found, f"specs.{path}", message)


AMOUNT = [aggregate("sum", "amount", "amount")]
LOST = [
    ({"filters": [where("amount", ">", 1)]}, "specs.filters[0].column", "a source column and an aggregate's alias"),
    (
        {"derived_columns": [derive("x", "amount + 1")]},
        "specs.derived_columns[0].expression",
        "a source column and an aggregate's alias",
    ),
    (
        {"derived_columns": [derive("x", "upper(note)")]},
        "specs.derived_columns[0].expression",
        "neither grouped by nor aggregated, so it is lost",
    ),
    (
        {"derived_columns": [derive("AMOUNT", "1")]},
        "specs.derived_columns[0].name",
        "is the alias of an aggregate too",
    ),
    (
        {"derived_columns": [derive("x", "order_id"), derive("X", "order_id")]},
        "specs.derived_columns[1].name",
        "derived twice",
    ),
]


@pytest.mark.parametrize(("specs", "path", "message"), LOST)
def test_names_with_two_meanings_around_grouping_are_refused(specs: dict[str, Any], path: str, message: str) -> None:
    """A name that is two things, or that is lost by grouping, is refused where it is used."""
    assert_refused(problems(ORDERS, aggregations=AMOUNT, **specs), path, message)


def test_a_column_that_is_not_grouped_cannot_be_in_the_result() -> None:
    """The target lists a source column that grouping loses."""
    found = problems(ORDERS, names("note", "amount"), aggregations=AMOUNT)
    assert_refused(found, "specs.target_table.columns[0]", "neither grouped by nor aggregated")


def test_a_column_derived_before_grouping_keeps_its_meaning_after_it() -> None:
    """`label` reads the merged key; after grouping by c.customer_id alone it cannot be computed again."""
    joined = {"join_conditions": [{**JOIN, "join_type": "outer"}]}
    derived = [derive("label", "coalesce(customer_id, -1)")]
    grouped = {"aggregations": [aggregate("count", "*", "n", "c.customer_id")]}
    found = problems(CO, names("label", "n"), derived_columns=derived, **joined, **grouped)
    assert_refused(found, "specs.target_table.columns[0]", "neither grouped by nor aggregated")
    late = [derive("label", "customer_id + n")]
    found = problems(CO, names("label", "n"), derived_columns=late, **joined, **grouped)
    assert_refused(found, "specs.derived_columns[0].expression", "before grouping and another column after it")


def test_a_plain_output_name_means_the_grouped_column() -> None:
    """It does so even where the name meant the other table's column before grouping."""
    event = {
        "run_id": "r",
        "specs": {
            "source_tables": [{"table_name": "flights", "alias": "f"}, {"table_name": "planes", "alias": "p"}],
            "join_conditions": [{"left_table": "f", "right_table": "p", "on_columns": ["tailnum"]}],
            "aggregations": [{"function": "count", "alias": "n", "group_by": ["p.tailnum"]}],
            "transformations": [{"type": "sort", "details": {"columns": ["tailnum"]}}],
            "target_table": {"name": "t", "columns": ["tailnum", "n"]},
        },
        "source_schemas": {
            "flights": {"columns": [{"name": "tailnum", "type": "text"}]},
            "planes": {"columns": [{"name": "tailnum", "type": "text"}]},
        },
    }
    request = parse_request(event)
    code = compile_transform(build_plan(request, event_snapshot(request)))
    assert 'groupBy(F.col("p.tailnum"))' in code
