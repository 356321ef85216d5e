"""The compiled transform on Spark gives the rows of the same query, written by hand, in PostgreSQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.sanitizing.policy import check_policy
from tests.agent.compiler.cases_shapes import CUTS, JOINS, SHAPES
from tests.agent.compiler.cases_windows import GROUPED_WINDOWS, WINDOWS
from tests.agent.compiler.scene import Case, collected, request_for, run, snapshot_for

CASES = {**WINDOWS, **GROUPED_WINDOWS, **CUTS, **SHAPES, **JOINS}


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose decimals do not show their scale."""
    return tuple(cell.normalize() if isinstance(cell, Decimal) else cell for cell in row)


@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.parametrize("name", CASES)
def test_spark_gives_what_sql_by_hand_gives(ansi_spark: Any, shop: psycopg.Connection, name: str) -> None:
    """The rows are equal as a bag, and in order where the specification sorts."""
    case = CASES[name]
    wanted = [plain(row) for row in shop.execute(case.sql).fetchall()]
    result = run(ansi_spark, Case(case.sources, [], [], case.specs, case.target))
    rows = [plain(row) for row in collected(result)]
    assert wanted or "HAVING" in case.sql
    if case.ordered:
        assert rows == wanted
    else:
        assert sorted(rows, key=repr) == sorted(wanted, key=repr)


@pytest.mark.parametrize("name", CASES)
def test_the_transform_passes_the_policy(name: str) -> None:
    """Generated code holds nothing that the policy refuses, and no line over 100 characters."""
    case = CASES[name]
    request = request_for(case.sources, case.target, **case.specs)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert check_policy(code) == []
    assert max(len(line) for line in code.splitlines()) <= 100
