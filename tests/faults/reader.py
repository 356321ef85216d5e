"""Somebody who reads the target all the time, on a connection of their own."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import psycopg

from tests.faults.publish_scene import STATE, told

PACE_SECONDS = 1 / 50
LEAST_A_SECOND = 20


class Reader:
    """Reads the target 50 times a second while the context lasts; a read that has to wait for a lock is an error."""

    def __init__(self, url: str) -> None:
        self.seen: list[str] = []
        """The states in the order in which they were seen, without repetitions."""
        self.reads = 0
        self.seconds = 0.0
        """From the first read to the last."""
        self.error: psycopg.Error | None = None
        self._url = url
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader")

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    @property
    def steady(self) -> bool:
        """Whether there was no error, and on average at least 20 reads a second, on a machine with other work too."""
        return self.error is None and self.reads >= LEAST_A_SECOND * self.seconds > 0

    def _run(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, options="-c lock_timeout=1000") as connection:
                due = began = time.monotonic()
                while not self._done.wait(max(0.0, due - time.monotonic())):
                    due = max(due + PACE_SECONDS, time.monotonic())
                    self._read(connection)
                    self.seconds = time.monotonic() - began
        except psycopg.Error as error:
            self.error = error

    def _read(self, connection: psycopg.Connection[tuple[str, int]]) -> None:
        row = connection.execute(STATE).fetchone()
        state = told(*row) if row else "nothing"
        self.reads += 1
        if not self.seen or self.seen[-1] != state:
            self.seen.append(state)
