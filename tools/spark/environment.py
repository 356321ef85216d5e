"""The environment of processes that run model-written code: built from nothing, so that no credential gets in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import tools
from tools.spark.memory import FUNCTION_MEMORY

_INHERITED = ("PATH", "LD_LIBRARY_PATH", FUNCTION_MEMORY)


def base_environment(home: Path) -> dict[str, str]:
    """Variables for a JVM or a script whose HOME is `home`: of this process's own, search paths and memory size."""
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
