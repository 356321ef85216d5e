"""The knowledge that the policy's checks share: names, values and parents of nodes."""

from __future__ import annotations

import ast
from typing import Literal

from agent.findings import Finding
from agent.sanitizing.library import is_listed
from agent.sanitizing.literal_texts import LiteralTexts
from agent.sanitizing.runtime import Runtime
from agent.sanitizing.scopes import MODULE, Scopes
from agent.sanitizing.value_kinds import Value
from agent.sanitizing.values import Values

Purpose = Literal["sql", "type", "aggregate"]


def finding(rule: str, message: str, line: int | None, hint: str) -> Finding:
    """A finding in one line."""
    return Finding(rule=rule, message=message, line=line, hint=hint)


class Context:
    """One module: its variables, the kinds of its expressions, and who holds which node."""

    def __init__(self, tree: ast.Module, scopes: Scopes, values: Values, runtime: Runtime) -> None:
        self.tree = tree
        self.scopes = scopes
        self.values = values
        self.runtime = runtime
        self.allow_udfs = False
        self.checked: dict[Purpose, set[str]] = {"sql": set(), "type": set(), "aggregate": set()}
        """Texts that were checked, by what Spark reads them as: a text may be one and not the other."""
        self.texts = LiteralTexts(tree, scopes, values)
        self._parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}

    def of(self, node: ast.AST | None) -> Value:
        """The possible values of an expression."""
        return self.values.of(node)

    def members(self, node: ast.AST) -> list[str]:
        """The dotted names of the modules and members that an expression may be."""
        return [str(atom.of) for atom in self.of(node) if atom.kind in ("module", "member")]

    def is_unknown(self, node: ast.expr) -> bool:
        """True for a global name that nothing binds: it is reported as a name."""
        is_global = isinstance(node, ast.Name) and self.scopes.variable(node).scope == MODULE
        return is_global and all(atom.kind == "any" for atom in self.of(node))

    def is_listed(self, dotted: str) -> bool:
        """True for a member that a transform may use."""
        return is_listed(dotted, self.runtime)

    def is_called(self, node: ast.expr) -> bool:
        """True when the node is what a call calls."""
        parent = self._parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds a node."""
        return self._parents.get(node)

    def is_owner(self, node: ast.expr) -> bool:
        """True when an attribute of the node is read."""
        return isinstance(self._parents.get(node), ast.Attribute)
