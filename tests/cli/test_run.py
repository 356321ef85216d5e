"""`datamorph run` on small tables: the command as a user types it, real Spark, real PostgreSQL."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import PROJECT, Answer, Home, environment, small_specification
from tests.fixtures.postgres import as_role

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

NOTE_OWNER = """
CREATE TABLE kept (owner text);
CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO kept SELECT tableowner FROM pg_tables
  WHERE schemaname = 'datamorph_staging' AND starts_with(tablename, 's_');
  RETURN NULL;
END $$;
CREATE TABLE totals (customer text, total numeric);
CREATE TRIGGER t AFTER INSERT ON totals FOR EACH STATEMENT EXECUTE FUNCTION note_owner()
"""


@dataclass(frozen=True)
class Ran:
    """One run to its end."""

    event: str
    """Standard input: the event, with a `run_id` of the caller's."""
    answer: Answer
    owners: list[tuple[Any, ...]]
    """The owners of the staging tables when the target was written."""


@pytest.fixture(scope="module")
def ran(home: Home) -> Ran:
    """Run `datamorph run -` for a person, once for this module."""
    with small_specification(home) as path:
        event = json.dumps(json.loads(path.read_text()) | {"run_id": "from_stdin"})
        home.sql(NOTE_OWNER)
        try:
            return Ran(event, home.datamorph("run", "-", stdin=event), home.sql("SELECT * FROM kept"))
        finally:
            home.sql("DROP TABLE kept, totals; DROP FUNCTION note_owner()")


def test_a_run_shows_its_steps_its_script_and_the_first_rows(ran: Ran) -> None:
    """A person reads them without --json."""
    assert ran.answer.code == 0, ran.answer.err
    for words in ("✓ preflight", "✓ await_run", "first rows of totals", "_glue.py", "200 success", "3.50"):
        assert words in ran.answer.out


def test_a_job_runs_as_the_jobs_role(ran: Ran) -> None:
    """That role owns the staging table until the publish."""
    assert ran.owners == [("datamorph_jobs",)]


def test_passwords_of_the_embedded_server_are_in_one_file(home: Home, ran: Ran) -> None:
    """No file of the run repeats a line of `pgpass`."""
    lines = (home.folder / "postgres" / "pgpass").read_text().splitlines()
    assert lines
    for line in lines:
        own = line.rpartition(":")[2].encode()
        holders = [path.name for path in home.folder.rglob("*") if path.is_file() and own in path.read_bytes()]
        assert holders == ["pgpass"], line


@pytest.mark.slow
def test_the_doctor_tells_of_the_databases_users(home: Home, ran: Ran) -> None:
    """The embedded server has two; one that is named without a user for the jobs has one, which is no failure."""
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


def test_asking_again_runs_nothing(home: Home, ran: Ran) -> None:
    """The recorded answer comes back, although the target is gone."""
    assert home.sql("SELECT to_regclass('totals')") == [(None,)]
    again = home.datamorph("run", "-", "--json", stdin=ran.event)
    assert (again.code, again.response["statusCode"], again.body["rows_written"]) == (0, 200, 2)
    assert home.executions("from_stdin") == 1


def test_a_target_that_is_not_ours_is_not_overwritten_unasked(home: Home, small: Path) -> None:
    """A table with rows that this tool never published asks for `write_mode`."""
    home.sql("CREATE TABLE totals (customer text, total numeric); INSERT INTO totals VALUES ('mine', 1)")
    answer = home.datamorph("run", str(small), "--json")
    assert answer.code == 2
    assert answer.body["errors"][0]["path"] == "specs.target_table.write_mode"
    assert home.sql("SELECT * FROM totals") == [("mine", 1)]


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_reader_who_leaves_ends_no_run(home: Home, small: Path) -> None:
    """As `| head -1` does."""
    command = home.command("run", str(small))
    process = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
    assert home.sql("SELECT count(*) FROM totals") == [(2,)]


@pytest.mark.slow
def test_a_password_of_the_command_is_kept_nowhere(home: Home, small: Path) -> None:
    """A password in --database-url is in no file, no answer and no message."""
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
