"""Mangled events at the door: each is answered, and a refusal says where and what."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.settings import load_settings
from runs.actions import Actions
from runs.dispatch import answer
from tests.runs.scene import Bench
from tools.fakes import PlannedRun
from tools.models.compiled import CompilerModel

EVENT: dict[str, Any] = {
    "run_id": "r",
    "specs": {
        "source_tables": [{"table_name": "customers", "alias": "c"}, {"table_name": "orders", "alias": "o"}],
        "target_table": {
            "name": "totals",
            "columns": [{"name": "region", "type": "text"}, "total", "late"],
            "write_mode": "merge",
            "keys": ["region"],
        },
        "join_conditions": [
            {"left_table": "c", "right_table": "o", "join_type": "left", "on_columns": ["customer_id"]},
        ],
        "filters": [
            {"column": "o.amount", "operator": ">", "value": 10},
            {"column": "c.region", "operator": "IN", "value": ["EU", "US"]},
        ],
        "derived_columns": [{"name": "is_late", "expression": "CASE WHEN o.days > 3 THEN 1 ELSE 0 END"}],
        "aggregations": [
            {"function": "sum", "column": "o.amount", "alias": "total", "group_by": ["c.region"]},
            {"function": "sum", "column": "is_late", "alias": "late", "group_by": ["c.region"]},
        ],
        "transformations": [
            {"type": "sort", "description": "", "details": {"columns": [{"column": "total", "order": "desc"}]}},
        ],
    },
    "source_schemas": {
        "customers": {"columns": [{"name": "customer_id", "type": "integer"}, {"name": "region", "type": "text"}]},
        "orders": {
            "columns": [
                {"name": "customer_id", "type": "integer"},
                {"name": "amount", "type": "numeric(10,2)"},
                {"name": "days", "type": "smallint"},
            ]
        },
    },
    "source_data_samples": {"customers": [{"customer_id": 1, "region": "EU"}], "orders": [{"customer_id": 1}]},
    "options": {"wait": "poll", "restart": False, "allow_empty": True, "mask_samples": False},
}
NASTY: list[Any] = [
    None, True, False, 0, -1, 2**63, 2**70, 10**400, 1e308, -0.0, float("nan"), float("inf"),
    "", " ", "*", ".", "..", "'", '"', "`", "\\", "\0", "\ud800", "ﬁ", "İ", "a" * 300, "a." * 200, "(" * 200,
    "'; DROP TABLE totals; --", "../../etc/passwd", "SELECT 1", "1)", "CASE", "o.amount o.days", "sum(amount)", "${x}",
    "{x}", "customers", "orders", "c", "o", "amount", "c.customer_id", "customer_id", "region", "merge", "append",
    "LIKE", "BETWEEN", "IS NULL", [], {}, [[]], [{}], [None], {"": ""}, {"name": "x"}, {"column": "o.amount"},
    ["amount"], ["c.region", "c.region"],
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.tuples(
    st.integers(0, 10_000),
    st.sampled_from(["replace", "replace", "remove", "repeat", "rename", "add", "wrap"]),
    st.sampled_from(NASTY) | JSON,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mangled(changes: list[tuple[int, str, Any]], run_id: str) -> Any:
    """The event with changes at some places; a place is a number, taken round."""
    event = {**copy.deepcopy(EVENT), "run_id": run_id}
    for number, how, put in changes:
        value = copy.deepcopy(put)
        found = list(places(event))
        if not found:
            break
        holder, key = found[number % len(found)]
        before = holder[key]
        if how == "remove":
            del holder[key]
        elif how == "wrap":
            holder[key] = [before]
        elif how == "repeat" and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(before))
        elif how == "rename" and isinstance(holder, dict):
            holder[str(value)[:40]] = holder.pop(key)
        elif how == "add" and isinstance(before, dict):
            before[str(number)] = value
        else:
            holder[key] = value
    return event


@pytest.mark.parametrize("examples", [300, pytest.param(5000, marks=pytest.mark.faults)])
def test_every_event_is_answered_and_a_refusal_says_where(bench: Callable[..., Bench], examples: int) -> None:
    """Never a 5xx, never an error that leaves the door."""
    made = bench(model=CompilerModel(), dry_run=None, settings=load_settings({"poll_seconds": 1}, {}))
    actions = Actions(made.service())
    numbers = itertools.count()
    codes: dict[int, int] = {}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(CHANGES, min_size=1, max_size=3))
    def look(changes: list[tuple[int, str, Any]]) -> None:
        made.jobs.plans.append(PlannedRun(rows=1, columns=("region", "total", "late")))
        event = mangled(changes, f"r{next(numbers)}")
        response = answer(actions, event)
        body = response["body"]
        codes[response["statusCode"]] = codes.get(response["statusCode"], 0) + 1
        assert response["statusCode"] < 500, body
        assert "Traceback" not in json.dumps(response)
        if response["statusCode"] == 400:
            assert body["errors"], event
            for error in body["errors"]:
                assert error["path"].strip() and error["message"].strip(), error

    look()
    assert codes[400] > 0.4 * examples
    assert set(codes) <= {200, 400, 409, 422}, codes
