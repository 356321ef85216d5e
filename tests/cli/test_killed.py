"""`datamorph run` killed with SIGKILL at any node ends right with `datamorph resume`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT, Home, environment

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
    command = home.command(*arguments, module="tests.cli.kill_at")
    done = subprocess.run(
        command, capture_output=True, cwd=PROJECT, env=environment() | {"KILL_AT": at}, timeout=180, check=False
    )
    return done.returncode


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


def test_killed_while_spark_works(home: Home, small: Path) -> None:
    """The job outlives the command and is adopted: the same child, the same job run."""
    run_id = "killed_midway"
    command = home.command("run", str(event(small, run_id)))
    process = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while home.executions(run_id) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    answer = home.datamorph("resume", run_id, "--json")
    assert (answer.code, home.executions(run_id), published(home, run_id)) == (0, 1, 1)


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
