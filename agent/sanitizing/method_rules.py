"""Abstract evaluation of method calls, by the kind of their owner."""

from __future__ import annotations

import ast

from agent.sanitizing.calls import Arguments, Caller
from agent.sanitizing.python_names import CONTAINER_METHODS, PLAIN_METHODS, TEXT_METHODS
from agent.sanitizing.spark_names import (
    COLUMN_METHODS,
    FRAME_METHODS,
    GROUPED_METHODS,
    GROUPING,
    KEEPS_ORDER,
    NA_METHODS,
    ORDERING,
    WINDOW_METHODS,
)
from agent.sanitizing.value_kinds import (
    ANY,
    COLUMN,
    FRAME,
    GROUPED,
    NONE,
    NOTHING,
    ORDERED,
    PLAIN,
    TEXT,
    WINDOW,
    Atom,
    AtomKind,
    Value,
    kinds,
    literals,
    sites,
    text,
)
from agent.sanitizing.values import ALL, KEYS, Values

_FOLDED = frozenset({"capitalize", "lower", "lstrip", "rstrip", "strip", "title", "upper"})
"""Methods that are evaluated on known texts; none makes a text longer."""
_MAX_FOLDED = 10_000
"""Characters of a text that is evaluated."""

_METHODS_GIVE: dict[AtomKind, Value] = {
    "column": COLUMN, "na": FRAME, "window": WINDOW, "none": NOTHING, "function": NOTHING, "partial": NOTHING,
}  # fmt: skip
"""Result of all methods of a kind, for kinds whose methods give the same."""


class MethodRules:
    """Results of methods, and their effects on lists and dictionaries."""

    def __init__(self, values: Values, calls: Caller) -> None:
        self._values = values
        self._calls = calls

    def call(self, node: ast.Call, owner: Value, name: str, arguments: Arguments) -> Value:
        """The possible results of a method, over all kinds that its owner may have."""
        found = NOTHING
        for atom in owner:
            found |= self._method(node, atom, name, arguments)
        return found

    def _method(self, node: ast.Call, atom: Atom, name: str, arguments: Arguments) -> Value:
        one: Value = frozenset({atom})
        match atom.kind:
            case "frame":
                return self._of_frame(node, one, name, arguments)
            case "grouped":
                return GROUPED if name == "pivot" else FRAME
            case "type":
                return {"add": one, "fieldNames": self._values.made("list", node, TEXT)}.get(name, TEXT)
            case "text":
                return self._of_text(node, one, name, arguments)
            case "list" | "dict" | "sources":
                return self._of_container(node, one, name, arguments)
            case "plain":
                rule = PLAIN_METHODS.get(name, "plain")
                self._calls.escape(arguments.all())
                return self._values.made("list", node, TEXT) if rule == "texts" else TEXT if rule == "text" else PLAIN
        if atom.kind in _METHODS_GIVE:
            return _METHODS_GIVE[atom.kind]
        self._calls.escape(arguments.all())
        if name in CONTAINER_METHODS:
            self._change(one, CONTAINER_METHODS[name], arguments)
        return _by_name(name)

    def _of_text(self, node: ast.Call, one: Value, name: str, arguments: Arguments) -> Value:
        rule = TEXT_METHODS.get(name, "text")
        if name in _FOLDED and not arguments.named and not arguments.starred:
            known = [literals(part) for part in (one, *arguments.positional)]
            if all(len(part or ()) == 1 for part in known):
                first, *rest = [part[0] for part in known if part]
                return _folded(first, name, rest)
        return self._values.made("list", node, TEXT) if rule == "texts" else PLAIN if rule == "plain" else TEXT

    def _of_frame(self, node: ast.Call, frame: Value, name: str, arguments: Arguments) -> Value:
        if name == "transform":
            before = arguments.positional[1:]
            whole = Arguments((FRAME, *before), arguments.named, arguments.starred)
            return self._calls.apply(node, arguments.at(0, "func"), whole)
        if name in GROUPING:
            return GROUPED
        return ORDERED if name in ORDERING else frame if name in KEEPS_ORDER else FRAME

    def _of_container(self, node: ast.Call, one: Value, name: str, arguments: Arguments) -> Value:
        values, rule = self._values, CONTAINER_METHODS.get(name, "plain")
        self._change(one, rule, arguments)
        if "key" in arguments.named:
            self._calls.apply(node, arguments.named["key"], Arguments((values.elements(one),)))
        match rule:
            case "get" | "default":
                held = values.item(one) | values.items(one)
                return held | arguments.at(1, "default") | (NONE if name == "get" else NOTHING)
            case "items":
                return self._values.made(
                    "list", node, values.tupled(node, [values.elements(one), values.items(one)], "pair")
                )
            case "pair":
                return values.tupled(node, [values.elements(one), values.items(one)], "pair")
            case "keys":
                return self._values.made("list", node, values.elements(one))
            case "values":
                return self._values.made("list", node, values.items(one))
            case "copy" | "merge":
                rest = values.elements(arguments.all()) if rule == "merge" else NOTHING
                if kinds(one) & {"dict", "sources"}:
                    return values.made("dict", node, values.items(one), values.elements(one))
                return self._values.made("list", node, values.elements(one) | rest)
        return NONE if rule in ("none", "put", "put_all", "put_second") else PLAIN

    def _change(self, one: Value, rule: str, arguments: Arguments) -> None:
        values = self._values
        if rule in ("put", "put_all", "put_second", "default", "none", "get", "pair"):
            values.change(one)
        for site in sites(one, "list"):
            if rule == "put":
                values.put_item(site, ALL, arguments.at(0))
            elif rule == "put_all":
                values.put_item(site, ALL, values.elements(arguments.all()))
            elif rule == "put_second":
                values.put_item(site, ALL, arguments.at(1))
        for site in sites(one, "dict"):
            if rule == "default":
                values.put_item(site, ALL, arguments.at(1, "default"))
                values.put((site, KEYS), arguments.at(0))
            elif rule == "put_all":
                keys, elements = values.entries(arguments.at(0))
                values.put_item(site, ALL, NOTHING.union(elements, *arguments.named.values()))
                values.put((site, KEYS), keys | TEXT)


def _folded(owner: str, name: str, arguments: list[str]) -> Value:
    try:
        return text(getattr(owner, name)(*arguments)) if len(owner) <= _MAX_FOLDED else TEXT
    except TypeError:
        return TEXT  # too many arguments: the call will fail when it runs


def _by_name(name: str) -> Value:
    """The possible results of a method whose owner may be anything."""
    found = NOTHING
    if name in COLUMN_METHODS:
        found |= COLUMN
    if name in FRAME_METHODS:
        found |= GROUPED if name in GROUPING else FRAME
    if name in GROUPED_METHODS | NA_METHODS:
        found |= FRAME
    if name in WINDOW_METHODS:
        found |= WINDOW
    if name in TEXT_METHODS or name in PLAIN_METHODS:
        found |= {"plain": PLAIN, "moment": PLAIN, "regex": PLAIN}.get(
            TEXT_METHODS.get(name, PLAIN_METHODS.get(name, "")), ANY
        )
    if name in CONTAINER_METHODS or name == "alias" or not found:
        found |= ANY
    return found
