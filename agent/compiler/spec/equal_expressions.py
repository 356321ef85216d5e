"""Expressions that mean the same: without needless brackets, in any order of operands that may be swapped."""

from __future__ import annotations

from itertools import permutations
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
from agent.compiler.spec.source_names import SourceNames
from agent.compiler.spec.sql_texts import bare, canonical, column_parts, tokens

_SWAPPED = frozenset({"+", "*", "and", "or", "=", "!="})
_MOST_NODES = 500
"""Nodes that are compared; a chain of derived columns could unfold to any number of them."""


class _TooLarge(Exception):
    pass


class Unfolding:
    """The meaning of expressions over derived columns, which are unfolded."""

    def __init__(self, sources: SourceNames) -> None:
        self._sources, self._derived = sources, sources.derived
        self._nodes = 0

    def same(self, one: str, other: str) -> bool:
        """True for two texts that can mean the same."""
        return _alike(self._of_whole(one), self._of_whole(other))

    def _of_whole(self, text: str) -> object:
        """An object to compare a text by: its words where it cannot be parsed or is too large."""
        self._nodes = 0
        try:
            return self._of_text(text, frozenset())
        except _TooLarge:
            return self._words(text)

    def _words(self, text: str) -> object:
        """The words of a text, each of which may be a qualified column."""
        found: list[tuple[str, str, str]] = []
        dotted = False
        for token in tokens(text):
            word = token.word if token.word[:1] == "'" else bare(token.word).casefold()
            if dotted and found:
                found[-1] = ("column", self._sources.same(found[-1][2]), word)
            elif word != ".":
                found.append(("column", "", {"<>": "!=", "==": "="}.get(word, word)))
            dotted = word == "."
        return "words", tuple(found) if found else canonical(text)

    def _of_text(self, text: str, unfolded: frozenset[str]) -> object:
        expression = fitting(lambda: parse_expression(text, "auto"))
        return self._words(text) if expression is None else self._of(expression.tree, unfolded)

    def _of(self, node: Syntax, unfolded: frozenset[str]) -> object:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _TooLarge
        match node:
            case Mention(call=None):
                return self._mentioned(node.name, unfolded)
            case Mention():
                return self._words(node.name)
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
        return "column", self._sources.same(qualifier) if qualifier else "", fold

    def _operation(self, node: Operation, unfolded: frozenset[str]) -> object:
        word = node.operator.casefold()
        operands = node.operands
        if word == "/" and len(operands) == 2:
            # A division by zero is NULL either way.
            operands = (operands[0], _without_nullif(operands[1]))
        return "operation", word, tuple(self._of(one, unfolded) for one in operands)


def _alike(one: object, other: object) -> bool:
    """True for two objects of one form, whose columns are those of one table where both name it."""
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return one == other
    if len(one) != len(other):
        return False
    if one[:1] == other[:1] == ("column",):
        return bool(one[2] == other[2]) and (not one[1] or not other[1] or one[1] == other[1])
    if one[:1] == other[:1] == ("operation",) and one[1] == other[1] in _SWAPPED:
        return any(_all_alike(one[2], order) for order in permutations(other[2]))
    return _all_alike(one, other)


def _all_alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    # Later operands first: those of a chain are short.
    return len(one) == len(other) and all(map(_alike, reversed(one), reversed(other)))


def _without_nullif(node: Syntax) -> Syntax:
    """The divisor in `NULLIF(divisor, 0)`."""
    if isinstance(node, NamedCall) and node.name.casefold() == "nullif" and len(node.arguments) == 2:
        zero = node.arguments[1]
        if isinstance(zero, LiteralValue) and zero.family == "number" and float(cast(str, zero.value)) == 0:
            return node.arguments[0]
    return node
