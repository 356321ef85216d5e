"""Abstract evaluation of calls to listed members of modules."""

from __future__ import annotations

import ast

from agent.sanitizing.calls import Arguments, Caller
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

    def call(self, node: ast.AST, dotted: str, arguments: Arguments) -> Value:
        """The possible results of calling a listed member."""
        owner, _, name = dotted.rpartition(".")
        if owner == FUNCTIONS_MODULE:
            self._call_with_columns(node, arguments.all())
            return FRAME if name == "broadcast" else COLUMN
        if owner == TYPES_MODULE:
            return TYPE
        if owner == "pyspark.sql.Window":
            return WINDOW
        if owner == "pyspark.sql.DataFrame":
            return FRAME
        if owner == "builtins.str":
            return {"text": TEXT, "plain": PLAIN}.get(TEXT_METHODS.get(name, ""), self._list(node, TEXT))
        return self._by_rule(node, CALLS.get(dotted, "any"), arguments, name)

    # F.transform and its like call the functions among their arguments with Columns.
    def _call_with_columns(self, node: ast.AST, arguments: Value) -> None:
        for atom in arguments:
            if atom.kind in ("function", "partial"):
                self._calls.apply(node, frozenset({atom}), Arguments((COLUMN,), starred=COLUMN))

    def _by_rule(self, node: ast.AST, rule: str, arguments: Arguments, name: str) -> Value:
        values, first = self._values, arguments.at(0)
        if "key" in arguments.named:
            self._calls.apply(node, arguments.named["key"], Arguments((self._one(arguments),)))
        if rule in _PLAIN_RULES:
            self._calls.escape(arguments.all())
            return _PLAIN_RULES[rule]
        match rule:
            case "one":
                return self._one(arguments)
            case "total":
                return self._total(node, values.elements(first), arguments.at(1, "start"))
            case "dict":
                return self._to_dict(node, arguments, name)
            case "compare":
                return COLUMN if certainly(arguments.at(0), "column") or certainly(arguments.at(1), "column") else OTHER
            case "item":
                return values.elements(first) | values.items(first) | ANY
        elements = self._listed(node, rule, arguments)
        return self._with_function(node, rule, arguments, name) if elements is None else self._list(node, elements)

    def _listed(self, node: ast.AST, rule: str, arguments: Arguments) -> Value | None:
        """The elements of the list that a call returns; None for a call without a list."""
        values, first = self._values, arguments.at(0)
        match rule:
            case "numbers":
                return PLAIN
            case "texts":
                return TEXT
            case "copy":
                return values.elements(first) | self._calls.apply(node, first, Arguments(()))
            case "rows":
                rest = NOTHING.union(*map(values.elements, arguments.positional), values.elements(arguments.starred))
                return values.made("list", node, rest, part="row")
            case "pairs":
                return values.tupled(node, [PLAIN, values.elements(first)], "pair")
            case "zip":
                return self._rows(node, arguments)
            case "chain":
                return NOTHING.union(*map(values.elements, arguments.positional), values.elements(arguments.starred))
            case "flatten":
                return values.elements(values.elements(first))
        return None

    def _with_function(self, node: ast.AST, rule: str, arguments: Arguments, name: str) -> Value:
        values, function, elements = self._values, arguments.at(0), self._values.elements(arguments.at(1, "iterable"))
        match rule:
            case "map":
                others = Arguments(
                    tuple(map(values.elements, arguments.positional[1:])), starred=values.elements(arguments.starred)
                )
                return self._list(node, self._calls.apply(node, function, others))
            case "same":
                self._calls.apply(node, function, Arguments((elements,)))
                return self._list(node, elements)
            case "reduce" | "accumulate":
                if rule == "accumulate":
                    function, elements = arguments.at(1, "func"), values.elements(arguments.at(0))
                start = arguments.at(2, "initial")
                # The accumulator depends on itself: its values are kept from round to round of the analysis.
                before = values.cell((node, "so far"))
                values.put((node, "so far"), elements | start)
                found = self._calls.apply(node, function, Arguments((before | elements | start, elements)))
                values.put((node, "so far"), found)
                return self._list(node, found | elements) if rule == "accumulate" else found | elements | start
            case "partial":
                return self._calls.partial(
                    node, function, Arguments(arguments.positional[1:], arguments.named, arguments.starred)
                )
            case "operator":
                return self._operator(node, name, arguments)
        self._calls.escape(arguments.all())
        return ANY

    def _list(self, node: ast.AST, elements: Value) -> Value:
        return self._values.made("list", node, elements)

    def _one(self, arguments: Arguments) -> Value:
        """The candidates of `max`, `min` and `next`: the elements of a single argument, or the arguments."""
        if len(arguments.positional) == 1 or arguments.starred:
            return self._values.elements(arguments.at(0)) | arguments.named.get("default", NOTHING) | arguments.starred
        return arguments.at(0) | arguments.at(1) | arguments.all() | self._values.elements(arguments.at(0))

    def _total(self, node: ast.AST, elements: Value, start: Value) -> Value:
        found = elements | start
        if certainly(found, "list"):
            return self._list(node, self._values.elements(found))
        return self._calls.operation(node, found, ast.Add(), found)

    def _to_dict(self, node: ast.AST, arguments: Arguments, name: str) -> Value:
        values, first = self._values, arguments.at(0)
        if name == "fromkeys":
            return values.made("dict", node, arguments.at(1) | NONE, values.elements(first))
        keys, elements = values.entries(first)
        return values.made("dict", node, NOTHING.union(elements, *arguments.named.values()), keys | TEXT)

    def _rows(self, node: ast.AST, arguments: Arguments) -> Value:
        fill = arguments.named.get("fillvalue", NOTHING)
        parts = [self._values.elements(one) | fill for one in arguments.positional]
        if arguments.starred or len(parts) == 1:
            rest = NOTHING.union(*parts, self._values.elements(arguments.starred))
            return self._values.made("list", node, rest, part="row")
        return self._values.tupled(node, parts, "row")

    def _operator(self, node: ast.AST, name: str, arguments: Arguments) -> Value:
        if name in ("neg", "inv", "invert", "pos"):
            return COLUMN if "column" in kinds(arguments.at(0)) else OTHER
        ops: dict[str, ast.operator] = {"add": ast.Add(), "mod": ast.Mod(), "mul": ast.Mult()}
        return self._calls.operation(node, arguments.at(0), ops.get(name, ast.BitAnd()), arguments.at(1))
