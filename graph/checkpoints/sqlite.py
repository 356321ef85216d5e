"""Checkpoints on SQLite, data only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

from graph.checkpoints.strict import require_strict


@contextmanager
def sqlite_checkpoints(path: Path) -> Iterator[SqliteSaver]:
    """The saver of one file. Raises RuntimeError unless checkpoints are data only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        require_strict(saver.serde)
        yield saver
