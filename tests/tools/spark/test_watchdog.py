"""Which child is killed from outside: one that is stuck, by its own clock, and that is shown to be the run's."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.spark.scene import Bench, wait
from tools.spark import engine
from tools.spark.monotonic import Moment
from tools.spark.run_files import ChildLaunch, Outcome, read_launch, read_outcome, write_launch, write_outcome

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a child for stuck sooner."""
    monkeypatch.setattr(engine, "_GRACE_SECONDS", 0.3)


@contextmanager
def sleeping(bench: Bench) -> Iterator[tuple[str, Path]]:
    """Give the id and the directory of a run that sleeps; it is gone afterwards."""
    run_id = bench.start("sleeper", SLEEP)
    run_dir = bench.home / "jobs/sleeper/runs" / run_id
    wait(bench.runner, "sleeper", run_id, "RUNNING")
    pid = int((run_dir / "alive.lock").read_text())
    try:
        yield run_id, run_dir
    finally:
        if not bench.runner.get("sleeper", run_id).terminal:
            (run_dir / "alive.lock").write_text(str(pid))
            os.kill(pid, signal.SIGCONT)
            bench.runner.stop("sleeper", run_id)
            wait(bench.runner, "sleeper", run_id)


def begun_an_hour_ago(run_dir: Path) -> None:
    """Let the run be past its time-out, by the clock that counts."""
    launch, now = read_launch(run_dir), Moment.now()
    earlier = Moment(now.boot, now.seconds - 3600)
    write_launch(run_dir, ChildLaunch(**vars(launch) | {"begun": earlier}))


def test_the_wall_clock_ends_nothing(bench: Bench, impatient: None) -> None:
    """A laptop that was shut for an hour, or whose clock was put forward, finds its run alive."""
    with sleeping(bench) as (run_id, run_dir):
        an_hour_ago = time.time() - 3600
        os.utime(run_dir / "launch.json", (an_hour_ago, an_hour_ago))
        for _ in range(5):
            assert bench.runner.get("sleeper", run_id).state == "RUNNING"
            time.sleep(0.1)


def test_a_moment_of_another_boot_ends_nothing(bench: Bench, impatient: None) -> None:
    """The clock of another machine that shares the folder says nothing here."""
    with sleeping(bench) as (run_id, run_dir):
        write_launch(run_dir, ChildLaunch(**vars(read_launch(run_dir)) | {"begun": Moment("another", -1e6)}))
        for _ in range(5):
            assert bench.runner.get("sleeper", run_id).state == "RUNNING"
            time.sleep(0.1)


def test_a_stuck_child_is_killed_after_its_time_out(bench: Bench, impatient: None) -> None:
    """One that cannot keep its own watch any more is ended by whoever looks at it."""
    with sleeping(bench) as (run_id, run_dir):
        os.kill(int((run_dir / "alive.lock").read_text()), signal.SIGSTOP)
        begun_an_hour_ago(run_dir)
        assert wait(bench.runner, "sleeper", run_id).error == "the process ended without a result (killed?)"


def test_a_stuck_child_that_is_to_stop_is_killed(bench: Bench, impatient: None) -> None:
    """However often the stop is asked for, the first time counts."""
    with sleeping(bench) as (run_id, run_dir):
        os.kill(int((run_dir / "alive.lock").read_text()), signal.SIGSTOP)
        deadline = time.monotonic() + 5
        while bench.runner.get("sleeper", run_id).state != "STOPPED" and time.monotonic() < deadline:
            bench.runner.stop("sleeper", run_id)
            time.sleep(0.05)
        assert bench.runner.get("sleeper", run_id).state == "STOPPED"


def test_another_process_of_that_id_is_left_alone(bench: Bench, impatient: None) -> None:
    """A folder that is shared with a container holds ids that mean other processes here."""
    with subprocess.Popen(["sleep", "60"]) as bystander, sleeping(bench) as (run_id, run_dir):
        child = int((run_dir / "alive.lock").read_text())
        os.kill(child, signal.SIGSTOP)
        (run_dir / "alive.lock").write_text(str(bystander.pid))
        begun_an_hour_ago(run_dir)
        assert bench.runner.get("sleeper", run_id).state == "RUNNING"
        with pytest.raises(subprocess.TimeoutExpired):
            bystander.wait(0.3)
        bystander.kill()
        write_launch(run_dir, ChildLaunch(**vars(read_launch(run_dir)) | {"begun": Moment.now()}))


def test_two_writers_of_a_state_do_not_meet(tmp_path: Path) -> None:
    """Whoever looks at a lost run records its end; a file that a killed writer left half-written is never read."""
    (tmp_path / "state.tmp").write_text("{half")
    outcomes = [Outcome("FAILED", float(number), float(number)) for number in range(2)]
    broken: list[BaseException] = []

    def write(outcome: Outcome) -> None:
        try:
            for _ in range(200):
                write_outcome(tmp_path, outcome)
        except BaseException as error:  # a thread's error would go unseen
            broken.append(error)

    writers = [threading.Thread(target=write, args=(outcome,)) for outcome in outcomes]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert broken == []
    assert read_outcome(tmp_path) in outcomes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "state.tmp"]
