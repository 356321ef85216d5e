"""Notes: assumptions that a reading makes, and words that it could not take in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One assumption: how a part of the specification was read."""

    path: str
    """The part, as `specs.filters[0].value`."""
    message: str
    other: str = ""
    """Another reading that an engineer might have meant; empty when there is none."""


@dataclass(frozen=True)
class Unread:
    """Words that could change rows and that no structured field carries."""

    path: str
    words: str
    field: str = ""
    """The field that says something else, and its content; empty when no field tells of it."""


class Notes:
    """Collects notes; a repetition counts once."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def add(self, path: str, message: str, other: str = "") -> None:
        """Add a note."""
        self._found[Note(path, message, other)] = None

    def found(self) -> tuple[Note, ...]:
        """The notes in the order in which they were added."""
        return tuple(self._found)
