"""Constant folding: the texts that a transform builds from literals alone, evaluated as Python would.

Engineers build SQL from lists of names: `", ".join(f"'{m}', {m}" for m in MONTHS)`. When all parts are literals, every
possible text is known and is checked like a literal.
"""

from __future__ import annotations

import ast
import operator
import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from agent.sanitizing.scopes import Scopes, Variable, bound_by
from agent.sanitizing.spark_names import words
from agent.sanitizing.value_kinds import Site, literals
from agent.sanitizing.values import Values

_MAX_TEXTS = 64  # different values of one expression
_MAX_WORK = 200_000  # total size of all values evaluated for one transform
_MAX_BITS = 256  # of an integer
_MAX_SIZE = 10_000  # characters and elements of one value, nested ones included

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.len": len, "builtins.str": str, "builtins.repr": repr, "builtins.list": list, "builtins.tuple": tuple,
    "builtins.sorted": sorted, "builtins.reversed": lambda values: _Iterator(reversed(values)), "builtins.dict": dict,
    "builtins.enumerate": lambda *values: _Iterator(enumerate(*values)),
    "builtins.zip": lambda *values: _Iterator(zip(*values, strict=False)),
    "builtins.range": lambda *places: _numbers(range(*places)), "builtins.max": max, "builtins.min": min,
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
"""A width in a format that could make a text huge: of three digits and more, or from another argument."""


class _Iterator(list[Any]):
    """A Python iterator as a list; folding stops at a second use, where Python would find it empty."""


class _UnknownError(Exception):
    """The value does not follow from literals."""


def _numbers(numbers: range) -> list[int]:
    if len(numbers) > _MAX_TEXTS:
        raise _UnknownError
    return list(numbers)


class _ChoiceError(Exception):
    """The value depends on a variable with several possible values; evaluation continues with each of them."""

    def __init__(self, choices: list[dict[Variable, Any]]) -> None:
        super().__init__()
        self.choices = choices


Known = dict[Variable, Any]
"""The values that variables have in one evaluation."""


class LiteralTexts:
    """The possible texts of expressions of one transform, where they follow from literals."""

    def __init__(self, tree: ast.Module, scopes: Scopes, values: Values) -> None:
        self._scopes = scopes
        self._values = values
        self._bindings: dict[Variable, list[ast.AST]] = defaultdict(list)
        for node in ast.walk(tree):
            for variable in bound_by(node, scopes):
                self._bindings[variable].append(node)
        self._work = 0
        self._in_progress: set[ast.AST] = set()

    def of(self, node: ast.expr) -> list[str] | None:
        """All possible texts of an expression, or of a list's elements; None where they do not follow from literals."""
        if self._values.changed_unseen:
            return None
        try:
            found = self._all(node)
        except (_UnknownError, ArithmeticError, LookupError, TypeError, ValueError):
            return None
        texts = [text for value in found for text in (value if isinstance(value, list | tuple) else [value])]
        return sorted(set(texts)) if all(isinstance(text, str) for text in texts) else None

    def constant(self, node: ast.expr) -> str | None:
        """The text of a literal, or of a name that is bound once and to a literal."""
        if isinstance(node, ast.Name):
            match self._bindings[self._scopes.variable(node)]:
                case [ast.Assign(targets=[ast.Name()], value=value)]:
                    node = value
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def _all(self, node: ast.AST) -> list[Any]:
        """Each possible value of an expression, over all values of its variables."""
        if node in self._in_progress:  # the expression depends on itself, as in a loop
            raise _UnknownError
        self._in_progress.add(node)
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
            self._in_progress.remove(node)
        return found

    def _value(self, node: ast.AST | None, known: Known) -> Any:
        rule = _RULES.get(type(node))
        if rule is None or self._work > _MAX_WORK or (node and Site(node) in self._values.changed):
            raise _UnknownError
        value = rule(self, node, known)
        self._work += _size(value)
        return value

    def _name(self, node: ast.Name, known: Known) -> Any:
        variable = self._scopes.variable(node)
        if variable in known:
            return known[variable]
        match self._bindings[variable]:
            case [ast.Assign(targets=[ast.Name()], value=value)] | [ast.AnnAssign(value=ast.expr() as value)]:
                choices = [{variable: one} for one in self._all(value)]
                if any(isinstance(one, _Iterator) for choice in choices for one in choice.values()):
                    raise _UnknownError
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

    def _reusable(self, node: ast.AST, known: Known) -> Any:
        """The value of an expression that is no iterator."""
        value = self._value(node, known)
        if isinstance(value, _Iterator):
            raise _UnknownError
        return value

    def _sign(self, node: ast.UnaryOp, known: Known) -> Any:
        if isinstance(node.op, ast.USub):
            return -self._value(node.operand, known)
        if isinstance(node.op, ast.Not):
            return not self._reusable(node.operand, known)
        raise _UnknownError

    def _operation(self, node: ast.BinOp, known: Known) -> Any:
        left, right = self._reusable(node.left, known), self._reusable(node.right, known)
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
            _OPERATORS[type(node.ops[0])](self._reusable(node.left, known), self._reusable(node.comparators[0], known))
        )

    def _elements(self, node: ast.List | ast.Tuple, known: Known) -> list[Any]:
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
        owner: Any = None
        if len(called) == len(members) == 1 and members[0] in _FUNCTIONS:
            call: Callable[..., Any] = _FUNCTIONS[members[0]]
        elif isinstance(node.func, ast.Attribute) and not members:
            owner = self._value(node.func.value, known)
            name = node.func.attr
            wide = name == "format" and (_WIDE.search(owner) or not has_plain_fields(owner))
            if name not in _METHODS.get(type(owner), ()) or wide:
                raise _UnknownError
            call = getattr(owner, node.func.attr)
        else:
            raise _UnknownError
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            raise _UnknownError
        given = [self._value(argument, known) for argument in node.args]
        if len(given) > 1 and isinstance(given[1], str) and len(given[1]) > 1 and isinstance(owner, str):
            _size(owner * len(given[1]))  # the longest result of `replace`
        value = call(*given, **{str(keyword.arg): self._value(keyword.value, known) for keyword in node.keywords})
        return value if isinstance(value, str | int | float | tuple | dict | list) else _Iterator(value)


def _size(value: Any) -> int:
    """Count of a value's characters and elements. Raises _UnknownError when there are too many."""
    size, waiting = 1, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, int) and one.bit_length() > _MAX_BITS:
            raise _UnknownError
        if isinstance(one, str | list | tuple | dict):
            size += len(one)
        if size > _MAX_SIZE:
            raise _UnknownError
        if isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
    return size


def has_plain_fields(text: str) -> bool:
    """True when `format` with this text reads no attribute or element of its arguments and no computed width."""
    try:
        fields = [(field, how) for _, field, how, _ in string.Formatter().parse(text) if field is not None]
    except ValueError:
        return False
    return all(not set(field) & set(".[") and "{" not in (how or "") for field, how in fields)


_Rule = Callable[[LiteralTexts, Any, Known], Any]
_RULES: dict[type | None, _Rule] = {
    ast.Constant: lambda self, node, known: node.value,
    ast.Name: LiteralTexts._name,
    ast.JoinedStr: lambda self, node, known: "".join(self._value(part, known) for part in node.values),
    ast.FormattedValue: LiteralTexts._formatted,
    ast.BinOp: LiteralTexts._operation,
    ast.Compare: LiteralTexts._comparison,
    ast.UnaryOp: LiteralTexts._sign,
    ast.IfExp: lambda self, node, known: self._value(
        node.body if self._reusable(node.test, known) else node.orelse, known
    ),
    ast.List: LiteralTexts._elements,
    ast.Tuple: lambda self, node, known: tuple(self._elements(node, known)),
    ast.Dict: LiteralTexts._dictionary,
    ast.ListComp: lambda self, node, known: [self._value(node.elt, one) for one in self._rows(node.generators, known)],
    ast.GeneratorExp: lambda self, node, known: _Iterator(
        self._value(node.elt, one) for one in self._rows(node.generators, known)
    ),
    ast.DictComp: lambda self, node, known: {
        self._value(node.key, one): self._value(node.value, one) for one in self._rows(node.generators, known)
    },
    ast.Subscript: lambda self, node, known: self._reusable(node.value, known)[self._value(node.slice, known)],
    ast.Call: LiteralTexts._call,
}
