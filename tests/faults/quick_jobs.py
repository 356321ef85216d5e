"""The engine of a quick world: a start stages its rows at once, and its run ends as planned or when it is told to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from agent.names import staging_table
from tests.runs.scene import SCRIPT_FAILED
from tools.fakes import FakeJobs, PlannedRun
from tools.records import TERMINAL_STATES, JobDefinition

_LOOKS = 10_000
_STOPS_AFTER = 2


class QuickJobs(FakeJobs):
    """A FakeJobs whose runs stage a table; with `attempts`, each run is planned by its attempt, in every generation."""

    def __init__(self, stage: Callable[[str, int], object], *attempts: PlannedRun) -> None:
        super().__init__()
        self._stage = stage
        self._attempts = attempts
        self.defined: list[JobDefinition] = []
        """All definitions, in the order in which they were created."""
        self.live_at_starts: list[int] = []
        """How many runs were live when each one was started."""

    def create(self, job: JobDefinition) -> None:
        """Define the job."""
        super().create(job)
        self.defined.append(job)

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run; its rows are staged with the number of the start, however it ends."""
        if self._attempts:
            self.plans = [self._attempts[attempt_of(job_name) - 1]]
        live = sum(not run.terminal for name in self._runs for run in self.list_runs(name))
        job_run_id = super().start(job_name, arguments)
        self.live_at_starts.append(live)
        self._stage(staging_table(arguments["--staging_prefix"], job_run_id), len(self.started))
        return job_run_id

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Stop a live run, which takes two looks."""
        run = self._run(job_name, job_run_id)
        if run.state() not in TERMINAL_STATES and not run.stopped:
            run.looks = run.plan.looks - _STOPS_AFTER
        super().stop(job_name, job_run_id)

    def end(self) -> None:
        """Let all runs that are live end as planned."""
        for runs in self._runs.values():
            for run in runs:
                run.looks = max(run.looks, run.plan.looks)

    def counts(self) -> dict[str, int]:
        """How many runs each job had."""
        return {name: len(runs) for name, runs in self._runs.items()}

    def definitions(self) -> list[str]:
        """Names of the jobs that are defined now."""
        return sorted(self._jobs)


def attempt_of(job_name: str) -> int:
    """The attempt that a job is for."""
    found = re.search(r"-a(\d+)-l\d+-", job_name)
    assert found is not None
    return int(found[1])


def planned(*states: str) -> list[PlannedRun]:
    """Runs that go on until they are told to end, and end so; a failed one is the script's fault."""
    return [PlannedRun(state, SCRIPT_FAILED.error if state == "FAILED" else "", looks=_LOOKS) for state in states]
