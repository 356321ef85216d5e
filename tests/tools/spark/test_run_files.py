"""The files between engine and child: replaced as a whole; and how a script's failure shows a lost JVM."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tools.spark.run_files import Outcome, jvm_seems_gone, read_outcome, write_outcome


@pytest.mark.parametrize(
    ("exception", "message", "gone"),
    [
        ("Py4JNetworkError", "Answer from Java side is empty", True),
        ("JobPhaseError", "ConnectionRefusedError: [Errno 111] Connection refused", True),
        ("JobPhaseError", "SparkException: Job 0 cancelled because SparkContext was shut down", True),
        ("Py4JError", "py4j does not exist in the JVM", True),
        ("Py4JError", "An error occurred while calling o43.select", True),
        ("Py4JJavaError", "An error occurred while calling o43.select.\n: java.lang.ArithmeticException", False),
        ("JobPhaseError", "AnalysisException: Column 'x' does not exist.", False),
    ],
)
def test_a_lost_jvm_is_told_in_several_ways(exception: str, message: str, gone: bool) -> None:
    """The script's error when its JVM goes depends on its work at that moment."""
    assert jvm_seems_gone(exception, message) is gone


def test_two_writers_of_a_state_do_not_meet(tmp_path: Path) -> None:
    """The first look at a lost run records its end; a file that a killed writer left half-written is never read."""
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
