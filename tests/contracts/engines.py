"""The engines that are held to JobRunner's contract, and how a test tells them what a job is to do."""

from __future__ import annotations

import hashlib
import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from agent.settings import load_settings
from tests.fakes.glue import FakeGlue
from tools.aws.artifacts import S3Artifacts
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner
from tools.fakes import FakeClock, FakeJobs, PlannedRun
from tools.local.artifacts import LocalArtifacts
from tools.ports import JobRunner
from tools.records import JobDefinition, JobRun
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm

_REPORTING = """
import json, sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
run_id = given["--JOB_RUN_ID"]
folder = Path(unquote(urlsplit(given["--TempDir"]).path)) / "reports" / run_id
folder.mkdir(parents=True)
(folder / "part-00000").write_text(json.dumps({"rows": 3, "columns": ["id", "total"], "job_run_id": run_id}))
"""


@dataclass(frozen=True)
class Deed:
    """One job, as a script and as the fake's plan."""

    script: str
    plan: PlannedRun


SUCCEED = Deed("print('done')", PlannedRun(rows=None, log="done\n"))
FAIL = Deed(
    "raise ValueError('no such luck')",
    PlannedRun("FAILED", "Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 1; ValueError: no such luck"),
)
SLEEP = Deed("import time; time.sleep(60)", PlannedRun(looks=3))
REPORT = Deed(_REPORTING, PlannedRun(rows=3, columns=("id", "total")))
CHATTER = Deed("for i in range(5000): print('row', i)", PlannedRun(log="".join(f"row {i}\n" for i in range(5000))))


class Engine(ABC):
    """An engine under test, and what was started on it."""

    def __init__(self, runner: JobRunner) -> None:
        self.runner = runner
        self._started: list[tuple[str, str]] = []

    @abstractmethod
    def define(self, name: str, deed: Deed) -> None:
        """Define a job that does this."""

    def start(self, name: str) -> str:
        """Start a job."""
        job_run_id = self.runner.start(name, {"--staging_prefix": "s_20260101_0123456789ab_"})
        self._started.append((name, job_run_id))
        return job_run_id

    def run(self, name: str, deed: Deed) -> JobRun:
        """Define a job, start it and wait for its end."""
        self.define(name, deed)
        return self.life(name, self.start(name))[-1]

    def life(self, name: str, job_run_id: str, until: str = "") -> list[JobRun]:
        """The states of a run, look by look, up to its end or to a state."""
        seen: list[JobRun] = []
        deadline = time.monotonic() + 30
        while not seen or not (seen[-1].terminal or seen[-1].state == until):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still {seen[-1]}: {self.runner.log_tail(name, job_run_id)}")
            seen.append(self.runner.get(name, job_run_id))
            time.sleep(0.02)
        return seen

    def close(self) -> None:
        """Stop what lives, and wait for it: a script that is just beginning cancels the next one's Spark jobs."""
        for name, job_run_id in self._started:
            self.runner.stop(name, job_run_id)
            self.life(name, job_run_id)


class FakeEngine(Engine):
    """The fake, whose runs end as their job's deed is planned."""

    def __init__(self) -> None:
        self._fake = FakeJobs()
        super().__init__(self._fake)
        self._deeds: dict[str, Deed] = {}

    def define(self, name: str, deed: Deed) -> None:
        """Define a job that does this."""
        self.runner.create(JobDefinition(name, "file:///script.py#0", timeout_minutes=5))
        self._deeds[name] = deed

    def start(self, name: str) -> str:
        """Start a job."""
        self._fake.plans = [self._deeds[name].plan] if name in self._deeds else []
        return super().start(name)


class LocalEngine(Engine):
    """The embedded engine on a warm JVM; no script here connects to a database."""

    def __init__(self, home: Path, jvm: SparkJvm) -> None:
        self._artifacts = LocalArtifacts(home / "artifacts")
        super().__init__(LocalJobRunner(home, self._artifacts, "postgresql://nowhere", jvm))

    def define(self, name: str, deed: Deed) -> None:
        """Define a job that does this."""
        reference = self._artifacts.put(f"{uuid.uuid4().hex}.py", deed.script)
        self.runner.create(JobDefinition(name, reference, timeout_minutes=5))


class GlueEngine(Engine):
    """The engine on Glue, over HTTP; its runs end as their job's deed is planned, or execute its script."""

    def __init__(self, glue: FakeGlue, clients: AwsClients, planned: bool) -> None:
        settings = load_settings({}, {})
        self._glue = glue
        self._planned = planned
        self._artifacts = S3Artifacts(clients, settings.bucket)
        super().__init__(GlueJobRunner(clients, self._artifacts, settings, FakeClock()))
        self._deeds: dict[str, Deed] = {}

    def define(self, name: str, deed: Deed) -> None:
        """Define a job that does this."""
        key = f"glue/codes/{hashlib.sha256(deed.script.encode()).hexdigest()}.py"
        self.runner.create(JobDefinition(name, self._artifacts.put(key, deed.script), timeout_minutes=5))
        self._deeds[name] = deed

    def start(self, name: str) -> str:
        """Start a job."""
        self._glue.plans[:] = [self._deeds[name].plan if self._planned else None] if name in self._deeds else []
        return super().start(name)
