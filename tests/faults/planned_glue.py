"""Runs of the Glue endpoint that end as planned, and stage real rows in PostgreSQL as the script would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from agent.names import staging_table
from tests.fakes.glue_engine import Engine, new_id
from tests.fakes.glue_runs import Course, PlannedCourse
from tools.fakes import PlannedRun
from tools.records import TERMINAL_STATES

Row = tuple[str, str]


def stage(url: str, table: str, rows: Sequence[Row]) -> None:
    """Write rows of the result as a job does."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE datamorph_staging.{table} (customer text, total numeric(12,2))".encode())
        connection.cursor().executemany(f"INSERT INTO datamorph_staging.{table} VALUES (%s, %s)".encode(), rows)


@dataclass
class StagingEngine(Engine):
    """Every run is planned; a failed one leaves half of its rows in staging."""

    rows: Sequence[Row] = ()
    courses: list[Course] = field(default_factory=list)
    live_at_starts: list[int] = field(default_factory=list)
    """How many runs were live when each one was started."""

    def start(self, job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        """Start a run as the next plan says, or one that succeeds."""
        plan = self.plans.pop(0) if self.plans else None
        plan = plan or PlannedRun(rows=len(self.rows), columns=("customer", "total"), looks=1)
        job_run_id = new_id()
        rows = self.rows if plan.state == "SUCCEEDED" else self.rows[: len(self.rows) // 2]
        (url,) = self.connections.values()
        stage(url, staging_table(arguments["--staging_prefix"], job_run_id), rows)
        self.live_at_starts.append(sum(course.state() not in TERMINAL_STATES for course in self.courses))
        self.courses.append(PlannedCourse(job_run_id, plan, self.deliveries))
        return job_run_id, self.courses[-1]
