"""What calls and operators of a transform give."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from agent.sanitizing.allowed_names import (
    COLUMN_METHODS,
    FRAME_METHODS,
    GROUPED_METHODS,
    GROUPING,
    KEEPS_ORDER,
    NA_METHODS,
    ORDERING,
    WINDOW_METHODS,
)
from agent.sanitizing.kinds import (
    ANY,
    COLUMN,
    FRAME,
    GROUPED,
    NONE,
    NOTHING,
    ORDERED,
    OTHER,
    PLAIN,
    TEXT,
    TYPE,
    WINDOW,
    Atom,
    Value,
    certainly,
    joined,
    kinds,
    literals,
    sites,
    text,
)
from agent.sanitizing.library import FUNCTIONS_MODULE, TYPES_MODULE
from agent.sanitizing.python_names import CALLS, CONTAINER_METHODS, PLAIN_METHODS, TEXT_METHODS
from agent.sanitizing.scopes import Function, Scopes
from agent.sanitizing.values import ALL, KEYS, Values

_FOLDED = frozenset({"capitalize", "lower", "lstrip", "rstrip", "strip", "title", "upper"})
"""Methods of text whose result is known where the text is; none makes a text longer."""
_MAX_FOLDED = 10_000


@dataclass(frozen=True)
class Given:
    """The arguments of a call."""

    positional: tuple[Value, ...]
    named: dict[str, Value] = field(default_factory=dict)
    starred: Value = NOTHING
    """What `*arguments` may hold: each may land in any place from there on."""

    def at(self, index: int, name: str = "") -> Value:
        """One argument by place or name."""
        place = self.positional[index] if index < len(self.positional) else NOTHING
        return place | self.named.get(name, NOTHING) | self.starred

    def all(self) -> Value:
        """All arguments as one value."""
        return NOTHING.union(*self.positional, *self.named.values(), self.starred)


class CallRules:
    """What calls give, by what is called."""

    def __init__(self, values: Values, scopes: Scopes) -> None:
        self._values = values
        self._scopes = scopes
        self._partials: dict[ast.AST, tuple[Value, Given]] = {}

    def call(self, node: ast.Call) -> Value:
        """What a call in the transform may give."""
        given = self._given(node)
        match node.func:
            case ast.Attribute(value=owner, attr=name):
                of = self._values.so_far(owner)
                library = frozenset(atom for atom in of if atom.kind in ("module", "member"))
                found = self.method(node, of - library, name, given)
                return found | self.apply(node, self._values.so_far(node.func), given) if library else found
        return self.apply(node, self._values.so_far(node.func), given)

    def _given(self, node: ast.Call) -> Given:
        values = self._values
        starred = [values.elements(values.so_far(a.value)) for a in node.args if isinstance(a, ast.Starred)]
        doubled = [values.items(values.so_far(k.value)) for k in node.keywords if k.arg is None]
        return Given(
            tuple(values.so_far(a) for a in node.args if not isinstance(a, ast.Starred)),
            {k.arg: values.so_far(k.value) for k in node.keywords if k.arg is not None},
            NOTHING.union(*starred, *doubled),
        )

    def apply(self, node: ast.AST, called: Value, given: Given) -> Value:
        """What calling a value may give."""
        found = NOTHING
        for atom in called:
            match atom:
                case Atom("function", (ast.FunctionDef() | ast.Lambda()) as function):
                    found |= self._run(function, given)
                case Atom("partial", ast.AST() as made) if made in self._partials:
                    inner, before = self._partials[made]
                    both = Given(
                        before.positional + given.positional, before.named | given.named, before.starred | given.starred
                    )
                    found |= self.apply(node, inner, both)
                case Atom("member", str() as dotted):
                    found |= self._member(node, dotted, given)
                case Atom("any" | "other"):
                    self._escape(given.all())
                    found |= ANY
        return found

    def _run(self, function: Function, given: Given) -> Value:
        args, values = function.args, self._values
        plain = [*args.posonlyargs, *args.args]
        for index, value in enumerate(given.positional):
            if index < len(plain):
                values.put(self._scopes.bound(plain[index], plain[index].arg), value)
        for argument in [*plain, *args.kwonlyargs]:
            value = given.starred | given.named.get(argument.arg, NOTHING)
            values.put(self._scopes.bound(argument, argument.arg), value)
        if args.vararg is not None:
            for site in sites(values.cell(self._scopes.bound(args.vararg, args.vararg.arg)), "list"):
                values.put_item(site, ALL, NOTHING.union(*given.positional[len(plain) :], given.starred))
        if args.kwarg is not None:
            for site in sites(values.cell(self._scopes.bound(args.kwarg, args.kwarg.arg)), "dict"):
                values.put_item(site, ALL, NOTHING.union(*given.named.values(), given.starred))
                values.put((site, KEYS), TEXT)
        return values.cell((function, "return"))

    def _escape(self, value: Value) -> None:
        """Functions that are handed on to be called may get anything."""
        for atom in value:
            if isinstance(atom.of, ast.FunctionDef | ast.Lambda):
                self._run(atom.of, Given((), starred=ANY))

    # Members of modules

    def _member(self, node: ast.AST, dotted: str, given: Given) -> Value:
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

    def _call_with_columns(self, node: ast.AST, arguments: Value) -> None:
        for atom in arguments:
            if atom.kind in ("function", "partial"):
                self.apply(node, frozenset({atom}), Given((COLUMN,), starred=COLUMN))

    def _by_rule(self, node: ast.AST, rule: str, given: Given, name: str) -> Value:
        values, first = self._values, given.at(0)
        if "key" in given.named:
            self.apply(node, given.named["key"], Given((self._one(given),)))
        match rule:
            case "plain" | "moment" | "regex" | "numbers":
                self._escape(given.all())
                return self._list(node, PLAIN) if rule == "numbers" else PLAIN
            case "text":
                self._escape(given.all())
                return TEXT
            case "texts":
                return self._list(node, TEXT)
            case "copy":
                return self._list(node, values.elements(first))
            case "one":
                return self._one(given)
            case "total":
                return self._total(node, values.elements(first), given.at(1, "start"))
            case "dict":
                return self._to_dict(node, given, name)
            case "pairs":
                return self._list(node, values.tupled(node, [PLAIN, values.elements(first)], "pair"))
            case "zip":
                return self._zip(node, given)
            case "chain":
                return self._list(node, NOTHING.union(*map(values.elements, given.positional), values.elements(given.starred)))
            case "flatten":
                return self._list(node, values.elements(values.elements(first)))
            case "compare":
                return COLUMN if "column" in kinds(given.all()) else OTHER
            case "item":
                return values.elements(first) | values.items(first) | ANY
            case "second":
                return given.at(1, "val")
            case "getattr":
                return self._getattr(given)
        return self._with_function(node, rule, given, name)

    def _with_function(self, node: ast.AST, rule: str, given: Given, name: str) -> Value:
        values, function, elements = self._values, given.at(0), self._values.elements(given.at(1, "iterable"))
        match rule:
            case "map":
                others = [values.elements(one) for one in given.positional[1:]]
                return self._list(node, self.apply(node, function, Given(tuple(others), starred=values.elements(given.starred))))
            case "same":
                self.apply(node, function, Given((elements,)))
                return self._list(node, elements)
            case "reduce" | "accumulate":
                if rule == "accumulate":
                    function, elements = given.at(1, "func"), values.elements(given.at(0))
                start = given.at(2, "initial")
                before = values.cell((node, "so far"))
                values.put((node, "so far"), elements | start)
                found = self.apply(node, function, Given((before | elements | start, elements)))
                values.put((node, "so far"), found)
                return self._list(node, found | elements) if rule == "accumulate" else found | elements | start
            case "partial":
                self._partials[node] = (function, Given(given.positional[1:], given.named, given.starred))
                return frozenset({Atom("partial", node)})
            case "operator":
                return self._operator(node, name, given)
        self._escape(given.all())
        return ANY

    def _list(self, node: ast.AST, elements: Value) -> Value:
        return self._values.made("list", node, elements)

    def _one(self, given: Given) -> Value:
        """What `max`, `min` and `next` choose from: the elements of one argument, or the arguments."""
        if len(given.positional) == 1 or given.starred:
            return self._values.elements(given.at(0)) | given.named.get("default", NOTHING) | given.starred
        return given.at(0) | given.at(1) | given.all() | self._values.elements(given.at(0))

    def _total(self, node: ast.AST, elements: Value, start: Value) -> Value:
        found = elements | start
        if certainly(found, "list"):
            return self._list(node, self._values.elements(found))
        return self.operation(node, found, ast.Add(), found)

    def _to_dict(self, node: ast.AST, given: Given, name: str) -> Value:
        values, first = self._values, given.at(0)
        if name == "fromkeys":
            return values.made("dict", node, given.at(1) | NONE, values.elements(first))
        pairs = values.elements(frozenset(atom for atom in first if atom.kind not in ("dict", "sources")))
        elements = NOTHING.union(values.items(first), values.item(pairs, 1), *given.named.values())
        keys = values.elements(first) if not pairs else values.item(pairs, 0)
        if kinds(first | pairs) & {"any", "other"}:
            elements |= ANY
        return values.made("dict", node, elements, keys | TEXT)

    def _zip(self, node: ast.AST, given: Given) -> Value:
        parts = [self._values.elements(one) for one in given.positional]
        if given.starred or len(parts) == 1:
            rest = NOTHING.union(*parts, self._values.elements(given.starred))
            return self._list(node, self._values.made("list", node, rest, part="row"))
        return self._list(node, self._values.tupled(node, parts, "row"))

    def _getattr(self, given: Given) -> Value:
        found = NOTHING
        for module in given.at(0):
            for name in given.at(1):
                known = module.kind == "module" and name.kind == "text" and name.of is not None
                found |= frozenset({Atom("member", f"{module.of}.{name.of}")}) if known else ANY
        return found

    def _operator(self, node: ast.AST, name: str, given: Given) -> Value:
        if name in ("neg", "inv", "invert", "pos"):
            return COLUMN if "column" in kinds(given.at(0)) else OTHER
        ops: dict[str, ast.operator] = {"add": ast.Add(), "mod": ast.Mod(), "mul": ast.Mult()}
        return self.operation(node, given.at(0), ops.get(name, ast.BitAnd()), given.at(1))

    # Methods

    def method(self, node: ast.Call, owner: Value, name: str, given: Given) -> Value:
        """What calling a method may give, over all that its owner may be."""
        found = NOTHING
        for atom in owner:
            found |= self._method(node, atom, name, given)
        return found

    def _method(self, node: ast.Call, atom: Atom, name: str, given: Given) -> Value:
        one: Value = frozenset({atom})
        match atom.kind:
            case "column":
                return COLUMN
            case "frame":
                return self._of_frame(node, one, name, given)
            case "grouped":
                return GROUPED if name == "pivot" else FRAME
            case "na":
                return FRAME
            case "window":
                return WINDOW
            case "type":
                return {"add": one, "fieldNames": self._list(node, TEXT)}.get(name, TEXT)
            case "text":
                return self._of_text(node, one, name, given)
            case "plain":
                rule = PLAIN_METHODS.get(name, "plain")
                self._escape(given.all())
                return self._list(node, TEXT) if rule == "texts" else TEXT if rule == "text" else PLAIN
            case "list" | "dict" | "sources":
                return self._of_container(node, one, name, given)
            case "none" | "function" | "partial":
                return NOTHING
        self._escape(given.all())
        return _by_name(name)

    def _of_text(self, node: ast.Call, one: Value, name: str, given: Given) -> Value:
        rule = TEXT_METHODS.get(name, "text")
        if name in _FOLDED and not given.named and not given.starred:
            known = [literals(part) for part in (one, *given.positional)]
            if all(len(part or ()) == 1 for part in known):
                first, *rest = [part[0] for part in known if part]
                return text(getattr(first, name)(*rest)) if len(first) <= _MAX_FOLDED else TEXT
        return self._list(node, TEXT) if rule == "texts" else PLAIN if rule == "plain" else TEXT

    def _of_frame(self, node: ast.Call, frame: Value, name: str, given: Given) -> Value:
        if name == "transform":
            before = given.positional[1:]
            return self.apply(node, given.at(0, "func"), Given((FRAME, *before), given.named, given.starred))
        if name in GROUPING:
            return GROUPED
        return ORDERED if name in ORDERING else frame if name in KEEPS_ORDER else FRAME

    def _of_container(self, node: ast.Call, one: Value, name: str, given: Given) -> Value:
        values, rule = self._values, CONTAINER_METHODS.get(name, "plain")
        self._change(one, rule, given)
        match rule:
            case "get" | "default":
                held = values.item(one) | values.items(one)
                return held | given.at(1, "default") | (NONE if name == "get" else NOTHING)
            case "items":
                return self._list(node, values.tupled(node, [values.elements(one), values.items(one)], "pair"))
            case "keys":
                return self._list(node, values.elements(one))
            case "values":
                return self._list(node, values.items(one))
            case "copy" | "merge":
                rest = values.elements(given.all()) if rule == "merge" else NOTHING
                if kinds(one) & {"dict", "sources"}:
                    return values.made("dict", node, values.items(one), values.elements(one))
                return self._list(node, values.elements(one) | rest)
        return NONE if rule in ("none", "put", "put_all", "put_second") else PLAIN

    def _change(self, one: Value, rule: str, given: Given) -> None:
        values = self._values
        if rule in ("put", "put_all", "put_second", "default", "none", "get"):
            values.changed.update(sites(one, "list", "dict"))
        for site in sites(one, "list"):
            if rule == "put":
                values.put_item(site, ALL, given.at(0))
            elif rule == "put_all":
                values.put_item(site, ALL, values.elements(given.all()))
            elif rule == "put_second":
                values.put_item(site, ALL, given.at(1))
        for site in sites(one, "dict"):
            if rule == "default":
                values.put_item(site, ALL, given.at(1, "default"))
                values.put((site, KEYS), given.at(0))
            elif rule == "put_all":
                first = given.at(0)
                pairs = values.elements(first)
                named = NOTHING.union(*given.named.values())
                values.put_item(site, ALL, values.items(first) | values.item(pairs, 1) | named)
                values.put((site, KEYS), pairs | values.item(pairs, 0) | TEXT)

    # Operators

    def operation(self, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
        """What an operator between two values may give: a Column where one side is one, unless text formats it."""
        formats = isinstance(op, ast.Mod) and kinds(left) & {"text", "any"}
        if not formats and (certainly(left, "column") or certainly(right, "column")):
            return COLUMN
        columns = COLUMN if "column" in kinds(left | right) else NOTHING
        others = [frozenset(atom for atom in side if atom.kind != "column") for side in (left, right)]
        return columns | (TEXT if formats else NOTHING) | self._of_others(node, others[0], op, others[1])

    def _of_others(self, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
        values, both = self._values, left | right
        found = kinds(both)
        if isinstance(op, ast.Add) and certainly(left, "text") and certainly(right, "text"):
            return joined([left, right])
        if isinstance(op, ast.Add | ast.Mult | ast.Mod) and found & {"text", "any"}:
            return TEXT if found <= {"text", "plain"} else ANY
        if "dict" in found:
            return values.made("dict", node, values.items(both), values.elements(both))
        if "list" in found:
            return values.made("list", node, values.elements(both))
        return PLAIN if found and found <= {"plain"} else OTHER if both else NOTHING


def _by_name(name: str) -> Value:
    """What a method gives where its owner may be anything."""
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
        found |= {"plain": PLAIN, "moment": PLAIN, "regex": PLAIN}.get(TEXT_METHODS.get(name, PLAIN_METHODS.get(name, "")), ANY)
    if name in CONTAINER_METHODS or name == "alias" or not found:
        found |= ANY
    return found
