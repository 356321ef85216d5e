"""The process that holds a run's lock: what a process id in a file means is shown before anything is done to it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path


def kill_holder(pid: int, lock: Path, descriptor: int) -> None:
    """Kill the process that has the lock's file open under this descriptor; any other one is left alone.

    The id may be of another container that shares the folder. Where nothing can be shown (no Linux, no /proc of this
    process's own namespace, another user's process) nothing is killed.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        if str(Path("/proc/self").readlink()) != str(os.getpid()):
            return
        process = os.pidfd_open(pid)  # it stays this process's, should the id be given to another one
        try:
            if lock.samefile(f"/proc/{pid}/fd/{descriptor}"):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)
