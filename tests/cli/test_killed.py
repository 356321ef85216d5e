"""`datamorph run` killed with SIGKILL at any node ends right with `datamorph resume`."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import warm
from tests.cli.scene import PROJECT, Home, environment

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.postgres]

NODES = [
    "prepare", "generate", "sanitize", "preflight", "upload",
    "create_job", "start_run", "await_run", "delete_job", "publish", "finish",
]  # fmt: skip

WRONG = """def transform(sources):
    return sources["o"].groupBy(F.col("o.customer").alias("customer")).agg(F.sum(F.col("o.amout")).alias("total"))
"""
RIGHT = WRONG.replace("amout", "amount")


def killed(home: Home, at: str, *arguments: str) -> int:
    """Run a command that is killed at a node; gives the return code."""
    given = (*arguments, "--home", str(home.folder))
    return warm.run("tests.cli.kill_at", given, environment() | {"KILL_AT": at}, PROJECT).returncode


def event(small: Path, run_id: str) -> Path:
    path = small.with_name(f"{run_id}.json")
    path.write_text(json.dumps(json.loads(small.read_text()) | {"run_id": run_id}))
    return path


def published(home: Home, run_id: str) -> int:
    return int(home.sql("SELECT count(*) FROM datamorph_staging.publishes WHERE run_id = %s", (run_id,))[0][0])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_each_node_in_turn(home: Home, small: Path, moment: str) -> None:
    """One run, killed once at every node: one execution, one publish, the right rows, nothing left behind."""
    run_id = f"killed_{moment}"
    path = event(small, run_id)
    assert killed(home, f"{moment}:{NODES[0]}", "run", str(path)) == -signal.SIGKILL
    for node in NODES[1:]:
        # A node that ran to its end just before the kill runs again: nothing may be done twice by that.
        assert killed(home, f"{moment}:{node}", "resume", run_id) == -signal.SIGKILL
    answer = home.datamorph("resume", run_id, "--json")
    assert (answer.code, answer.body["execution_status"], answer.body["attempts"]) == (0, "success", 1), answer.out
    assert (home.executions(run_id), published(home, run_id)) == (1, 1)
    assert home.sql("SELECT customer, total FROM totals ORDER BY 1") == [("a", pytest.approx(3.5)), ("b", 4)]
    staging = "SELECT count(*) FROM pg_tables WHERE schemaname = 'datamorph_staging' AND tablename LIKE 's\\_%%'"
    assert home.sql(staging) == [(0,)]


def test_killed_while_healing(home: Home, small: Path) -> None:
    """Killed before and after diagnose and repair: the repair is asked for once more and gives the same end."""
    run_id = "killed_healing"
    replies = small.with_name("replies.jsonl")
    replies.write_text("".join(json.dumps({"completion": f"```python\n{code}```\n"}) + "\n" for code in (WRONG, RIGHT)))
    path, model = str(event(small, run_id)), f"recorded:{replies}"
    assert killed(home, "before:diagnose", "run", path, "--model", model) == -signal.SIGKILL
    for at in ("after:diagnose", "before:repair", "after:repair"):
        assert killed(home, at, "resume", run_id) == -signal.SIGKILL
    answer = home.datamorph("resume", run_id, "--json")
    assert (answer.code, answer.body["attempts"], answer.body["rewrites"]) == (0, 1, 1), answer.out
    assert (home.executions(run_id), published(home, run_id)) == (1, 1)


@dataclass(frozen=True)
class Child:
    """The identity of a child process, which a later one with its process id does not share."""

    job_run_id: str
    pid: int
    began: str
    """In the kernel's ticks."""
    launched: int
    """When its orders were written, in nanoseconds."""


def child(home: Home, run_id: str) -> Child:
    """Look at the only child of a run, which is alive."""
    run_dir = only_run(home, run_id)
    pid = int((run_dir / "alive.lock").read_text())
    began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return Child(run_dir.name, pid, began, (run_dir / "launch.json").stat().st_mtime_ns)


def only_run(home: Home, run_id: str) -> Path:
    (run_dir,) = home.folder.glob(f"jobs/datamorph-job-{run_id}-*/runs/jr_*")
    return run_dir


def started(home: Home, *arguments: str) -> subprocess.Popen[str]:
    """Begin a command and let it go on."""
    command = home.command(*arguments)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.Popen(command, cwd=PROJECT, env=environment(), **pipes)


def until(what: Callable[[], object]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def held(home: Home, run_id: str) -> bool:
    """Whether some process works on the run; asked of the kernel, because to try it would be to work on it."""
    lock = home.folder / "leases" / f"{run_id}.lock"
    return f":{lock.stat().st_ino} " in Path("/proc/locks").read_text()


def killed_now(process: subprocess.Popen[str]) -> None:
    """Kill a command that is at work."""
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_killed_while_spark_works(home: Home, small: Path) -> None:
    """The same child works on, whoever waits for it is killed, and one of two that resume at once ends the run."""
    run_id = "killed_midway"
    with psycopg.connect(home.server.url) as holder:
        first = started(home, "run", str(event(small, run_id)))
        until(lambda: home.executions(run_id) == 1)
        # The job reads its source as long as this lock is held, however fast the machine is.
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"
        until(lambda: home.sql(waiting) == [(1,)])
        before = child(home, run_id)
        killed_now(first)
        second = started(home, "resume", run_id, "--json")
        until(lambda: held(home, run_id))
        killed_now(second)
        assert child(home, run_id) == before
        both = [started(home, "resume", run_id, "--json") for _ in range(2)]
        until(lambda: [process for process in both if process.poll() is not None])
        assert (child(home, run_id), home.sql(waiting)) == (before, [(1,)])
        holder.rollback()
        answers = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert sorted(answer["statusCode"] for answer in answers) == [200, 409]
    (body,) = [answer["body"] for answer in answers if answer["statusCode"] == 200]
    assert (body["job_run_id"], body["attempts"], body["rows_written"]) == (before.job_run_id, 1, 2)
    run_dir = only_run(home, run_id)
    assert (run_dir / "launch.json").stat().st_mtime_ns == before.launched
    assert len(list(run_dir.glob("temp/reports/*"))) == published(home, run_id) == 1


def test_ctrl_c_suspends_and_says_how_to_go_on(home: Home, small: Path) -> None:
    """Exit code 5, the job runs on, and resume ends the run."""
    run_id = "interrupted"
    command = home.command("run", str(event(small, run_id)), "--json")
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while home.executions(run_id) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out)["statusCode"]) == (5, 202)
    assert f"datamorph resume {run_id}" in err
    answer = home.datamorph("resume", run_id, "--json")
    assert (answer.code, home.executions(run_id)) == (0, 1)
