"""Engines of the Glue endpoint: a run follows the test's next plan, or executes the script on the embedded engine."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from tests.fakes.glue_deliveries import Deliveries
from tests.fakes.glue_runs import Course, ExecutedCourse, FailedLaunch, PlannedCourse
from tools.fakes import PlannedRun
from tools.records import JobDefinition
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm


@dataclass
class Engine:
    """Starts runs; a plan comes first, then a real execution where there is a database, else a plain success."""

    deliveries: Deliveries
    connections: dict[str, str]
    """PostgreSQL URLs by the names of Glue connections; empty where only planned runs are wanted."""
    folder: Path | None
    """Where the embedded engine keeps its runs; None: nothing is executed."""
    jvm: SparkJvm | None
    plans: list[PlannedRun | None] = field(default_factory=list)
    """How the runs to come will end; None: execute this one."""

    def start(self, job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        """Start a run of a job and give its id."""
        plan = self.plans.pop(0) if self.plans else (PlannedRun() if self.folder is None else None)
        if plan is not None:
            job_run_id = new_id()
            return job_run_id, PlannedCourse(job_run_id, plan, self.deliveries)
        return self._execute(job, arguments)

    def _execute(self, job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        assert self.folder is not None, "fake_glue(folder=…) says where runs are executed"
        location = job["Command"]["ScriptLocation"]
        try:
            script = self.deliveries.get(location)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return new_id(), FailedLaunch(f"LAUNCH ERROR | Error downloading from S3 for {location}: {code}")
        connection = job["Connections"]["Connections"][0]
        runner = LocalJobRunner(
            self.folder, _OneScript(script), self.connections[connection], self.jvm, "1g", connection
        )
        name = job["Name"]
        runner.delete(name)
        runner.create(JobDefinition(name, location, job["Timeout"], worker_type=job["WorkerType"]))
        job_run_id = runner.start(name, arguments)
        run_dir = self.folder.resolve() / "jobs" / quote(name, safe=" ") / "runs" / job_run_id
        return job_run_id, ExecutedCourse(name, job_run_id, runner, run_dir, self.deliveries)


class _OneScript:
    """An artifact store that has been read already."""

    def __init__(self, script: str) -> None:
        self._script = script

    def get(self, ref: str) -> str:
        """The script."""
        return self._script

    def put(self, key: str, text: str) -> str:
        """Not for writing."""
        raise NotImplementedError

    put_latest = put


def new_id() -> str:
    """A job run's id in Glue's form."""
    return "jr_" + secrets.token_hex(32)
