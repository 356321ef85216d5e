"""Every type from a source through a real script and publish into a target of the same types."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.request import Request, parse_request
from agent.sampling.samples import sample_tables
from agent.script import assemble
from agent.snapshot import Snapshot
from agent.types import spark_type
from tests.tools.spark.scene import Bench
from tools.database import PostgresDatabase
from tools.records import PublishOrder, SampleTable
from tools.spark.dry_run import LocalDryRun

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

# column, type, two values
TYPES = [
    ("i", "integer", "1", "2"),
    ("t", "time", "'08:30:15'", "'23:59:59'"),
    ("u", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    ("j", "json", '\'{"b":   1, "b": 2}\'', "'null'"),
    ("jb", "jsonb", "'{\"b\": 1.0}'", "'[]'"),
    ("m", "mood", "'happy'", "'sad'"),
    ("om", 'other."Mood"', "'up'", "'down'"),
    ("y", "bytea", "'\\x00ff'", "'\\x'"),
    ("c", "char(3)", "'a'", "''"),
    ("n38", "numeric(38,10)", "9999999999999999999999999999.9999999999", "-0.0000000001"),
    ("f", "double precision", "'NaN'", "'-Infinity'"),
    ("tz", "timestamptz", "'2024-03-31 02:30:00+02'", "'2024-10-27 01:30:00.000001+00'"),
    ("ai", "integer[]", "'{1,NULL}'", "'{}'"),
    ("an", "numeric(5,2)[]", "'{1.25,-999.99}'", "'{NULL}'"),
    ("at", "text[]", '\'{"a,b",NULL,""}\'', "'{\"NULL\"}'"),
    ("av", "varchar(3)[]", "'{abc}'", "'{\"a \"}'"),
    ("ad", "date[]", "'{0001-01-01,9999-12-31}'", "'{2024-02-29}'"),
    ("az", "timestamptz[]", "'{\"2024-03-31 02:30:00+02\"}'", "'{NULL}'"),
    ("au", "uuid[]", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", "'{}'"),
    ("aj", "jsonb[]", "ARRAY['{\"b\": 1}'::jsonb]", "'{}'"),
    ("am", "mood[]", "'{sad,happy}'", "'{NULL}'"),
]


@pytest.fixture
def scene(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Make a source with two rows and one of NULLs, and an empty target of the same types."""
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        sql.execute("CREATE SCHEMA other; CREATE TYPE other.\"Mood\" AS ENUM ('up', 'down')")
        columns = ", ".join(f"{name} {kind}" for name, kind, *_ in TYPES)
        for table in ("things", "result"):
            sql.execute(f"CREATE TABLE {table} ({columns})".encode())
        for place in (2, 3):
            sql.execute(f"INSERT INTO things VALUES ({', '.join(str(entry[place]) for entry in TYPES)})".encode())
        sql.execute("INSERT INTO things DEFAULT VALUES")
        yield sql


def prepared(url: str, **specs: Any) -> tuple[Request, Snapshot, str]:
    """A request over things, its snapshot, and the script of the compiler's transform."""
    specs = {"source_tables": ["things"], "target_table": {"name": "result"}, **specs}
    request = parse_request({"run_id": "r", "specs": specs})
    database = PostgresDatabase(url)
    database.prepare_staging()
    snapshot = database.snapshot(request, 5)
    transform = compile_transform(build_plan(request, snapshot))
    return request, snapshot, assemble(transform, request, snapshot, "dmdb-connection").text


def publish(bench: Bench, url: str, snapshot: Snapshot, text: str) -> None:
    """Run the script, which must succeed, and publish what it staged."""
    run = bench.run("types", text)
    assert run.state == "SUCCEEDED", run.error
    report = bench.runner.report("types", run.job_run_id)
    assert report is not None and report.rows is not None
    order = PublishOrder(
        run_id="r",
        generation=1,
        staging_table="s_20260101_0123456789ab_" + hashlib.sha256(run.job_run_id.encode()).hexdigest()[:12],
        columns=report.columns,
        column_types=("",) * len(report.columns),
        write_mode="overwrite",
        asked=True,
        keys=(),
        expected_rows=report.rows,
        allow_empty=False,
        target="result",
    )
    PostgresDatabase(url).publish(order, snapshot)


def rows(sql: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, each as PostgreSQL writes it."""
    return sorted(sql.execute(f"SELECT format('%s', q) FROM ({query}) AS q".encode()).fetchall())


def test_every_type_arrives_as_it_was(bench: Bench, postgres_url: str, scene: psycopg.Connection[Any]) -> None:
    """Value for value, in the target's own types."""
    _, snapshot, text = prepared(postgres_url)
    publish(bench, postgres_url, snapshot, text)
    assert rows(scene, "SELECT * FROM result") == rows(scene, "SELECT * FROM things")
    assert len(rows(scene, "SELECT * FROM result")) == 3


@pytest.mark.parametrize(
    ("column", "operator", "value"),
    [
        ("u", "=", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"),
        ("u", ">", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("t", ">=", "08:30:15"),
        ("t", "<", "23:59:59"),
        ("m", "IN", ["happy"]),
        ("m", "!=", "happy"),
        ("jb", "IS NOT NULL", None),
        ("ai", "IS NULL", None),
    ],
)
def test_a_filter_keeps_the_rows_that_postgresql_keeps(
    bench: Bench, postgres_url: str, scene: psycopg.Connection[Any], column: str, operator: str, value: Any
) -> None:
    """The answer of PostgreSQL's own WHERE."""
    _, snapshot, text = prepared(postgres_url, filters=[{"column": column, "operator": operator, "value": value}])
    publish(bench, postgres_url, snapshot, text)
    wanted = {"IN": "('happy')", "IS NULL": "", "IS NOT NULL": ""}.get(operator, f"'{value}'")
    expected = rows(scene, f"SELECT * FROM things WHERE {column} {operator} {wanted}")
    assert rows(scene, "SELECT * FROM result") == expected
    assert len(expected) in (1, 2)


def test_a_dry_run_takes_sample_rows_of_every_type(
    tmp_path: Path, postgres_url: str, scene: psycopg.Connection[Any]
) -> None:
    """Those of the database and those that are made up; the script gets through all its phases."""
    request, snapshot, text = prepared(postgres_url)
    made = sample_tables(request, snapshot)
    [source] = snapshot.sources
    columns = tuple((column.name, spark_type(column.type)) for column in source.columns)
    dry_run = LocalDryRun(tmp_path)
    try:
        result = dry_run.run(text, {source.relation: SampleTable(columns, tuple(made["things"]))})
    finally:
        dry_run.close()
    assert (result.error, result.rows) == ("", len(made["things"]))
    assert {kind for name, kind in result.columns if name in ("y", "ai", "t")} == {"binary", "array<int>", "timestamp"}
