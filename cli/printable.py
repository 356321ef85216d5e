"""Texts from a database, an event or a model as a terminal may show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "·" for c in text)
