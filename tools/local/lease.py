"""Lease on this machine: one worker per run, by a file lock that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import ConflictError


class FileLease:
    """A Lease on lock files in one folder.

    A living holder cannot lose its lock, however long it sleeps, so the context gives no fencing token.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> int:
        """Do nothing: the kernel has released the locks of dead holders, and their empty files are reused."""
        return 0

    @contextmanager
    def hold(self, run_id: str) -> Iterator[None]:
        """Hold the run. Raises ConflictError when another process holds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / f"{run_id}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            message = f"run {run_id} is being worked on by another process; see `datamorph status {run_id}`"
            raise ConflictError(run_id, message) from None
        try:
            yield
        finally:
            os.close(descriptor)
