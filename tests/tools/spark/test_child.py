from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tools.spark.environment import base_environment
from tools.spark.jvm import SparkJvm
from tools.spark.run_files import LOG, SCRATCH, ChildLaunch, Outcome, read_outcome, spawn, write_launch

pytestmark = pytest.mark.spark


def launch(run_dir: Path, jvm: SparkJvm, script: str, timeout_seconds: float = 30) -> tuple[int, Outcome]:
    """Run a script in a child; a script that prints `ready` gets SIGTERM. Returns exit code and outcome."""
    (run_dir / SCRATCH).mkdir()
    (run_dir / "script.py").write_text(script, encoding="utf-8")
    write_launch(run_dir, ChildLaunch(str(run_dir / "script.py"), (), timeout_seconds, memory=None))
    child = spawn(run_dir, base_environment(run_dir / SCRATCH) | jvm.environment())
    while child.poll() is None:
        if "ready" in (run_dir / LOG).read_text(encoding="utf-8"):
            child.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    outcome = read_outcome(run_dir)
    assert outcome is not None
    return child.returncode, outcome


def test_the_time_out_ends_a_script(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """A script that goes on for too long ends in TIMEOUT, and nothing of its scratch files stays."""
    code, outcome = launch(tmp_path, spark_jvm, "while True: pass", timeout_seconds=0.5)
    assert (code, outcome.state, outcome.error) == (0, "TIMEOUT", "Job run exceeded its timeout of 0.5 seconds")
    assert not (tmp_path / SCRATCH).exists()


def test_sigterm_stops_a_script(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """SIGTERM ends a script in STOPPED, although it catches everything that it can catch."""
    script = "import time\nprint('ready')\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass"
    code, outcome = launch(tmp_path, spark_jvm, script)
    assert (code, outcome.state, outcome.error) == (0, "STOPPED", "")


def test_the_kernel_ends_a_script_that_keeps_the_gil(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """No thread of Python runs while a regex backtracks: the kernel ends the process, long before its time-out."""
    script = "import re, time\nfrom tools.spark import watchdog\nwatchdog._SILENCE_SECONDS = 0.5\ntime.sleep(0.4)\n"
    script += "re.match('(a+)+$', 'a' * 60 + 'b')"
    code, outcome = launch(tmp_path, spark_jvm, script, timeout_seconds=3600)
    assert (code, outcome.state) == (-signal.SIGALRM, "RUNNING")


def test_a_watchdog_at_work_keeps_the_kernel_from_ending_a_script(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """A script that lets Python's threads run outlives the time that the watchdog may be silent for."""
    script = "import time\nfrom tools.spark import watchdog\nwatchdog._SILENCE_SECONDS = 1.5\ntime.sleep(4)"
    assert launch(tmp_path, spark_jvm, script)[1].state == "SUCCEEDED"


@pytest.mark.parametrize(
    ("code", "state"), [("", "SUCCEEDED"), ("0", "SUCCEEDED"), ("3", "FAILED"), ("'no'", "FAILED")]
)
def test_an_exit_code_decides(tmp_path: Path, spark_jvm: SparkJvm, code: str, state: str) -> None:
    """Leaving through sys.exit succeeds with nothing or zero, and fails with anything else."""
    _, outcome = launch(tmp_path, spark_jvm, f"import sys\nsys.exit({code})")
    assert outcome.state == state


def test_a_dead_jvm_is_a_launch_error(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """A child that finds no JVM says that it was never launched, in Glue's words."""
    gone = SparkJvm(tmp_path / "jvm")
    gone.environment = lambda: spark_jvm.environment() | {"PYSPARK_GATEWAY_PORT": "1"}  # type: ignore[method-assign]
    _, outcome = launch(tmp_path, gone, "pass")
    assert outcome.state == "FAILED"
    assert outcome.error.startswith("LAUNCH ERROR | ")


def test_a_child_without_its_directory_ends_all_the_same(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """A child whose run directory was removed cannot record anything, and still does as it is told."""
    script = f"import shutil\nshutil.rmtree({str(tmp_path)!r})\nwhile True: pass"
    (tmp_path / SCRATCH).mkdir()
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    write_launch(tmp_path, ChildLaunch(str(tmp_path / "script.py"), (), 30, memory=None))
    child = spawn(tmp_path, base_environment(tmp_path / SCRATCH) | spark_jvm.environment())
    while tmp_path.exists():
        time.sleep(0.02)
    child.terminate()
    assert child.wait(30) == 1


def test_no_core_is_dumped(tmp_path: Path, spark_jvm: SparkJvm) -> None:
    """A crash leaves no image of memory on the disk."""
    script = "import resource\nassert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)"
    assert launch(tmp_path, spark_jvm, script)[1].state == "SUCCEEDED"


def test_a_jvm_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A JVM is tied to its starter: when that is killed, the JVM goes too."""
    starter = os.fork()
    if starter == 0:
        jvm = SparkJvm(tmp_path)
        jvm.environment()
        assert jvm.pid is not None
        (tmp_path / "pid").write_text(str(jvm.pid))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(starter, 0)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _runs(pid):
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
