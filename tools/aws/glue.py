"""The engine on AWS Glue: a JobRunner whose jobs and runs are Glue's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from functools import cached_property
from typing import Any

from agent.errors import EngineError
from agent.names import temp_prefix
from agent.redaction import mask_secrets
from agent.settings import Settings
from tools.aws.client_errors import translated
from tools.aws.clients import AwsClients
from tools.aws.glue_errors import Setting, glue_call
from tools.aws.glue_jobs import job_request
from tools.aws.glue_runs import job_run
from tools.aws.logs import GROUPS, GlueLogs
from tools.aws.session_policy import session_policy
from tools.local.clock import SystemClock
from tools.ports import ArtifactStore, Clock
from tools.records import JobDefinition, JobReport, JobRun

_ARGUMENTS = frozenset({"--staging_prefix"})
"""Arguments that a caller may set. Glue's own (--conf, --extra-py-files …) are refused; `start` sets --TempDir."""
_RUN_ID = re.compile(r"jr_\w{1,250}")
_TAKEN = ("AlreadyExistsException", "IdempotentParameterMismatchException")


class GlueJobRunner:
    """Runs jobs on Glue; the settings give role, connection, workers and Glue version; each run has its own TempDir."""

    def __init__(
        self, clients: AwsClients, artifacts: ArtifactStore, settings: Settings, clock: Clock | None = None
    ) -> None:
        self._clients = clients
        self._artifacts = artifacts
        self._settings = settings
        self._setting = Setting(settings.region, settings.role, settings.connection)
        self._clock = clock or SystemClock()
        self._logs = GlueLogs(clients, self._clock, lambda: self._secrets)

    def create(self, job: JobDefinition) -> None:
        """Define the job after checking that its script is the stored one.

        Raises ArtifactError; EngineError AlreadyExistsException when this job is defined already, and
        IdempotentParameterMismatchException when the name belongs to a job with another script. UnavailableError where
        its runs could not be started.
        """
        self._session_policy(job.name)  # a policy that is too long is found before the job is defined
        self._artifacts.get(job.script_ref)
        request = job_request(job, self._settings, self._clock.now())
        try:
            with glue_call("CreateJob", job.name, self._setting):
                self._client.create_job(**request)
        except EngineError as error:
            if error.code not in _TAKEN:
                raise
            raise self._name_taken(job, request["Command"]["ScriptLocation"]) from error

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run with exactly one request: StartJobRun has no client token, so a retry could start a second run.

        Raises EngineError; after OperationTimeoutException, InternalServiceException and
        ConcurrentRunsExceededException there may be a run. Raises UnavailableError when there is none; its message
        says what to grant or to create.
        """
        if strange := sorted(set(arguments) - _ARGUMENTS):
            raise EngineError("InvalidInputException", f"{job_name}: a run may not be given the arguments {strange}")
        own = {**arguments, "--TempDir": f"s3://{self._settings.bucket}/{temp_prefix(job_name)}"}
        request: dict[str, Any] = {"JobName": job_name, "Arguments": own, "JobRunQueuingEnabled": False}
        request |= self._session_policy(job_name)
        client = self._clients.get("glue", tries=1)
        with glue_call("StartJobRun", job_name, self._setting):
            return str(client.start_job_run(**request)["JobRunId"])

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The current state of the run. Raises EngineError EntityNotFoundException."""
        return self._run(self._get(job_name, job_run_id))

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first; empty for an unknown job."""
        pages = self._client.get_paginator("get_job_runs").paginate(JobName=job_name)
        try:
            with glue_call("GetJobRuns", job_name, self._setting):
                return [self._run(described) for page in pages for described in page.get("JobRuns", [])]
        except EngineError as error:
            if error.code == "EntityNotFoundException":
                return []
            raise

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop. A run that has ended, or is stopping, is left as it is.

        Raises EngineError EntityNotFoundException, or with the code of Glue's refusal.
        """
        _check_id(job_name, job_run_id)
        with glue_call("BatchStopJobRun", job_name, self._setting):
            answer = self._client.batch_stop_job_run(JobName=job_name, JobRunIds=[job_run_id])
        for refused in answer.get("Errors", []):
            run = self.get(job_name, job_run_id)
            if not run.terminal and run.state != "STOPPING":
                detail = refused.get("ErrorDetail", {})
                message = f"{job_run_id} of {job_name} was not stopped: {detail.get('ErrorMessage', '')}"
                raise EngineError(str(detail.get("ErrorCode", "")), message)

    def delete(self, job_name: str) -> None:
        """Delete the definition; an unknown name is fine. A live run goes on, and is billed: stop it before."""
        with glue_call("DeleteJob", job_name, self._setting):
            self._client.delete_job(JobName=job_name)

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The script's own report under the TempDir; None when it wrote none."""
        self._get(job_name, job_run_id)
        return JobReport.parse(self._stored(f"{temp_prefix(job_name)}reports/{job_run_id}/part-"))

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The last lines of the driver's output, at most 20,000 characters; empty when there is no log.

        The database's password is taken out.
        """
        described = self._get(job_name, job_run_id)
        run = job_run(described)
        version = described.get("GlueVersion", self._settings.glue_version)
        # A launch error means that the script never began: no log can still arrive.
        failed = run.state in ("FAILED", "ERROR") and "LAUNCH ERROR" not in run.error
        return self._logs.tail(job_run_id, described.get("LogGroupName", GROUPS), version, failed)

    @property
    def _client(self) -> Any:
        return self._clients.get("glue")

    @cached_property
    def _partition(self) -> str:
        """`aws`, or `aws-cn` and the like."""
        return str(self._clients.session.get_partition_for_region(self._settings.region))

    @cached_property
    def _secrets(self) -> list[str]:
        urls = [url for url in (self._settings.database_url, self._settings.job_database_url) if url is not None]
        if not urls:
            return []
        # Imported here, so that importing this module does not load psycopg.
        from tools.database.database_url import passwords

        return [secret for url in urls for secret in passwords(url)]

    def _run(self, described: Mapping[str, Any]) -> JobRun:
        return job_run({**described, "ErrorMessage": mask_secrets(described.get("ErrorMessage", ""), self._secrets)})

    def _get(self, job_name: str, job_run_id: str) -> Mapping[str, Any]:
        _check_id(job_name, job_run_id)
        with glue_call("GetJobRun", job_name, self._setting):
            described: Mapping[str, Any] = self._client.get_job_run(JobName=job_name, RunId=job_run_id)["JobRun"]
        return described

    def _stored(self, prefix: str) -> str:
        """The joined text of all objects under a prefix, in the order of their keys; empty when there are none."""
        bucket, s3 = self._settings.bucket, self._clients.get("s3")
        with translated("s3", f"bucket {bucket}", self._settings.region):
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
            return "".join(_text(s3.get_object(Bucket=bucket, Key=part["Key"])) for part in listed)

    def _name_taken(self, job: JobDefinition, location: str) -> EngineError:
        """The error for a name that is taken; the script's address tells whether the definition is this job's.

        The address names bucket, run and a hash of the content.
        """
        with glue_call("GetJob", job.name, self._setting):
            there = self._client.get_job(JobName=job.name)["Job"]["Command"].get("ScriptLocation", "")
        if there == location:
            return EngineError("AlreadyExistsException", f"job {job.name!r} is defined already")
        message = (
            f"the name {job.name!r} is taken by a job with the script {there}, not {location}: it was not made by this "
            "installation; look at it in the Glue console, and delete it or run the request under another run_id"
        )
        return EngineError("IdempotentParameterMismatchException", message)

    def _session_policy(self, job_name: str) -> dict[str, str]:
        """StartJobRun's ExecutionRoleSessionPolicy for a run of the job; empty where settings switch it off.

        Raises UnavailableError.
        """
        if not self._settings.session_policy:
            return {}
        policy = session_policy(
            region=self._settings.region,
            partition=self._partition,
            bucket=self._settings.bucket,
            connection=self._settings.connection,
            job_name=job_name,
        )
        return {"ExecutionRoleSessionPolicy": policy}


def _check_id(job_name: str, job_run_id: str) -> None:
    if not _RUN_ID.fullmatch(job_run_id):
        raise EngineError("EntityNotFoundException", f"job {job_name!r} has no run {job_run_id!r}")


def _text(answer: Mapping[str, Any]) -> str:
    # The body's own context manager gives the bare stream, which checks neither length nor checksum.
    with closing(answer["Body"]) as body:
        return str(body.read().decode())
