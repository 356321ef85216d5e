"""Transfer rules of the value analysis, one for each kind of syntax node."""

from __future__ import annotations

import ast

from agent.sanitizing.call_rules import CallRules, comparison
from agent.sanitizing.library import canonical_name, is_module
from agent.sanitizing.scopes import Function, Scopes, returns
from agent.sanitizing.value_kinds import (
    ANY,
    COLUMN,
    FRAME,
    GROUPED,
    NONE,
    NOTHING,
    OTHER,
    PLAIN,
    TEXT,
    TYPE,
    Atom,
    AtomKind,
    Site,
    Value,
    certainly,
    container,
    joined,
    kinds,
    sites,
    text,
)
from agent.sanitizing.values import ALL, KEYS, Values

_SOURCES: Value = frozenset({Atom("sources")})
_ITEMS: dict[AtomKind, Value] = {
    "sources": FRAME,
    "text": TEXT,
    "grouped": GROUPED,
    "member": OTHER,  # dict[str, DataFrame], as an alias for annotations
    "plain": ANY,
    "any": ANY,
    "other": ANY,
}
"""Results of a subscript, by the kind of its owner."""


class Rules:
    """Evaluates one node on the values found so far; an expression without a rule may be anything."""

    def __init__(self, values: Values, scopes: Scopes, tree: ast.Module) -> None:
        self._values = values
        self._scopes = scopes
        self._calls = CallRules(values, scopes, tree)
        self._returns = dict(returns(tree))

    def step(self, node: ast.AST) -> None:
        """Add the node's effect, as far as the values of its parts are known."""
        if isinstance(node, ast.expr):
            self._values.note(node, self._expression(node))
        else:
            self._statement(node)

    # Expressions

    def _expression(self, node: ast.expr) -> Value:
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp):
            return self._combined(node)
        value = self._values.so_far
        match node:
            case ast.Constant(value=constant):
                return _constant(constant)
            case ast.Name(ctx=ast.Load()):
                return self._values.cell(self._scopes.variable(node))
            case ast.Name() | ast.Starred() | ast.Slice():
                return NOTHING
            case ast.JoinedStr(values=parts):
                return joined(value(part) for part in parts)
            case ast.FormattedValue(value=inner, conversion=conversion, format_spec=how):
                return value(inner) if conversion == -1 and how is None else TEXT
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(value(owner), name)
            case ast.Subscript(ctx=ast.Load()):
                return self._subscript(node)
            case ast.Call():
                return self._calls.call(node)
        return self._container(node)

    def _combined(self, node: ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp) -> Value:
        value = self._values.so_far
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return self._calls.operation(node, value(left), op, value(right))
            case ast.UnaryOp(op=ast.Not()):
                return PLAIN
            case ast.UnaryOp(operand=operand):
                return COLUMN if certainly(value(operand), "column") else OTHER
            case ast.Compare(left=left, ops=ops, comparators=others):
                return comparison(ops, [value(part) for part in (left, *others)])
            case ast.BoolOp(values=parts):
                return NOTHING.union(*(value(part) for part in parts))
        return value(node.body) | value(node.orelse)

    def _container(self, node: ast.expr) -> Value:
        match node:
            case ast.Tuple(ctx=ast.Load(), elts=elements) if not any(isinstance(e, ast.Starred) for e in elements):
                return self._values.tupled(node, [self._values.so_far(element) for element in elements])
            case ast.List(ctx=ast.Load(), elts=elements) | ast.Tuple(ctx=ast.Load(), elts=elements):
                return self._values.made("list", node, self._all_of(elements))
            case ast.Set(elts=elements):
                return self._values.made("list", node, self._all_of(elements))
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                return self._values.made("list", node, self._values.so_far(element))
            case ast.DictComp(key=key, value=element):
                return self._values.made("dict", node, self._values.so_far(element), self._values.so_far(key))
            case ast.Dict():
                return self._dictionary(node)
            case ast.List() | ast.Tuple() | ast.Subscript():
                return NOTHING
            case ast.NamedExpr(target=target, value=assigned):
                self._store(target, self._values.so_far(assigned))
                return self._values.so_far(assigned)
            case ast.Lambda(body=body):
                self._parameters(node)
                self._values.put((node, "return"), self._values.so_far(body))
                return frozenset({Atom("function", node)})
        return ANY

    def _all_of(self, elements: list[ast.expr]) -> Value:
        """The elements of a list, tuple or set display; a starred element contributes its own elements."""
        found = NOTHING
        for element in elements:
            if isinstance(element, ast.Starred):
                found |= self._values.elements(self._values.so_far(element.value))
            else:
                found |= self._values.so_far(element)
        return found

    def _dictionary(self, node: ast.Dict) -> Value:
        site = Site(node)
        for key, element in zip(node.keys, node.values, strict=True):
            value = self._values.so_far(element)
            if key is None:
                keys, elements = self._values.entries(value)
                self._values.put_item(site, ALL, elements)
                self._values.put((site, KEYS), keys)
                continue
            slot = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ALL
            self._values.put_item(site, slot, value)
            self._values.put((site, KEYS), self._values.so_far(key))
        return container("dict", site)

    def _attribute(self, owner: Value, name: str) -> Value:
        found = NOTHING
        for atom in owner:
            match atom.kind:
                case "module" | "member":
                    dotted = canonical_name(f"{atom.of}.{name}")
                    found |= frozenset({Atom("module" if is_module(dotted) else "member", dotted)})
                case "frame" if name in ("columns", "dtypes", "schema", "na"):
                    found |= self._of_frame(name)
                case "type":
                    found |= (
                        TEXT if name in ("name", "names") else TYPE if name not in ("precision", "scale") else PLAIN
                    )
                case "plain" | "none":
                    found |= PLAIN
                case _:
                    found |= ANY
        return found

    def _of_frame(self, name: str) -> Value:
        # One list stands for the columns of all frames: its texts are unknown in any case.
        if name == "schema":
            return TYPE
        if name == "na":
            return frozenset({Atom("na")})
        return self._values.column_names if name == "columns" else self._values.column_types

    def _subscript(self, node: ast.Subscript) -> Value:
        values, place = self._values, node.slice
        found = NOTHING
        for atom in values.so_far(node.value):
            one = frozenset({atom})
            if atom.kind == "frame":
                found |= FRAME if kinds(values.so_far(place)) & {"column", "list", "any"} else COLUMN
            elif atom.kind == "list" and isinstance(place, ast.Slice):
                found |= values.made("list", node, values.elements(one))
            elif atom.kind in ("list", "dict"):
                found |= values.item(one, _slot(place))
            elif atom.kind in ("column", "type"):
                found |= one
            else:
                found |= _ITEMS.get(atom.kind, NOTHING)
        return found

    # Statements

    def _statement(self, node: ast.AST) -> None:
        value = self._values.so_far
        match node:
            case ast.Assign(targets=targets, value=assigned):
                for target in targets:
                    self._store(target, value(assigned))
            case ast.AnnAssign(target=target, value=assigned) if assigned is not None:
                self._store(target, value(assigned))
            case ast.AugAssign(target=target, op=op, value=assigned):
                self._augment(node, target, op, value(assigned))
            case ast.For(target=target, iter=iterated) | ast.comprehension(target=target, iter=iterated):
                self._store(target, self._values.elements(value(iterated)))
            case ast.Return(value=returned) if node in self._returns:
                self._values.put((self._returns[node], "return"), value(returned) if returned else NONE)
            case ast.FunctionDef(name=name):
                self._parameters(node)
                self._values.put(self._scopes.bound(node, name), frozenset({Atom("function", node)}))

    def _parameters(self, function: Function) -> None:
        args, values = function.args, self._values
        plain = [*args.posonlyargs, *args.args]
        defaults: list[tuple[ast.arg, ast.expr | None]] = [
            *zip(reversed(plain), reversed(args.defaults), strict=False),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ]
        for argument, default in defaults:
            if default is not None:
                values.put(self._scopes.bound(argument, argument.arg), values.so_far(default))
        if args.vararg is not None:
            values.put(self._scopes.bound(args.vararg, args.vararg.arg), container("list", Site(args.vararg)))
        if args.kwarg is not None:
            values.put(self._scopes.bound(args.kwarg, args.kwarg.arg), container("dict", Site(args.kwarg)))
        if isinstance(function, ast.FunctionDef) and function.name == "transform" and len(plain) == 1:
            values.put(self._scopes.bound(plain[0], plain[0].arg), _SOURCES)

    def _augment(self, node: ast.AugAssign, target: ast.expr, op: ast.operator, assigned: Value) -> None:
        if isinstance(target, ast.Name):
            before = self._values.cell(self._scopes.variable(target))
        else:
            before = self._values.item(self._values.so_far(target.value)) if isinstance(target, ast.Subscript) else ANY
        if sites(before, "list", "dict") or kinds(assigned) & {"list", "dict", "any", "other"}:
            self._values.change(before)
        for site in sites(before, "list"):
            self._values.put_item(site, ALL, self._values.elements(assigned))
        for site in sites(before, "dict"):
            keys, elements = self._values.entries(assigned)
            self._values.put_item(site, ALL, elements)
            self._values.put((site, KEYS), keys)
        self._store(target, self._calls.operation(node, before, op, assigned))

    def _store(self, target: ast.expr, value: Value) -> None:
        values = self._values
        match target:
            case ast.Name():
                values.put(self._scopes.variable(target), value)
            case ast.Starred(value=inner):
                self._store(inner, values.made("list", target, values.elements(value)))
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                starred = any(isinstance(element, ast.Starred) for element in elements)
                for index, element in enumerate(elements):
                    part = (
                        value if isinstance(element, ast.Starred) else self._unpacked(value, None if starred else index)
                    )
                    self._store(element, part)
            case ast.Subscript(value=owner, slice=place):
                values.change(values.so_far(owner))
                for site in sites(values.so_far(owner), "list", "dict"):
                    self._store_item(site, place, value)

    def _unpacked(self, value: Value, index: int | None) -> Value:
        """The element that one target of an unpacking gets: a tuple's element at its index, else any element."""
        rest = frozenset(atom for atom in value if atom.kind != "list")
        tuples = value - rest
        return self._values.elements(rest) | self._values.item(tuples, ALL if index is None else index)

    def _store_item(self, site: Site, place: ast.expr, value: Value) -> None:
        values = self._values
        if isinstance(place, ast.Slice):
            values.put_item(site, ALL, values.elements(value))
            return
        slot = _slot(place)
        values.put_item(site, slot if isinstance(slot, str) else ALL, value)
        values.put((site, KEYS), values.so_far(place))


def _slot(place: ast.expr) -> str | int:
    """The slot that a subscript names: a constant key or index, else ALL."""
    match place:
        case ast.Constant(value=str() | int() as constant):
            return constant
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as constant)):
            return -constant
    return ALL


def _constant(constant: object) -> Value:
    if isinstance(constant, str):
        return text(constant)
    return NONE if constant is None else PLAIN
