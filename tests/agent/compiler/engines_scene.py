"""One set of rows in both engines: the compiled transform on Spark, and SQL in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.request import Request
from agent.snapshot import Row, Snapshot
from agent.types import spark_type
from tests.agent.compiler.scene import collected

_CLOSE = 1e-6
"""Relative difference of two numbers that count as equal: an average has as many decimals as its engine gives."""


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
