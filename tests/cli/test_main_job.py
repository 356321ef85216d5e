"""The main job as a user runs it: real flights, real Spark, real PostgreSQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.cli.scene import EXAMPLE, Home

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.postgres]

BY_HAND = """
SELECT a.name, f.origin, count(*), sum((f.arr_delay > 15)::int),
       round(100.0 * sum((f.arr_delay > 15)::int) / count(*), 1),
       round(avg(f.dep_delay), 2), round(avg(f.dep_delay - f.arr_delay), 2),
       count(DISTINCT f.tailnum), round(avg(f.year - p.year), 1)
FROM flights f JOIN airlines a ON a.carrier = f.carrier LEFT JOIN planes p ON p.tailnum = f.tailnum
WHERE f.arr_delay IS NOT NULL AND f.distance >= 200
GROUP BY 1, 2 HAVING sum((f.arr_delay > 15)::int) > 0 ORDER BY 1, 2
"""

HEAL = [
    ("ambiguous_reference", 0, {"execution_status": "success", "attempts": 1, "rewrites": 1}),
    ("three_wrong_replies", 3, {"execution_status": "failed", "attempts": 0, "rewrites": 2}),
    ("fails_on_full_data", 0, {"execution_status": "success", "attempts": 2, "rewrites": 0}),
    ("fails_twice_on_full_data", 3, {"execution_status": "failed", "attempts": 2, "rewrites": 0}),
]


@pytest.fixture
def old_rows(flights: Home) -> list[tuple[Any, ...]]:
    """Fill the target with one old row, and put a view, an index and a grant on it."""
    flights.sql("DROP TABLE IF EXISTS carrier_delays CASCADE")
    flights.sql(
        "CREATE TABLE carrier_delays (airline text, origin char(3), flights bigint, late_flights bigint, "
        "late_percent numeric(5,1), avg_departure_delay numeric(8,2), avg_minutes_made_up numeric(8,2), "
        "planes bigint, avg_plane_age numeric(5,1));"
        "INSERT INTO carrier_delays (airline, origin) VALUES ('old', 'OLD');"
        "CREATE INDEX delays_by_airline ON carrier_delays (airline);"
        "CREATE VIEW airlines_told AS SELECT DISTINCT airline FROM carrier_delays;"
        "GRANT SELECT ON carrier_delays TO PUBLIC"
    )
    return rows(flights)


def rows(home: Home) -> list[tuple[Any, ...]]:
    return home.sql("SELECT * FROM carrier_delays ORDER BY 1, 2")


def test_the_compiler_s_script_gives_what_sql_by_hand_gives(flights: Home, old_rows: list[tuple[Any, ...]]) -> None:
    """336,776 flights, and grants, view and index are as they were."""
    answer = flights.datamorph("run", str(EXAMPLE), "--json")
    assert (answer.code, answer.body["rows_written"]) == (0, 35)
    told, wanted = rows(flights), flights.sql(BY_HAND)
    assert [row[:4] for row in told] == [row[:4] for row in wanted]
    for got, want in zip(told, wanted, strict=True):
        assert got[4:] == pytest.approx(want[4:], abs=Decimal("0.1"))
    assert flights.sql("SELECT count(*) FROM airlines_told") == [(len({row[0] for row in wanted}),)]
    assert flights.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'delays_by_airline'") == [(1,)]
    granted = "SELECT has_table_privilege('pg_monitor', 'carrier_delays', 'SELECT')"
    assert flights.sql(granted) == [(True,)]


@pytest.mark.parametrize(("case", "code", "expected"), HEAL, ids=[row[0] for row in HEAL])
def test_self_healing(
    flights: Home, old_rows: list[tuple[Any, ...]], case: str, code: int, expected: dict[str, object]
) -> None:
    """Each recording ends as examples/README.md says; a failed run leaves exactly the old rows."""
    answer = flights.datamorph("run", str(EXAMPLE), "--model", f"recorded:examples/heal/{case}.jsonl", "--json")
    assert answer.code == code, answer.err
    assert {name: answer.body[name] for name in expected} == expected
    assert flights.executions(answer.body["run_id"]) == expected["attempts"]
    if code:
        assert rows(flights) == old_rows
    else:
        assert len(rows(flights)) == 35


def test_a_recorded_model_reply_gives_what_the_compiler_gives(flights: Home, old_rows: list[tuple[Any, ...]]) -> None:
    """A model's own transform and the compiler's agree on real data."""
    answer = flights.datamorph("run", str(EXAMPLE), "--model", "recorded:examples/carrier_delays.jsonl", "--json")
    assert answer.code == 0, answer.err
    assert [row[:4] for row in rows(flights)] == [row[:4] for row in flights.sql(BY_HAND)]
