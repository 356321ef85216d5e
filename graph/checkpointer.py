"""Checkpoints on SQLite, with strict deserialisation."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver


@contextmanager
def sqlite_checkpoints(path: Path) -> Iterator[SqliteSaver]:
    """The saver of one file. Raises RuntimeError unless checkpoints are data only.

    With LangGraph's default a forged checkpoint row runs code when it is loaded; the variable is read at the first
    import of langgraph, so the door sets it before.
    """
    if os.environ.get("LANGGRAPH_STRICT_MSGPACK", "").lower() not in ("1", "true"):
        raise RuntimeError("LANGGRAPH_STRICT_MSGPACK=true must be set before langgraph is imported")
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, check_same_thread=False)) as connection:
        yield SqliteSaver(connection)
