"""Glue job definitions: CreateJob's request, and the list of this product's definitions, found by their tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent.errors import EngineError
from agent.names import run_of_job
from agent.settings import Settings
from tools.aws.clients import AwsClients
from tools.aws.glue_errors import Setting, glue_call
from tools.ports import Clock
from tools.records import DefinedJob, JobDefinition

OWNER_TAG = {"application": "datamorph"}
"""Tag of every definition that this product makes; `GlueJobList` finds them by it."""
_GRACE = timedelta(days=1)
"""Time after the end of the last possible run, when the tag `expires` lets cleaners delete a definition."""


def job_request(job: JobDefinition, settings: Settings, now: float) -> dict[str, Any]:
    """CreateJob's request; `now` in seconds since the epoch."""
    expires = datetime.fromtimestamp(now, UTC) + timedelta(minutes=job.timeout_minutes) + _GRACE
    return {
        "Name": job.name,
        "Role": settings.role,
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "Command": {
            "Name": "glueetl",
            "ScriptLocation": job.script_ref.partition("#")[0],
            "PythonVersion": "3",
        },
        "DefaultArguments": {
            "--job-language": "python",
            "--job-bookmark-option": "job-bookmark-disable",
            "--enable-metrics": "true",
            "--enable-continuous-cloudwatch-log": "true",
        },
        "Connections": {"Connections": [settings.connection]},
        "MaxRetries": 0,
        "Timeout": job.timeout_minutes,
        "GlueVersion": settings.glue_version,
        "WorkerType": job.worker_type,
        "NumberOfWorkers": settings.workers,
        "JobRunQueuingEnabled": False,
        "Tags": {**job.tags, **OWNER_TAG, "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}"},
    }


class GlueJobList:
    """A JobList of one account and region."""

    def __init__(self, clients: AwsClients, settings: Settings, clock: Clock) -> None:
        self._clients = clients
        self._setting = Setting(settings.region, settings.role, settings.connection)
        self._clock = clock

    def ours(self) -> list[str]:
        """Names of all definitions with OWNER_TAG whose name has this product's form."""
        pages = self._clients.get("glue").get_paginator("list_jobs").paginate(Tags=OWNER_TAG)
        with glue_call("ListJobs", "all jobs", self._setting):
            names = [name for page in pages for name in page["JobNames"]]
        return [name for name in names if run_of_job(name)]

    def look(self, job_name: str) -> DefinedJob | None:
        """The definition, expired from a day after the last possible end of its run on; None when it is gone."""
        try:
            with glue_call("GetJob", job_name, self._setting):
                job = self._clients.get("glue").get_job(JobName=job_name)["Job"]
        except EngineError as error:
            if error.code != "EntityNotFoundException":
                raise
            return None
        expires = job["CreatedOn"] + timedelta(minutes=job["Timeout"]) + _GRACE
        return DefinedJob(job_name, expires <= datetime.fromtimestamp(self._clock.now(), UTC))
