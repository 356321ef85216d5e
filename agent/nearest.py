"""Suggestions for mistyped names: the nearest known name, and the words that suggest it in a message."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LISTED = 12
"""Limit of known names in a message."""


def nearest(name: object, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The most similar known name, whatever its case; None when none is similar, or when `name` is no text.

    Of known names that differ only in case the first counts.
    `cutoff` is difflib's similarity, from 0 (every name is similar) to 1 (only the name itself is).
    """
    folded = {candidate.casefold(): candidate for candidate in reversed(_ordered(known))}
    near = difflib.get_close_matches(name.casefold(), list(folded), 1, cutoff) if isinstance(name, str) else []
    return folded[near[0]] if near else None


def did_you_mean(name: object, known: Collection[str], listed: bool = False) -> str:
    """The end of a message about an unknown name: `; did you mean 'x'?`.

    Where no name is similar, it is `; known are x, y` when `listed`, and empty otherwise.
    """
    near = nearest(name, known)
    if near:
        return f"; did you mean {near!r}?"
    if not listed:
        return ""
    names = _ordered(known)
    more = ", ..." if len(names) > _LISTED else ""
    return f"; known are {', '.join(names[:_LISTED])}{more}" if names else "; no name is known here"


def _ordered(known: Collection[str]) -> list[str]:
    """The names in their own order, each once; a set has none, and is sorted."""
    return sorted(known) if isinstance(known, frozenset | set) else list(dict.fromkeys(known))
