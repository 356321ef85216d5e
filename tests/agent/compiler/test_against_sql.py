"""The compiled transform on Spark gives the rows of the same query, written by hand, in PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.sanitizing.policy import check_policy
from tests.agent.compiler.cases_shapes import CUTS, JOINS, SHAPES
from tests.agent.compiler.cases_windows import GROUPED_WINDOWS, WINDOWS
from tests.agent.compiler.scene import ROWS, TABLES, Case, collected, request_for, run, snapshot_for
from tools.local.postgres import EmbeddedServer

CASES = {**WINDOWS, **GROUPED_WINDOWS, **CUTS, **SHAPES, **JOINS}


@pytest.fixture(scope="module")
def shop(postgres_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A database with the shop's tables; texts are compared by code point, as Spark does."""
    name = f"shop_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        try:
            with psycopg.connect(postgres_server.url_of(name), autocommit=True) as connection:
                fill(connection)
                yield connection
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fill(connection: psycopg.Connection) -> None:
    """Create and fill the shop's tables."""
    connection.execute("CREATE SCHEMA sales")
    for table, columns in TABLES.items():
        name = sql.Identifier(*table.split("."))
        shape = sql.SQL(", ").join(sql.SQL("{} " + kind).format(sql.Identifier(c)) for c, kind in columns.items())
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, shape))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        with connection.cursor() as cursor:
            cursor.executemany(sql.SQL("INSERT INTO {} VALUES ({})").format(name, marks), ROWS[table])


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose decimals do not show their scale."""
    return tuple(cell.normalize() if isinstance(cell, Decimal) else cell for cell in row)


@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.parametrize("name", CASES)
def test_spark_gives_what_sql_by_hand_gives(ansi_spark: Any, shop: psycopg.Connection, name: str) -> None:
    """The rows are equal as a bag, and in order where the specification sorts."""
    case = CASES[name]
    wanted = [plain(row) for row in shop.execute(case.sql).fetchall()]
    result = run(ansi_spark, Case(case.sources, [], [], case.specs, case.target))
    rows = [plain(row) for row in collected(result)]
    assert wanted or "HAVING" in case.sql
    if case.ordered:
        assert rows == wanted
    else:
        assert sorted(rows, key=repr) == sorted(wanted, key=repr)


@pytest.mark.parametrize("name", CASES)
def test_the_transform_passes_the_policy(name: str) -> None:
    """Generated code holds nothing that the policy refuses, and no line over 100 characters."""
    case = CASES[name]
    request = request_for(case.sources, case.target, **case.specs)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    assert check_policy(code) == []
    assert max(len(line) for line in code.splitlines()) <= 100
