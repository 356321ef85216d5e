"""A local engine whose runs end as planned; like the real one's, they outlive the process that started them.

What it tells is without the database's password, as what the real one tells is:
`tests/tools/spark/test_engine.py` holds that one to it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.errors import EngineError
from agent.names import staging_table
from agent.redaction import mask_secrets
from tests.faults.planned_glue import Row, stage
from tools.database.database_url import passwords
from tools.fakes import PlannedRun
from tools.records import TERMINAL_STATES, JobDefinition, JobReport, JobRun

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY, job TEXT, id TEXT, looks INTEGER DEFAULT 0, stopped INTEGER DEFAULT 0, live INTEGER
);
"""


class PlannedJobs:
    """A JobRunner in one SQLite file; run number n goes as plan number n says, and stages real rows."""

    def __init__(self, path: Path, url: str, plans: Sequence[PlannedRun], rows: Sequence[Row]) -> None:
        self._path = path
        self._url = url
        self._secrets = passwords(url)
        self._plans = plans
        self._rows = rows
        with closing(sqlite3.connect(path)) as made:
            made.executescript(_TABLES)

    def create(self, job: JobDefinition) -> None:
        """Define the job."""
        if self._sql("SELECT 1 FROM jobs WHERE name = ?", job.name):
            raise EngineError("AlreadyExistsException", f"job {job.name!r} is defined already")
        self._sql("INSERT INTO jobs VALUES (?)", job.name)

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run."""
        if job_name not in self.jobs():
            raise EngineError("EntityNotFoundException", f"job {job_name!r} is not defined")
        if any(not run.terminal for run in self.list_runs(job_name)):
            raise EngineError("ConcurrentRunsExceededException", f"a run of job {job_name!r} is live")
        job_run_id = "jr_" + secrets.token_hex(32)
        number = len(self._sql("SELECT 1 FROM runs"))
        live = sum(not run.terminal for name in self.runs() for run in self.list_runs(name))
        rows = self._rows if self._plans[number].state == "SUCCEEDED" else self._rows[: len(self._rows) // 2]
        stage(self._url, staging_table(arguments["--staging_prefix"], job_run_id), rows)
        self._sql("INSERT INTO runs (number, job, id, live) VALUES (?, ?, ?, ?)", number, job_name, job_run_id, live)
        return job_run_id

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The run as it stands; each look brings it nearer to its end."""
        found = self._run(job_name, job_run_id)
        self._sql("UPDATE runs SET looks = looks + 1 WHERE id = ?", job_run_id)
        return found

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first."""
        rows = self._sql("SELECT id FROM runs WHERE job = ? ORDER BY number DESC", job_name)
        return [self._run(job_name, job_run_id) for (job_run_id,) in rows]

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop."""
        if not self._run(job_name, job_run_id).terminal:
            self._sql("UPDATE runs SET stopped = 1 WHERE id = ?", job_run_id)

    def delete(self, job_name: str) -> None:
        """Delete the definition."""
        self._sql("DELETE FROM jobs WHERE name = ?", job_name)

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The planned report of a run that succeeded."""
        plan = self._plan(job_run_id)
        if self._run(job_name, job_run_id).state != "SUCCEEDED" or plan.rows is None:
            return None
        return JobReport(plan.rows, plan.columns, job_run_id)

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The planned log."""
        return mask_secrets(self._plan(job_run_id).log, self._secrets)

    def jobs(self) -> list[str]:
        """The definitions that are there."""
        return [name for (name,) in self._sql("SELECT name FROM jobs ORDER BY 1")]

    def runs(self) -> dict[str, int]:
        """How many runs each job had."""
        return dict(self._sql("SELECT job, count(*) FROM runs GROUP BY 1"))

    def live_at_starts(self) -> list[int]:
        """How many runs were live when each one was started."""
        return [live for (live,) in self._sql("SELECT live FROM runs ORDER BY number")]

    def _plan(self, job_run_id: str) -> PlannedRun:
        ((number,),) = self._sql("SELECT number FROM runs WHERE id = ?", job_run_id)
        return self._plans[int(number)]

    def _run(self, job_name: str, job_run_id: str) -> JobRun:
        rows = self._sql("SELECT looks, stopped FROM runs WHERE job = ? AND id = ?", job_name, job_run_id)
        if not rows:
            raise EngineError("EntityNotFoundException", f"job {job_name!r} has no run {job_run_id!r}")
        (looks, stopped), plan = rows[0], self._plan(job_run_id)
        state = "RUNNING" if looks < plan.looks else "STOPPED" if stopped else plan.state
        error = mask_secrets(plan.error, self._secrets) if state == plan.state and state in TERMINAL_STATES else ""
        return JobRun(job_name, job_run_id, state, error, 1.0, 2.0)

    def _sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path)) as opened, opened:
            return opened.execute(statement, values).fetchall()
