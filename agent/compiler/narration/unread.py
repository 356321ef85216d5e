"""Narration: entries of `transformations` that repeat in words what the fields say, and words that no field carries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from agent.compiler.narration.carried import evidence_of, evidence_of_one
from agent.compiler.narration.descriptions import NamesInPassing, unsaid_words
from agent.compiler.narration.evidence import Evidence
from agent.compiler.narration.word_tokens import stem, word_set
from agent.compiler.notes import Unread
from agent.elements import Entries, StepEntry
from agent.request import Specification

_KINDS: dict[str, tuple[str, ...]] = {
    "filter": ("filters",), "having": ("filters",), "where": ("filters",),
    "join": ("joins",), "lookup": ("joins",), "merge": ("joins", "unions"),
    "aggregate": ("aggregations",), "aggregation": ("aggregations",), "group": ("aggregations",),
    "group_by": ("aggregations",), "summarize": ("aggregations",), "pivot": ("aggregations",),
    "derive": ("derived", "windows", "aggregations"), "window": ("windows", "ranked"), "rank": ("windows", "ranked"),
    "limit": ("limit",), "top_n": ("limit",), "rename": ("rename", "select", "derived"),
    "union": ("unions",), "distinct": ("distinct", "deduplications"),
    "deduplicate": ("deduplications", "distinct", "ranked", "windows"),
    "select": ("select", "aggregations", "derived"), "project": ("select", "aggregations", "derived"),
}  # fmt: skip
"""The lists of elements that carry a step of a type."""
_SORTS = frozenset(("sort", "order", "order_by", "orderby"))
_GENERAL = word_set("null true false and not count with from that have date each")
_SOURCES = re.compile(r"specs\.source_tables\b")
_ORDERS_OF_WORK = re.compile(
    r"\b(only|filter|exclude|excluding|keep|ignore|use the latest|restrict|remove|skip|drop)\b", re.I
)


def unread_words(
    entries: Entries, names: NamesInPassing, types: Iterable[str | None] = (), has_columns: bool = False
) -> list[Unread]:
    """The words that could change rows and that no structured field carries, each with its path.

    `types` are the target's declared types; `has_columns` tells that the target declares its columns.
    """
    evidence = evidence_of(entries, types)
    found = _of_steps(entries, evidence, names, has_columns)
    for path, text in entries.texts:
        if _SOURCES.match(path) and not _ORDERS_OF_WORK.search(text):
            continue
        kind = "target" if path == "specs.target_table.description" else ""
        found += [Unread(path, words) for words in unsaid_words(text, evidence, names, kind)]
    return found


def read_narration(specs: Specification, entries: Entries, columns: Iterable[str]) -> list[Unread]:
    """The unread words of a specification. `columns` are those of its sources."""
    target = specs.target_table
    tables = [name for one in specs.source_tables for name in (one.table_name, one.alias or "") if name]
    names = NamesInPassing((*tables, target.name), frozenset(name.lower() for name in columns))
    types = [column.type for column in target.columns]
    found = unread_words(entries, names, types, has_columns=bool(target.columns))
    path = "specs.target_table.description"
    if target.description and all(one.path != path for one in entries.texts):
        evidence = evidence_of(entries, types)
        found += [Unread(path, words) for words in unsaid_words(target.description, evidence, names, "target")]
    return found


def _of_steps(entries: Entries, evidence: Evidence, names: NamesInPassing, has_columns: bool) -> list[Unread]:
    """The unread words of steps: all of a step that no element carries."""
    unsaid = {}
    for step in entries.steps:
        unsaid[step.path] = unsaid_words(step.description, evidence, names, _step_kind(step.type))
    alone = _uncarried(entries, unsaid, has_columns)
    found = []
    for step in entries.steps:
        path = f"{step.path}.description" if step.description else step.path
        if step.path in alone:
            found.append(Unread(path, step.description or step.type))
        else:
            found += [Unread(path, words) for words in unsaid[step.path]]
    return found


def _step_kind(kind: str) -> str:
    """The kind of step by which words are judged."""
    lists = _KINDS.get(kind, ())
    return {
        "filters": "filter",
        "joins": "join",
        "aggregations": "aggregate",
        "derived": "derive",
        "windows": "window",
    }.get(lists[0] if lists else "", kind)


def _uncarried(entries: Entries, unsaid: dict[str, list[str]], has_columns: bool) -> set[str]:
    """Paths of the steps of words alone for which no element is left."""
    by_lists: dict[tuple[str, ...], list[StepEntry]] = defaultdict(list)
    for step in entries.steps:
        if not step.claims and _says_something(step):
            by_lists[_KINDS.get(step.type, () if step.type in _SORTS else ("any",))].append(step)
    alone: set[str] = set()
    for lists, steps in by_lists.items():
        if lists == () or (lists[0] == "select" and has_columns):
            continue
        alone |= _without_element(steps, _free(entries, lists), unsaid)
    return alone


def _says_something(step: StepEntry) -> bool:
    return bool(step.description.strip()) or not step.details


def _free(entries: Entries, lists: tuple[str, ...]) -> list[object]:
    """The elements of the lists that no step states."""
    claimed = {(claim.kind, claim.path) for step in entries.steps for claim in step.claims}
    kinds = [kind for kind in _ALL if lists == ("any",) or kind in lists]
    found: list[object] = []
    for kind in kinds:
        found += [element for path, element in getattr(entries, kind) if (kind, path) not in claimed]
    if "aggregations" in kinds and any(one.group_by for _, one in entries.aggregations):
        found.append(entries.aggregations[0].value.group_by)
    if "ranked" in lists:
        found += [one for path, one in entries.derived if re.search(r"\bover\b", one.expression, re.I)]
    if entries.distinct and ("distinct" in lists or lists == ("any",)):
        found.append("distinct")
    return found


_ALL = (
    "joins",
    "filters",
    "aggregations",
    "derived",
    "windows",
    "unions",
    "deduplications",
    "limit",
    "select",
    "rename",
)


def _without_element(steps: list[StepEntry], elements: list[object], unsaid: dict[str, list[str]]) -> set[str]:
    """The steps that get no element: each needs one, and one that no other step tells where none sounds like it."""
    stems = [_stems_of(element) for element in elements]
    near = {step.path: _near(step, stems) for step in steps}
    told = {place for places in near.values() for place in places}
    strangers = [step for step in steps if not near[step.path]]
    spare = len(elements) - len(told)
    alone = {step.path for step in _weakest(strangers, unsaid)[: max(0, len(strangers) - spare)]}
    rest = [step for step in steps if step.path not in alone]
    surplus = max(0, len(rest) - len(elements))
    return alone | {step.path for step in _weakest(rest, unsaid)[:surplus]}


def _weakest(steps: list[StepEntry], unsaid: dict[str, list[str]]) -> list[StepEntry]:
    """The steps, first those with words that nothing carries, then the last ones."""
    order = {step.path: -position for position, step in enumerate(steps)}
    return sorted(steps, key=lambda step: (not unsaid[step.path], order[step.path]))


def _near(step: StepEntry, stems: list[set[str]]) -> set[int]:
    """Positions of the elements that share a word with a step."""
    words = _stems(re.findall(r"[^\W\d_]+|\d+", step.description.lower()))
    return {position for position, own in enumerate(stems) if words & own}


def _stems_of(element: object) -> set[str]:
    if isinstance(element, tuple) and all(isinstance(one, str) for one in element):
        return _stems(word for one in element for word in re.findall(r"[^\W\d_]+", one.lower()))
    evidence = evidence_of_one(element)
    return _stems(evidence.words) | {str(number) for number in evidence.numbers}


def _stems(words: Iterable[str]) -> set[str]:
    return {stem(word) for word in words if (len(word) > 2 or word.isdigit()) and word not in _GENERAL}
