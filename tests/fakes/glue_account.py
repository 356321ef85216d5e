"""The state of a Glue endpoint, and the rules by which its operations change it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.glue_engine import Engine
from tests.fakes.glue_runs import Course
from tools.records import TERMINAL_STATES

ACCOUNT = "123456789012"
_DEFAULT_TIMEOUT = 2_880
_DPU = {"Standard": 1.0, "G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0}


class GlueRefusal(Exception):
    """An error of Glue's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Run:
    """A job run, with the figures of the job as it was at the start."""

    job_run_id: str
    job: Mapping[str, Any]
    arguments: dict[str, str]
    policy: str | None
    course: Course
    started: float = field(default_factory=time.time)
    completed: float | None = None

    def settle(self) -> str:
        """The state; at the first sight of the end, what the run leaves behind is delivered."""
        state = self.course.state()
        if state in TERMINAL_STATES and self.completed is None:
            self.completed = time.time()
            temp_dir = (self.job["DefaultArguments"] | self.arguments).get("--TempDir", "")
            self.course.deliver(temp_dir, self.job["GlueVersion"])
        return state

    def described(self) -> dict[str, Any]:
        """As GetJobRun tells it."""
        state = self.settle()
        job, workers = self.job, self.job["NumberOfWorkers"]
        dpus = workers * _DPU[job["WorkerType"]]
        error, seconds = self.course.error(), self.course.seconds()
        return {
            "Id": self.job_run_id,
            "Attempt": 0,
            "JobName": job["Name"],
            "JobMode": "SCRIPT",
            "JobRunQueuingEnabled": False,
            "StartedOn": self.started,
            "LastModifiedOn": self.completed or time.time(),
            "JobRunState": state,
            "Arguments": self.arguments,
            "PredecessorRuns": [],
            "AllocatedCapacity": int(dpus),
            "ExecutionTime": seconds,
            "Timeout": job["Timeout"],
            "MaxCapacity": dpus,
            "WorkerType": job["WorkerType"],
            "NumberOfWorkers": workers,
            "LogGroupName": "/aws-glue/jobs",
            "GlueVersion": job["GlueVersion"],
            "ExecutionClass": "STANDARD",
            **({"CompletedOn": self.completed} if self.completed else {}),
            **({"ErrorMessage": error} if error else {}),
            **({"ExecutionRoleSessionPolicy": self.policy} if self.policy else {}),
        }


@dataclass
class Account:
    """Jobs, runs and tags of one account in one region; every method is an operation."""

    engine: Engine
    region: str
    roles: set[str] | None = None
    """The roles that Glue may assume; None: any."""
    missing_connections: set[str] = field(default_factory=set)
    connection_secrets: dict[str, str] = field(default_factory=dict)
    """By connection: the secret that it names in the place of user and password."""
    max_jobs: int | None = None
    """Quota of job definitions."""
    max_runs: int | None = None
    """Quota of live runs."""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By job name."""
    runs: dict[str, list[Run]] = field(default_factory=dict)
    """By job name, oldest first; they outlive their job."""
    started: list[str] = field(default_factory=list)

    def create_job(self, request: dict[str, Any]) -> dict[str, Any]:
        """A name is taken once; nothing is overwritten."""
        name, role = request["Name"], request["Role"]
        if name in self.jobs:
            raise GlueRefusal("AlreadyExistsException", f"Job with name: {name} already submitted with different id.")
        if self.roles is not None and role not in self.roles:
            message = f"Role {role} should be given assume role permissions for Glue Service."
            raise GlueRefusal("InvalidInputException", message)
        if self.max_jobs is not None and len(self.jobs) >= self.max_jobs:
            raise GlueRefusal("ResourceNumberLimitExceededException", f"Failed to create job {name}: limit exceeded")
        now = time.time()
        described = {key: value for key, value in request.items() if key != "Tags"}
        defaults = {"Timeout": _DEFAULT_TIMEOUT, "MaxRetries": 0, "DefaultArguments": {}, "JobMode": "SCRIPT"}
        self.jobs[name] = defaults | described | {"CreatedOn": now, "LastModifiedOn": now}
        self.tags[name] = dict(request.get("Tags", {}))
        return {"Name": name}

    def delete_job(self, request: dict[str, Any]) -> dict[str, Any]:
        """An unknown name is fine; a live run goes on."""
        name = request["JobName"]
        self.jobs.pop(name, None)
        self.tags.pop(name, None)
        return {"JobName": name}

    def start_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Never beside MaxConcurrentRuns live ones, nor beyond the account's quota."""
        name = request["JobName"]
        job = self.job(name)
        for connection in job.get("Connections", {}).get("Connections", []):
            if connection in self.missing_connections:
                raise GlueRefusal("EntityNotFoundException", f"Connection {connection} not found.")
        most = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
        if len(self._live(name)) >= most:
            raise GlueRefusal("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}")
        if self.max_runs is not None and sum(len(self._live(each)) for each in self.runs) >= self.max_runs:
            message = "Max concurrent job runs per account exceeded"
            raise GlueRefusal("ResourceNumberLimitExceededException", message)
        own = request.get("Arguments", {})
        job_run_id, course = self.engine.start(job, job["DefaultArguments"] | own)
        run = Run(job_run_id, dict(job), own, request.get("ExecutionRoleSessionPolicy"), course)
        self.runs.setdefault(name, []).append(run)
        self.started.append(name)
        return {"JobRunId": job_run_id}

    def get_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """A planned run comes nearer to its end with every look."""
        run = self._run(request["JobName"], request["RunId"])
        described = run.described()
        run.course.look()
        return {"JobRun": described}

    def batch_stop_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Runs that cannot be stopped are listed one by one, in an answer that is a success."""
        name = request["JobName"]
        answer: dict[str, Any] = {"SuccessfulSubmissions": [], "Errors": []}
        for job_run_id in request["JobRunIds"]:
            refusal = self._stop(name, job_run_id)
            one: dict[str, Any] = {"JobName": name, "JobRunId": job_run_id}
            if refusal is None:
                answer["SuccessfulSubmissions"].append(one)
            else:
                detail = {"ErrorCode": refusal.code, "ErrorMessage": str(refusal)}
                answer["Errors"].append(one | {"ErrorDetail": detail})
        return answer

    def job(self, name: str) -> dict[str, Any]:
        """The definition."""
        if name not in self.jobs:
            raise GlueRefusal("EntityNotFoundException", f"Job with name: {name} not found.")
        return self.jobs[name]

    def _stop(self, name: str, job_run_id: str) -> GlueRefusal | None:
        try:
            run = self._run(name, job_run_id)
        except GlueRefusal as refusal:
            return refusal
        if run.settle() in TERMINAL_STATES:
            message = f"Job run {job_run_id} is in a terminal state"
            return GlueRefusal("JobRunInTerminalStateException", message)
        run.course.stop()
        return None

    def _live(self, name: str) -> list[Run]:
        return [run for run in self.runs.get(name, []) if run.settle() not in TERMINAL_STATES]

    def _run(self, name: str, job_run_id: str) -> Run:
        for run in self.runs.get(name, []):
            if run.job_run_id == job_run_id:
                return run
        raise GlueRefusal("EntityNotFoundException", f"Job Run not found: {job_run_id} of {name}")
