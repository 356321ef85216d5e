"""The meter counts as DynamoDB bills."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.faults.meter import NEWEST_UNITS, READ, READ_UNITS, WRITE_UNITS, WRITTEN, dynamodb_cost, size

KB = {"pk": {"S": "x" * 1022}}
OVER = {"pk": {"S": "x" * 1023}}
RUN = {**OVER, "listed": {"S": "run"}, "open": {"S": "open"}, "given_at": {"S": "0"}}
ENDED = {name: value for name, value in RUN.items() if name != "open"}


def test_an_item_is_its_names_and_values() -> None:
    """Text as UTF-8, half a byte a digit and one more for a number, binary as it is."""
    assert size({"pk": {"S": "ü"}, "n": {"N": "123"}, "b": {"B": bytes(9)}}) == (2 + 2) + (1 + 3) + (1 + 9)


@pytest.mark.parametrize(
    ("operation", "asked", "answer", "costs"),
    [
        ("PutItem", {"Item": KB}, {}, {WRITTEN: 1024, WRITE_UNITS: 1}),
        ("PutItem", {"Item": OVER}, {}, {WRITTEN: 1025, WRITE_UNITS: 2}),
        ("PutItem", {"Item": RUN}, {}, {WRITTEN: size(RUN), WRITE_UNITS: 2 + 2 + 1, NEWEST_UNITS: 2}),
        ("UpdateItem", {}, {"Attributes": RUN}, {WRITTEN: size(RUN), WRITE_UNITS: 2 + 2, NEWEST_UNITS: 2}),
        ("UpdateItem", {}, {"Attributes": ENDED}, {WRITTEN: size(ENDED), WRITE_UNITS: 2 + 2 + 1, NEWEST_UNITS: 2}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"Item": OVER}}] * 2}, {}, {WRITTEN: 2050, WRITE_UNITS: 8}),
        ("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {}}]}, {}, {WRITE_UNITS: 2}),
        ("GetItem", {}, {}, {READ: 0, READ_UNITS: 1}),
        ("Query", {}, {"Items": [OVER] * 4}, {READ: 4100, READ_UNITS: 2}),
        ("Query", {"IndexName": "newest"}, {"Items": [OVER]}, {READ: 1025, READ_UNITS: 0.5}),
    ],
)
def test_a_call_costs_whole_units(
    operation: str, asked: dict[str, Any], answer: dict[str, Any], costs: dict[str, float]
) -> None:
    """Twice in a transaction, once more for an index, half for a read that may be stale."""
    found: Counter[str] = Counter()
    for name, number in dynamodb_cost(operation, asked, answer):
        found[name] += number  # type: ignore[assignment]
    assert found == costs
