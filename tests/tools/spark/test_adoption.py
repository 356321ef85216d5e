from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import EngineError
from tests.tools.spark.scene import Bench, wait
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

STARTER = """
import os, signal, sys
from pathlib import Path
from tools.local.artifacts import LocalArtifacts
from tools.spark.engine import LocalJobRunner
from tools.records import JobDefinition

class AttachTo:
    def environment(self):
        return {name: os.environ[name] for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "JAVA_HOME")}

home = Path(sys.argv[1])
artifacts = LocalArtifacts(home / "artifacts")
runner = LocalJobRunner(home, artifacts, sys.argv[2], AttachTo())
runner.create(JobDefinition("orphan", artifacts.put("orphan.py", sys.argv[3]), timeout_minutes=5))
print(runner.start("orphan", {}), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

DIE_BEFORE_THE_CHILD = """
import os, signal
from tools.spark import engine

engine.spawn = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
"""


def start_and_die(home: Path, url: str, jvm: SparkJvm, script: str, first: str = "") -> str:
    """Start a run from a process that is killed right afterwards; returns the run's id where the start returned."""
    starter = subprocess.run(
        [sys.executable, "-c", first + STARTER, str(home), url, script],
        env=dict(os.environ) | jvm.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert starter.returncode == -signal.SIGKILL, starter.stderr
    return starter.stdout.strip()


def test_a_run_outlives_its_starter_and_is_adopted(bench: Bench, postgres_url: str, spark_jvm: SparkJvm) -> None:
    """A killed starter's run goes on to its end, and another process sees it live and ended."""
    script = "import time\nwhile not __import__('pathlib').Path('../go').exists(): time.sleep(0.05)\nprint('done')"
    run_id = start_and_die(bench.home, postgres_url, spark_jvm, script)
    assert wait(bench.runner, "orphan", run_id, "RUNNING").state == "RUNNING"
    with pytest.raises(EngineError, match="ConcurrentRunsExceededException"):
        bench.runner.start("orphan", {})
    (bench.home / "jobs/orphan/runs" / run_id / "go").touch()
    assert wait(bench.runner, "orphan", run_id).state == "SUCCEEDED"
    assert "done" in bench.runner.log_tail("orphan", run_id)


def test_an_adopted_run_can_be_stopped(bench: Bench, postgres_url: str, spark_jvm: SparkJvm) -> None:
    """A process that shares the home can stop a run that another, dead process started."""
    run_id = start_and_die(bench.home, postgres_url, spark_jvm, "import time; time.sleep(60)")
    bench.runner.stop("orphan", run_id)
    assert wait(bench.runner, "orphan", run_id).state == "STOPPED"


def test_a_killed_adopted_run_is_lost(bench: Bench, postgres_url: str, spark_jvm: SparkJvm) -> None:
    """The lock tells a dead child from a live one, although nobody is there to wait for it."""
    run_id = start_and_die(bench.home, postgres_url, spark_jvm, "import time; time.sleep(60)")
    assert wait(bench.runner, "orphan", run_id, "RUNNING").state == "RUNNING"
    lock = bench.home / "jobs/orphan/runs" / run_id / "alive.lock"
    os.kill(int(lock.read_text()), signal.SIGKILL)
    run = wait(bench.runner, "orphan", run_id)
    assert (run.state, run.error) == ("FAILED", "the process ended without a result (killed?)")


def test_a_starter_killed_before_its_child_was_there_leaves_a_lost_run(
    bench: Bench, postgres_url: str, spark_jvm: SparkJvm
) -> None:
    """The run that nobody came to execute is lost, with an empty log, and the job can be started again."""
    start_and_die(bench.home, postgres_url, spark_jvm, "pass", first=DIE_BEFORE_THE_CHILD)
    (lost,) = bench.runner.list_runs("orphan")
    assert (lost.state, lost.error) == ("FAILED", "the process ended without a result (killed?)")
    assert (bench.home / "jobs/orphan/runs" / lost.job_run_id / "log.txt").read_bytes() == b""
    assert bench.runner.log_tail("orphan", lost.job_run_id) == ""
    assert wait(bench.runner, "orphan", bench.runner.start("orphan", {})).state == "SUCCEEDED"


def test_every_runner_sees_the_same(bench: Bench, postgres_url: str, spark_jvm: SparkJvm) -> None:
    """Two runners over one home agree on a live run, and neither's look disturbs the other's."""
    other = LocalJobRunner(bench.home, bench.artifacts, postgres_url, spark_jvm)
    run_id = bench.start("shared", "import time; time.sleep(60)")
    wait(other, "shared", run_id, "RUNNING")
    for _ in range(50):
        assert [runner.get("shared", run_id).state for runner in (bench.runner, other)] == ["RUNNING", "RUNNING"]
    other.stop("shared", run_id)
    assert wait(bench.runner, "shared", run_id).state == "STOPPED"


def test_inherited_descriptors_live_as_long_as_the_run(
    tmp_path: Path, bench: Bench, postgres_url: str, spark_jvm: SparkJvm
) -> None:
    """A run keeps what it was told to keep open: the hold on an embedded server."""
    reading, writing = os.pipe()
    runner = LocalJobRunner(tmp_path, bench.artifacts, postgres_url, spark_jvm, inherited=(writing,))
    holder = Bench(tmp_path, runner, bench.artifacts)
    run_id = holder.start("holder", "import time; time.sleep(60)")
    os.close(writing)
    os.set_blocking(reading, False)
    with pytest.raises(BlockingIOError):
        os.read(reading, 1)  # not closed: the child holds the other end
    runner.stop("holder", run_id)
    wait(runner, "holder", run_id)
    os.set_blocking(reading, True)
    assert os.read(reading, 1) == b""
    os.close(reading)
