"""The two databases of a quick world, into which its jobs stage their rows: one in memory, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from agent.errors import PublishError
from agent.snapshot import Snapshot
from tests.tools.database.scene import Sql
from tools.database import PostgresDatabase
from tools.fakes import FakeDatabase
from tools.records import Published, PublishOrder

ROWS = 3
"""Rows that a job writes, and that its report tells."""
OLD = [(id_, 0) for id_ in range(1, 6)]
"""Rows of a target before any start."""
LOCKED = {"database.publish": PublishError("transient", "the target is locked")}
"""Errors of a process whose publish gives up for now."""


def written_by(start: int) -> list[tuple[int, int]]:
    """Rows of a target that holds the result of one start: id and the number of the start."""
    return [(id_, start) for id_ in range(1, ROWS + 1)]


@dataclass
class QuickDatabase(FakeDatabase):
    """A FakeDatabase that counts what it moves."""

    moved: list[PublishOrder] = field(default_factory=list)
    """Publishes that wrote into the target, in order."""
    lost: list[str] = field(default_factory=list)
    """Staging tables that a publish wanted and that were not there."""

    def stage(self, table: str, start: int) -> None:
        """Have the staging table of a start."""
        self.staged.append(table)

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Move the rows, once per run and generation."""
        made = super().publish(order, snapshot)
        if not made.already:
            self.moved.append(order)
            self.lost += [] if order.staging_table in self.staged else [order.staging_table]
        return made


class QuickPostgres(PostgresDatabase):
    """A PostgresDatabase that gives up a lock after a second."""

    def __init__(self, url: str, sql: Sql) -> None:
        super().__init__(url, lock_timeout=1)
        self.sql = sql
        self.too_many: list[int] = []
        """How many rows too many the starts to come write, in order."""

    def stage(self, table: str, start: int) -> None:
        """Write the staging table of a start; rows too many repeat ids."""
        rows = ROWS + (self.too_many.pop(0) if self.too_many else 0)
        self.sql(
            f"CREATE TABLE datamorph_staging.{table} AS"
            f" SELECT 1 + n % {ROWS} AS id, {start}::numeric AS total FROM generate_series(0, {rows - 1}) AS n"
        )

    def rows(self, target: str = "totals") -> list[tuple[int, int]]:
        """The rows of a target."""
        return [(int(id_), int(total)) for id_, total in self.sql(f"SELECT id, total FROM {target} ORDER BY 1")]


@contextmanager
def quick_postgres(url: str) -> Iterator[QuickPostgres]:
    """A database with the sources, and two targets with old rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        sql = Sql(connection)
        sql("CREATE TABLE orders (id integer, amount numeric(10,2))")
        for target in ("totals", "others"):
            sql(f"CREATE TABLE {target} (id integer PRIMARY KEY, total numeric)")
            sql(f"INSERT INTO {target} SELECT id, 0 FROM generate_series(1, {len(OLD)}) AS id")
        yield QuickPostgres(url, sql)
