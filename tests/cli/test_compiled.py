"""Compiled windows, unions and pivots as a user runs them: real flights, real Spark, real PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.scene import Home

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.postgres]

LONGEST = {
    "source_tables": [{"table_name": "flights", "alias": "f"}, {"table_name": "airlines", "alias": "a"}],
    "target_table": {
        "name": "longest_delays",
        "columns": ["airline", "month", "delay", "place", "gain"],
        "write_mode": "overwrite",
    },
    "join_conditions": [{"left_table": "f", "right_table": "a", "join_type": "left", "on_columns": "carrier"}],
    "derived_columns": [
        {"name": "airline", "expression": "a.name"},
        {"name": "gain", "expression": "delay - previous"},
    ],
    "filters": [
        {"column": "f.distance", "operator": ">", "value": 500},
        {"column": "place", "operator": "<=", "value": 3},
    ],
    "aggregations": [{"function": "sum", "column": "arr_delay", "alias": "delay", "group_by": ["airline", "month"]}],
    "transformations": [
        {
            "type": "window",
            "description": "The top 3 months of each airline",
            "details": {
                "function": "rank",
                "alias": "place",
                "partition_by": ["airline"],
                "order_by": [{"column": "delay", "direction": "desc", "nulls": "last"}],
            },
        },
        {
            "type": "window",
            "details": {
                "function": "lag",
                "column": "delay",
                "alias": "previous",
                "partition_by": ["airline"],
                "order_by": "month",
            },
        },
    ],
}
LONGEST_BY_HAND = """
SELECT * FROM (
  SELECT name, month, delay, rank() OVER (PARTITION BY name ORDER BY delay DESC NULLS LAST) AS place,
         delay - lag(delay) OVER (PARTITION BY name ORDER BY month) AS gain
  FROM (SELECT a.name, f.month, sum(f.arr_delay) AS delay FROM flights f LEFT JOIN airlines a ON a.carrier = f.carrier
        WHERE f.distance > 500 GROUP BY 1, 2) months) ranked
WHERE place <= 3 ORDER BY 1, 2
"""

ENDS = {
    "source_tables": [{"table_name": "flights", "alias": "f"}, {"table_name": "flights", "alias": "g"}],
    "target_table": {"name": "carriers_by_origin", "write_mode": "overwrite"},
    "transformations": [
        {"type": "union", "details": {"tables": ["f", "g"], "columns": ["carrier", "origin", "distance"], "all": True}},
        {
            "type": "pivot",
            "details": {
                "column": "origin",
                "values": ["EWR", {"value": "JFK", "alias": "kennedy"}],
                "function": "sum",
                "value_column": "distance",
                "group_by": "carrier",
            },
        },
    ],
}
ENDS_BY_HAND = """
SELECT carrier, 2 * sum(distance) FILTER (WHERE origin = 'EWR'), 2 * sum(distance) FILTER (WHERE origin = 'JFK')
FROM flights GROUP BY carrier ORDER BY 1
"""


@pytest.mark.parametrize(("specs", "by_hand"), [(LONGEST, LONGEST_BY_HAND), (ENDS, ENDS_BY_HAND)])
def test_what_is_published_is_what_sql_by_hand_gives(flights: Home, specs: dict[str, Any], by_hand: str) -> None:
    """From the command to the target table, over 336,776 flights."""
    target = specs["target_table"]["name"]
    flights.sql(f"DROP TABLE IF EXISTS {target}")
    answer = flights.datamorph("run", "-", "--json", stdin=json.dumps({"specs": specs}))
    assert (answer.code, answer.body["preflight"]) == (0, "ok"), answer.err
    wanted = flights.sql(by_hand)
    assert flights.sql(f"SELECT * FROM {target} ORDER BY 1, 2") == wanted
    assert answer.body["rows_written"] == len(wanted) > 10
