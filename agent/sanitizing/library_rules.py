"""Abstract evaluation of calls to listed members of modules."""

from __future__ import annotations

import ast

from agent.sanitizing.calls import Caller, Given
from agent.sanitizing.library import FUNCTIONS_MODULE, TYPES_MODULE
from agent.sanitizing.python_names import CALLS, TEXT_METHODS
from agent.sanitizing.value_kinds import (
    ANY,
    COLUMN,
    FRAME,
    NONE,
    NOTHING,
    OTHER,
    PLAIN,
    TEXT,
    TYPE,
    WINDOW,
    Value,
    certainly,
    kinds,
)
from agent.sanitizing.values import Values

_PLAIN_RULES: dict[str, Value] = {"plain": PLAIN, "moment": PLAIN, "regex": OTHER, "text": TEXT, "other": OTHER}
"""Results by rule, for calls that make no list and call none of their arguments."""


class LibraryRules:
    """Results by the rule that a member is listed with in `python_names`."""

    def __init__(self, values: Values, calls: Caller) -> None:
        self._values = values
        self._calls = calls

    def call(self, node: ast.AST, dotted: str, given: Given) -> Value:
        """The possible results of calling a listed member."""
        owner, _, name = dotted.rpartition(".")
        if owner == FUNCTIONS_MODULE:
            self._call_with_columns(node, given.all())
            return FRAME if name == "broadcast" else COLUMN
        if owner == TYPES_MODULE:
            return TYPE
        if owner == "pyspark.sql.Window":
            return WINDOW
        if owner == "pyspark.sql.DataFrame":
            return FRAME
        if owner == "builtins.str":
            return {"text": TEXT, "plain": PLAIN}.get(TEXT_METHODS.get(name, ""), self._list(node, TEXT))
        return self._by_rule(node, CALLS.get(dotted, "any"), given, name)

    # F.transform and its like call the functions among their arguments with Columns.
    def _call_with_columns(self, node: ast.AST, arguments: Value) -> None:
        for atom in arguments:
            if atom.kind in ("function", "partial"):
                self._calls.apply(node, frozenset({atom}), Given((COLUMN,), starred=COLUMN))

    def _by_rule(self, node: ast.AST, rule: str, given: Given, name: str) -> Value:
        values, first = self._values, given.at(0)
        if "key" in given.named:
            self._calls.apply(node, given.named["key"], Given((self._one(given),)))
        if rule in _PLAIN_RULES:
            self._calls.escape(given.all())
            return _PLAIN_RULES[rule]
        match rule:
            case "one":
                return self._one(given)
            case "total":
                return self._total(node, values.elements(first), given.at(1, "start"))
            case "dict":
                return self._to_dict(node, given, name)
            case "compare":
                return COLUMN if certainly(given.at(0), "column") or certainly(given.at(1), "column") else OTHER
            case "item":
                return values.elements(first) | values.items(first) | ANY
        elements = self._listed(node, rule, given)
        return self._with_function(node, rule, given, name) if elements is None else self._list(node, elements)

    def _listed(self, node: ast.AST, rule: str, given: Given) -> Value | None:
        """The elements of the list that a call returns; None for a call without a list."""
        values, first = self._values, given.at(0)
        match rule:
            case "numbers":
                return PLAIN
            case "texts":
                return TEXT
            case "copy":
                return values.elements(first) | self._calls.apply(node, first, Given(()))
            case "rows":
                rest = NOTHING.union(*map(values.elements, given.positional), values.elements(given.starred))
                return values.made("list", node, rest, part="row")
            case "pairs":
                return values.tupled(node, [PLAIN, values.elements(first)], "pair")
            case "zip":
                return self._rows(node, given)
            case "chain":
                return NOTHING.union(*map(values.elements, given.positional), values.elements(given.starred))
            case "flatten":
                return values.elements(values.elements(first))
        return None

    def _with_function(self, node: ast.AST, rule: str, given: Given, name: str) -> Value:
        values, function, elements = self._values, given.at(0), self._values.elements(given.at(1, "iterable"))
        match rule:
            case "map":
                others = Given(
                    tuple(map(values.elements, given.positional[1:])), starred=values.elements(given.starred)
                )
                return self._list(node, self._calls.apply(node, function, others))
            case "same":
                self._calls.apply(node, function, Given((elements,)))
                return self._list(node, elements)
            case "reduce" | "accumulate":
                if rule == "accumulate":
                    function, elements = given.at(1, "func"), values.elements(given.at(0))
                start = given.at(2, "initial")
                # The accumulator depends on itself: its values are kept from round to round of the analysis.
                before = values.cell((node, "so far"))
                values.put((node, "so far"), elements | start)
                found = self._calls.apply(node, function, Given((before | elements | start, elements)))
                values.put((node, "so far"), found)
                return self._list(node, found | elements) if rule == "accumulate" else found | elements | start
            case "partial":
                return self._calls.partial(node, function, Given(given.positional[1:], given.named, given.starred))
            case "operator":
                return self._operator(node, name, given)
        self._calls.escape(given.all())
        return ANY

    def _list(self, node: ast.AST, elements: Value) -> Value:
        return self._values.made("list", node, elements)

    def _one(self, given: Given) -> Value:
        """The candidates of `max`, `min` and `next`: the elements of a single argument, or the arguments."""
        if len(given.positional) == 1 or given.starred:
            return self._values.elements(given.at(0)) | given.named.get("default", NOTHING) | given.starred
        return given.at(0) | given.at(1) | given.all() | self._values.elements(given.at(0))

    def _total(self, node: ast.AST, elements: Value, start: Value) -> Value:
        found = elements | start
        if certainly(found, "list"):
            return self._list(node, self._values.elements(found))
        return self._calls.operation(node, found, ast.Add(), found)

    def _to_dict(self, node: ast.AST, given: Given, name: str) -> Value:
        values, first = self._values, given.at(0)
        if name == "fromkeys":
            return values.made("dict", node, given.at(1) | NONE, values.elements(first))
        keys, elements = values.entries(first)
        return values.made("dict", node, NOTHING.union(elements, *given.named.values()), keys | TEXT)

    def _rows(self, node: ast.AST, given: Given) -> Value:
        fill = given.named.get("fillvalue", NOTHING)
        parts = [self._values.elements(one) | fill for one in given.positional]
        if given.starred or len(parts) == 1:
            rest = NOTHING.union(*parts, self._values.elements(given.starred))
            return self._values.made("list", node, rest, part="row")
        return self._values.tupled(node, parts, "row")

    def _operator(self, node: ast.AST, name: str, given: Given) -> Value:
        if name in ("neg", "inv", "invert", "pos"):
            return COLUMN if "column" in kinds(given.at(0)) else OTHER
        ops: dict[str, ast.operator] = {"add": ast.Add(), "mod": ast.Mod(), "mul": ast.Mult()}
        return self._calls.operation(node, given.at(0), ops.get(name, ast.BitAnd()), given.at(1))
