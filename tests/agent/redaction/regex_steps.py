"""Counts the steps that a regular expression can take, from its parse tree alone.

At a place of the text an expression either gives up within a number of steps that does not depend on the text, or it
matches, and each further step takes it on by a character that no later match looks at again. Then a whole search is
linear. An expression that cannot be shown to be so is a NotLinearError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any


class NotLinearError(Exception):
    """The expression may look at one character again and again."""


@dataclass(frozen=True)
class Steps:
    """Steps of one part of an expression."""

    ways: int
    """In how many ways it can match at one place: so often may what follows be tried."""
    steps: int
    """At one place, before it has failed or has begun on a repeat without an upper bound."""
    each: int = 0
    """For each character of such a repeat."""


def steps_of(regex: re.Pattern[str]) -> Steps:
    """How many steps a search takes at most at each place of a text. Raises NotLinearError."""
    return _Count().sequence(_parser.parse(regex.pattern, regex.flags), last=True)


class _Count:
    def __init__(self) -> None:
        self._widths: dict[int, int] = {}

    def sequence(self, parts: Any, last: bool) -> Steps:
        """One part after the other; `last`: nothing that can fail comes behind."""
        found = [self._part(part, last and all(map(_never_fails, parts[n + 1 :]))) for n, part in enumerate(parts)]
        ways = [one.ways for one in found]
        steps = sum(prod(ways[:n]) * one.steps for n, one in enumerate(found))
        return Steps(prod(ways), steps, _most(one.each for one in found))

    def _part(self, part: tuple[Any, Any], last: bool) -> Steps:
        kind, held = part
        if kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN, op.AT):
            return Steps(1, 1)
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return self._repeat(kind, held, last)
        if kind is op.BRANCH:
            found = [self.sequence(branch, last) for branch in held[1]]
            ways, steps = sum(one.ways for one in found), sum(one.steps for one in found)
            return Steps(ways, steps, _most(one.each for one in found))
        if kind is op.SUBPATTERN:
            self._widths[held[0]] = held[3].getwidth()[1]
            return self.sequence(held[3], last)
        if kind is op.ATOMIC_GROUP:
            inner = self.sequence(held, last)
            return Steps(1, inner.steps, inner.each)
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return Steps(1, self.sequence(held[1], last=False).steps)
        if kind is op.GROUPREF:
            return Steps(1, self._widths[held])
        raise NotLinearError(f"{kind} is not known here")

    def _repeat(self, kind: Any, held: tuple[int, int, Any], last: bool) -> Steps:
        least, most, inner = held
        one = self.sequence(inner, last=False)
        if most == op.MAXREPEAT:
            if kind is not op.POSSESSIVE_REPEAT or not last:
                raise NotLinearError(f"{inner} repeats without an end and may be gone back into")
            if inner.getwidth()[0] == 0:
                raise NotLinearError(f"{inner} may repeat without a character")
            return Steps(1, (least + 1) * one.steps, one.steps)
        if kind is op.POSSESSIVE_REPEAT:
            return Steps(1, most * one.steps)
        ways = sum(one.ways**times for times in range(least, most + 1))
        return Steps(ways, one.steps * (most if one.ways == 1 else ways))


def _never_fails(part: tuple[Any, Any]) -> bool:
    kind, held = part
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return bool(held[0] == 0)
    inner: Sequence[tuple[Any, Any]] = held[3] if kind is op.SUBPATTERN else held if kind is op.ATOMIC_GROUP else ()
    return bool(inner) and all(map(_never_fails, inner))


def _most(figures: Iterable[int]) -> int:
    return max(figures, default=0)
