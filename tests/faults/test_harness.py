"""The harness does what its sweeps rely on: children really die, and every case is counted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.forked import die, in_child
from tests.faults.strikes import Strike
from tests.faults.struck_runs import unclear
from tests.faults.tally import Tally, summary

PROJECT = Path(__file__).parents[2]


def test_a_child_tells_what_it_found(tmp_path: Path) -> None:
    """Through JSON; what it prints lies in the log, and the parent's memory is its own."""
    seen: list[int] = []

    def work() -> list[int]:
        seen.append(1)
        print("working")  # noqa: T201
        return seen

    assert in_child(work, tmp_path / "log") == [1]
    assert seen == []
    assert (tmp_path / "log").read_text() == "working\n"


def test_a_child_that_dies_tells_nothing(tmp_path: Path) -> None:
    """It cleans up nothing: no `finally` runs."""

    def work() -> None:
        try:
            die()
        finally:
            (tmp_path / "cleaned").touch()

    assert in_child(work, tmp_path / "log") is None
    assert not (tmp_path / "cleaned").exists()


def test_a_child_that_fails_is_no_killed_one(tmp_path: Path) -> None:
    """Its error is the sweep's."""
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        in_child(lambda: 1 / 0, tmp_path / "log")


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one case does not stop a sweep."""
    monkeypatch.setattr("tests.faults.forked._SECONDS", 0.1)
    with pytest.raises(AssertionError, match="did not end"):
        in_child(lambda: time.sleep(60), tmp_path / "log")


def test_a_tally_counts_by_sweep() -> None:
    """Over all processes; the last line has the totals."""
    one, other = Tally(), Tally()
    one.case("calls", True)
    one.case("calls", False, "call 2: two runs")
    other.case("calls", True)
    other.case("kills", True)
    assert summary([one.packed(), other.packed()]) == [
        "calls: 3 cases, 1 violations",
        "kills: 1 cases, 0 violations",
        "faults: 4 cases, 1 violations",
    ]
    assert summary([other.packed()], ["test_x"])[-1] == "faults: 3 cases, 1 violations"
    with pytest.raises(AssertionError, match="1 of 2 cases:\ncalls: call 2: two runs"):
        one.check()


FIGURES = "def pytest_terminal_summary(terminalreporter):\n    terminalreporter.write_line('a figure')\n"
SWEPT = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_one(tally, number):
    tally.case("calls", True)
    if number == 1:
        BODY
"""


@pytest.mark.parametrize(
    ("body", "processes", "closing"),
    [
        ("pass", 0, "faults: 2 cases, 0 violations"),
        ("tally.case('calls', False, 'call 2'); tally.check()", 2, "faults: 3 cases, 1 violations"),
        ("1 / 0", 0, "faults: 3 cases, 1 violations"),
    ],
)
def test_a_sweep_closes_with_its_totals(tmp_path: Path, body: str, processes: int, closing: str) -> None:
    """In the one last line, from all processes, green or red; a test that broke elsewhere counts as a violation."""
    (tmp_path / "conftest.py").write_text(FIGURES)
    (tmp_path / "test_swept.py").write_text(SWEPT.replace("BODY", body))
    plugins = ["-p", "no:cacheprovider", "-p", "xdist", "-p", "tests.faults.conftest"]
    command = [sys.executable, "-m", "pytest", "-qq", "-n", str(processes), "-c", os.devnull, *plugins, str(tmp_path)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=alone, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines[-1] == closing, done.stdout + done.stderr
    assert "a figure" in lines
    assert (done.returncode == 0) is (body == "pass")


def test_a_tally_without_a_case_is_red() -> None:
    """A sweep that tries nothing proves nothing."""
    with pytest.raises(AssertionError, match="no case"):
        Tally().check()


def test_a_strike_that_never_came_is_told() -> None:
    """Also where the run went well: then nothing was tried."""
    went_well = {"statusCode": 200, "body": {"execution_status": "success"}}
    assert unclear(went_well, Strike("refused"), struck=True) == []
    assert unclear(went_well, Strike("refused"), struck=False) == ["nothing was struck"]
    assert unclear(None, Strike("killed after"), struck=True) == []
    assert unclear(went_well, Strike("killed after"), struck=True) != []
