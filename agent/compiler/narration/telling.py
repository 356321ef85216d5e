"""Telling: words of one meaning, with the evidence that carries them and the words that give them another sense."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.narration.word_tokens import word_set


@dataclass(frozen=True)
class Telling:
    """Words of one meaning."""

    phrases: tuple[str, ...]
    facts: frozenset[str]
    """The words are carried where one of these facts holds."""
    not_before: frozenset[str] = frozenset()
    """Words after which nothing is told, as `name` after `first`."""
    not_after: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    """The kinds of steps that they count in; all texts where it is empty."""
    direction: str = ""
    """The direction of an order that picks such rows."""
    named: bool = False
    """The words are also carried by a name that holds one of them, or the word behind them."""


def telling(
    phrases: str,
    facts: str,
    not_before: str = "",
    not_after: str = "",
    steps: str = "",
    direction: str = "",
    named: bool = False,
) -> Telling:
    """Build a line of a table: phrases are divided by `|`, facts and words by spaces."""
    return Telling(
        tuple(phrases.split("|")),
        word_set(facts),
        word_set(not_before),
        word_set(not_after),
        word_set(steps),
        direction,
        named,
    )
