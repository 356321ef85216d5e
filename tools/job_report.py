"""The report that a script writes about itself, as both engines find it."""

from __future__ import annotations

import json

from tools.records import JobReport


def parse_report(text: str) -> JobReport | None:
    """Read the report's JSON; None for an empty text. Raises ValueError for anything else."""
    if not text.strip():
        return None
    stored = json.loads(text)
    notes = tuple(stored.get("notes", ()))
    return JobReport(stored["rows"], tuple(stored["columns"]), stored["job_run_id"], notes)
