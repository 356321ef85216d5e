"""Name resolution: the variable that each name of a transform means, as Python itself resolves it.

Python's own symbol table (`symtable`) decides; this module pairs its scopes with the nodes of the syntax tree, in the
order in which Python makes them.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

MODULE = 0
"""Number of the module's scope: its names are global or builtins."""

_SCOPE_NAMES: dict[type[ast.AST], str] = {
    ast.Lambda: "lambda",
    ast.ListComp: "listcomp",
    ast.SetComp: "setcomp",
    ast.DictComp: "dictcomp",
    ast.GeneratorExp: "genexpr",
}


@dataclass(frozen=True)
class Variable:
    """A name in the scope that owns it."""

    scope: int
    name: str


class _Scope:
    def __init__(self, table: symtable.SymbolTable, number: int, outer: _Scope | None) -> None:
        self.table, self.number, self.outer = table, number, outer
        self._children = list(reversed(table.get_children()))

    def child(self, name: str, number: int) -> _Scope:
        if not self.has_child(name):
            raise LookupError(f"the scope {name} is not where it was expected")
        return _Scope(self._children.pop(), number, self)

    def has_child(self, name: str) -> bool:
        """True where the next scope inside has this name."""
        return bool(self._children) and self._children[-1].get_name() == name

    def variable(self, name: str) -> Variable:
        """The variable that a name of this scope means. Raises KeyError for a name that the scope does not use."""
        symbol = self.table.lookup(name)
        if self.number == MODULE or symbol.is_global():
            return Variable(MODULE, name)
        if symbol.is_local() or self.outer is None:
            return Variable(self.number, name)
        return self.outer.owner(name)

    def owner(self, name: str) -> Variable:
        """The variable of an enclosing function that holds the name."""
        if self.outer is None:
            return Variable(MODULE, name)
        try:
            symbol = self.table.lookup(name)
        except KeyError:
            return self.outer.owner(name)
        return Variable(self.number, name) if symbol.is_local() else self.outer.owner(name)


class _Inlined(_Scope):
    """A comprehension that Python 3.12 inlines into its function (PEP 709): only its targets are its own variables."""

    def __init__(self, targets: set[str], number: int, outer: _Scope) -> None:
        self.table, self.number, self.outer = outer.table, number, outer
        self._children = outer._children
        self._targets = targets

    def variable(self, name: str) -> Variable:
        """The comprehension's own variable, or what the name means around it."""
        return self.owner(name)

    def owner(self, name: str) -> Variable:
        """The same, for a name of an inner scope."""
        if name in self._targets:
            return Variable(self.number, name)
        return self.outer.variable(name) if self.outer is not None else Variable(MODULE, name)


class Scopes:
    """The variables of a module whose annotations and classes have been taken out.

    Raises LookupError where symbol table and syntax tree do not fit together.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._variables: dict[tuple[ast.AST, str], Variable] = {}
        self._count = MODULE
        table = symtable.symtable(ast.unparse(tree), "transform", "exec")
        scope = _Scope(table, MODULE, None)
        for statement in tree.body:
            self._visit(statement, scope)

    def variable(self, node: ast.Name) -> Variable:
        """The variable that a name reads or binds."""
        return self._variables[node, node.id]

    def bound(self, node: ast.AST, name: str) -> Variable:
        """The variable that a `def`, an `import` or an argument binds."""
        return self._variables[node, name]

    def _visit(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.FunctionDef() | ast.Lambda():
                self._function(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, scope)
            case ast.Name(id=name):
                self._variables[node, name] = scope.variable(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for name in (bound_name(alias) for alias in names if alias.name != "*"):
                    self._variables[node, name] = scope.variable(name)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._visit(child, scope)

    def _function(self, node: Function, scope: _Scope) -> None:
        defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
        for default in defaults:
            self._visit(default, scope)
        if isinstance(node, ast.FunctionDef):
            self._variables[node, node.name] = scope.variable(node.name)
        inner = self._inner(node.name if isinstance(node, ast.FunctionDef) else "lambda", scope)
        for argument in arguments(node):
            self._variables[argument, argument.arg] = inner.variable(argument.arg)
        for part in node.body if isinstance(node.body, list) else [node.body]:
            self._visit(part, inner)

    def _comprehension(self, node: Comprehension, scope: _Scope) -> None:
        first, *others = node.generators
        self._visit(first.iter, scope)
        inner = self._inner_of(node, scope)
        results = [node.value, node.key] if isinstance(node, ast.DictComp) else [node.elt]
        for part in [first.target, *first.ifs, *others, *results]:
            self._visit(part, inner)

    def _inner_of(self, node: Comprehension, scope: _Scope) -> _Scope:
        name = _SCOPE_NAMES[type(node)]
        if isinstance(node, ast.GeneratorExp) or scope.has_child(name):
            return self._inner(name, scope)
        self._count += 1
        targets = [part for one in node.generators for part in ast.walk(one.target)]
        return _Inlined({part.id for part in targets if isinstance(part, ast.Name)}, self._count, scope)

    def _inner(self, name: str, scope: _Scope) -> _Scope:
        self._count += 1
        return scope.child(name, self._count)


def arguments(function: Function) -> Iterator[ast.arg]:
    """All parameters of a function."""
    args = function.args
    yield from [*args.posonlyargs, *args.args, *args.kwonlyargs]
    yield from (starred for starred in (args.vararg, args.kwarg) if starred is not None)


def bound_name(alias: ast.alias) -> str:
    """The name that an import binds: `pyspark` for `import pyspark.sql.functions`."""
    return alias.asname or alias.name.split(".")[0]


def returns(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.FunctionDef]]:
    """Each `return` with the function that it ends."""
    stack: list[tuple[ast.AST, ast.FunctionDef | None]] = [(tree, None)]
    while stack:
        node, function = stack.pop()
        if isinstance(node, ast.Return) and function is not None:
            yield node, function
        inner = node if isinstance(node, ast.FunctionDef) else function
        stack += [(child, inner) for child in ast.iter_child_nodes(node)]


def names_bound(node: ast.stmt) -> list[str]:
    """Names that a statement of a module binds for certain; a star import counts as binding none."""
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [bound_name(alias) for alias in names if alias.name != "*"]
        case ast.FunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return [name]
    return []


def bound_by(node: ast.AST, scopes: Scopes) -> Iterator[Variable]:
    """The variables that a statement, a comprehension or a parameter binds."""
    targets: list[ast.AST] = []
    match node:
        case ast.arg(arg=name) | ast.FunctionDef(name=name):
            yield scopes.bound(node, name)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (scopes.bound(node, bound_name(alias)) for alias in names if alias.name != "*")
        case ast.Assign():
            targets = list(node.targets)
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.comprehension() | ast.NamedExpr():
            targets = [node.target]
    for part in (part for target in targets for part in ast.walk(target)):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield scopes.variable(part)
