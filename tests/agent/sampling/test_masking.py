"""Sample rows as a model may see them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sampling.masking import cut_cells, mask_rows
from agent.snapshot import Column


@pytest.mark.parametrize(
    ("kind", "cell", "masked"),
    [
        ("text", "Jörg-12 ü!", "Aaaa-99 a!"),
        ("character varying(5)", "", ""),
        ("text", "2013-05-17", "9999-99-99"),
        ("integer", -1234, -1000),
        ("integer", 0, 0),
        ("numeric(3,0)", "996", "900"),
        ("numeric(7,2)", "1234.56", "1000.00"),
        ("numeric(7,4)", "-0.0567", "-0.0500"),
        ("numeric(38,18)", "12345678901234567890.123456789012345678", "10000000000000000000.000000000000000000"),
        ("double precision", 0.0456, 0.04),
        ("double precision", 1.5e-7, 1e-7),
        ("date", "2013-05-17", "2013-01-01"),
        ("timestamp without time zone", "2013-05-17T08:30:15.25", "2013-01-01T00:00:00.00"),
        ("timestamp with time zone", "2013-05-17T08:30:00-05:00", "2013-01-01T00:00:00-05:00"),
        ("date", "somewhen", "aaaaaaaa"),
        ("boolean", True, True),
        ("integer", None, None),
    ],
)
def test_keeps_the_shape_and_not_the_content(kind: str, cell: Any, masked: Any) -> None:
    """Letters and digits go, lengths, magnitudes, years and NULL stay."""
    [row] = mask_rows([{"x": cell}], [Column(name="x", type=kind)])
    assert row == {"x": masked}
    assert type(row["x"]) is type(cell)


def test_masks_columns_that_are_not_described() -> None:
    """A cell without a column, nested ones too, does not slip through."""
    assert mask_rows([{"x": {"Key": ["secret", 45]}}], []) == ({"x": {"Aaa": ["aaaaaa", 40]}},)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_masked_number_has_one_digit_and_its_magnitude(number: Decimal) -> None:
    """One significant digit, the same power of ten, the same number of places."""
    [row] = mask_rows([{"x": format(number, "f")}], [Column(name="x", type="numeric(12,3)")])
    masked = Decimal(str(row["x"]))
    assert len(masked.normalize().as_tuple().digits) == 1
    assert not number or masked.adjusted() == number.adjusted()
    assert masked.as_tuple().exponent == -3


@pytest.mark.parametrize(
    ("cell", "limit", "cut"),
    [("x" * 200, 200, "x" * 200), ("x" * 201, 200, "x" * 199 + "…"), (12345, 3, 12345), (["abc", "def"], 6, '["abc…')],
)
def test_cuts_long_cells(cell: Any, limit: int, cut: Any) -> None:
    """A longer text ends in an ellipsis at the limit; numbers are whole."""
    assert cut_cells([{"x": cell}], limit) == ({"x": cut},)
