from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import JsonValue

from agent.errors import InvalidRequestError
from tools.records import SampleTable
from tools.spark.sample_tables import write_samples


@pytest.mark.parametrize(
    ("spark_type", "value", "expected"),
    [
        ("smallint", 32767, 32767),
        ("int", "42", 42),
        ("int", 3.0, 3),
        ("bigint", -(2**63), -(2**63)),
        ("decimal(5,2)", "1.005", Decimal("1.01")),
        ("decimal(5,2)", 12.5, Decimal("12.50")),
        ("decimal(38,18)", "12345678901234567890.5", Decimal("12345678901234567890.500000000000000000")),
        ("float", "1.5", 1.5),
        ("double", "-Infinity", float("-inf")),
        ("double", 1, 1.0),
        ("boolean", True, True),
        ("boolean", "f", False),
        ("boolean", 0, False),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "2024-02-29T12:00:00", date(2024, 2, 29)),
        ("timestamp", "2024-02-29 12:00:00.25", datetime(2024, 2, 29, 12, 0, 0, 250000, UTC)),
        ("timestamp", "2024-02-29T12:00:00-05:00", datetime(2024, 2, 29, 17, tzinfo=UTC)),
        ("timestamp", "0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("timestamp", 86400, datetime(1970, 1, 2, tzinfo=UTC)),
        ("timestamp", 1709208000000, datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("string", "text", "text"),
        ("string", 12345, "12345"),
        ("string", {"a": [1]}, '{"a": [1]}'),
        ("int", None, None),
        ("timestamp", "08:30:15", datetime(1970, 1, 1, 8, 30, 15, tzinfo=UTC)),
        ("binary", r"\x00ff", b"\x00\xff"),
        ("binary", r"\x", b""),
        ("array<int>", [1, None, "3"], [1, None, 3]),
        ("array<decimal(5,2)>", ["1.005"], [Decimal("1.01")]),
        ("array<timestamp>", [], []),
    ],
)
def test_a_json_value_becomes_its_columns_type(
    tmp_path: Path, spark_type: str, value: JsonValue, expected: object
) -> None:
    """Numbers and dates may be text or numbers; what arrives is exactly the column's type."""
    table = SampleTable((("x", spark_type), ("absent", "string")), ({"x": value, "other": 1},))
    write_samples(tmp_path / "t.parquet", "t", table)
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == [{"c0": expected, "c1": None}]


@pytest.mark.parametrize(
    ("spark_type", "value"),
    [
        ("smallint", 32768),
        ("int", 1.5),
        ("int", True),
        ("int", "NaN"),
        ("int", [1]),
        ("decimal(5,2)", "1000"),
        ("decimal(5,2)", "NaN"),
        ("decimal(5,2)", "Infinity"),
        ("double", "much"),
        ("boolean", "maybe"),
        ("boolean", 2),
        ("date", "31/12/2024"),
        ("date", "2023-02-29"),
        ("timestamp", "infinity"),
        ("timestamp", 1e30),
        ("timestamp", False),
        ("string", "half a pair: \ud800"),
        ("timestamp", "08:30"),
        ("binary", "text"),
        ("binary", r"\x0"),
        ("array<int>", "{1}"),
        ("array<int>", [1, "x"]),
    ],
)
def test_a_misfit_is_refused_with_its_place(tmp_path: Path, spark_type: str, value: JsonValue) -> None:
    """A value outside its column's type is an error at its path, never another value."""
    with pytest.raises(InvalidRequestError) as caught:
        write_samples(tmp_path / "t.parquet", "t", SampleTable((("x", spark_type),), ({"x": None}, {"x": value})))
    assert [problem.path for problem in caught.value.problems] == ["source_data_samples.t[1].x"]
