"""The policy for calls: what is called, and what text reaches a place where Spark reads it as SQL."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.diagnosis.findings import Finding
from agent.sanitizing.allowed_names import AGGREGATE_WORDS
from agent.sanitizing.policy_context import Context, finding

_MAX_RANGE = 1000
_SQL_METHODS = frozenset({"filter", "where"})


def check_call(node: ast.Call, context: Context) -> Iterator[Finding]:
    """A call names what it calls, spells out its keywords, and passes only literal text as SQL."""
    if any(keyword.arg is None for keyword in node.keywords):
        yield finding("node", "a call takes **keywords", node.lineno, "spell the keywords out")
    match node.func:
        case ast.Name(id="range"):
            yield from _check_range(node)
        case ast.Name(id="sorted") if node.keywords:
            yield finding("node", "sorted takes no keywords here", node.lineno, "sort rows with orderBy")
        case ast.Name() | ast.Subscript():
            pass
        case ast.Attribute(value=ast.Name(id="F"), attr="expr"):
            yield from _check_texts(node, "F.expr")
        case ast.Attribute(attr="selectExpr"):
            yield from _check_texts(node, "selectExpr")
        case ast.Attribute(attr=method) if method in _SQL_METHODS:
            yield from _check_condition(node, method, context)
        case ast.Attribute(attr="agg"):
            yield from _check_aggregate_words(node)
        case ast.Attribute():
            pass
        case _:
            yield finding("node", "the result of an expression is called", node.lineno, "call a method or F function")


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]


def _check_range(node: ast.Call) -> Iterator[Finding]:
    for argument in node.args:
        value = argument.operand if isinstance(argument, ast.UnaryOp) else argument
        small = isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value <= _MAX_RANGE
        if not small and not _is_length(value):
            yield finding("node", "range over something that is not a small number", node.lineno, "loop over a list")
            return


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def _check_texts(node: ast.Call, what: str) -> Iterator[Finding]:
    for argument in _flat(_arguments(node)):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield from _check_sql(argument.value, argument.lineno)
        else:
            message = f"{what} takes only text that stands there literally"
            yield finding("sql", message, argument.lineno, "write the expression with F functions")


def _check_sql(text: str, line: int) -> list[Finding]:
    # Imported here: the parser takes a tenth of a second, and most transforms hold no SQL.
    from agent.sanitizing.sql_policy import check_sql

    return check_sql(text, line)


def _flat(arguments: list[ast.expr]) -> Iterator[ast.expr]:
    for argument in arguments:
        yield from argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]


def _check_condition(node: ast.Call, method: str, context: Context) -> Iterator[Finding]:
    for argument in _arguments(node):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield from _check_sql(argument.value, argument.lineno)
        elif not context.kinds.never_text(argument):
            hint = f"write the condition inside .{method}(...) with F.col, or as one literal text"
            yield finding("sql", f".{method}() may be given text that was put together", argument.lineno, hint)


def _check_aggregate_words(node: ast.Call) -> Iterator[Finding]:
    for argument in node.args:
        for value in argument.values if isinstance(argument, ast.Dict) else []:
            if not (isinstance(value, ast.Constant) and value.value in AGGREGATE_WORDS):
                hint = 'write F.sum("amount").alias("total")'
                yield finding("function", "agg takes a dictionary with an unknown function", value.lineno, hint)
