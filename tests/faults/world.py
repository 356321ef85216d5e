"""Runs over a real PostgreSQL whose jobs really write their staging tables, and what each run has left where."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from agent.errors import PublishError
from agent.names import prefix_of_table, staging_prefix, staging_table
from agent.snapshot import Snapshot
from graph.response import Response
from runs.actions import Actions
from runs.dispatch import answer
from runs.service import Service
from tests.runs.scene import REPLY, event, service_over
from tests.tools.database.scene import Sql
from tools.database import PostgresDatabase
from tools.fakes import FakeJobs, FakeModel
from tools.records import JobDefinition, Published, PublishOrder

MAX_ROWS = 3
"""How many rows a job writes, and says that it wrote."""


class StagingJobs(FakeJobs):
    """A FakeJobs whose starts write rows into their staging table: ids 1 to 3, and the number of the start."""

    def __init__(self, sql: Sql) -> None:
        super().__init__()
        self._sql = sql
        self.defined: list[JobDefinition] = []
        """In the order in which they were created."""
        self.too_many: list[int] = []
        """How many rows too many the starts to come write, in order."""
        self.before: dict[str, Callable[[], object]] = {}
        """Work of somebody else, once, before an operation: `create` or `start`."""

    def create(self, job: JobDefinition) -> None:
        """Define the job."""
        self.before.pop("create", lambda: None)()
        super().create(job)
        self.defined.append(job)

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run; its rows are there at once, however it ends."""
        self.before.pop("start", lambda: None)()
        job_run_id = super().start(job_name, arguments)
        rows = MAX_ROWS + (self.too_many.pop(0) if self.too_many else 0)
        table = staging_table(arguments["--staging_prefix"], job_run_id)
        number = len(self.started)
        self._sql(
            f"CREATE TABLE datamorph_staging.{table} AS"
            f" SELECT 1 + n % {MAX_ROWS} AS id, {number}::numeric AS total FROM generate_series(0, {rows - 1}) AS n"
        )
        return job_run_id

    @property
    def definitions(self) -> list[str]:
        """Names of the jobs that are defined now."""
        return sorted(self._jobs)


class SleepyDatabase(PostgresDatabase):
    """A PostgresDatabase whose publishes come after something else."""

    def __init__(self, url: str) -> None:
        super().__init__(url, lock_timeout=1)
        self.before: list[Callable[[], object]] = []
        """Work of somebody else before the publishes to come, one each."""

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Publish, a while after the node decided to."""
        if self.before:
            self.before.pop(0)()
        return super().publish(order, snapshot)

    def refuse(self) -> None:
        """Let a publish give up for now: it is tried four times."""

        def refused() -> None:
            raise PublishError("transient", "the target is locked")

        self.before = [refused] * 4


@dataclass
class World:
    """Everything that runs share: one database, one engine, one ledger, one folder of artifacts."""

    folder: Path
    sql: Sql
    jobs: StagingJobs
    database: SleepyDatabase
    stack: ExitStack
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))

    def service(self, leases: str = "leases") -> Service:
        """A service of a fresh process; with other `leases`, of one that does not see who holds a run."""
        return service_over(
            self.folder, self.stack, model=self.model, jobs=self.jobs, database=self.database, leases=leases
        )

    def ask(self, run_id: str, target: str = "totals", leases: str = "leases", **changes: Any) -> Response:
        """Start a run, or ask for it again."""
        return answer(Actions(self.service(leases)), asked(run_id, target, **changes))

    def act(self, action: str, run_id: str, leases: str = "leases") -> Response:
        """Do something to a run."""
        return answer(Actions(self.service(leases)), {"run_id": run_id, "action": action})

    def rows(self, target: str = "totals") -> list[tuple[int, int]]:
        """A target's rows: id and the number of the start that wrote it."""
        return [(int(id_), int(total)) for id_, total in self.sql(f"SELECT id, total FROM {target} ORDER BY 1")]

    def staging(self, run_id: str) -> list[str]:
        """The staging tables of a run's newest generation."""
        ledger = self.service().tools.ledger
        record = ledger.run(run_id)
        assert record is not None
        keys = [launch.key for launch in ledger.launches(record.key)]
        named = {staging_prefix(key, record.accepted_at) for key in keys}
        return [table for table in self.all_staging() if prefix_of_table(table) in named]

    def all_staging(self) -> list[str]:
        """Every staging table."""
        found = self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'datamorph_staging' ORDER BY 1")
        return [str(name) for (name,) in found if str(name).startswith("s_")]

    def left_by(self, run_id: str, target: str) -> dict[str, object]:
        """All that a run has anywhere: rows, entries, staging, jobs and their runs, launches, record and artifacts."""
        ledger = self.service().tools.ledger
        record = ledger.run(run_id)
        assert record is not None
        launches = ledger.launches(record.key)
        names = {launch.job_name for launch in launches}
        return {
            "rows": self.rows(target),
            "published": self.sql(f"SELECT * FROM datamorph_staging.publishes WHERE run_id = '{run_id}'"),
            "staging": self.staging(run_id),
            "definitions": [name for name in self.jobs.definitions if name in names],
            "runs": [self.jobs.list_runs(name) for name in sorted(names)],
            "launches": launches,
            "record": record,
            "artifacts": self.artifacts(run_id),
        }

    def artifacts(self, run_id: str, generation: int | None = None) -> dict[str, str]:
        """The digests of all that is stored for a run, or for one generation of it, by path."""
        root = self.folder / "artifacts" / "glue"
        mark = f"/runs/{run_id}/" if generation is None else f"/runs/{run_id}/g{generation}/"
        paths = [path for path in root.rglob("*") if path.is_file() and mark in path.as_posix()]
        if generation is None:
            paths += [path for path in root.rglob(f"codes/{run_id}/*") if path.is_file()]
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def asked(run_id: str, target: str = "totals", **changes: Any) -> dict[str, Any]:
    """The event of a run."""
    made = event(run_id=run_id, **changes)
    made["specs"]["target_table"]["name"] = target
    return made


@contextmanager
def world(url: str, folder: Path) -> Iterator[World]:
    """A world with the sources, and two targets that hold somebody's rows of no start."""
    with ExitStack() as stack:
        sql = Sql(stack.enter_context(psycopg.connect(url, autocommit=True, application_name="world")))
        sql("CREATE TABLE orders (id integer, amount numeric(10,2))")
        for target in ("totals", "others"):
            sql(f"CREATE TABLE {target} (id integer PRIMARY KEY, total numeric)")
            sql(f"INSERT INTO {target} SELECT id, 0 FROM generate_series(1, 5) AS id")
        yield World(folder, sql, StagingJobs(sql), SleepyDatabase(url), stack)
