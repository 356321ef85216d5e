"""Columns that a pivot has made of row values are not told."""

from __future__ import annotations

import pytest

from agent.diagnosis.failures import finding_from_error
from agent.redaction.pivoted_values import mask_pivoted_columns
from agent.snapshot import Column, Snapshot, Source, Target

COLUMNS = (Column(name="id", type="int"), Column(name="Order Day", type="date"))
SNAPSHOT = Snapshot(
    sources=(Source(key="o", table="orders", columns=COLUMNS),),
    target=Target(name="t", exists=False),
    origin="event",
)
SCRIPT = (
    'sources["o"].groupBy(F.col("o.id").alias("id")).pivot("buyer").agg(F.sum("amount"))\ncolumns = ["id", "total"]'
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "name `o`.`id` cannot be resolved. Did you mean one of the following? [`id`, `Ann L`, `A]n`, `total`].",
            "name `o`.`id` cannot be resolved. Did you mean one of the following? [`id`, ***, ***, `total`].",
        ),
        (
            "Column 'o.id' does not exist. Did you mean one of the following? [id, Ann Lee, o.Order Day, o.Bob];\n"
            "'Project ['o.id]\n+- Aggregate [id#1], [id#1, pivotfirst(buyer#2, Ann Lee)]\nlast",
            "Column 'o.id' does not exist. Did you mean one of the following? [id, ***, o.Order Day, ***];\nlast",
        ),
        (
            "the result has columns ['Ann, Lee', 'O\\'Hara'], which the target does not take; it takes ['id', 'total']",
            "the result has columns [***, ***], which the target does not take; it takes ['id', 'total']",
        ),
        (
            "the result lacks columns ['total']; it has ['id', \"O'Hara\"]",
            "the result lacks columns ['total']; it has ['id', ***]",
        ),
        ('Cannot resolve column name "total" among (id, Ann)', 'Cannot resolve column name "total" among (id, ***)'),
        ("The column `ann` already exists.", "The column *** already exists."),
        ("KeyError: 'x' in [1, 2]", "KeyError: 'x' in [1, 2]"),
    ],
)
def test_names_that_only_rows_have_are_masked(error: str, told: str) -> None:
    """In every list of columns, as both versions of Spark and the script word it; known names stay."""
    assert mask_pivoted_columns(error, SCRIPT, SNAPSHOT) == told
    assert mask_pivoted_columns(told, SCRIPT, SNAPSHOT) == told
    assert finding_from_error(told, None)["rule"] == finding_from_error(error, None)["rule"]


def test_without_a_pivot_all_names_are_told() -> None:
    """They are those of tables and code, and repairs need them."""
    error = "Did you mean one of the following? [`id`, `Ann`]."
    assert mask_pivoted_columns(error, SCRIPT.replace(".pivot(", ".rollup("), SNAPSHOT) == error
