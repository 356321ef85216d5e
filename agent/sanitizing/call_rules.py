"""Abstract evaluation of calls and operators in a transform."""

from __future__ import annotations

import ast

from agent.sanitizing.calls import Arguments
from agent.sanitizing.library_rules import LibraryRules
from agent.sanitizing.method_rules import MethodRules
from agent.sanitizing.scopes import Function, Scopes
from agent.sanitizing.value_kinds import (
    ANY,
    COLUMN,
    NOTHING,
    OTHER,
    PLAIN,
    TEXT,
    Atom,
    Value,
    certainly,
    joined,
    kinds,
    sites,
)
from agent.sanitizing.values import ALL, KEYS, Values


class CallRules:
    """The results of calls, by the kind of the callee."""

    def __init__(self, values: Values, scopes: Scopes, tree: ast.Module) -> None:
        self._anywhere = ast.Pass()
        self._functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
        self._values = values
        self._scopes = scopes
        self._library = LibraryRules(values, self)
        self._methods = MethodRules(values, self)
        self._partials: dict[ast.AST, tuple[Value, Arguments]] = {}

    def call(self, node: ast.Call) -> Value:
        """The possible results of a call in the transform."""
        arguments = self._arguments(node)
        match node.func:
            case ast.Attribute(value=owner, attr=name):
                of = self._values.so_far(owner)
                library = frozenset(atom for atom in of if atom.kind in ("module", "member"))
                found = self._methods.call(node, of - library, name, arguments)
                return found | self.apply(node, self._values.so_far(node.func), arguments) if library else found
        return self.apply(node, self._values.so_far(node.func), arguments)

    def _arguments(self, node: ast.Call) -> Arguments:
        values = self._values
        first = next((i for i, argument in enumerate(node.args) if isinstance(argument, ast.Starred)), len(node.args))
        starred = [
            values.elements(values.so_far(a.value)) if isinstance(a, ast.Starred) else values.so_far(a)
            for a in node.args[first:]
        ]
        doubled = [values.entries(values.so_far(k.value))[1] for k in node.keywords if k.arg is None]
        return Arguments(
            tuple(values.so_far(argument) for argument in node.args[:first]),
            {k.arg: values.so_far(k.value) for k in node.keywords if k.arg is not None},
            NOTHING.union(*starred, *doubled),
        )

    def apply(self, node: ast.AST, called: Value, arguments: Arguments) -> Value:
        """The possible results of calling a value."""
        found = NOTHING
        for atom in called:
            match atom:
                case Atom("function", (ast.FunctionDef() | ast.Lambda()) as function):
                    found |= self.run(function, arguments)
                case Atom("partial", ast.AST() as made) if made in self._partials:
                    inner, before = self._partials[made]
                    both = before.then(arguments)
                    found |= self.apply(node, inner, both)
                case Atom("member", str() as dotted):
                    found |= self._library.call(node, dotted, arguments)
                case Atom("any" | "other" as kind):
                    self.escape(arguments.all())
                    for function in self._functions if kind == "any" else []:
                        self.run(function, Arguments((), starred=ANY))
                    found |= ANY
        return found

    def run(self, function: Function, arguments: Arguments) -> Value:
        """The possible results of a function of the reply; the arguments flow into its parameters."""
        args, values = function.args, self._values
        plain = [*args.posonlyargs, *args.args]
        for index, value in enumerate(arguments.positional):
            if index < len(plain):
                values.put(self._scopes.bound(plain[index], plain[index].arg), value)
        for argument in [*plain, *args.kwonlyargs]:
            value = arguments.starred | arguments.named.get(argument.arg, NOTHING)
            values.put(self._scopes.bound(argument, argument.arg), value)
        if args.vararg is not None:
            for site in sites(values.cell(self._scopes.bound(args.vararg, args.vararg.arg)), "list"):
                values.put_item(site, ALL, NOTHING.union(*arguments.positional[len(plain) :], arguments.starred))
        if args.kwarg is not None:
            for site in sites(values.cell(self._scopes.bound(args.kwarg, args.kwarg.arg)), "dict"):
                values.put_item(site, ALL, NOTHING.union(*arguments.named.values(), arguments.starred))
                values.put((site, KEYS), TEXT)
        return values.cell((function, "return"))

    def escape(self, value: Value) -> None:
        """Call functions that escape to unknown code with arguments of any kind."""
        for atom in value:
            if atom.kind in ("function", "partial"):
                self.apply(self._anywhere, frozenset({atom}), Arguments((), starred=ANY))

    def partial(self, node: ast.AST, function: Value, arguments: Arguments) -> Value:
        """A function with some of its arguments, as `functools.partial` makes it."""
        self._partials[node] = (function, arguments)
        return frozenset({Atom("partial", node)})

    def operation(self, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
        """The result of an operator between two values: a Column where one side is one, except in `text % value`."""
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
            keys, elements = values.entries(both)
            return values.made("dict", node, elements, keys)
        if "list" in found:
            return values.made("list", node, values.elements(both))
        return PLAIN if found and found <= {"plain"} else OTHER if both else NOTHING


def comparison(ops: list[ast.cmpop], parts: list[Value]) -> Value:
    """The result of a comparison: a Column where one side is one, never text."""
    plain = any(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in ops)
    if plain:
        return PLAIN
    if any(certainly(part, "column") for part in parts):
        return COLUMN
    found = kinds(NOTHING.union(*parts))
    return (COLUMN if "column" in found else NOTHING) | (PLAIN if found <= {"plain", "text"} else OTHER)
