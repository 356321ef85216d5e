"""Derived columns: an expression with each name resolved."""

from __future__ import annotations

from agent.compiler.expressions.binding import bind_expression
from agent.compiler.expressions.references import Reference
from agent.compiler.expressions.syntax_tree import Expression, Mention
from agent.compiler.expressions.typed_values import BoundExpression
from agent.compiler.notes import Notes
from agent.compiler.plan.resolution import Names, Scope, described
from agent.compiler.plan.steps import ConditionStep, RowCondition
from agent.compiler.problems import cannot


def bind(expression: Expression, scope: Scope) -> BoundExpression:
    """The expression with each mention resolved. Aggregates and windows in it are columns of the scope."""
    return bind_expression(expression, [_resolved(mention, scope) for mention in expression.mentions])


def _resolved(mention: Mention, scope: Scope) -> Reference | None:
    """The column of a mention; None for a word in double quotes that is no column."""
    if mention.in_double_quotes and not scope.find(mention.name):
        return None
    refuse_shadowed(mention.name, scope)
    return scope.resolve(mention.name)


def refuse_shadowed(text: str, scope: Scope, at: str = "") -> None:
    """Refuse a name that a derived column has taken from a source's column, where the two may differ."""
    if isinstance(scope, Names) and (sources := scope.shadowed(text)):
        column = described(sources[0])
        cannot(
            f"{text!r} may be the column {column} or the derived column of that name; write {column} for the source's, "
            "or give the derived column a name of its own",
            at,
        )


def tell_remarks(notes: Notes, path: str, step: RowCondition) -> None:
    """Tell how parts were read that the other dialect reads differently."""
    if isinstance(step, ConditionStep):
        for part in step.parts:
            tell_remarks(notes, path, part)
    for message, other in step.remarks if isinstance(step, BoundExpression) else ():
        notes.add(path, message, other)
