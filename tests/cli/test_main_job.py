"""The main job as a user runs it: real flights, real Spark, real PostgreSQL."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import EXAMPLE, PROJECT, Home, environment
from tests.fixtures.postgres import as_role

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
def old_rows(home: Home) -> list[tuple[Any, ...]]:
    """Fill the target with one old row, and put a view, an index and a grant on it."""
    home.sql("DROP TABLE IF EXISTS carrier_delays CASCADE")
    home.sql(
        "CREATE TABLE carrier_delays (airline text, origin char(3), flights bigint, late_flights bigint, "
        "late_percent numeric(5,1), avg_departure_delay numeric(8,2), avg_minutes_made_up numeric(8,2), "
        "planes bigint, avg_plane_age numeric(5,1));"
        "INSERT INTO carrier_delays (airline, origin) VALUES ('old', 'OLD');"
        "CREATE INDEX delays_by_airline ON carrier_delays (airline);"
        "CREATE VIEW airlines_told AS SELECT DISTINCT airline FROM carrier_delays;"
        "GRANT SELECT ON carrier_delays TO PUBLIC"
    )
    return rows(home)


def rows(home: Home) -> list[tuple[Any, ...]]:
    return home.sql("SELECT * FROM carrier_delays ORDER BY 1, 2")


def test_the_compiler_s_script_gives_what_sql_by_hand_gives(home: Home, old_rows: list[tuple[Any, ...]]) -> None:
    """336,776 flights, and grants, view and index are as they were."""
    answer = home.datamorph("run", str(EXAMPLE), "--json")
    assert (answer.code, answer.body["rows_written"]) == (0, 35)
    told, wanted = rows(home), home.sql(BY_HAND)
    assert [row[:4] for row in told] == [row[:4] for row in wanted]
    for got, want in zip(told, wanted, strict=True):
        assert got[4:] == pytest.approx(want[4:], abs=Decimal("0.1"))
    assert home.sql("SELECT count(*) FROM airlines_told") == [(len({row[0] for row in wanted}),)]
    assert home.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'delays_by_airline'") == [(1,)]
    granted = "SELECT has_table_privilege('pg_monitor', 'carrier_delays', 'SELECT')"
    assert home.sql(granted) == [(True,)]


@pytest.mark.parametrize(("case", "code", "expected"), HEAL, ids=[row[0] for row in HEAL])
def test_self_healing(
    home: Home, old_rows: list[tuple[Any, ...]], case: str, code: int, expected: dict[str, object]
) -> None:
    """Each recording ends as examples/README.md says; a failed run leaves exactly the old rows."""
    answer = home.datamorph("run", str(EXAMPLE), "--model", f"recorded:examples/heal/{case}.jsonl", "--json")
    assert answer.code == code, answer.err
    assert {name: answer.body[name] for name in expected} == expected
    assert home.executions(answer.body["run_id"]) == expected["attempts"]
    if code:
        assert rows(home) == old_rows
    else:
        assert len(rows(home)) == 35


def test_a_recorded_model_reply_gives_what_the_compiler_gives(home: Home, old_rows: list[tuple[Any, ...]]) -> None:
    """A model's own transform and the compiler's agree on real data."""
    answer = home.datamorph("run", str(EXAMPLE), "--model", "recorded:examples/carrier_delays.jsonl", "--json")
    assert answer.code == 0, answer.err
    assert [row[:4] for row in rows(home)] == [row[:4] for row in home.sql(BY_HAND)]


def test_the_event_may_come_from_standard_input(home: Home, small: Path) -> None:
    """`datamorph run -`, with a run_id of the caller's; asking again runs nothing, also when the target is gone."""
    text = json.dumps(json.loads(small.read_text()) | {"run_id": "from_stdin"})
    first = home.datamorph("run", "-", "--json", stdin=text)
    home.sql("DROP TABLE totals")
    again = home.datamorph("run", "-", "--json", stdin=text)
    assert (first.code, again.code, again.response) == (0, 0, first.response)
    assert home.executions("from_stdin") == 1


def test_a_reader_who_leaves_ends_no_run(home: Home, small: Path) -> None:
    """As `| head -1` does."""
    command = home.command("run", str(small))
    process = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
    assert home.sql("SELECT count(*) FROM totals") == [(2,)]


def test_secrets_stay_out_of_everything_that_is_kept(home: Home, small: Path) -> None:
    """A password in --database-url is in no file, no answer and no message; those of the embedded server are in one."""
    secret = "Sup3r-canary-Pw"
    home.sql(f"CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{secret}'", superuser=True)
    try:
        url = as_role(home.server.url, "canary", secret)
        answer = home.datamorph("run", str(small), "--json", "--database-url", url)
        wrong = home.datamorph("run", str(small), "--json", "--database-url", url.replace("canary:", "nobody:"))
    finally:
        home.sql("REASSIGN OWNED BY canary TO datamorph; DROP OWNED BY canary; DROP ROLE canary", superuser=True)
    assert (answer.code, wrong.code) == (0, 4), answer.err + wrong.err
    assert secret not in answer.out + answer.err + wrong.out + wrong.err
    kept = [p for p in home.folder.rglob("*") if p.is_file() and "pgdata" not in p.parts]
    assert len(kept) > 10
    assert [str(p) for p in kept if secret.encode() in p.read_bytes()] == []
    assert home.datamorph("run", str(small), "--json").code == 0
    for line in (home.folder / "postgres" / "pgpass").read_text().splitlines():
        own = line.rpartition(":")[2].encode()
        holders = [p.name for p in home.folder.rglob("*") if p.is_file() and own in p.read_bytes()]
        assert holders == ["pgpass"], line


def test_a_target_that_is_not_ours_is_not_overwritten_unasked(home: Home, small: Path) -> None:
    """A table with rows that this tool never published asks for `write_mode`."""
    home.sql("CREATE TABLE totals (customer text, total numeric); INSERT INTO totals VALUES ('mine', 1)")
    answer = home.datamorph("run", str(small), "--json")
    assert answer.code == 2
    assert answer.body["errors"][0]["path"] == "specs.target_table.write_mode"
    assert home.sql("SELECT * FROM totals") == [("mine", 1)]


def test_a_run_shows_its_steps_its_script_and_the_first_rows(home: Home, small: Path) -> None:
    """A person reads them without --json."""
    answer = home.datamorph("run", str(small))
    for words in ("✓ preflight", "✓ await_run", "first rows of totals", "_glue.py", "200 success", "3.50"):
        assert words in answer.out


def test_sources_of_every_usual_kind(home: Home) -> None:
    """Another schema, odd names, char(n), numerics, timestamps, an empty table; a target with serial and default."""
    home.sql('DROP SCHEMA IF EXISTS "Sales" CASCADE; DROP TABLE IF EXISTS regions, summary')
    home.sql('CREATE SCHEMA "Sales"')
    home.sql(
        'CREATE TABLE "Sales"."Order Lines" ("Order No" integer, code char(4), price numeric, discount numeric(4,3), '
        "paid boolean, at timestamptz, weight double precision, day date)"
    )
    lines = [
        "(1, 'ab', 10.000000000000000001, 0.125, true, '2024-03-31 01:30:00+00', 'NaN', '2024-02-29')",
        "(2, 'ab', 5, NULL, false, '2024-03-31 02:30:00+01', 1.5, NULL)",
        "(3, 'cd', NULL, 0, NULL, NULL, NULL, '1999-12-31')",
    ]
    home.sql(f'INSERT INTO "Sales"."Order Lines" VALUES {", ".join(lines)}')
    home.sql("CREATE TABLE regions (code char(4), region varchar(20))")
    home.sql(
        "CREATE TABLE summary (id serial PRIMARY KEY, code char(4) NOT NULL, lines smallint, price numeric(38,18), "
        "first timestamptz, region varchar(20), made timestamptz DEFAULT now())"
    )
    specs = {
        "source_tables": [{"table_name": "Sales.Order Lines", "alias": "o"}, {"table_name": "regions", "alias": "r"}],
        "join_conditions": [{"left_table": "o", "right_table": "r", "join_type": "left", "on_columns": ["code"]}],
        "aggregations": [
            {"function": "count", "alias": "lines", "group_by": ["code", "region"]},
            {"function": "max", "column": "price", "alias": "price", "group_by": ["code", "region"]},
            {"function": "min", "column": "at", "alias": "first", "group_by": ["code", "region"]},
        ],
        "target_table": {"name": "summary", "columns": ["code", "lines", "price", "first", "region"]},
    }
    event = home.folder / "kinds.json"
    event.write_text(json.dumps({"specs": specs}))
    answer = home.datamorph("run", str(event), "--json")
    assert answer.code == 0, answer.err
    told = home.sql("SELECT id, code, lines, price, first AT TIME ZONE 'UTC', region, made IS NOT NULL FROM summary")
    assert sorted(row[1:] for row in told) == [
        ("ab  ", 2, Decimal("10.000000000000000001"), datetime(2024, 3, 31, 1, 30), None, True),  # noqa: DTZ001
        ("cd  ", 1, None, None, None, True),
    ]
    assert sorted(row[0] for row in told) == [1, 2]


def test_nan_is_greater_than_any_number(home: Home) -> None:
    """As in PostgreSQL and in Spark, and whatever the file between them says of its columns."""
    home.sql("DROP TABLE IF EXISTS measured, large")
    home.sql("CREATE TABLE measured (id integer, x double precision, y real)")
    home.sql("INSERT INTO measured VALUES (1, 'NaN', 'NaN'), (2, 1, 1), (3, 5, 5), (4, NULL, NULL), (5, 5, 'NaN')")
    specs = {
        "source_tables": ["measured"],
        "filters": [{"column": "x", "operator": ">=", "value": 5}, {"column": "y", "operator": ">", "value": 10}],
        "target_table": {"name": "large", "columns": ["id"]},
    }
    event = home.folder / "nan.json"
    event.write_text(json.dumps({"specs": specs}))
    assert home.datamorph("run", str(event), "--json").code == 0
    assert home.sql("SELECT id FROM large ORDER BY 1") == [(1,), (5,)]


def test_the_doctor_tells_of_the_databases_users(home: Home, small: Path) -> None:
    """The embedded server has two; one that is named without a user for the jobs has one, which is no failure."""
    assert home.datamorph("run", str(small), "--json").code == 0
    for options, status, words in (
        ([], "ok", "'datamorph_jobs' runs the jobs, 'datamorph' publishes"),
        (["--database-url", home.server.url], "warning", "'datamorph' runs the jobs and publishes"),
        (["--database-url", home.server.url, "--job-database-url", home.server.job_url], "ok", "'datamorph_jobs' runs"),
    ):
        answer = home.datamorph("doctor", "--json", *options)
        (found,) = (check for check in json.loads(answer.out) if check["name"] == "database users")
        assert (answer.code, found["status"], words in found["detail"]) == (0, status, True), found
    plain = home.datamorph("doctor", "--database-url", home.server.url).out
    assert "! database users   warning: 'datamorph' runs the jobs and publishes" in plain
    assert "--job-database-url" in plain


def test_a_job_runs_as_the_jobs_role(home: Home, small: Path) -> None:
    """Its staging belongs to that role until the publish; the target is the publisher's."""
    home.sql("CREATE TABLE kept (owner text)")
    home.sql(
        "CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO kept"
        " SELECT tableowner FROM pg_tables WHERE schemaname = 'datamorph_staging' AND starts_with(tablename, 's_');"
        " RETURN NULL; END $$; CREATE TABLE totals (customer text, total numeric);"
        "CREATE TRIGGER t AFTER INSERT ON totals FOR EACH STATEMENT EXECUTE FUNCTION note_owner()"
    )
    try:
        answer = home.datamorph("run", str(small), "--json")
        assert (answer.code, home.sql("SELECT * FROM kept")) == (0, [("datamorph_jobs",)]), answer.err
    finally:
        home.sql("DROP TABLE kept, totals; DROP FUNCTION note_owner()")
