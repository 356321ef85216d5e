"""Claims of steps: which elements the entries of `transformations` that hold words alone narrate."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.compiler.narration.carried import evidence_of_one
from agent.compiler.narration.word_tokens import stem, word_set
from agent.elements import Entries, StepEntry

KINDS: dict[str, tuple[str, ...]] = {
    "filter": ("filters",), "having": ("filters",), "where": ("filters",),
    "join": ("joins",), "lookup": ("joins",), "merge": ("joins", "unions"),
    "aggregate": ("aggregations",), "aggregation": ("aggregations",), "group": ("aggregations",),
    "group_by": ("aggregations",), "summarize": ("aggregations",), "pivot": ("aggregations",),
    "derive": ("derived", "windows", "aggregations"), "cast": ("derived", "windows", "aggregations"),
    "fill": ("derived", "windows", "aggregations"), "window": ("windows", "ranked"), "rank": ("windows", "ranked"),
    "limit": ("limit",), "top_n": ("limit",), "rename": ("rename", "select", "derived"),
    "union": ("unions",), "distinct": ("distinct", "deduplications"),
    "deduplicate": ("deduplications", "distinct", "ranked", "windows"),
    "select": ("select", "aggregations", "derived"), "project": ("select", "aggregations", "derived"),
}  # fmt: skip
"""The lists of elements that carry a step of a type."""
_SORTS = frozenset(("sort", "order", "order_by", "orderby"))
_GENERAL = word_set("null true false and not count with from that have date each")
_ANY = ("any",)
_ALL = (
    "joins", "filters", "aggregations", "derived", "windows", "unions", "deduplications", "limit", "select", "rename",
)  # fmt: skip
_TYPE_NAMES = re.compile(
    r"\b(cast|types?|integers?|ints?|bigint|decimals?|numeric|dates?|text|strings?|timestamps?|booleans?)\b", re.I
)
_DELIVERY = re.compile(r"\b(write|writes|load|loads|save|store|insert|overwrite|publish|output|result)\b", re.I)
"""Words of a step that delivers the result."""


class _Free(NamedTuple):
    """An element that no step states, with the stems of its words and those of its values."""

    path: str
    words: set[str]
    values: set[str]


@dataclass
class StepClaims:
    """Steps of words alone, compared with the elements that are left for them."""

    alone: set[str] = field(default_factory=set)
    """Paths of the steps that no element carries."""
    guessed: dict[str, list[str]] = field(default_factory=dict)
    """By the path of a step that shares no word with an element: paths of the elements that are left for it."""


def step_claims(entries: Entries, unsaid: dict[str, list[str]], has_columns: bool) -> StepClaims:
    """Compare the steps of words alone with the elements. `unsaid` holds the unread words by path."""
    by_lists: dict[tuple[str, ...], list[StepEntry]] = defaultdict(list)
    for step in entries.steps:
        if not step.claims and _says_something(step) and not _is_delivered(step, has_columns):
            by_lists[KINDS.get(step.type, () if step.type in _SORTS else _ANY)].append(step)
    found = StepClaims()
    told: set[str] = set()
    for lists, steps in by_lists.items():
        if lists not in ((), _ANY):
            elements = _free(entries, lists)
            told |= {elements[place].path for step in steps for place in _near(step, elements)}
            _match(found, steps, elements, unsaid)
    if _ANY in by_lists:
        rest = [element for element in _free(entries, _ANY) if element.path not in told]
        found.alone |= {step.path for step in by_lists[_ANY] if not _near(step, rest)}
    return found


def _says_something(step: StepEntry) -> bool:
    return bool(step.description.strip()) or not step.details


def _is_delivered(step: StepEntry, has_columns: bool) -> bool:
    """True for a step that the target carries: its columns, their types, the write."""
    if step.type not in KINDS:
        return bool(_DELIVERY.search(step.description or step.type))
    if step.type == "cast":
        return has_columns and bool(_TYPE_NAMES.search(step.description))
    return has_columns and KINDS[step.type][0] == "select"


def _free(entries: Entries, lists: tuple[str, ...]) -> list[_Free]:
    """The elements of the lists that no step states."""
    claimed = {(claim.kind, claim.path) for step in entries.steps for claim in step.claims}
    kinds = [kind for kind in _ALL if lists == _ANY or kind in lists]
    found = [
        _free_element(path, element)
        for kind in kinds
        for path, element in getattr(entries, kind)
        if (kind, path) not in claimed
    ]
    if "aggregations" in kinds and any(one.group_by for _, one in entries.aggregations):
        found.append(_free_element("group_by", entries.aggregations[0].value.group_by))
    if "ranked" in lists:
        found += [
            _free_element(path, one) for path, one in entries.derived if re.search(r"\bover\b", one.expression, re.I)
        ]
    if entries.distinct and ("distinct" in lists or lists == _ANY):
        found.append(_Free("distinct", {"disti", "dupli", "uniqu"}, set()))
    return found


def _match(found: StepClaims, steps: list[StepEntry], elements: list[_Free], unsaid: dict[str, list[str]]) -> None:
    """Find the steps that get no element: each needs one, and one that no other step tells where none sounds like it.

    An element whose value one step tells is left to that step, whatever names another shares with it.
    """
    near = {step.path: _near(step, elements) for step in steps}
    valued = {step.path: _valued(step, elements) for step in steps}
    for step in steps:
        others = {place for path, places in valued.items() if path != step.path for place in places}
        near[step.path] -= others - valued[step.path]
    told = {place for places in near.values() for place in places}
    left = [element.path for place, element in enumerate(elements) if place not in told]
    strangers = [step for step in steps if not near[step.path]]
    alone = {step.path for step in _weakest(strangers, unsaid)[: max(0, len(strangers) - len(left))]}
    found.guessed |= {step.path: left for step in strangers if step.path not in alone}
    rest = [step for step in steps if step.path not in alone]
    surplus = max(0, len(rest) - len(elements))
    found.alone |= alone | {step.path for step in _weakest(rest, unsaid)[:surplus]}


def _weakest(steps: list[StepEntry], unsaid: dict[str, list[str]]) -> list[StepEntry]:
    """The steps, first those with words that nothing carries, then the last ones."""
    order = {step.path: -position for position, step in enumerate(steps)}
    return sorted(steps, key=lambda step: (not unsaid[step.path], order[step.path]))


def _near(step: StepEntry, elements: list[_Free]) -> set[int]:
    """Positions of the elements that share a word with a step."""
    words = _stems(re.findall(r"[^\W\d_]+|\d+", step.description.lower()))
    return {place for place, element in enumerate(elements) if words & element.words}


def _valued(step: StepEntry, elements: list[_Free]) -> set[int]:
    """Positions of the elements of which a step tells a value."""
    words = _stems(re.findall(r"[^\W\d_]+|\d+", step.description.lower()))
    return {place for place, element in enumerate(elements) if words & element.values}


def _free_element(path: str, element: object) -> _Free:
    if isinstance(element, tuple) and all(isinstance(one, str) for one in element):
        return _Free(path, _stems(word for one in element for word in re.findall(r"[^\W\d_]+", one.lower())), set())
    evidence = evidence_of_one(element)
    numbers = {str(number) for number in evidence.numbers} | {str(day.year) for day in evidence.dates}
    texts = {word for text in evidence.texts for word in re.findall(r"[^\W\d_]+", text)}
    return _Free(path, _stems(evidence.words) | numbers, _stems(texts) | numbers)


def _stems(words: Iterable[str]) -> set[str]:
    return {stem(word) for word in words if (len(word) > 2 or word.isdigit()) and word not in _GENERAL}
