"""The watchdog of a child process: it ends the process at its time-out or on request, and records how it ended."""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from tools.spark.environment import python_bytes
from tools.spark.jvm import SparkJvm
from tools.spark.run_files import SCRATCH, STOP_FILE, ChildLaunch, Outcome, write_outcome

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 15.0
"""Time after the time-out, or after a request to stop, until the kernel ends the process."""
_SILENCE_SECONDS = 60.0
"""Time after the watchdog's last look until the kernel ends the process; a cancel waits for twice as long."""


class Watchdog:
    """Ends the process once, with a recorded state, whichever comes first: script, time-out or stop.

    To be made in the main thread: the time counts from then on.
    """

    def __init__(self, run_dir: Path, launch: ChildLaunch, jvm: SparkJvm | None) -> None:
        self._run_dir = run_dir
        self._launch = launch
        self._jvm = jvm
        self._started = time.time()
        self._deadline = time.monotonic() + launch.timeout_seconds
        self._last_word = threading.Lock()
        # A call into C that keeps the GIL, as a hopeless regex does, stops every thread of Python, but not the kernel:
        # its timer is a dead man's switch, which the watchdog sets anew at each look.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, launch.timeout_seconds + _GRACE_SECONDS)

    def watch(self) -> None:
        """Begin to watch; to be called from the main thread."""
        signals, wake = os.pipe()
        os.set_blocking(wake, False)
        # A Python handler waits for the main thread, which may be in a long C call; the byte in the pipe does not.
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        signal.set_wakeup_fd(wake)
        write_outcome(self._run_dir, Outcome("STARTING", self._started))
        threading.Thread(target=self._watch, args=(signals,), daemon=True, name="watchdog").start()

    def running(self) -> None:
        """Record that the script has begun."""
        with self._last_word:
            write_outcome(self._run_dir, Outcome("RUNNING", self._started))

    def end(self, state: str, error: str = "", exception: str = "", message: str = "", line: int | None = None) -> None:
        """Record the terminal state and end this process with its JVM; does not return."""
        self._last_word.acquire()  # never released: there is only one last word
        code = 1
        try:
            sys.stdout.flush()
            sys.stderr.flush()
            # PySpark's own threads complain of a broken connection when the JVM goes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if self._jvm is not None:
                self._jvm.stop()
            shutil.rmtree(self._run_dir / SCRATCH, ignore_errors=True)
            finished = time.time()
            write_outcome(self._run_dir, Outcome(state, self._started, finished, error, exception, message, line))
            code = 0
        finally:
            os._exit(code)  # also when the run's directory is gone

    def _watch(self, signals: int) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            signal.setitimer(signal.ITIMER_REAL, min(left + _GRACE_SECONDS, _SILENCE_SECONDS))
            readable, _, _ = select.select([signals], [], [], min(left, _POLL_SECONDS))
            if readable or (self._run_dir / STOP_FILE).exists():
                signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)
                self.end("STOPPED")
        self.end("TIMEOUT", f"Job run exceeded its timeout of {self._launch.timeout_seconds:g} seconds")


def limit_resources() -> None:
    """Forbid core dumps and bound the memory of Python itself; the JVM has a limit of its own."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = python_bytes() if hard == resource.RLIM_INFINITY else min(hard, python_bytes())
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
