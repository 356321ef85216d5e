"""Entries of `transformations` that say again, in other words, what the structured fields say."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.reading import read_specification
from agent.elements import Comparison
from tests.agent.compiler.scene import aggregate, aliased, derive, request_for, snapshot_for, step
from tests.agent.compiler.test_reader import read

TOTALS = [aggregate("sum", "amount", "revenue", "city"), aggregate("max", "amount", "top", "city")]
BOTH = ["specs.aggregations[0]", "specs.aggregations[1]"]


@pytest.mark.parametrize(
    ("details", "claimed"),
    [
        ({"metrics": ["revenue", "top"]}, BOTH),
        ({"measures": ["revenue", "top"], "group_by": ["city"]}, BOTH),
        ({"outputs": ["city", "top"], "group_by": ["city"]}, BOTH[1:]),
        ({"aggregations": ["REVENUE"]}, BOTH[:1]),
        ({"column": "top"}, BOTH[1:]),
    ],
)
def test_names_of_aggregates_claim_them(details: dict[str, Any], claimed: list[str]) -> None:
    """An alias alone names the aggregate that a structured field states."""
    entries, problems, _ = read(aggregations=TOTALS, transformations=[step("aggregate", **details)])
    assert ([one.path for one in entries.steps[0].claims], problems) == (claimed, [])
    assert len(entries.aggregations) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("amount / NULLIF(o.qty, 0)", "amount / qty"),
        ("((amount) * (qty))", "qty * amount"),
        ("Amount + 1", "1 + o.amount"),
        ("revenue / 2", "amount * (1 - discount) / 2"),
        ("case when a = 1 then 2 else 3 end", "CASE WHEN 1 = a THEN 2 ELSE 3 END"),
    ],
)
def test_equal_expressions_do_not_contradict(one: str, other: str) -> None:
    """Brackets, the order of operands, letter case and derived columns make no difference."""
    derived = [derive("revenue", "amount * (1 - discount)"), derive("made", other)]
    entries, problems, _ = read(derived_columns=derived, transformations=[step("derive", name="made", expression=one)])
    assert ([claim.path for claim in entries.steps[0].claims], problems) == (["specs.derived_columns[1]"], [])


@pytest.mark.parametrize("one", ["qty - amount", "qty / amount", "amount * 2", "amount * qty * qty"])
def test_other_expressions_contradict(one: str) -> None:
    """The operands of a difference and of a quotient have an order."""
    _, problems, _ = read(
        derived_columns=[derive("made", "amount - qty")], transformations=[step("derive", name="made", expression=one)]
    )
    assert "contradicts specs.derived_columns[0]" in problems[0].message


@pytest.mark.parametrize(
    ("one", "other"),
    [("o.x + 1", "c.x + 1"), ("o.x - c.x", "c.x - o.x"), ("median(o.x) + ?", "median(c.x) + ?"), ("o.x", "c.x")],
)
def test_columns_of_two_tables_are_two_columns(one: str, other: str) -> None:
    """A repetition that names the column of another table contradicts, also inside an expression."""
    tables = [aliased("orders", "o"), aliased("customers", "c")]
    for entry, repeated in (
        (aggregate("sum", one, "made"), step("aggregate", function="sum", column=other, alias="made")),
        (derive("made", one), step("derive", name="made", expression=other)),
    ):
        field = "aggregations" if "function" in entry else "derived_columns"
        _, problems, _ = read(source_tables=tables, transformations=[repeated], **{field: [entry]})
        assert [f"contradicts specs.{field}[0]" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize("one", ["o.x + c.x", "c.x + o.x", "x + o.x"])
def test_operands_of_two_tables_may_be_swapped(one: str) -> None:
    """A sum of the same columns in another order is a repetition."""
    tables = [aliased("orders", "o"), aliased("customers", "c")]
    _, problems, _ = read(
        source_tables=tables,
        derived_columns=[derive("made", "o.x + c.x")],
        transformations=[step("derive", name="made", expression=one)],
    )
    assert problems == []


def test_a_filter_on_an_aggregate_of_another_table_is_not_on_its_alias() -> None:
    """`sum(c.x)` beside the aggregate `sum(o.x)` stays an aggregate of its own."""
    entries, _, _ = read(
        source_tables=[aliased("orders", "o"), aliased("customers", "c")],
        aggregations=[aggregate("sum", "o.x", "total")],
        filters=[{"column": name, "operator": ">", "value": 5} for name in ("sum(c.x)", "SUM(x)")],
    )
    columns = [one.value.column for one in entries.filters if isinstance(one.value, Comparison)]
    assert columns == ["sum(c.x)", "total"]


def test_a_long_chain_of_derived_columns_is_compared_in_linear_time() -> None:
    """Unfolding it would double its size with each column."""
    chain = [derive(f"c{n}", f"c{n + 1} + c{n + 1}") for n in range(60)]
    _, problems, _ = read(
        derived_columns=[*chain, derive("made", "c0")],
        transformations=[step("derive", name="made", expression="c0 + 0")],
    )
    assert len(problems) == 1


@pytest.mark.parametrize("type_", ["data_cleaning", "standardize", "classify", "flag", "convert", "enrich", "bucket"])
def test_a_name_with_its_expression_is_a_new_column_under_any_type(type_: str) -> None:
    """Generators invent types; the keys of the details tell the kind."""
    entries, problems, _ = read(transformations=[step(type_, name="x", expression="upper(note)")])
    assert ([one.value.name for one in entries.derived], problems) == (["x"], [])


@pytest.mark.parametrize("type_", ["data_cleaning", "business_rule", "custom"])
def test_a_condition_under_a_type_of_no_kind_is_a_filter(type_: str) -> None:
    """A type such as `flag` could mark rows, so a condition alone tells nothing there."""
    entries, problems, _ = read(transformations=[step(type_, condition="amount > 5")])
    assert (len(entries.filters), problems) == (1, [])
    entries, problems, _ = read(transformations=[step("flag", condition="amount > 5")])
    assert (entries.filters, problems[0].beyond) == ([], True)


OVER_5 = Comparison("amount", ">", 5)


@pytest.mark.parametrize(
    ("entry", "function", "column"),
    [
        ({"function": "count_if", "column": "amount > 5"}, "count", "*"),
        ({"function": "COUNTIF", "condition": "amount > 5"}, "count", "*"),
        ({"function": "countIf(amount > 5)"}, "count", "*"),
        ({"function": "sum_if", "column": "qty", "condition": "amount > 5"}, "sum", "qty"),
        ({"function": "sumIf(qty, amount > 5)"}, "sum", "qty"),
    ],
)
def test_conditional_aggregates_take_the_rows_of_their_condition(entry: Any, function: str, column: str) -> None:
    """The condition is an argument, or stands beside the column."""
    entries, problems, _ = read(aggregations=[{**entry, "alias": "n"}])
    [(_, one)] = entries.aggregations
    assert ((one.function, one.column, one.where), problems) == ((function, column, OVER_5), [])


def test_a_count_of_a_condition_has_two_readings() -> None:
    """SQL counts the rows where the condition is false too; both readings are told."""
    _, problems, _ = read(aggregations=[{"function": "count", "column": "amount > 5", "alias": "n"}])
    assert "write count_if" in problems[0].message


def test_two_names_that_only_one_table_has_are_a_pair() -> None:
    """`["boss", "order_id"]` joins boss with order_id, in either order."""
    sources = [aliased("employees", "e"), aliased("orders", "o")]
    found = []
    for names in (["boss", "order_id"], ["order_id", "boss"]):
        request = request_for(
            sources, join_conditions=[{"left_table": "e", "right_table": "o", "join_type": "left", "on_columns": names}]
        )
        plan = read_specification(request, snapshot_for(request)).certain_plan()
        found += [(one.name, other.name) for one, other in plan.joins[0].equalities]
    assert found == [("boss", "order_id")] * 2


def test_a_type_of_an_aggregate_is_told() -> None:
    """The type of an aggregate follows from its column; a declared one is named in a note."""
    _, problems, notes = read(aggregations=[{**aggregate("sum", "amount", "total"), "data_type": "integer"}])
    assert problems == []
    assert any(note.path == "specs.aggregations[0].data_type" and "not looked at" in note.message for note in notes)
