"""Narration: entries of `transformations` that repeat in words what the fields say, and words that no field carries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.compiler.narration.carried import evidence_of
from agent.compiler.narration.contradictions import contradicted
from agent.compiler.narration.descriptions import NamesInPassing, unsaid_words
from agent.compiler.narration.evidence import Evidence
from agent.compiler.narration.step_claims import KINDS, step_claims
from agent.compiler.notes import Note, Unread
from agent.elements import Entries
from agent.request import Specification

_SOURCES = re.compile(r"specs\.source_tables\b")
_ORDERS_OF_WORK = re.compile(
    r"\b(only|filter|exclude|excluding|keep|ignore|use the latest|restrict|remove|skip|drop)\b", re.I
)


@dataclass
class Narration:
    """The words of a specification, as far as they say more than its fields."""

    unread: list[Unread] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    """The steps that were taken as comments on an element without a word in common."""


def unread_words(
    entries: Entries, names: NamesInPassing, evidence: Evidence | None = None, has_columns: bool = False
) -> Narration:
    """The words that could change rows and that no structured field carries, each with its path.

    `has_columns` tells that the target declares its columns.
    """
    evidence = evidence or evidence_of(entries)
    narration = _of_steps(entries, evidence, names, has_columns)
    found = narration.unread
    for path, text in entries.texts:
        if _SOURCES.match(path) and not _ORDERS_OF_WORK.search(text):
            continue
        kind = "target" if path == "specs.target_table.description" else ""
        found += [_unread(path, words, entries) for words in unsaid_words(text, evidence, names, kind)]
    return narration


def read_narration(specs: Specification, entries: Entries, columns: Iterable[str]) -> Narration:
    """The unread words of a specification. `columns` are those of its sources."""
    target = specs.target_table
    tables = [name for one in specs.source_tables for name in (one.table_name, one.alias or "") if name]
    names = NamesInPassing((*tables, target.name), frozenset(name.lower() for name in columns))
    evidence = evidence_of(entries, [column.type for column in target.columns])
    relations = [one.table_name.lower() for one in specs.source_tables]
    if len({*relations}) < len(relations):
        evidence.facts.add("join_to_itself")
    narration = unread_words(entries, names, evidence, has_columns=bool(target.columns))
    path = "specs.target_table.description"
    if target.description and all(one.path != path for one in entries.texts):
        words = unsaid_words(target.description, evidence, names, "target")
        narration.unread += [_unread(path, one, entries) for one in words]
    return narration


def _unread(path: str, words: str, entries: Entries) -> Unread:
    return Unread(path, words, contradicted(words, entries))


def _of_steps(entries: Entries, evidence: Evidence, names: NamesInPassing, has_columns: bool) -> Narration:
    """The unread words of steps: all of a step that no element carries."""
    unsaid = {}
    for step in entries.steps:
        unsaid[step.path] = unsaid_words(step.description, evidence, names, _step_kind(step.type))
    claims = step_claims(entries, unsaid, has_columns)
    found = Narration()
    for step in entries.steps:
        path = f"{step.path}.description" if step.description else step.path
        if step.path in claims.alone:
            found.unread.append(Unread(path, step.description or step.type))
            continue
        found.unread += [_unread(path, words, entries) for words in unsaid[step.path]]
        left = claims.guessed.get(step.path, [])
        if left and _step_kind(step.type) == "filter" and step.description:
            message = f"shares no word with a filter and is read as a comment on {' and '.join(left)}"
            found.notes.append(Note(path, message, "a further condition, which no field holds"))
    return found


def _step_kind(kind: str) -> str:
    """The kind of step by which words are judged."""
    lists = KINDS.get(kind, ())
    return {
        "filters": "filter",
        "joins": "join",
        "aggregations": "aggregate",
        "derived": "derive",
        "windows": "window",
    }.get(lists[0] if lists else "", kind)
