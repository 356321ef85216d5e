"""The type that a new column declares."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.plan.steps import DerivedStep
from agent.compiler.reading import Reading, read_specification
from tests.agent.compiler.scene import assert_refused, request_for, snapshot_for


def reading(expression: str, data_type: str, **more: Any) -> Reading:
    """The reading of one new column over purchases."""
    column = {"name": "made", "expression": expression, "data_type": data_type, **more}
    request = request_for(["purchases"], {"columns": ["made"]}, derived_columns=[column])
    return read_specification(request, snapshot_for(request))


@pytest.mark.parametrize(
    ("expression", "data_type"),
    [
        ("extract(year FROM bought) - extract(month FROM bought) * 2", "integer"),
        ("pieces * 2", "integer"),
        ("EXTRACT(YEAR FROM bought)", "int"),
        ("FLOOR(price / pieces)", "integer"),
        ("ROUND(price)", "bigint"),
        ("price * pieces", "numeric(12,2)"),
        ("pieces", "numeric(12,2)"),
        ("UPPER(status)", "varchar(20)"),
        ("status", "string"),
        ("pieces > 1", "boolean"),
        ("bought + 7", "date"),
        ("pieces", "positive number"),
    ],
)
def test_a_declared_type_of_the_values_own_family_is_documentation(expression: str, data_type: str) -> None:
    """It changes nothing, and nothing is told."""
    found = reading(expression, data_type)
    assert found.plan is not None
    assert not any("cast" in note.message or "declares" in note.message for note in found.notes)


@pytest.mark.parametrize("expression", ["price / pieces", "pieces / purchase_id", "price", "price * 1.5"])
def test_a_fraction_that_is_declared_as_a_whole_number_is_refused_with_both_readings(expression: str) -> None:
    """Integer division and rounding give other numbers."""
    found = reading(expression, "integer", description="whole cartons")
    assert_refused(list(found.problems), "specs.derived_columns[0].expression", f"CAST(FLOOR({expression}) AS integer)")
    assert_refused(list(found.problems), "specs.derived_columns[0].expression", f"CAST(ROUND({expression}) AS integer)")


@pytest.mark.parametrize(
    ("expression", "data_type", "sql"),
    [
        ("purchase_id", "text", "string"),
        ("DATE_TRUNC('month', bought)", "date", "date"),
        ("bought", "timestamp", "timestamp"),
        ("status", "integer", "int"),
    ],
)
def test_a_declared_type_of_another_family_is_a_cast(expression: str, data_type: str, sql: str) -> None:
    """The declared type of a new column is its type; the cast is told."""
    found = reading(expression, data_type)
    assert found.plan is not None
    [step] = found.plan.before.derived
    assert isinstance(step, DerivedStep)
    assert f"'{sql}'" in repr(step.value) or sql in repr(step.value)
    assert any(f"is cast to {data_type}, as the column declares" in note.message for note in found.notes)


def test_decimals_that_a_declared_type_does_not_have_are_kept_and_told() -> None:
    """The value is not rounded; the note says how to round it."""
    [note] = [one for one in reading("price * price", "numeric(12,2)").notes if "declares" in one.message]
    assert "ROUND(price * price, 2)" in note.other
