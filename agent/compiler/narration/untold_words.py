"""Looks for the telling words of a description that no field carries."""

from __future__ import annotations

from collections.abc import Iterator

from agent.compiler.narration.evidence import Evidence
from agent.compiler.narration.telling import Telling
from agent.compiler.narration.telling_words import TELLING
from agent.compiler.narration.word_tokens import LETTERS, WordToken, stem, word_set


def _by_first_word() -> dict[str, list[tuple[tuple[str, ...], Telling]]]:
    """The phrases by their first word, the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], Telling]]] = {}
    for telling in TELLING:
        for phrase in telling.phrases:
            words = tuple(phrase.split())
            found.setdefault(words[0], []).append((words, telling))
    for phrases in found.values():
        phrases.sort(key=lambda one: -len(one[0]))
    return found


_PHRASES = _by_first_word()
_ORDERING = word_set(
    "sort sorts sorted sorting order ordered ordering orders descending ascending rank ranks ranked ranking "
    "position number numbered"
)
"""Words of a text that tells an order, not which rows stay."""
_EXCLUDES = word_set("exclude excludes excluding excluded except")
_PICKING = frozenset(("limit", "dedup", "rank_filter"))
_BEHIND = 3
"""Words behind a phrase that may name what it is about."""


def untold(tokens: list[WordToken], evidence: Evidence, step: str, taken: set[int]) -> Iterator[tuple[int, str]]:
    """The telling words that nothing carries, each with its position. Those in `taken` were read in another way."""
    ordering = step in ("sort", "window", "rank") or any(token.text in _ORDERING for token in tokens)
    ordering = ordering or "at the top" in " ".join(token.text for token in tokens)
    position = 0
    while position < len(tokens):
        match = _match(tokens, position, step)
        if match is None:
            position += 1
            continue
        words, telling = match
        span = range(position, position + len(words))
        carried = (
            _carried(words, telling, evidence, ordering)
            or _leads(words, position, step, evidence)
            or (telling.named and _is_named(tokens, span, evidence))
        )
        if taken.isdisjoint(span) and not carried:
            yield position, " ".join(tokens[one].written for one in span)
        position += len(words)


def _leads(words: tuple[str, ...], position: int, step: str, evidence: Evidence) -> bool:
    """True for the exclusion that a filter step begins with: the filter that carries the step keeps the other rows."""
    return step == "filter" and position == 0 and words[0] in _EXCLUDES and "filter" in evidence.facts


def _is_named(tokens: list[WordToken], span: range, evidence: Evidence) -> bool:
    """True when a name holds a word of the phrase, or a filter or a group compares what stands behind it."""
    if any(tokens[one].text in evidence.words for one in span[1:]):
        return True
    compared = {stem(word) for name in evidence.filtered | evidence.group_by for word in name.split("_")}
    behind = tokens[span.stop : span.stop + _BEHIND]
    return not compared.isdisjoint(stem(token.text) for token in behind if token.kind == "word")


def _match(tokens: list[WordToken], position: int, step: str) -> tuple[tuple[str, ...], Telling] | None:
    """The longest phrase that begins at a position, unless the words beside it give it another sense."""
    for words, telling in _PHRASES.get(tokens[position].text, ()):
        end = position + len(words)
        if tuple(token.text for token in tokens[position:end]) != words or tokens[position].kind != "word":
            continue
        if telling.steps and step not in telling.steps:
            continue
        after = tokens[end].text if end < len(tokens) else ""
        before = tokens[position - 1].text if position else ""
        if words == ("first",) and "quarter" in "".join(token.text for token in tokens[end : end + 4]):
            return words, _HARMLESS
        if after in telling.not_before or before in telling.not_after or _is_of_letters(words, tokens, end):
            return words, _HARMLESS
        return words, telling
    return None


def _is_of_letters(words: tuple[str, ...], tokens: list[WordToken], end: int) -> bool:
    """True for `first 3 characters`, whose number is looked at."""
    return words in (("first",), ("last",)) and not LETTERS.isdisjoint(token.text for token in tokens[end : end + 3])


_HARMLESS = Telling((), frozenset())


def _carried(words: tuple[str, ...], telling: Telling, evidence: Evidence, ordering: bool) -> bool:
    if not telling.facts:
        return True
    if telling.direction:
        return _picks(telling, evidence, ordering)
    return evidence.any_of(telling.facts) or (len(words) == 1 and words[0] in evidence.words)


def _picks(telling: Telling, evidence: Evidence, ordering: bool) -> bool:
    """True when rows are picked in the direction that the word tells, or when the text tells no more than an order."""
    if evidence.any_of(telling.facts - _PICKING):
        return True
    directed = telling.direction == "any" or telling.direction in evidence.facts or "order" not in evidence.facts
    picked = evidence.any_of(telling.facts & _PICKING) or (ordering and evidence.any_of(("order", "window")))
    return directed and picked
