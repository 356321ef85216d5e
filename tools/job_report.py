"""The report that a script writes about itself, for both engines."""

from __future__ import annotations

import json

from tools.records import JobReport


def parse_report(text: str) -> JobReport | None:
    """The report in a JSON text; None for an empty text. Raises ValueError for any other text."""
    if not text.strip():
        return None
    stored = json.loads(text)
    notes = tuple(stored.get("notes", ()))
    return JobReport(stored["rows"], tuple(stored["columns"]), stored["job_run_id"], notes)
