"""The journal on this machine: one JSON line a step."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

_log = logging.getLogger("datamorph.journal")


class JsonlJournal:
    """A Journal that appends to `{folder}/{run_id}.jsonl`, in the Logger Lambda's format."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Append one entry; a disk that refuses is logged and does not fail the run."""
        entry = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "type": kind,
            "title": title,
            "description": description,
            "metadata": metadata,
        }
        line = json.dumps({"run_id": run_id, "log_entry": entry}, ensure_ascii=False, default=str)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{run_id}.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            _log.warning("journal.write_failed", extra={"run_id": run_id}, exc_info=True)
