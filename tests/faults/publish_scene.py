"""A target with a table that references it, results to publish into it one after the other, and what it then holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import psycopg

from agent.errors import PublishError
from agent.snapshot import Snapshot
from tests.faults.cuts import Cuts
from tests.faults.sampled import sampled
from tests.tools.database.scene import Sql, order, request
from tools.database import PostgresDatabase
from tools.records import PublishOrder

Mode = Literal["overwrite", "append", "merge"]
MODES: tuple[Mode, ...] = ("overwrite", "append", "merge")
SAMPLED = sampled(MODES, "overwrite")
CHILDREN = 3
"""Rows of the referencing table: they point at the ids 1, 2 and 3, which every result of an overwrite has."""

STATE = """
SELECT md5(coalesce((SELECT string_agg(id || ':' || note, ',' ORDER BY id) FROM summary), '')),
       (SELECT count(*) FROM child JOIN summary USING (id))
"""
"""The whole target, and its join with the referencing table, as one statement sees them."""


@dataclass(frozen=True)
class Turn:
    """A staged result, and what the target holds before and after its publish."""

    order: PublishOrder
    snapshot: Snapshot
    written: dict[int, str]
    """The staged rows."""
    before: dict[int, str]
    after: dict[int, str]

    @property
    def allowed(self) -> set[str]:
        """The two states that may be seen."""
        return {state_of(self.before), state_of(self.after)}


@dataclass
class PublishScene:
    """One target in a database of its own."""

    url: str
    sql: Sql
    database: PostgresDatabase
    mode: Mode
    rows: int = 60
    """How many rows each result has."""
    held: dict[int, str] = field(default_factory=lambda: {id_: "old" for id_ in range(1, 21)})
    """Rows of the target."""
    turns: int = 0

    def turn(self) -> Turn:
        """Stage the next result."""
        self.turns += 1
        result = self._result()
        table = f"s_20260101_{self.turns:012x}_{0:012x}"
        values = ", ".join(f"({id_}, '{note}')" for id_, note in result.items())
        self.sql(f"CREATE TABLE datamorph_staging.{table} AS SELECT * FROM (VALUES {values}) AS v(id, note)")
        made = order(
            run_id=f"run_{self.turns}", staging_table=table, expected_rows=len(result), write_mode=self.mode,
            keys=("id",) if self.mode == "merge" else (),
        )  # fmt: skip
        after = result if self.mode == "overwrite" else self.held | result
        return Turn(made, self.database.snapshot(request(), 0), result, dict(self.held), after)

    def _result(self) -> dict[int, str]:
        first = {"overwrite": 1, "append": 100_000 * self.turns, "merge": 1 + 7 * self.turns}[self.mode]
        return {id_: f"turn {self.turns}" for id_ in range(first, first + self.rows + self.turns % 5)}

    def published(self, turn: Turn) -> None:
        """Note that a turn's rows are in the target."""
        self.held = turn.after

    def state(self) -> str:
        """The target's rows now, as `state_of` gives them."""
        return told(*self.sql(STATE)[0])

    def entries(self, turn: Turn) -> int:
        """How often the ledger of publishes names the turn's run."""
        found = self.sql(f"SELECT count(*) FROM datamorph_staging.publishes WHERE run_id = '{turn.order.run_id}'")
        return int(found[0][0])


def told(digest: str, joined: int) -> str:
    """A state as text: two are equal when the tables are."""
    return f"{digest} and {joined} children"


def state_of(rows: dict[int, str]) -> str:
    """The state of a target with these rows."""
    text = ",".join(f"{id_}:{rows[id_]}" for id_ in sorted(rows))
    return told(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), CHILDREN)


@contextmanager
def publish_scene(url: str, mode: Mode, rows: int = 60, lock_timeout: int = 5) -> Iterator[PublishScene]:
    """Make target and referencing table in an empty database."""
    with psycopg.connect(url, autocommit=True, application_name="scene") as connection:
        sql, database = Sql(connection), PostgresDatabase(url, lock_timeout=lock_timeout)
        database.prepare_staging()
        sql("CREATE TABLE orders (id integer)")
        sql("CREATE TABLE summary (id integer PRIMARY KEY, note text NOT NULL)")
        sql("INSERT INTO summary SELECT id, 'old' FROM generate_series(1, 20) AS id")
        sql("CREATE TABLE child (id integer REFERENCES summary DEFERRABLE)")
        sql(f"INSERT INTO child SELECT generate_series(1, {CHILDREN})")
        yield PublishScene(url, sql, database, mode, rows)


def tried(scene: PublishScene, turn: Turn) -> str:
    """Publish once; what came of it: `published`, or the refusal's kind."""
    try:
        made = scene.database.publish(turn.order, turn.snapshot)
    except PublishError as error:
        return error.kind
    return "published" if made.rows == turn.order.expected_rows else f"told {made}"


def statements(scene: PublishScene, cuts: Cuts) -> int:
    """How many statements an undisturbed publish sends."""
    turn = scene.turn()
    cuts.again()
    assert tried(scene, turn) == "published"
    scene.published(turn)
    return cuts.count
