"""The files between engine and child in a run directory: `launch.json` and `stop` to it, `state.json` from it."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

LOG = "log.txt"
SCRATCH = "scratch"
"""The child's HOME and TMPDIR within its run directory; gone when it has ended."""
TEMP = "temp"
"""The job's TempDir within the run directory."""
STOP_FILE = "stop"
"""A file of this name in the run directory asks the child to stop."""
CONNECTIONS = "DATAMORPH_CONNECTIONS"
"""Variable of the child's environment: JSON object of connection name to PostgreSQL URL."""
SECRETS = "DATAMORPH_SECRETS"
"""Variable of the child's environment: JSON list of the passwords to mask in errors; the script does not see it."""
JVM_EXIT_SECONDS = 10.0
"""Seconds that a JVM may take to end after its connection broke."""
OUT_OF_MEMORY_EXIT = 52
"""org.apache.spark.util.SparkExitCode.OOM: an executor thread ran out of memory and Spark ended the JVM."""
_BROKEN_CONNECTION = re.compile(
    r"\b(Py4JNetworkError|ConnectionRefusedError|ConnectionResetError|Py4JError: An error occurred while calling"
    r"|Py4JError: \S+ does not exist in the JVM|SparkContext was shut down)\b"
)
LOST = "the process ended without a result (killed?)"


@dataclass(frozen=True)
class ChildLaunch:
    """The script that a child runs, and its limits."""

    script: str
    """Path of the script."""
    arguments: tuple[str, ...]
    timeout_seconds: float
    memory: str | None
    """Heap of the JVM that the child starts, as `2g`; None: it attaches to the JVM that its environment names."""
    lock_fd: int | None = None
    """An inherited file descriptor that must stay open as long as the child lives."""


@dataclass(frozen=True)
class Outcome:
    """State of a child; terminal once `finished` is set."""

    state: str
    started: float
    finished: float | None = None
    error: str = ""
    """In Glue's words."""
    exception: str = ""
    """The exception's class name."""
    message: str = ""
    """The exception's own text."""
    line: int | None = None
    """The failing line of the script."""


def jvm_seems_gone(exception: str, message: str) -> bool:
    """True for a failure that is, or stems from, a broken connection to the script's JVM."""
    return _BROKEN_CONNECTION.search(f"{exception}: {message}") is not None


def write_launch(run_dir: Path, launch: ChildLaunch) -> None:
    """Store the child's launch."""
    _write(run_dir / "launch.json", asdict(launch))


def read_launch(run_dir: Path) -> ChildLaunch:
    """Read the child's launch."""
    stored = json.loads((run_dir / "launch.json").read_text(encoding="utf-8"))
    return ChildLaunch(**stored | {"arguments": tuple(stored["arguments"])})


def write_outcome(run_dir: Path, outcome: Outcome) -> None:
    """Store the child's state; a reader sees the old or the new one, never half of it."""
    _write(run_dir / "state.json", asdict(outcome))


def read_outcome(run_dir: Path) -> Outcome | None:
    """Read the child's state; None before it stored one, and for a file that a loss of power left empty."""
    try:
        return Outcome(**json.loads((run_dir / "state.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def spawn(run_dir: Path, environment: Mapping[str, str], inherited: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: it outlives this process, and a Ctrl-C here does not reach it.

    The child keeps the file descriptors `inherited` open as long as it lives.
    """
    with (run_dir / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tools.spark.child", str(run_dir)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=run_dir / SCRATCH,
            env=dict(environment),
            pass_fds=inherited,
            start_new_session=True,
        )


def _write(path: Path, content: Mapping[str, object]) -> None:
    """Replace a file as a whole; several processes may write it at once, each by way of a file of its own."""
    temporary = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)
