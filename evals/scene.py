"""A real database and a real engine around a case, for `evals/record.py`."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from agent.sql_identifiers import quote_name, quote_table
from evals.case import Case
from tools.database import PostgresDatabase
from tools.database.connection import Connector
from tools.local.artifacts import LocalArtifacts
from tools.local.postgres import EmbeddedServer, embedded_server
from tools.records import JobDefinition, JobRun
from tools.spark.engine import LocalJobRunner

_UNREACHABLE = "postgresql://etl@127.0.0.1:1/shop"
_JOB = "eval"
_LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Stage:
    """A case's database, and an engine on it."""

    case: Case
    url: str
    home: Path
    artifacts: LocalArtifacts

    @property
    def database(self) -> PostgresDatabase:
        """The port on this database."""
        return PostgresDatabase(self.url)

    def execute(self, statements: tuple[str, ...]) -> None:
        """Run SQL as the owner."""
        with Connector(self.url).session() as connection:
            for statement in statements:
                connection.execute(statement)

    def query(self, sql: str) -> tuple[list[str], list[list[JsonValue]]]:
        """Columns and rows of a query, the cells as a dry run tells them."""
        with Connector(self.url).session() as connection:
            cursor = connection.execute(sql)
            names = [column.name for column in cursor.description or ()]
            return names, [[_cell(cell) for cell in row] for row in cursor.fetchall()]

    def version(self) -> str:
        """PostgreSQL's version."""
        return str(self.query("SHOW server_version")[1][0][0]).split()[0]

    def run_job(self, script_ref: str, staging_prefix: str) -> tuple[LocalJobRunner, JobRun]:
        """Run the script on the engine until it has ended."""
        scene = self.case.scene
        url = _UNREACHABLE if scene.unreachable else self.url
        if scene.role:
            # Its password is its name, where the case's `setup` makes it.
            url = f"postgresql://{scene.role}:{scene.role}@{url.partition('@')[2]}"
        jobs = LocalJobRunner(self.home, self.artifacts, url, memory=scene.memory)
        jobs.create(JobDefinition(_JOB, script_ref, timeout_minutes=5))
        job_run_id = jobs.start(_JOB, {"--staging_prefix": staging_prefix})
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not (run := jobs.get(_JOB, job_run_id)).terminal:
            if time.monotonic() > deadline:
                log = jobs.log_tail(_JOB, job_run_id)
                raise TimeoutError(f"case {self.case.name}: the job has not ended; its log: {log}")
            time.sleep(0.1)
        return jobs, run


@contextmanager
def database_server() -> Iterator[EmbeddedServer]:
    """A temporary embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="datamorph-eval-pg-") as data, embedded_server(Path(data)) as server:
        yield server


@contextmanager
def stage(case: Case, server: EmbeddedServer) -> Iterator[Stage]:
    """A database of the case's own with its sources, and a temporary folder."""
    with Connector(server.url_of("postgres")).session() as connection:
        connection.execute(f"CREATE DATABASE {quote_name(case.name)} TEMPLATE template0")
    with tempfile.TemporaryDirectory(prefix="datamorph-eval-") as home:
        made = Stage(case, server.url_of(case.name), Path(home), LocalArtifacts(Path(home) / "artifacts"))
        made.execute(tuple(_source_sql(case)))
        made.execute(case.scene.setup)
        made.database.prepare_staging()
        yield made


def _source_sql(case: Case) -> Iterator[str]:
    """Statements that make the source tables of the event and fill them with the case's rows."""
    for source in {source.table: source for source in case.snapshot.sources}.values():
        columns = ", ".join(f"{quote_name(column.name)} {column.type}" for column in source.columns)
        table = quote_table("public", source.table)
        rows = json.dumps(list(case.rows_of(source.table))).replace("'", "''")
        yield f"CREATE TABLE {table} ({columns})"
        yield f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, '{rows}')"


def _cell(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a result may hold numbers, texts and times, not {type(value).__name__}: cast it in repair.sql")
