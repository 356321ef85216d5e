"""Filters: trees of conditions, columns as values, and texts that are values."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan, read_specification
from tests.agent.compiler.scene import (
    ORDERS,
    SHOP,
    aliased,
    assert_refused,
    join,
    names,
    problems,
    request_for,
    snapshot_for,
    where,
)


def code_of(*filters: dict[str, Any], sources: list[Any] = ORDERS, **specs: Any) -> str:
    """The condition in the code of a transform with these filters."""
    request = request_for(sources, names("order_id"), filters=list(filters), **specs)
    code = " ".join(compile_transform(build_plan(request, snapshot_for(request))).split())
    return code[code.index(".where(") :]


CODE = [
    (where("order_id", ">=", "60"), 'F.col("orders.order_id") >= F.lit(60)'),
    (where("order_id", "=", "orders.customer_id"), 'F.col("orders.order_id") == F.col("orders.customer_id")'),
    (where("order_id", "=", "customer_id"), 'F.col("orders.order_id") == F.col("orders.customer_id")'),
    (where("order_id", "NOT BETWEEN", [1, 5]), '~F.col("orders.order_id").between(F.lit(1), F.lit(5))'),
    (where("note", "ILIKE", "Rush%"), 'F.col("orders.note").ilike("Rush%")'),
    (
        {"operator": "OR", "conditions": [where("order_id", "=", 1), where("note", "IS NULL")]},
        '(F.col("orders.order_id") == F.lit(1)) | F.col("orders.note").isNull()',
    ),
]


@pytest.mark.parametrize(("condition", "code"), CODE)
def test_conditions_are_readable_code(condition: dict[str, Any], code: str) -> None:
    """Each comparison is one of PySpark's, with the column's type."""
    assert code in code_of(condition)


def test_a_value_may_be_computed_from_columns() -> None:
    """The text is no number, so it is an expression."""
    assert "order_id > customer_id + 5" in code_of(where("order_id", ">", "customer_id + 5")).replace("orders.", "")


def test_a_word_that_may_be_a_text_or_a_column_is_refused() -> None:
    """Both columns are texts, so `city` may be either."""
    found = problems(["regions"], filters=[where("region", "=", "city")])
    assert_refused(found, "specs.filters[0].value", "may be the text 'city' or the column regions.city")


@pytest.mark.parametrize(("operator", "value", "told"), [("=", 5, True), ("IS NULL", None, False)])
def test_a_filter_on_optional_rows_is_told(operator: str, value: Any, told: bool) -> None:
    """It drops the rows that a left join kept without a partner; a search for those rows is meant."""
    request = request_for(SHOP, names("name"), filters=[where("o.amount", operator, value)], **join("left"))
    notes = read_specification(request, snapshot_for(request)).notes
    assert ["rows without a partner in o are dropped" in note.message for note in notes] == [True] * told


@pytest.mark.parametrize("text", ["active", "c.active", "NOT active", "NOT c.active AND credit > 1"])
def test_a_boolean_column_alone_is_a_condition(text: str) -> None:
    """So is its negation."""
    assert problems([aliased("clients", "c")], filters=[text]) == []


@pytest.mark.parametrize("text", ["recent", "NOT recent", "town", "NOT town"])
def test_a_word_alone_that_is_no_boolean_column_is_for_a_model(text: str) -> None:
    """It may be words in place of a condition."""
    [found] = problems([aliased("clients", "c")], filters=[text])
    assert found.beyond
