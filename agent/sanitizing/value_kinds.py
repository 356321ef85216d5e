"""Abstract values: the kinds of value that an expression of a transform can have.

A value is a set of atoms, one for each thing that the expression may be at run time. The policy asks two questions:
can this be text that Spark would read as SQL, and is this certainly a Column?
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

AtomKind = Literal[
    "column", "frame", "grouped", "na", "window", "type", "sources",
    "text", "plain", "none", "list", "dict",
    "module", "member", "function", "partial",
    "other", "any",
]  # fmt: skip
"""`other` is anything but text; `any` is anything, text included."""


@dataclass(frozen=True)
class Site:
    """Allocation site: all lists, sets, tuples or dictionaries that one place makes count as one container."""

    node: ast.AST
    part: str = ""


@dataclass(frozen=True)
class Atom:
    """An element of a value: one thing that an expression may be."""

    kind: AtomKind
    of: str | Site | ast.AST | None = None
    """Detail by kind: the literal of a known text, the site of a container, the dotted name of a module or member,
    the node of a function or of a call of `partial`, `ordered` for a frame whose rows are in order."""


Value = frozenset[Atom]

NOTHING: Value = frozenset()
COLUMN: Value = frozenset({Atom("column")})
FRAME: Value = frozenset({Atom("frame")})
ORDERED: Value = frozenset({Atom("frame", "ordered")})
GROUPED: Value = frozenset({Atom("grouped")})
WINDOW: Value = frozenset({Atom("window")})
TYPE: Value = frozenset({Atom("type")})
PLAIN: Value = frozenset({Atom("plain")})
NONE: Value = frozenset({Atom("none")})
TEXT: Value = frozenset({Atom("text")})
OTHER: Value = frozenset({Atom("other")})
ANY: Value = frozenset({Atom("any")})

_MAX_TEXTS = 64
"""Different literals that one value may hold before it becomes an unknown text."""
_MAX_LENGTH = 10_000
"""Characters of a text that is built from literals."""


def text(literal: str) -> Value:
    """The value of a known text."""
    return frozenset({Atom("text", literal)})


def member(name: str) -> Value:
    """The value of a listed name of a module."""
    return frozenset({Atom("member", name)})


def container(kind: Literal["list", "dict"], site: Site) -> Value:
    """The value of a list or dictionary made at a site."""
    return frozenset({Atom(kind, site)})


def sites(value: Value, *kinds: AtomKind) -> list[Site]:
    """The sites of the containers that a value may be."""
    return [atom.of for atom in value if atom.kind in kinds and isinstance(atom.of, Site)]


def kinds(value: Value) -> set[AtomKind]:
    """The kinds of a value, None left out: Python raises an error where None is used as another kind."""
    return {atom.kind for atom in value} - {"none"}


def certainly(value: Value, *wanted: AtomKind) -> bool:
    """True when the value can be of these kinds only."""
    found = kinds(value)
    return bool(found) and found <= set(wanted)


def may_be_text(value: Value) -> bool:
    """True when the value may be text, or nothing is known of it."""
    return not value or bool(kinds(value) & {"text", "any"})


def literals(value: Value) -> list[str] | None:
    """All texts that the value may be; None when one of them, or the value itself, is unknown."""
    found = [atom.of for atom in value if atom.kind == "text"]
    if not value or "any" in kinds(value) or not all(isinstance(one, str) for one in found):
        return None
    return sorted(str(one) for one in found)


def joined(parts: Iterable[Value]) -> Value:
    """The concatenation of texts: all combinations of known ones; a part that is no text makes the result unknown."""
    known = [""]
    for part in parts:
        found = literals(part) if certainly(part, "text") else None
        if found is None or len(known) * len(found) > _MAX_TEXTS:
            return TEXT
        known = [left + right for left in known for right in found]
        if any(len(one) > _MAX_LENGTH for one in known):
            return TEXT
    return frozenset(Atom("text", one) for one in known)


def widened(value: Value, growing: bool = False) -> Value:
    """The value, widened so that the analysis ends: too many or growing literals become TEXT, too many atoms ANY."""
    if len(value) <= _MAX_TEXTS and not growing:
        return value
    others = frozenset(atom for atom in value if atom.kind != "text")
    if growing and len(others) == len(value):
        return value
    return others | TEXT if len(others) < _MAX_TEXTS else ANY
