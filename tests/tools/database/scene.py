"""Requests, staged rows and publish orders for tests of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from agent.request import Request, parse_request
from tools.database import PostgresDatabase
from tools.records import Published, PublishOrder

STAGED = "s_20260101_0123456789ab_ba9876543210"
OLD = [(1, "old"), (2, "old")]
NEW = [(7, "new"), (8, "new")]


@dataclass(frozen=True)
class Sql:
    """An autocommit session."""

    connection: psycopg.Connection[tuple[Any, ...]]

    def __call__(self, text: str) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last, or none."""
        cursor = self.connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def request(target: str | dict[str, Any] = "summary", sources: Sequence[Any] = ("orders",), **event: Any) -> Request:
    """Make a request with these sources and this target."""
    table = {"name": target} if isinstance(target, str) else target
    specs = {"source_tables": list(sources), "target_table": table}
    return parse_request({"run_id": "r1", "specs": specs, **event})


def order(**changes: Any) -> PublishOrder:
    """Make an order for the staged rows; `columns` is one text with spaces."""
    given: dict[str, Any] = {
        "run_id": "r1",
        "generation": 1,
        "staging_table": STAGED,
        "columns": "id note",
        "column_types": ("integer", "text"),
        "write_mode": "overwrite",
        "asked": True,
        "keys": (),
        "expected_rows": 2,
        "allow_empty": False,
        "target": "summary",
    }
    made = {**given, **changes}
    made["columns"] = tuple(made["columns"].split())
    return PublishOrder(**made)


def stage(sql: Sql, rows: str, columns: str = "id note", table: str = STAGED) -> None:
    """Write a staging table from VALUES."""
    names = ", ".join(columns.split())
    sql(f"CREATE TABLE datamorph_staging.{table} AS SELECT * FROM (VALUES {rows}) AS v({names})")


def publish(database: PostgresDatabase, what: PublishOrder) -> Published:
    """Publish with a snapshot taken now."""
    return database.publish(what, database.snapshot(request(what.target), 0))


def rows(sql: Sql) -> list[tuple[Any, ...]]:
    """Read the target."""
    return sql("SELECT * FROM summary ORDER BY 1")
