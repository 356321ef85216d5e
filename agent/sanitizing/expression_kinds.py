"""What kind of value an expression of a transform certainly has: a Column, a DataFrame, or not known.

The policy needs it in two places: text must not reach a place where Spark reads it as SQL, and Python's
`and`, `or`, `not` and `if` cannot be used on a Column.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import Literal

from agent.sanitizing.allowed_names import COLUMN_METHODS, FRAME_METHODS

Kind = Literal["column", "frame", "unknown"]
_MAX_DEPTH = 200


class Kinds:
    """The kinds of a transform's expressions; a name has a kind when all its bindings have that one."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self._bindings: dict[str, list[ast.expr | None]] = defaultdict(list)
        for node in ast.walk(function):
            self._bind(node)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            for target in node.targets:
                self._record(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
            self._record(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            for element in self._elements(node.iter):
                self._record(node.target, element)
        elif isinstance(node, ast.Assign | ast.For | ast.comprehension):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (name for target in targets for name in ast.walk(target)):
                self._record(name, None)

    def _record(self, target: ast.AST, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
            self._bindings[target.id].append(value)

    @staticmethod
    def _elements(iterated: ast.expr) -> list[ast.expr | None]:
        if isinstance(iterated, ast.List | ast.Tuple) and iterated.elts:
            return list(iterated.elts)
        return [None]

    def of(self, node: ast.expr | None, depth: int = 0, seen: frozenset[str] = frozenset()) -> Kind:
        """The kind of an expression; `unknown` when it could be anything else."""
        if node is None or depth > _MAX_DEPTH:
            return "unknown"
        match node:
            case ast.Name(id=name):
                return self._of_name(name, depth, seen)
            case ast.Call(func=ast.Attribute(value=owner, attr=method)):
                return self._of_call(owner, method, depth, seen)
            case ast.Subscript(value=ast.Name(id="sources")):
                return "frame"
            case ast.Subscript(value=owner, slice=ast.Constant(value=str())):
                return "column" if self.of(owner, depth + 1, seen) == "frame" else "unknown"
            case ast.BinOp(left=left, right=right):
                return self._any_column([left, right], depth, seen)
            case ast.UnaryOp(op=ast.Invert() | ast.USub(), operand=operand):
                return self._any_column([operand], depth, seen)
            case ast.Compare(left=left, ops=ops, comparators=others):
                plain = any(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in ops)
                return "unknown" if plain else self._any_column([left, *others], depth, seen)
            case ast.IfExp(body=body, orelse=orelse):
                kinds = {self.of(part, depth + 1, seen) for part in (body, orelse) if not _is_none(part)}
                return kinds.pop() if len(kinds) == 1 else "unknown"
        return "unknown"

    def _of_name(self, name: str, depth: int, seen: frozenset[str]) -> Kind:
        values = [value for value in self._bindings.get(name, []) if not _is_none(value)]
        if name in seen or not values:
            return "unknown"
        # A binding that only refines the name itself, as `df = df.select(...)`, cannot change its kind.
        kinds = {self.of(value, depth + 1, seen | {name}) for value in values}
        return kinds.pop() if len(kinds) == 1 else "unknown"

    def _of_call(self, owner: ast.expr, method: str, depth: int, seen: frozenset[str]) -> Kind:
        if isinstance(owner, ast.Name) and owner.id == "F":
            return "frame" if method == "broadcast" else "column"
        if method in COLUMN_METHODS and not isinstance(owner, ast.Constant):
            return "column"
        if method == "alias":
            return self.of(owner, depth + 1, seen)
        if method == "join" and isinstance(owner, ast.Constant | ast.JoinedStr):
            return "unknown"
        return "frame" if method in FRAME_METHODS else "unknown"

    def _any_column(self, parts: list[ast.expr], depth: int, seen: frozenset[str]) -> Kind:
        return "column" if any(self.of(part, depth + 1, seen) == "column" for part in parts) else "unknown"

    def never_text(self, node: ast.expr) -> bool:
        """True when the expression cannot be text, so that Spark cannot read it as SQL."""
        if isinstance(node, ast.Compare) or self.of(node) == "column":
            return True
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.BitAnd | ast.BitOr)
        return isinstance(node, ast.UnaryOp)


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
