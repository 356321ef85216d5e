"""Runs of the Glue endpoint: one that ends as planned, and one that really executes its script."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

from tests.fakes.glue_deliveries import Deliveries
from tools.fakes import PlannedRun
from tools.records import TERMINAL_STATES
from tools.spark.engine import LocalJobRunner
from tools.spark.run_files import LOG, TEMP

_PLANNED_SECONDS = 90
_END_SECONDS = 30


class Course(Protocol):
    """How a run goes on."""

    def state(self) -> str:
        """One of Glue's ten."""
        ...

    def error(self) -> str:
        """The ErrorMessage; empty while there is none."""
        ...

    def seconds(self) -> int:
        """The ExecutionTime."""
        ...

    def look(self) -> None:
        """A GetJobRun has been answered."""
        ...

    def stop(self) -> None:
        """End soon."""
        ...

    def close(self) -> None:
        """Leave no process behind."""
        ...

    def deliver(self, temp_dir: str, glue_version: str) -> None:
        """Put the report and the log where Glue puts them; called once, when the run has ended.

        Without a TempDir there is no report.
        """
        ...


class PlannedCourse:
    """A run that ends as planned, after so many looks."""

    def __init__(self, job_run_id: str, plan: PlannedRun, deliveries: Deliveries) -> None:
        self._job_run_id = job_run_id
        self._plan = plan
        self._deliveries = deliveries
        self._looks = 0
        self._stopped = False

    def state(self) -> str:
        """STARTING at the first of several looks, RUNNING or STOPPING at the others, then as planned or STOPPED."""
        if self._looks >= self._plan.looks:
            return "STOPPED" if self._stopped else self._plan.state
        if self._stopped:
            return "STOPPING"
        return "STARTING" if self._looks == 0 and self._plan.looks > 1 else "RUNNING"

    def error(self) -> str:
        """The planned one, at the planned end."""
        return self._plan.error if self.state() == self._plan.state else ""

    def seconds(self) -> int:
        """A minute and a half, once it has ended."""
        return _PLANNED_SECONDS if self.state() in TERMINAL_STATES else 0

    def look(self) -> None:
        """Come nearer to the end."""
        self._looks += 1

    def stop(self) -> None:
        """End STOPPED."""
        self._stopped = True

    def close(self) -> None:
        """There is no process."""

    def deliver(self, temp_dir: str, glue_version: str) -> None:
        """The planned log, and the planned report of a run that succeeded."""
        self._deliveries.log(self._job_run_id, self._plan.log, glue_version)
        if temp_dir and self.state() == "SUCCEEDED" and self._plan.rows is not None:
            report = {"rows": self._plan.rows, "columns": self._plan.columns, "job_run_id": self._job_run_id}
            self._deliveries.put(f"{temp_dir}reports/{self._job_run_id}/part-00000", json.dumps(report).encode())


class FailedLaunch:
    """A run that failed before its script began."""

    def __init__(self, message: str) -> None:
        self._message = message

    def state(self) -> str:
        """FAILED from the beginning."""
        return "FAILED"

    def error(self) -> str:
        """Why it was never launched."""
        return self._message

    def seconds(self) -> int:
        """None were used."""
        return 0

    def look(self) -> None:
        """Nothing changes."""

    def stop(self) -> None:
        """Nothing is left to stop."""

    def close(self) -> None:
        """There is no process."""

    def deliver(self, temp_dir: str, glue_version: str) -> None:
        """There is neither report nor log."""


class ExecutedCourse:
    """A run whose script is executed by the embedded engine."""

    def __init__(
        self, job_name: str, job_run_id: str, runner: LocalJobRunner, run_dir: Path, deliveries: Deliveries
    ) -> None:
        self._name = job_name
        self._id = job_run_id
        self._runner = runner
        self._run_dir = run_dir
        self._deliveries = deliveries

    def state(self) -> str:
        """As the process stands."""
        return self._runner.get(self._name, self._id).state

    def error(self) -> str:
        """The error that ended the script."""
        return self._runner.get(self._name, self._id).error

    def seconds(self) -> int:
        """Whole seconds of the process."""
        return round(self._runner.get(self._name, self._id).seconds)

    def look(self) -> None:
        """The process goes on by itself."""

    def stop(self) -> None:
        """Ask the process."""
        self._runner.stop(self._name, self._id)

    def close(self) -> None:
        """Stop the process and wait for its end: a script that begins late cancels the next one's Spark jobs."""
        self.stop()
        deadline = time.monotonic() + _END_SECONDS
        while self.state() not in TERMINAL_STATES:
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {self._id} of {self._name} did not end")
            time.sleep(0.05)

    def deliver(self, temp_dir: str, glue_version: str) -> None:
        """Every file of the local TempDir, and the process's output."""
        log = (self._run_dir / LOG).read_text(encoding="utf-8", errors="replace")
        self._deliveries.log(self._id, log, glue_version)
        if temp_dir:
            self._deliveries.folder(self._run_dir / TEMP, temp_dir)
