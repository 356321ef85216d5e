"""The ledger on SQLite: accepted runs, and every launch of the engine with the state it reached."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.names import LaunchKey, RunKey
from agent.run_status import RunEvent, allowed_from, open_statuses, target
from tools.ledger_refusals import check_step, restarted_meanwhile
from tools.records import Change, Launch, RunRecord

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, payload_sha TEXT NOT NULL, request_ref TEXT NOT NULL,
    model TEXT NOT NULL, engine TEXT NOT NULL, database TEXT NOT NULL, accepted_at TEXT NOT NULL,
    status TEXT NOT NULL, response TEXT NOT NULL,
    deadline TEXT NOT NULL, hops INTEGER NOT NULL, lost INTEGER NOT NULL,
    ended_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS launches (
    run_id TEXT NOT NULL, generation INTEGER NOT NULL, attempt INTEGER NOT NULL, launch INTEGER NOT NULL,
    state TEXT NOT NULL, job_name TEXT NOT NULL, job_run_id TEXT NOT NULL,
    PRIMARY KEY (run_id, generation, attempt, launch)
) STRICT;
CREATE TABLE IF NOT EXISTS given_out (run_id TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;
"""

_COLUMNS = ", ".join(field.name for field in fields(RunRecord))
_VALUES = ", ".join("?" for _ in fields(RunRecord))
_LAUNCH = "run_id = ? AND generation = ? AND attempt = ? AND launch = ?"
_RUN = "run_id = ? AND generation = ?"
_DUE = f"""
SELECT run_id FROM runs LEFT JOIN given_out USING (run_id) WHERE status IN {open_statuses()!r}
ORDER BY coalesce(at, ''), accepted_at, run_id LIMIT ?
"""


class SqliteLedger:
    """A Ledger in one file; each call is one transaction, on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def accept(self, record: RunRecord) -> RunRecord:
        """Record a run unless its run_id is known; returns the recorded run."""
        self._execute(f"INSERT INTO runs ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING", astuple(record))
        return self._known(record.run_id)

    def new_generation(self, superseded: RunRecord, record: RunRecord) -> RunRecord:
        """Replace the `superseded` generation by `record` as the next one; returns the recorded run."""
        following = replace(record, generation=superseded.generation + 1)
        statement = (
            f"REPLACE INTO runs ({_COLUMNS}) SELECT {_VALUES} FROM runs "
            f"WHERE {_RUN} AND {_allowed('restart')} RETURNING 1"
        )
        if not self._execute(statement, (*astuple(following), *superseded.key)):
            self._known(record.run_id)
            raise restarted_meanwhile(record)
        self._execute("DELETE FROM given_out WHERE run_id = ?", (record.run_id,))
        return following

    def run(self, run_id: str) -> RunRecord | None:
        """The run's newest generation."""
        rows = self._execute(f"SELECT {_COLUMNS} FROM runs WHERE run_id = ?", (run_id,))
        return RunRecord(*rows[0]) if rows else None

    def runs(self, limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        """Runs, newest first; `after` is the last run of the page before."""
        older = "WHERE (accepted_at, run_id) < (?, ?)" if after else ""
        statement = f"SELECT {_COLUMNS} FROM runs {older} ORDER BY accepted_at DESC, run_id DESC LIMIT ?"
        rows = self._execute(statement, (*((after.accepted_at, after.run_id) if after else ()), limit))
        return [RunRecord(*row) for row in rows]

    def change(self, key: RunKey, change: Change) -> bool:
        """Record an event; False when the run's status refuses it, or a newer invocation works on the run."""
        statement = (
            "UPDATE runs SET status = ?, response = coalesce(?, response), ended_at = coalesce(?, ended_at) "
            f"WHERE {_RUN} AND hops = coalesce(?, hops) AND {_allowed(change.event)} RETURNING 1"
        )
        recorded = (target(change.event), change.response, change.ended_at)
        return bool(self._execute(statement, (*recorded, *key, change.hops)))

    def hop(self, key: RunKey, deadline: str = "") -> RunRecord:
        """Count an invocation as lost until it settles; returns the recorded run."""
        statement = (
            "UPDATE runs SET status = ?, hops = hops + 1, lost = lost + 1, "
            f"deadline = coalesce(nullif(?, ''), deadline) WHERE {_RUN} AND {_allowed('drive')}"
        )
        self._execute(statement, (target("drive"), deadline, *key))
        return self._known(key.run_id)

    def settle(self, key: RunKey) -> None:
        """Reset the count of lost invocations after progress, unless the run's status refuses that."""
        self._execute(f"UPDATE runs SET lost = 0 WHERE {_RUN} AND {_allowed('settle')}", key)

    def due(self, limit: int = 50) -> list[str]:
        """run_ids of open runs, least recently returned first; each is marked as returned now."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            given = [str(row[0]) for row in self._db.execute(_DUE, (limit,))]
            self._db.executemany("REPLACE INTO given_out VALUES (?,?)", [(run_id, now) for run_id in given])
        return given

    def launch(self, key: LaunchKey) -> Launch | None:
        """The recorded launch; None when there is none."""
        rows = self._execute(f"SELECT state, job_name, job_run_id FROM launches WHERE {_LAUNCH}", astuple(key))
        return Launch(key, *rows[0]) if rows else None

    def advance(self, launch: Launch) -> None:
        """Record a launch's next state. Raises ValueError on a step back or on another job_run_id."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            key = astuple(launch.key)
            found = self._db.execute(
                f"SELECT state, job_name, job_run_id FROM launches WHERE {_LAUNCH}", key
            ).fetchone()
            check_step(Launch(launch.key, *found) if found else None, launch)
            values = (*key, launch.state, launch.job_name, launch.job_run_id)
            self._db.execute("REPLACE INTO launches VALUES (?,?,?,?,?,?,?)", values)

    def launches(self, key: RunKey) -> list[Launch]:
        """All launches of a generation in order."""
        rows = self._execute(f"SELECT * FROM launches WHERE {_RUN} ORDER BY attempt, launch", key)
        return [Launch(LaunchKey(*row[:4]), *row[4:]) for row in rows]

    def _known(self, run_id: str) -> RunRecord:
        record = self.run(run_id)
        if record is None:
            raise LookupError(f"run {run_id} was never accepted")
        return record

    def _execute(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, parameters).fetchall()


def _allowed(event: RunEvent) -> str:
    """The condition of a write that records an event."""
    return f"status IN ({', '.join(repr(status) for status in allowed_from(event))})"
