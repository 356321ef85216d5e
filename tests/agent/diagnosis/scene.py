"""Messages of Spark, PostgreSQL and Glue, with the class that each one is of."""

from __future__ import annotations

from pathlib import Path

MESSAGES = Path(__file__).parents[2] / "data" / "error_messages.txt"


AT_TRANSFORM = 'JobPhaseError: [datamorph phase="transform" line=57] '


def table() -> list[tuple[str, str, str, str]]:
    """Class, version, subject and message of every entry of the data file."""
    rows = []
    for entry in MESSAGES.read_text(encoding="utf-8").split("\n### ")[1:]:
        head, _, message = entry.partition("\n")
        failure_class, version, subject = (word.strip() for word in head.split("|"))
        rows.append((failure_class, version, subject, message.rstrip("\n")))
    return rows
