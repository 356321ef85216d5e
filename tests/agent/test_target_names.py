"""Names that PostgreSQL would cut are told before a job runs."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.spec.entries import elements_of
from agent.request import parse_request
from agent.snapshot import Target
from agent.target_names import long_names

LONG = "ä" * 32
"""64 bytes."""


def paths(target: dict[str, Any], *, exists: bool = False, **specs: Any) -> list[str]:
    table = {"name": "t", **target}
    request = parse_request({"run_id": "r1", "specs": {"source_tables": ["orders"], "target_table": table, **specs}})
    found = long_names(request.specs.target_table, Target(name="t", exists=exists), elements_of(request.specs))
    assert all("has 64 bytes, and PostgreSQL cuts names after 63; shorten it" in one.message for one in found)
    return [one.path for one in found]


TOTAL = {"function": "sum", "column": "a", "alias": LONG, "group_by": ["b"]}
HALF = {"name": LONG, "expression": "a / 2"}


@pytest.mark.parametrize(
    ("target", "specs", "told"),
    [
        ({"name": f"sales.{LONG}"}, {}, ["specs.target_table.name"]),
        ({"name": f"{'s' * 40}.{'t' * 40}"}, {}, []),
        ({"columns": ["a", LONG]}, {}, ["specs.target_table.columns[1].name"]),
        ({}, {"aggregations": [TOTAL]}, ["specs.aggregations[0].alias"]),
        ({}, {"derived_columns": [HALF]}, ["specs.derived_columns[0].name"]),
        ({"columns": ["a"]}, {"derived_columns": [HALF]}, []),
    ],
)
def test_a_name_of_over_63_bytes_is_a_problem(target: dict[str, Any], specs: dict[str, Any], told: list[str]) -> None:
    """Of the target, of its columns, and of what becomes a column where none are listed."""
    assert paths(target, **specs) == told


def test_an_existing_target_keeps_its_names() -> None:
    """Its columns decide what is filled."""
    assert paths({}, exists=True, derived_columns=[HALF]) == []
