"""Context of the policy's checks: scopes, values and parents of the nodes of one transform."""

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
    """A finding, from positional arguments."""
    return Finding(rule=rule, message=message, line=line, hint=hint)


class Context:
    """Scopes, values and parents of one transform's module, and the texts that were checked so far."""

    def __init__(self, tree: ast.Module, scopes: Scopes, values: Values, runtime: Runtime) -> None:
        self.tree = tree
        self.scopes = scopes
        self.values = values
        self.runtime = runtime
        self.allow_udfs = False
        self.checked: dict[Purpose, set[str]] = {"sql": set(), "type": set(), "aggregate": set()}
        """Checked texts by purpose: a text that is allowed as a type may be refused as SQL."""
        self.texts = LiteralTexts(tree, scopes, values)
        self._parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}

    def of(self, node: ast.AST | None) -> Value:
        """The possible values of an expression."""
        return self.values.of(node)

    def members(self, node: ast.AST) -> list[str]:
        """The dotted names of the modules and members that an expression may be."""
        return [str(atom.of) for atom in self.of(node) if atom.kind in ("module", "member")]

    def is_unknown(self, node: ast.expr) -> bool:
        """True for a global name that nothing binds; `check_name` reports it."""
        is_global = isinstance(node, ast.Name) and self.scopes.variable(node).scope == MODULE
        return is_global and all(atom.kind == "any" for atom in self.of(node))

    def is_listed(self, dotted: str) -> bool:
        """True for a member that a transform may use."""
        return is_listed(dotted, self.runtime)

    def is_called(self, node: ast.expr) -> bool:
        """True when the node is the callee of a call."""
        parent = self._parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The parent of a node in the syntax tree."""
        return self._parents.get(node)

    def is_owner(self, node: ast.expr) -> bool:
        """True when an attribute of the node is read."""
        return isinstance(self._parents.get(node), ast.Attribute)
