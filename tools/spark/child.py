"""The process in which a script runs: `python -m tools.spark.child RUN_DIR`.

It attaches to the JVM that its environment names or starts one, puts the stand-in for `awsglue` first on the path,
runs the script as `__main__` and records how it ended.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError

from agent.errors import UnavailableError
from agent.redaction import mask_secrets
from tools.spark.jvm import SparkJvm
from tools.spark.run_files import (
    JVM_EXIT_SECONDS,
    LOG,
    OUT_OF_MEMORY_EXIT,
    SCRATCH,
    SECRETS,
    ChildLaunch,
    jvm_seems_gone,
    read_launch,
)
from tools.spark.watchdog import Watchdog, limit_resources

_STAND_IN = Path(__file__).parent / "standin"
_MESSAGE_LINES = 30
_MESSAGE_CHARACTERS = 4000
_FRAME = re.compile(r"^\s+(at \S+\(|\.\.\. \d+ more)")
"""A line of Java's stack trace."""


@dataclass(frozen=True)
class Failure:
    """The exception that ended a script."""

    exception: str
    message: str
    line: int | None
    """The innermost line of the script that was being executed, 1-based."""

    @property
    def glue_error(self) -> str:
        """The failure in the form of GetJobRun's ErrorMessage."""
        where = f"Failed Line Number: {self.line}; " if self.line else ""
        return f"Error Category: UNCLASSIFIED_ERROR; {where}{self.exception}: {self.message}"


def main(run_dir: Path) -> None:
    """Run the script that `launch.json` names; ends the process."""
    launch = read_launch(run_dir)
    if launch.lock_fd is not None:
        os.set_inheritable(launch.lock_fd, False)
        # For whoever looks for the process; no code relies on it.
        os.pwrite(launch.lock_fd, str(os.getpid()).encode(), 0)
    jvm = SparkJvm(run_dir / SCRATCH, launch.memory, log=run_dir / LOG) if launch.memory else None
    watchdog = Watchdog(run_dir, launch, jvm)
    try:
        if jvm is not None:
            jvm.start()  # before Python's own imports: the two take a second each
        limit_resources()
        watchdog.watch()
        attach(jvm)
    except (UnavailableError, Py4JError, OSError) as error:
        watchdog.end("FAILED", f"LAUNCH ERROR | {error}")
    watchdog.running()
    failed = run(launch)
    if failed is None:
        watchdog.end("SUCCEEDED")
    else:
        error_text = failed.glue_error + _cause_of_death(failed, jvm)
        watchdog.end("FAILED", error_text, failed.exception, failed.message, failed.line)


def attach(jvm: SparkJvm | None) -> None:
    """Make PySpark use the JVM; in a warm one, the context that runs there, with a session of the script's own.

    A context takes a third of a second to start and to stop, as much as a script on sample rows takes.
    """
    if jvm is not None:
        os.environ.update(jvm.environment())
        return
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    SparkContext._ensure_initialized()
    java = SparkContext._jvm
    assert java is not None
    contexts = getattr(getattr(java.org.apache.spark, "SparkContext$"), "MODULE$")
    running = java.JavaSparkContext.fromSparkContext(contexts.getOrCreate())
    running.cancelAllJobs()  # of a script that was killed
    SparkContext(gateway=SparkContext._gateway, jsc=running, conf=SparkConf(_jconf=running.getConf()))
    session = SparkSession.builder.getOrCreate().newSession()
    SparkSession._instantiatedSession = session
    java.SparkSession.setDefaultSession(session._jsparkSession)
    java.SparkSession.setActiveSession(session._jsparkSession)
    session.catalog.clearCache()


def run(launch: ChildLaunch) -> Failure | None:
    """Run the script as Glue would; None when it ran through."""
    secrets: list[str] = json.loads(os.environ.pop(SECRETS, "[]"))
    sys.path.insert(0, str(_STAND_IN))
    sys.argv = [launch.script, *launch.arguments]
    try:
        runpy.run_path(launch.script, run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            return failure(error, launch.script, secrets)
    except BaseException as error:  # the door: whatever a script raises is its result
        traceback.print_exc()
        return failure(error, launch.script, secrets)
    return None


def failure(error: BaseException, script: str, secrets: Sequence[str] = ()) -> Failure:
    """The failure for a script's exception; its message is without Java's stack frames and `secrets`."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == script else None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == script:
            line = number
    # Secrets are removed before the text is cut: half a secret would not be found.
    lines = [text for text in mask_secrets(str(error), secrets).splitlines() if not _FRAME.match(text)]
    message = "\n".join(lines[:_MESSAGE_LINES])[:_MESSAGE_CHARACTERS]
    return Failure(type(error).__name__, message, line)


def _cause_of_death(failed: Failure, jvm: SparkJvm | None) -> str:
    """The words to add to an error when the JVM is gone: the script itself saw only a broken connection."""
    gone = jvm_seems_gone(failed.exception, failed.message)
    code = jvm.exit_code(JVM_EXIT_SECONDS if gone else 0) if jvm is not None else None
    if code is None:
        return ""
    cause = "java.lang.OutOfMemoryError: Java heap space; " if code == OUT_OF_MEMORY_EXIT else ""
    return f"\n{cause}the Spark JVM ended with exit code {code}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
