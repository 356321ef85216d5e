"""Suggestions for mistyped names: the known name that means the same, and the words that suggest it in a message.

A name is suggested for a slip of the pen (`lefft`, `custmer_id`), for another spelling (`groupBy` for `group_by`) and
for a synonym (`mean` for `avg`). Two real words, as `median` and `min`, are never taken for each other.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from agent.real_words import OF_THE_FIELD, REAL_WORDS, SYNONYMS

_LISTED = 12
"""Limit of known names in a message."""


class _Name(NamedTuple):
    """A name, taken apart."""

    fold: str
    squashed: str
    """Without case, separators and a plural's end."""
    parts: tuple[str, ...]
    digits: tuple[str, ...]


def nearest(name: object, known: Collection[str]) -> str | None:
    """The known name that was probably meant; None when there is none, or when `name` is no text.

    Of several the most similar one counts, then the first.
    """
    if not isinstance(name, str) or not name.strip():
        return None
    written, names = _taken_apart(name), _ordered(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    for synonym in SYNONYMS.get(written.fold, ()):
        if synonym in folded:
            return folded[synonym]
    slips = [(slip, candidate) for candidate in names if (slip := _slip(written, _taken_apart(candidate))) is not None]
    if slips:
        return min(slips, key=lambda found: found[0])[1]
    holding = [candidate for candidate in names if set(written.parts) < set(_taken_apart(candidate).parts)]
    # `amount` is `order_amount` where no other name speaks of an amount.
    return holding[0] if len(holding) == 1 and written.fold not in OF_THE_FIELD else None


def most_similar(name: str, known: Collection[str]) -> str | None:
    """The known name with the most letters in common, however few; None when no name is known."""
    folded = {candidate.casefold(): candidate for candidate in reversed(_ordered(known))}
    near = difflib.get_close_matches(name.casefold(), list(folded), 1, cutoff=0.0)
    return folded[near[0]] if near else None


def did_you_mean(name: object, known: Collection[str], listed: bool = False) -> str:
    """The end of a message about an unknown name: `; did you mean 'x'?`.

    Where no name is near, it is `; known are x, y` when `listed`, and empty otherwise.
    """
    near = nearest(name, known)
    if near:
        return f"; did you mean {near!r}?"
    if not listed:
        return ""
    names = _ordered(known)
    more = ", ..." if len(names) > _LISTED else ""
    return f"; known are {', '.join(names[:_LISTED])}{more}" if names else "; no name is known here"


def _ordered(known: Iterable[str]) -> list[str]:
    """The names in their own order, each once; a set has none, and is sorted."""
    return sorted(known) if isinstance(known, frozenset | set) else list(dict.fromkeys(known))


@lru_cache(maxsize=8192)
def _taken_apart(name: str) -> _Name:
    fold = name.casefold().strip()
    parts = tuple(part for part in re.split(r"[\W_]+", fold) if part)
    squashed = "".join(parts)
    return _Name(fold, _singular(squashed), parts, tuple(re.findall(r"\d+", fold)))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _slip(written: _Name, candidate: _Name) -> int | None:
    """The number of slips that make the one name of the other; None where they are different names."""
    if written.squashed == candidate.squashed:
        return 0
    if written.digits != candidate.digits or len(written.parts) != len(candidate.parts):
        return None
    total = 0
    for one, other in zip(written.parts, candidate.parts, strict=True):
        slips = 0 if one == other else _slips(one, other)
        if slips is None:
            return None
        total += slips
    return total


def _slips(one: str, other: str) -> int | None:
    """The number of slips between two words; None for two real words, and where the slips are too many."""
    if one in REAL_WORDS and other in REAL_WORDS:
        return None
    one, other = _singular(one), _singular(other)
    most = 1 if min(len(one), len(other)) < 5 else 2 if min(len(one), len(other)) < 9 else 3
    if max(len(one), len(other)) < 3 or abs(len(one) - len(other)) > most or len(set(one) ^ set(other)) > 2 * most:
        return None
    # Another first letter makes another word, as in `paid` and `unpaid`; `ustomer` only lost its own.
    if one[0] != other[0] and one[1:] != other and one != other[1:] and one[:2] != other[1::-1]:
        return None
    slips = _distance(one, other)
    return slips if slips <= most else None


def _distance(one: str, other: str) -> int:
    """Edits that make the one word of the other: a letter more, less or another, or two letters swapped."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
