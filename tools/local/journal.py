"""Journal entries, one JSON line a step, in a file of this machine or in the process's log."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

_log = logging.getLogger("datamorph.journal")


def journal_entry(run_id: str, kind: str, title: str, description: str, metadata: Mapping[str, object]) -> str:
    """A step as JSON, in the Logger Lambda's format; values without a JSON type become text.

    `kind` is start, status, code, info, warning, result, error, success or end.
    """
    entry = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "type": kind,
        "title": title,
        "description": description,
        "metadata": metadata,
    }
    return json.dumps({"run_id": run_id, "log_entry": entry}, ensure_ascii=False, default=str)


class JsonlJournal:
    """A Journal that appends to `{folder}/{run_id}.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Append one entry; a disk that refuses is logged and does not fail the run."""
        line = journal_entry(run_id, kind, title, description, metadata)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{run_id}.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            _log.warning("journal.write_failed", extra={"run_id": run_id}, exc_info=True)


class LogJournal:
    """A Journal in the process's own log, for where no Logger Lambda is configured."""

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Log one entry."""
        entry = json.loads(journal_entry(run_id, kind, title, description, metadata))
        _log.info("journal.entry", extra=entry)
