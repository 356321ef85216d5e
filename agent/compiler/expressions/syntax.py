"""Expressions of a specification, read as a tree: SQL of PostgreSQL, of Spark, or of either."""

from __future__ import annotations

from agent.compiler.expressions.expression_parser import ExpressionGrammar
from agent.compiler.expressions.syntax_tree import DialectChoice, Expression, Mention, Syntax, parts_of, walk
from agent.compiler.expressions.token_reader import MAX_DEPTH, TOO_DEEP
from agent.compiler.problems import refuse
from agent.sql_limits import excess


def parse_expression(text: str, dialect: DialectChoice = "auto") -> Expression:
    """Read an expression. Refuses each part that is not certain."""
    text = text.strip()
    too_much = excess(text)
    if too_much:
        refuse(f"{too_much.message}; {too_much.hint}")
    reader = _Reader(text, dialect)
    tree = reader.expression()
    if reader.token.kind != "end":
        reader.unreadable()
    return reader.part(tree)


class _Reader(ExpressionGrammar):
    def part(self, tree: Syntax) -> Expression:
        """A part of the text as an expression of its own."""
        _check_depth(tree)
        start = self.start_of(tree)
        mentions = [node for node in walk(tree) if isinstance(node, Mention)]
        written = self.text_of(tree)
        return Expression(written, tree, tuple(sorted(mentions, key=lambda one: one.start)), self.dialect, start)


def _check_depth(tree: Syntax) -> None:
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            refuse(TOO_DEEP)
        stack += [(part, depth + 1) for part in parts_of(node)]
