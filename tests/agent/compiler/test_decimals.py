"""Digits of decimal arithmetic: the rules are Spark's, and narrow operands keep a product exact."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from agent.compiler.expressions.decimals import Digits, average, average_sum, common, result
from tests.agent.compiler.scene import collected

TYPES = [Digits(*pair) for pair in ((1, 0), (10, 0), (20, 0), (8, 2), (20, 18), (0, 2), (30, 8), (0, 38), (38, 0))]


@pytest.mark.spark
def test_the_result_types_are_sparks(ansi_spark: Any) -> None:
    """Of each operation and choice over pairs of types, and of an average."""
    expected, columns = [], []
    for one, other in itertools.product(TYPES, TYPES):
        pair = [f"CAST(NULL AS {digits.sql})" for digits in (one, other)]
        for operator in "+-*/%":
            columns.append(f"{pair[0]} {operator} {pair[1]}")
            expected.append(result(operator, one, other).sql)
        columns.append(f"coalesce({pair[0]}, {pair[1]})")
        expected.append(common(one, other).sql)
    for one in TYPES:
        columns.append(f"CAST(sum(CAST(NULL AS {one.sql})) AS {average_sum(one).sql}) / count(1)")
        expected.append(average(one).sql)
    found = ansi_spark.sql(f"SELECT {', '.join(f'{text} AS c{n}' for n, text in enumerate(columns))}")
    assert [kind for _, kind in found.dtypes] == expected


@pytest.mark.spark
def test_an_average_is_rounded_once(ansi_spark: Any) -> None:
    """12,501 values whose average is a bit below a half cent."""
    rows = "(SELECT CAST(if(id < 62, 1, 0) + 0.0 AS decimal(10,2)) AS x FROM range(12501))"
    mean = "CAST(CAST(sum(x) AS decimal(24,2)) / count(x) AS decimal(10,2))"
    [(cents,)] = collected(ansi_spark.sql(f"SELECT {mean} FROM {rows}"))
    assert cents == Decimal("0.00")
