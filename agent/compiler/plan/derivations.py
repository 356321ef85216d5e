"""Derived columns: an expression with each name resolved."""

from __future__ import annotations

from agent.compiler.expressions.conversions import refuse_silent_casts
from agent.compiler.expressions.parsing import parse_expression, string_literals
from agent.compiler.expressions.references import BoundExpression, Reference
from agent.compiler.expressions.syntax_tree import Expression
from agent.compiler.plan.joins import refuse_padded
from agent.compiler.plan.resolution import Names, Scope, described
from agent.compiler.problems import cannot, refuse


def bind(expression: Expression, scope: Scope) -> BoundExpression:
    """The expression with each mention resolved. Aggregates and windows in it are columns of the scope."""
    read = parse_expression(_with_placeholders(expression))
    for text in string_literals(read):
        if scope.find(text):
            cannot(f'"{text}" in double quotes is a text to Spark; write `{text}` for the column')
    references: list[Reference] = []
    for mention in read.mentions:
        refuse_shadowed(mention.name, scope)
        reference = scope.resolve(mention.name)
        refuse_padded(reference, mention)
        references.append(reference)
    bound = BoundExpression(read, tuple(references))
    refuse_silent_casts(bound)
    return bound


def _with_placeholders(expression: Expression) -> str:
    """The text with the name of its column in the place of each aggregate and window."""
    parts, end = [], 0
    for mention in expression.mentions:
        if mention.call is not None:
            start = mention.start - expression.origin
            parts += [expression.text[end:start], "`" + mention.name.replace("`", "``") + "`"]
            end = mention.end - expression.origin
    return "".join((*parts, expression.text[end:]))


def refuse_shadowed(text: str, scope: Scope, at: str = "") -> None:
    """Refuse a name that a derived column has taken from a source's column, where the two may differ."""
    if isinstance(scope, Names) and (sources := scope.shadowed(text)):
        column = described(sources[0])
        refuse(
            f"{text!r} may be the column {column} or the derived column of that name; write {column} for the source's, "
            "or give the derived column a name of its own",
            at,
        )
