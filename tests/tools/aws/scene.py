"""A GlueJobRunner, the Glue endpoint it talks to, and a script to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.settings import load_settings
from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.moto_server import Aws
from tools.aws.artifacts import S3Artifacts
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner
from tools.fakes import FakeClock, PlannedRun
from tools.records import JobDefinition

JOB = "datamorph-job-r1-g1-a1-l1-01234567"
PREFIX = {"--staging_prefix": "s_20260101_0123456789ab_"}


class ImpatientClients(AwsClients):
    """Clients that wait a second for an answer."""

    def get(self, service: str, *, tries: int = 4, read_seconds: float = 1.0) -> Any:
        """The client of a service."""
        return super().get(service, tries=tries, read_seconds=min(read_seconds, 1.0))


@dataclass
class GlueScene:
    """The parts of a test of the engine on Glue."""

    glue: FakeGlue
    clients: AwsClients
    artifacts: S3Artifacts
    clock: FakeClock = field(default_factory=FakeClock)

    def runner(self, **settings: Any) -> GlueJobRunner:
        """The engine, with these settings in place of the defaults."""
        return GlueJobRunner(self.clients, self.artifacts, load_settings(settings, {}), self.clock)

    def job(self, name: str = JOB, script: str = "print('done')\n", **more: Any) -> JobDefinition:
        """A job for a stored script."""
        key = f"glue/codes/r1/{hashlib.sha256(script.encode()).hexdigest()[:8]}_glue.py"
        return JobDefinition(name, self.artifacts.put(key, script), timeout_minutes=60, **more)

    def started(self, plan: PlannedRun | None = None, **settings: Any) -> tuple[GlueJobRunner, str]:
        """The engine, and the id of a run that goes as planned."""
        runner = self.runner(**settings)
        self.glue.plans[:] = [plan or PlannedRun()]
        if JOB not in self.glue.account.jobs:
            runner.create(self.job())
        return runner, runner.start(JOB, PREFIX)


@contextmanager
def glue_scene(aws: Aws, monkeypatch: pytest.MonkeyPatch, clients: AwsClients | None = None) -> Iterator[GlueScene]:
    """A scene whose Glue boto3 finds through the environment."""
    with fake_glue(aws.endpoint) as glue:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", glue.endpoint_url)
        yield GlueScene(glue, clients or aws.clients, S3Artifacts(aws.clients, "dmbckt"))
