"""Texts of expressions: the parts that AND joins, a form to compare, and a name for the column."""

from __future__ import annotations

import re

from agent.compiler.expressions.syntax_tree import Expression, Operation, Syntax

_LONGEST = 40
"""Characters of a name that is made from an expression."""


def conjuncts(expression: Expression) -> list[str]:
    """The texts of the parts that AND joins."""
    pending: list[Syntax] = [expression.tree]
    found = []
    while pending:
        node = pending.pop()
        if isinstance(node, Operation) and node.operator == "and":
            pending += reversed(node.operands)
        else:
            found.append(expression.text_of(node))
    return found


def folded(text: str) -> str:
    """The text in small letters and without blanks outside quotes."""
    quoted = text.split("'")
    return "'".join("".join(part.lower().split()) if place % 2 == 0 else part for place, part in enumerate(quoted))


def made_name(text: str) -> str:
    """A name made from an expression: `year(o.placed)` is `year_o_placed`."""
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST].strip("_")
    return words if words and not words[0].isdigit() else f"expression_{words}".strip("_")
