"""Expressions that mean the same: without needless brackets, in any order of operands that may be swapped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import (
    CaseWhen,
    LiteralValue,
    Mention,
    NamedCall,
    Operation,
    Syntax,
    TypeCast,
)
from agent.compiler.problems import fitting
from agent.compiler.spec.sql_texts import canonical, column_parts

_SWAPPED = frozenset({"+", "*", "and", "or", "=", "!="})
_MOST_NODES = 500
"""Nodes that are compared; a chain of derived columns could unfold to any number of them."""


class _TooLarge(Exception):
    pass


class Unfolding:
    """The meaning of expressions over derived columns, which are unfolded."""

    def __init__(self, derived: Mapping[str, str]) -> None:
        self._derived = derived
        self._nodes = 0

    def of(self, text: str) -> object:
        """An object to compare a text by; the text's canonical form where it cannot be parsed."""
        self._nodes = 0
        try:
            return self._of_text(text, frozenset())
        except _TooLarge:
            return canonical(text)

    def _of_text(self, text: str, unfolded: frozenset[str]) -> object:
        expression = fitting(lambda: parse_expression(text, "auto"))
        return canonical(text) if expression is None else self._of(expression.tree, unfolded)

    def _of(self, node: Syntax, unfolded: frozenset[str]) -> object:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _TooLarge
        match node:
            case Mention(call=None):
                return self._mentioned(node.name, unfolded)
            case LiteralValue():
                return "constant", node.family, node.value
            case NamedCall():
                return "call", node.name.casefold(), tuple(self._of(one, unfolded) for one in node.arguments)
            case TypeCast():
                return "cast", node.type_name.casefold(), node.tries, self._of(node.value, unfolded)
            case Operation():
                return self._operation(node, unfolded)
            case CaseWhen():
                parts = [node.subject, node.otherwise, *(part for branch in node.branches for part in branch)]
                return "case", tuple(None if one is None else self._of(one, unfolded) for one in parts)
        return node

    def _mentioned(self, name: str, unfolded: frozenset[str]) -> object:
        qualifier, column = column_parts(name)
        fold = column.casefold()
        if not qualifier and fold in self._derived and fold not in unfolded:
            return self._of_text(self._derived[fold], unfolded | {fold})
        return "column", fold

    def _operation(self, node: Operation, unfolded: frozenset[str]) -> object:
        word = node.operator.casefold()
        operands = node.operands
        if word == "/" and len(operands) == 2:
            # A division by zero is NULL either way.
            operands = (operands[0], _without_nullif(operands[1]))
        found = [self._of(one, unfolded) for one in operands]
        return "operation", word, tuple(sorted(found, key=repr) if word in _SWAPPED else found)


def _without_nullif(node: Syntax) -> Syntax:
    """The divisor in `NULLIF(divisor, 0)`."""
    if isinstance(node, NamedCall) and node.name.casefold() == "nullif" and len(node.arguments) == 2:
        zero = node.arguments[1]
        if isinstance(zero, LiteralValue) and zero.family == "number" and float(cast(str, zero.value)) == 0:
            return node.arguments[0]
    return node
