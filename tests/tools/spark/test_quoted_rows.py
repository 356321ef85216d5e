"""Spark quotes values of rows in its errors, and none of them is left after redaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from agent.redaction import redact
from agent.request import parse_request
from agent.script import assemble
from agent.snapshot import event_snapshot
from tools.records import SampleTable
from tools.spark.dry_run import LocalDryRun

pytestmark = pytest.mark.spark

ROW: dict[str, JsonValue] = {
    "name": "Xyzzy17",
    "json": '{"a": Xyzzy17',
    "amount": "471147114711.5",
    "day": "4711-47-11",
}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDryRun]:
    """Open dry runs on one JVM."""
    made = LocalDryRun(tmp_path_factory.mktemp("dryrun"), timeout_seconds=60)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "expression",
    [
        "cast(name AS int)",
        "cast(name AS date)",
        "cast(name AS timestamp)",
        "to_date(day, 'yyyy-MM-dd')",
        "to_timestamp(name, 'yyyy')",
        "cast(amount AS decimal(5,2))",
        "cast(cast(amount AS bigint) AS int)",
        "cast(map(name, 1, name, 2) AS string)",
        "from_json(json, 'a int', map('mode', 'FAILFAST')).a",
        "from_csv(concat(name, ',1'), 'a int', map('mode', 'FAILFAST')).a",
        "to_number(name, '999')",
        "parse_url(concat('http://', name, ' %'), 'HOST')",
        "make_date(2024, 47, 11)",
        "next_day(to_date('2024-01-01'), name)",
        "cast(name AS interval day)",
        "cast(name AS interval year)",
        "cast(name AS boolean)",
        "regexp_extract(name, concat(name, '['), 1)",
        "split(name, concat(name, '['))[0]",
        "sequence(471147, 471140, 47)",
        "from_utc_timestamp(timestamp'2024-01-01', name)",
        "to_utc_timestamp(timestamp'2024-01-01', concat(name, ' x'))",
        "make_timestamp(2024, 1, 1, 47, 0, 0)",
        "to_timestamp(name, name)",
        "cast(cast(amount AS double) * 1e30 AS bigint)",
        "cast(cast(amount AS decimal(38,1)) * 1e20 AS decimal(20,1))",
        "from_json(json, 'a date', map('mode', 'FAILFAST', 'dateFormat', 'yyyy')).a",
        "from_json('{\"a\": \"Xyzzy17\"}', 'a int', map('mode', 'FAILFAST')).a",
        "from_csv(name, 'a int', map('mode', 'FAILFAST')).a",
        "cast(name AS decimal(10,2))",
        "make_interval(471147114)",
        "map_from_arrays(array(name, name), array(1, 2))[name]",
        "str_to_map(concat(name, ':1,', name, ':2'))[name]",
        "overlay(name PLACING name FROM cast(name AS int))",
    ],
)
def test_no_value_is_left_of_a_real_error(dry_run: LocalDryRun, expression: str) -> None:
    """As Spark 3.5 words it."""
    columns = [{"name": name, "type": "text"} for name in ROW]
    request = parse_request(
        {
            "run_id": "r",
            "specs": {"source_tables": ["t"], "target_table": {"name": "x", "columns": ["x"]}},
            "source_schemas": {"t": {"columns": columns}},
        }
    )
    code = f'def transform(sources):\n    return sources["t"].selectExpr({f"{expression} AS x"!r})\n'
    script = assemble(code, request, event_snapshot(request), "dmdb-connection").text
    table = SampleTable(tuple((name, "string") for name in ROW), (ROW,))
    error = dry_run.run(script, {"t": table}).error
    assert error
    for value in ("Xyzzy17", "4711", "47", "XYZZY17"):
        assert value not in redact(error).replace("Java", ""), error
