"""The archive of Spark's classes: what it is made for, and what becomes of a JVM without it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.errors import UnavailableError
from tools.spark import class_archive, jvm
from tools.spark.jvm import SparkJvm

pytestmark = pytest.mark.spark


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a path at which the archive is looked for; nothing is there."""
    path = tmp_path / "share" / "spark.jsa"
    monkeypatch.setattr(jvm, "class_archive", lambda: path)
    monkeypatch.setattr(class_archive, "class_archive", lambda: path)
    return path


def test_the_archive_of_this_installation_is_taken(tmp_path: Path) -> None:
    """A JVM that may not start without one does start."""
    if not jvm.class_archive().exists():
        pytest.skip("no archive was made: python -m tools.spark.class_archive")
    with SparkJvm(tmp_path / "jvm", options=("-Xshare:on",)) as spark:
        assert "PYSPARK_GATEWAY_PORT" in spark.environment()


def test_an_archive_that_is_none_is_passed_over(elsewhere: Path, tmp_path: Path) -> None:
    """As is one of other jars or another Java: Spark starts, more slowly."""
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"none")
    with SparkJvm(tmp_path / "jvm") as spark:
        assert "PYSPARK_GATEWAY_PORT" in spark.environment()


def test_a_spark_that_does_not_run_leaves_no_archive(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says why, and what that means."""

    def broken(scratch: Path, listed: Path) -> None:
        raise UnavailableError("java", "Spark needs Java 17")

    monkeypatch.setattr(class_archive, "_load_classes", broken)
    assert class_archive.main() == 1
    assert "each Spark starts more slowly: Spark needs Java 17" in capsys.readouterr().err
    assert list(elsewhere.parent.iterdir()) == []


def test_a_dump_that_fails_leaves_none_either(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an archive is not left under the name, nor beside it."""

    def dumped(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        unfinished = next(part for part in command if part.startswith("-XX:SharedArchiveFile=")).partition("=")[2]
        Path(unfinished).write_bytes(b"half")
        return subprocess.CompletedProcess(command, 1, "", "no space left")

    monkeypatch.setattr(class_archive, "_load_classes", lambda scratch, listed: None)
    monkeypatch.setattr("tools.spark.class_archive.subprocess.run", dumped)
    assert class_archive.main() == 1
    assert "no space left" in capsys.readouterr().err
    assert list(elsewhere.parent.iterdir()) == []
