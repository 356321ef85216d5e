"""The values of a transform's expressions, variables and containers, as far as the analysis has found them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping

from agent.sanitizing.library import is_module
from agent.sanitizing.python_names import BUILTINS, PROVIDED
from agent.sanitizing.scopes import MODULE, Variable
from agent.sanitizing.value_kinds import (
    ANY,
    FRAME,
    NOTHING,
    TEXT,
    Atom,
    Site,
    Value,
    container,
    kinds,
    member,
    sites,
    widened,
)

_GROWING = 3
"""Rounds in which a variable may gain texts; one that gains more later is an unknown text."""
ALL = "*"
"""The slot of elements at unknown places."""
KEYS = "keys"
"""The slot of a dictionary's keys."""

Cell = Variable | tuple[Hashable, Hashable]


class Values:
    """The values of a module's expressions and variables."""

    def __init__(self, tree: ast.Module, imported: Mapping[Variable, set[str]], bound: set[str]) -> None:
        self._imported = imported
        self._bound = bound
        self._nodes: dict[ast.AST, Value] = {}
        self._cells: dict[Cell, Value] = defaultdict(lambda: NOTHING)
        self._slots: dict[Site, set[Hashable]] = defaultdict(set)
        self.rounds = 0
        self.steps = 0
        self.news = 0
        self.settled = False
        self.changed: set[Site] = set()
        """Containers that are modified after their creation."""
        self.changed_unseen = False
        """True when an unknown container is modified: it may be any of them."""
        self.column_names = self.made("list", tree, TEXT, part="columns")
        self.column_types = self.made("list", tree, self.tupled(tree, [TEXT, TEXT], "pair"), part="dtypes")

    def of(self, node: ast.AST | None) -> Value:
        """The possible values of an expression; ANY when the analysis reached a limit."""
        if node is None:
            return NOTHING
        return self._nodes.get(node, NOTHING) if self.settled else ANY

    def so_far(self, node: ast.AST) -> Value:
        """The values of an expression that were found so far."""
        return self._nodes.get(node, NOTHING)

    def note(self, node: ast.AST, value: Value) -> None:
        """Add to the possible values of an expression."""
        old = self._nodes.get(node, NOTHING)
        if not value <= old:
            self._nodes[node] = widened(old | value)
            self.news += self._nodes[node] != old

    def cell(self, cell: Cell) -> Value:
        """The possible values of a variable or a slot."""
        value = self._cells.get(cell, NOTHING)
        if not isinstance(cell, Variable):
            return value
        if cell in self._imported:
            return value.union(*map(_named, self._imported[cell]))
        return value | _global(cell.name) if cell.scope == MODULE and cell.name not in self._bound else value

    def put(self, cell: Cell, value: Value) -> None:
        """Add to the possible values of a variable or slot."""
        old = self._cells[cell]
        if not value <= old:
            # A text that still grows after some rounds is built from itself, as in a loop.
            self._cells[cell] = widened(old | value, growing=self.rounds > _GROWING)
            self.news += self._cells[cell] != old

    def put_item(self, site: Site, slot: Hashable, value: Value) -> None:
        """Add to the possible values of a container's slot: an index, a constant key, or ALL."""
        self._slots[site].add(slot)
        self.put((site, slot), value)

    def made(self, kind: str, node: ast.AST, elements: Value, keys: Value = NOTHING, part: str = "") -> Value:
        """A container of like elements that a node makes."""
        site = Site(node, part)
        self.put_item(site, ALL, elements)
        if kind == "dict":
            self.put((site, KEYS), keys)
            return container("dict", site)
        return container("list", site)

    def tupled(self, node: ast.AST, elements: Iterable[Value], part: str = "") -> Value:
        """A tuple that a node makes, element by element."""
        site = Site(node, part)
        for index, element in enumerate(elements):
            self.put_item(site, index, element)
        return container("list", site)

    def item(self, value: Value, slot: Hashable = ALL) -> Value:
        """The possible values at a slot of a tuple or dictionary; those of all slots when the place is unknown."""
        found = NOTHING
        for site in sites(value, "list", "dict"):
            known = self._slots[site]
            place = slot + len(known) if isinstance(slot, int) and slot < 0 and ALL not in known else slot
            wanted = {place, ALL} & known if place in known and place != ALL else known
            self.steps += len(wanted)
            found = found.union(*(self._cells[site, one] for one in wanted))
        unseen = self.changed_unseen and bool(sites(value, "list", "dict"))
        return found | ANY if unseen or kinds(value) & {"any", "other"} else found

    def elements(self, value: Value) -> Value:
        """The possible values of a loop over a value."""
        found = self.item(frozenset(atom for atom in value if atom.kind == "list"))
        for atom in value:
            if atom.kind == "dict":
                found |= self._cells[atom.of, KEYS]
            elif atom.kind in ("text", "sources"):
                found |= TEXT
            elif atom.kind == "type":
                found |= frozenset({atom})
            elif atom.kind in ("any", "other", "plain"):
                found |= ANY
        return found

    def entries(self, value: Value) -> tuple[Value, Value]:
        """Keys and values of a dictionary's source: another dictionary, or pairs."""
        pairs = self.elements(frozenset(atom for atom in value if atom.kind not in ("dict", "sources")))
        dictionaries = frozenset(atom for atom in value if atom.kind in ("dict", "sources"))
        return self.elements(dictionaries) | self.item(pairs, 0), self.items(value) | self.item(pairs, 1)

    def change(self, value: Value) -> None:
        """Record that a container is modified after its creation."""
        self.changed.update(sites(value, "list", "dict"))
        if kinds(value) & {"any", "other"} and not self.changed_unseen:
            self.changed_unseen = True
            self.news += 1

    def items(self, value: Value) -> Value:
        """The values of a dictionary, whatever the key."""
        found = self.item(frozenset(atom for atom in value if atom.kind == "dict"))
        if "sources" in kinds(value):
            found |= FRAME
        return found | ANY if kinds(value) & {"any", "other"} else found


def _global(name: str) -> Value:
    if name in PROVIDED:
        return _named(PROVIDED[name])
    return member(f"builtins.{name}") if name in BUILTINS else ANY


def _named(dotted: str) -> Value:
    """A module or one of its members."""
    return frozenset({Atom("module" if is_module(dotted) else "member", dotted)})
