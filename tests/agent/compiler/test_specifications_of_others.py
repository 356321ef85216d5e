"""Specifications that others wrote: in the form of an upstream generator, by hand, and from other tools.

`tests/data/specifications_of_others.json` holds for each the request in words, the event, and SQL that means it. The
sources' rows are made rows, the same in Spark and in PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import Reading, build_plan, read_specification
from agent.request import Request, parse_request
from agent.sampling.samples import sample_tables
from agent.snapshot import Row, Snapshot, event_snapshot
from agent.types import spark_type
from tests.agent.compiler.scene import collected

Specimen = dict[str, Any]
_FILE = Path(__file__).parents[2] / "data" / "specifications_of_others.json"
SPECIMENS: list[Specimen] = json.loads(_FILE.read_text())
READ = [pytest.param(one, id=one["name"]) for one in SPECIMENS if one["read"]]
NOT_READ = [pytest.param(one, id=one["name"]) for one in SPECIMENS if not one["read"]]
NOT_COMPARED = {
    "made_up_time": "a made month may be 13, which make_date() refuses in both engines",
    "latest_order_german_customers": "made customers repeat their key, so that the newest order ties",
}
COMPARED = [one for one in READ if one.id not in NOT_COMPARED]
_CLOSE = 1e-6
"""Relative difference of two numbers that count as equal: an average has as many decimals as its engine gives."""


def asked(specimen: Specimen) -> tuple[Request, Snapshot]:
    request = parse_request({"run_id": "r1", **specimen["event"]})
    return request, event_snapshot(request)


def reading_of(specimen: Specimen) -> Reading:
    return read_specification(*asked(specimen))


@pytest.mark.parametrize("specimen", READ)
def test_it_is_read(specimen: Specimen) -> None:
    """Nothing is left open, and the plan stands."""
    reading = reading_of(specimen)
    assert (reading.problems, reading.beyond, reading.unread) == ((), (), ())
    assert reading.plan is not None


@pytest.mark.parametrize("specimen", NOT_READ)
def test_it_is_refused(specimen: Specimen) -> None:
    """Words that no field carries, and what the compiler cannot say; one that is read from now on is marked so."""
    try:
        reading = reading_of(specimen)
    except ValueError:
        return
    assert [*reading.problems, *reading.beyond, *reading.unread] != []


def test_words_alone_are_never_read() -> None:
    """A condition that stands in words alone is named."""
    assert [one["name"] for one in SPECIMENS if one["kind"] == "words" and one["read"]] == []


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.parametrize("specimen", COMPARED)
def test_spark_gives_what_its_sql_gives(ansi_spark: Any, shop: psycopg.Connection, specimen: Specimen) -> None:
    """The rows of the transform are those of the SQL that another author wrote for the request."""
    request, snapshot = asked(specimen)
    rows = sample_tables(request, snapshot)
    got = sorted(map(plain, transformed(ansi_spark, request, snapshot, rows, specimen["columns"])), key=repr)
    answers = []
    for query in specimen["sql"]:
        with shop.transaction(force_rollback=True):
            fill(shop, snapshot, rows)
            answers.append(sorted((plain(row) for row in selected(shop, query, specimen["columns"])), key=repr))
    assert any(same(got, wanted) for wanted in answers), (got, answers)


def transformed(
    spark: Any, request: Request, snapshot: Snapshot, rows: dict[str, list[Row]], columns: list[str]
) -> Any:
    """The result of the compiled transform on these rows."""
    from pyspark.sql import DataFrame, Window
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    scope: dict[str, Any] = {"F": F, "T": T, "Window": Window, "DataFrame": DataFrame}
    exec(compile(compile_transform(build_plan(request, snapshot)), "transform", "exec"), scope)
    frames = {}
    for source in snapshot.sources:
        kinds = {column.name: column.type for column in source.columns}
        lines = [f"({', '.join(literal(row.get(name)) for name in kinds)})" for row in rows[source.table]]
        casts = [
            f"CAST(col{place} AS {spark_type(kind)}) AS `{name}`" for place, (name, kind) in enumerate(kinds.items(), 1)
        ]
        query = f"SELECT {', '.join(casts)} FROM VALUES {', '.join(lines)}"
        frames[source.key] = spark.sql(query).alias(source.key)
    return collected(scope["transform"](frames).select(*columns))


def literal(cell: object) -> str:
    """A cell as a text that both engines cast."""
    return "CAST(NULL AS string)" if cell is None else "'" + str(cell).replace("\\", "\\\\").replace("'", "\\'") + "'"


def fill(connection: psycopg.Connection, snapshot: Snapshot, rows: dict[str, list[Row]]) -> None:
    """Create and fill the source tables."""
    connection.execute("SET LOCAL TimeZone = 'UTC'")
    for source in {source.table: source for source in snapshot.sources}.values():
        name = sql.Identifier(source.table.rpartition(".")[2])
        shape = sql.SQL(", ").join(sql.SQL("{} " + c.type).format(sql.Identifier(c.name)) for c in source.columns)
        connection.execute(sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(name, shape))
        whole = sql.SQL("INSERT INTO {} SELECT * FROM jsonb_populate_recordset(NULL::{}, %s)").format(name, name)
        connection.execute(whole, [json.dumps(rows[source.table])])


def selected(connection: psycopg.Connection, query: str, columns: list[str]) -> list[tuple[Any, ...]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    whole = sql.SQL("SELECT {} FROM ({}) answer").format(names, sql.SQL(query))
    return connection.execute(whole).fetchall()


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose numbers are floats, and whose moments are in UTC without a zone."""
    return tuple(_plain_cell(cell) for cell in row)


def _plain_cell(cell: Any) -> Any:
    if isinstance(cell, Decimal | int | float) and not isinstance(cell, bool):
        return float(f"{float(cell):.9g}")
    if isinstance(cell, dt.datetime) and cell.tzinfo is not None:
        return cell.astimezone(dt.UTC).replace(tzinfo=None)
    return cell.rstrip(" ") if isinstance(cell, str) else cell


def same(got: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> bool:
    """True for equal bags; numbers may differ by a few parts in a million."""
    return len(got) == len(wanted) and all(
        len(one) == len(two) and all(map(_same_cell, one, two)) for one, two in zip(got, wanted, strict=True)
    )


def _same_cell(one: Any, two: Any) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(one == two)
