"""A workflow on fakes: everything but engine, database, Spark, model and time is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings, load_settings
from graph.checkpoints.sqlite import sqlite_checkpoints
from runs.service import Service
from tools.fakes import FakeClock, FakeDatabase, FakeDryRun, FakeJobs, FakeModel, PlannedRun
from tools.local.artifacts import LocalArtifacts
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

SETTINGS = {"model": "fake", "wait_seconds": 30, "poll_seconds": 1}
TRANSFORM = '''def transform(sources: dict[str, DataFrame]) -> DataFrame:
    """Totals by id."""
    return sources["o"].groupBy(F.col("o.id").alias("id")).agg(F.sum(F.col("o.amount")).alias("total"))
'''
REPLY = f"Here it is:\n\n```python\n{TRANSFORM}```\n"

SCRIPT_FAILED = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 60; JobPhaseError: [datamorph phase="cast" line=60] '
    "ValueError: column total: 3 values do not fit numeric(5,2)",
)
SCRIPT_FAILED_OTHERWISE = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 40; JobPhaseError: [datamorph phase="transform" line=40] '
    "AnalysisException: Column 'x' does not exist. Did you mean one of the following? [id, amount];",
)


def event(**changes: Any) -> dict[str, Any]:
    """Give a small event; `changes` replace its parts."""
    return {
        "run_id": "run_1",
        "specs": {
            "source_tables": [{"table_name": "orders", "alias": "o"}],
            "target_table": {"name": "totals", "columns": ["id", "total"], "write_mode": "overwrite"},
            "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["id"]}],
        },
        "source_schemas": {
            "orders": {"columns": [{"name": "id", "type": "integer"}, {"name": "amount", "type": "numeric(10,2)"}]}
        },
        **changes,
    }


@dataclass
class Bench:
    """The fakes of one workflow, and services over them as fresh processes would have."""

    folder: Path
    stack: ExitStack
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))
    jobs: FakeJobs = field(default_factory=FakeJobs)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    dry_run: FakeDryRun | None = field(default_factory=FakeDryRun)
    settings: Settings = field(
        default_factory=lambda: load_settings({"model": "fake", "wait_seconds": 30, "poll_seconds": 1}, {})
    )

    def service(self) -> Service:
        """Open stores anew, as the next process would."""
        tools = Toolbox(
            model=self.model,
            artifacts=LocalArtifacts(self.folder / "artifacts"),
            jobs=self.jobs,
            dry_run=self.dry_run,
            database=self.database,
            ledger=self.stack.enter_context(closing(SqliteLedger(self.folder / "ledger.sqlite"))),
            lease=FileLease(self.folder / "leases"),
            journal=JsonlJournal(self.folder / "journal"),
            clock=FakeClock(),
        )
        checkpoints = self.stack.enter_context(sqlite_checkpoints(self.folder / "checkpoints.sqlite"))
        return Service(tools, self.settings, checkpoints, "test")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Make a bench; its stores are closed after the test."""
    with ExitStack() as stack:
        yield lambda **parts: Bench(tmp_path, stack, **parts)
