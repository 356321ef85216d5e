"""Texts that a transform puts together from literals alone, worked out as Python would.

Engineers build SQL from lists of names: `", ".join(f"'{m}', {m}" for m in MONTHS)`. Where all parts stand in the code,
every text that can come about is known, and is checked like one that stands there itself.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from agent.sanitizing.kinds import Site, literals
from agent.sanitizing.scopes import Scopes, Variable
from agent.sanitizing.spark_names import words
from agent.sanitizing.values import Values

_MAX_TEXTS = 64
_MAX_STEPS = 20_000
_MAX_SIZE = 10_000
"""Characters of a text, and elements of a list."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.len": len, "builtins.str": str, "builtins.repr": repr, "builtins.list": list, "builtins.tuple": tuple,
    "builtins.sorted": sorted, "builtins.reversed": lambda values: list(reversed(values)), "builtins.dict": dict,
    "builtins.enumerate": lambda *values: list(enumerate(*values)),
    "builtins.zip": lambda *values: list(zip(*values, strict=False)),
    "builtins.set": lambda values: sorted(set(values)), "builtins.max": max, "builtins.min": min,
}  # fmt: skip
_METHODS: dict[type, frozenset[str]] = {
    str: words("""
    join format lower upper strip lstrip rstrip title capitalize replace split startswith endswith removeprefix
    removesuffix
    """),
    dict: words("items keys values get"),
}
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, values: one in values, ast.NotIn: lambda one, values: one not in values,
}  # fmt: skip
_CONVERSIONS: dict[int, Callable[[Any], str]] = {ord("r"): repr, ord("s"): str, ord("a"): ascii}
_WIDE = re.compile(r"\d{3}|\*")
"""A width in a format: of a thousand and more, or from another argument."""


class _UnknownError(Exception):
    """The value does not follow from literals."""


class _ChoiceError(Exception):
    """The value depends on a variable that can be several things."""

    def __init__(self, choices: list[dict[Variable, Any]]) -> None:
        super().__init__()
        self.choices = choices


Known = dict[Variable, Any]


class LiteralTexts:
    """The texts that expressions of one transform may be, where they follow from literals."""

    def __init__(self, tree: ast.Module, scopes: Scopes, values: Values) -> None:
        self._scopes = scopes
        self._values = values
        self._bindings: dict[Variable, list[ast.AST]] = defaultdict(list)
        for node in ast.walk(tree):
            for name in _bound_names(node):
                self._bindings[scopes.variable(name)].append(node)
        self._steps = 0
        self._open: set[ast.AST] = set()

    def of(self, node: ast.expr) -> list[str] | None:
        """All texts that an expression may be, or a list may hold; None where they do not follow from literals."""
        try:
            found = self._all(node)
        except (_UnknownError, ArithmeticError, LookupError, TypeError, ValueError):
            return None
        texts = [text for value in found for text in (value if isinstance(value, list | tuple) else [value])]
        return sorted(set(texts)) if all(isinstance(text, str) for text in texts) else None

    def _all(self, node: ast.AST) -> list[Any]:
        """Each value that an expression may have, whatever its variables were when it was worked out."""
        if node in self._open:
            raise _UnknownError
        self._open.add(node)
        found: list[Any] = []
        waiting: list[Known] = [{}]
        try:
            while waiting:
                known = waiting.pop()
                try:
                    found.append(self._value(node, known))
                except _ChoiceError as choice:
                    waiting += [known | one for one in choice.choices]
                if len(waiting) + len(found) > _MAX_TEXTS:
                    raise _UnknownError
        finally:
            self._open.remove(node)
        return found

    def _value(self, node: ast.AST | None, known: Known) -> Any:
        self._steps += 1
        rule = _RULES.get(type(node))
        if rule is None or self._steps > _MAX_STEPS or (node and Site(node) in self._values.changed):
            raise _UnknownError
        value = rule(self, node, known)
        if isinstance(value, str | list | tuple | dict) and len(value) > _MAX_SIZE:
            raise _UnknownError
        return value

    def _name(self, node: ast.Name, known: Known) -> Any:
        variable = self._scopes.variable(node)
        if variable in known:
            return known[variable]
        match self._bindings[variable]:
            case [ast.Assign(targets=[ast.Name()], value=value)] | [ast.AnnAssign(value=ast.expr() as value)]:
                choices = [{variable: one} for one in self._all(value)]
            case [ast.For(target=target, iter=iterated)] | [ast.comprehension(target=target, iter=iterated)]:
                choices = [self._unpacked(target, one) for values in self._all(iterated) for one in values]
            case _:
                texts = literals(self._values.cell(variable))
                if not texts or any(atom.kind != "text" for atom in self._values.cell(variable)):
                    raise _UnknownError
                choices = [{variable: text} for text in texts]
        raise _ChoiceError(choices)

    def _unpacked(self, target: ast.expr, value: Any) -> Known:
        if isinstance(target, ast.Name):
            return {self._scopes.variable(target): value}
        if not isinstance(target, ast.Tuple | ast.List) or len(target.elts) != len(value):
            raise _UnknownError
        parts = [self._unpacked(part, one) for part, one in zip(target.elts, value, strict=True)]
        return {variable: one for part in parts for variable, one in part.items()}

    def _formatted(self, node: ast.FormattedValue, known: Known) -> str:
        value = self._value(node.value, known)
        how = self._value(node.format_spec, known) if node.format_spec else ""
        if _WIDE.search(how):
            raise _UnknownError
        convert = _CONVERSIONS.get(node.conversion)
        return format(convert(value) if convert else value, how)

    def _operation(self, node: ast.BinOp, known: Known) -> Any:
        left, right = self._value(node.left, known), self._value(node.right, known)
        if isinstance(node.op, ast.Mult) and isinstance(left, int | float) and isinstance(right, int | float):
            return left * right
        if isinstance(node.op, ast.Mod) and isinstance(left, str) and not _WIDE.search(left):
            return left % right
        if type(node.op) not in _OPERATORS:
            raise _UnknownError
        return _OPERATORS[type(node.op)](left, right)

    def _comparison(self, node: ast.Compare, known: Known) -> bool:
        if len(node.ops) != 1 or type(node.ops[0]) not in _OPERATORS:
            raise _UnknownError
        return bool(
            _OPERATORS[type(node.ops[0])](self._value(node.left, known), self._value(node.comparators[0], known))
        )

    def _elements(self, node: ast.List | ast.Tuple | ast.Set, known: Known) -> list[Any]:
        found: list[Any] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                found += self._value(element.value, known)
            else:
                found.append(self._value(element, known))
        return found

    def _dictionary(self, node: ast.Dict, known: Known) -> dict[Any, Any]:
        return {
            self._value(key, known): self._value(value, known)
            for key, value in zip(node.keys, node.values, strict=True)
        }

    def _rows(self, generators: list[ast.comprehension], known: Known) -> Iterator[Known]:
        first, *others = generators
        for one in self._value(first.iter, known):
            inner = known | self._unpacked(first.target, one)
            if all(self._value(condition, inner) for condition in first.ifs):
                yield from self._rows(others, inner) if others else iter([inner])

    def _call(self, node: ast.Call, known: Known) -> Any:
        called = self._values.of(node.func)
        members = [str(atom.of) for atom in called if atom.kind == "member"]
        if len(members) == 1 and members[0] in _FUNCTIONS:
            call: Callable[..., Any] = _FUNCTIONS[members[0]]
        elif isinstance(node.func, ast.Attribute) and not members:
            owner = self._value(node.func.value, known)
            if node.func.attr not in _METHODS.get(type(owner), ()) or (
                node.func.attr == "format" and _WIDE.search(owner)
            ):
                raise _UnknownError
            call = getattr(owner, node.func.attr)
        else:
            raise _UnknownError
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            raise _UnknownError
        value = call(
            *(self._value(argument, known) for argument in node.args),
            **{str(keyword.arg): self._value(keyword.value, known) for keyword in node.keywords},
        )
        return value if isinstance(value, str | int | float | tuple | dict) else list(value)


def _bound_names(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a statement or comprehension binds."""
    targets: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.comprehension | ast.NamedExpr):
        targets = [node.target]
    for target in targets:
        yield from (part for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


_Rule = Callable[[LiteralTexts, Any, Known], Any]
_RULES: dict[type | None, _Rule] = {
    ast.Constant: lambda self, node, known: node.value,
    ast.Name: LiteralTexts._name,
    ast.JoinedStr: lambda self, node, known: "".join(self._value(part, known) for part in node.values),
    ast.FormattedValue: LiteralTexts._formatted,
    ast.BinOp: LiteralTexts._operation,
    ast.Compare: LiteralTexts._comparison,
    ast.UnaryOp: lambda self, node, known: (
        -self._value(node.operand, known) if isinstance(node.op, ast.USub) else not self._value(node.operand, known)
    ),
    ast.IfExp: lambda self, node, known: self._value(
        node.body if self._value(node.test, known) else node.orelse, known
    ),
    ast.List: LiteralTexts._elements,
    ast.Tuple: lambda self, node, known: tuple(self._elements(node, known)),
    ast.Dict: LiteralTexts._dictionary,
    ast.ListComp: lambda self, node, known: [self._value(node.elt, one) for one in self._rows(node.generators, known)],
    ast.GeneratorExp: lambda self, node, known: [
        self._value(node.elt, one) for one in self._rows(node.generators, known)
    ],
    ast.DictComp: lambda self, node, known: {
        self._value(node.key, one): self._value(node.value, one) for one in self._rows(node.generators, known)
    },
    ast.Subscript: lambda self, node, known: self._value(node.value, known)[self._value(node.slice, known)],
    ast.Call: LiteralTexts._call,
}
