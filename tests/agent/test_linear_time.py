"""Time is linear in the size of a specification: four times the entries take at most six times as long.

The shortest of three measurements of processor time counts; the small size is large enough to be measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import read_specification
from agent.request import parse_request
from agent.sampling.samples import sample_tables
from agent.snapshot import event_snapshot

COLUMNS = {
    "columns": [{"name": "id", "type": "integer"}, {"name": "t", "type": "text"}, {"name": "a", "type": "bigint"}]
}
RATIO = 6.0
FLOOR = 0.05
"""Seconds that are taken for nothing."""


def event(tables: int = 1, **specs: Any) -> dict[str, Any]:
    names = [f"t{n}" for n in range(tables)]
    target = {"name": "x", "columns": ["id"]} if tables == 1 else {"name": "x", "columns": ["z"]}
    return {
        "run_id": "r1",
        "specs": {"source_tables": names, "target_table": target, **specs},
        "source_schemas": dict.fromkeys(names, COLUMNS),
    }


def filters(size: int) -> dict[str, Any]:
    return event(filters=[{"column": "a", "operator": "<", "value": n + 9} for n in range(size)])


def patterns(size: int) -> dict[str, Any]:
    return event(filters=[{"column": "t", "operator": "NOT LIKE", "value": f"v{n}%"} for n in range(size)])


def values(size: int) -> dict[str, Any]:
    """Ten times as many values of an IN."""
    return event(filters=[{"column": "a", "operator": "NOT IN", "value": list(range(10 * size))}])


def derived(size: int) -> dict[str, Any]:
    """Columns that use each other."""
    columns = [{"name": f"d{n}", "expression": f"d{n - 1} + 1" if n else "a + 1"} for n in range(size)]
    made = event(derived_columns=columns)
    made["specs"]["target_table"]["columns"] = [f"d{size - 1}"]
    return made


def backwards(size: int) -> dict[str, Any]:
    """The same columns, each listed before those that it uses."""
    made = derived(size)
    made["specs"]["derived_columns"].reverse()
    return made


def joins(size: int) -> dict[str, Any]:
    """A fifth as many joins, all on one key."""
    count = size // 5
    conditions = [
        {"left_table": "t0", "right_table": f"t{n + 1}", "left_column": "id", "right_column": "id"}
        for n in range(count)
    ]
    return event(count + 1, join_conditions=conditions, derived_columns=[{"name": "z", "expression": "t0.a"}])


def seconds(made: dict[str, Any]) -> float:
    """The whole way: request, reading, transform, rows for the dry run."""
    began = time.process_time()
    request = parse_request(made)
    snapshot = event_snapshot(request)
    plan = read_specification(request, snapshot).certain_plan()
    assert compile_transform(plan)
    assert sample_tables(request, snapshot)
    return time.process_time() - began


@pytest.mark.parametrize("kind", [filters, patterns, values, derived, backwards, joins])
def test_time_grows_with_the_entries(kind: Callable[[int], dict[str, Any]]) -> None:
    """A quadratic step would take sixteen times as long."""
    seconds(kind(20))
    small = min(seconds(kind(250)) for _ in range(3))
    large = min(seconds(kind(1000)) for _ in range(3))
    assert large <= RATIO * max(small, FLOOR), f"{small:.2f} s, then {large:.2f} s"
