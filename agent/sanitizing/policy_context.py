"""What the policy's checks know of the transform that they look at."""

from __future__ import annotations

import ast

from agent.diagnosis.findings import Finding
from agent.sanitizing.expression_kinds import Kinds


def finding(rule: str, message: str, line: int | None, hint: str) -> Finding:
    """A finding in one line."""
    return Finding(rule=rule, message=message, line=line, hint=hint)


class Context:
    """One transform: its local names, the kinds of its expressions, and who holds which node."""

    def __init__(self, function: ast.FunctionDef, allow_udfs: bool) -> None:
        self.kinds = Kinds(function)
        self.allow_udfs = allow_udfs
        self.locals = {"sources"} | {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}

    def is_called(self, node: ast.expr) -> bool:
        """True when the node is what a call calls."""
        parent = self._parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def is_owner(self, node: ast.expr) -> bool:
        """True when an attribute of the node is read."""
        return isinstance(self._parents.get(node), ast.Attribute)
