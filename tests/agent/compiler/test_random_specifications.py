"""Random valid specifications: each has a plan, its code passes the policy, and Spark gives the rows of PostgreSQL."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.sanitizing.policy import check_policy
from tests.agent.compiler.random_specifications import specifications
from tests.agent.compiler.scene import Case, collected, request_for, run, snapshot_for
from tests.agent.compiler.sql_cases import SqlCase

_RANDOM = settings(derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@settings(_RANDOM, max_examples=100)
@given(case=specifications())
def test_every_valid_specification_has_code_that_the_policy_passes(case: SqlCase) -> None:
    """The compiler refuses none, and the sanitizer finds nothing in the code."""
    request = request_for(case.sources, case.target, **case.specs)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert check_policy(code) == []


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets of collect(), as in the scene
@settings(_RANDOM, max_examples=200)
@given(case=specifications())
def test_spark_gives_the_rows_of_postgres(ansi_spark: Any, shop: psycopg.Connection, case: SqlCase) -> None:
    """The rows are equal as a bag; a limit keeps the same ones."""
    wanted = [_plain(row) for row in shop.execute(case.sql.encode()).fetchall()]
    rows = [_plain(row) for row in collected(run(ansi_spark, Case(case.sources, [], [], case.specs, case.target)))]
    assert sorted(rows, key=repr) == sorted(wanted, key=repr), json.dumps(case.specs, indent=1) + case.sql


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose decimals have six places: the engines divide with more digits, and not with the same number."""
    return tuple(round(cell, 6).normalize() + 0 if isinstance(cell, Decimal) else cell for cell in row)
