"""Work in a forked child of this warm process, which may kill itself as `kill -9` would."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SECONDS = 60.0
_RAISED = 70


def die() -> None:
    """End this process at once, as `kill -9` does: nothing is flushed, released or told."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], Any], log: Path) -> Any:
    """The work's result, through JSON; None when it killed itself. Its output goes to the end of `log`.

    The parent must hold no lock, and no connection that the work would use. Raises AssertionError for work that raises
    an error, ends otherwise, or does not end within a minute.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, log)
    os.close(writing)
    try:
        told = _read(reading, child)
    finally:
        os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGKILL and not told:
        return None
    assert status == 0, f"the child ended with {status}: {told.decode() or log.read_text()[-2000:]}"
    return json.loads(told)


def _work(work: Callable[[], Any], writing: int, log: Path) -> None:
    """Work, tell, and end without what this process would do at its end."""
    status = _RAISED
    try:
        to = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(to, 1)
        os.dup2(to, 2)
        sys.stdout = sys.stderr = os.fdopen(to, "w", buffering=1)
        told, status = json.dumps(work()).encode(), 0
    except BaseException:  # nothing of the child's may go on in the parent's code
        told = traceback.format_exc().encode()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(told)
    os._exit(status)


def _read(reading: int, child: int) -> bytes:
    """All that the child tells, until it has ended."""
    told, until = b"", time.monotonic() + _SECONDS
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the child did not end within {_SECONDS:.0f} s")
        if not (part := os.read(reading, 65536)):
            return told
        told += part
