"""Column pruning: the source columns that a transform can read. A job reads only these.

A name reaches Spark as text, so the transform can read a column only if one of its texts holds the name. Where names
can be computed, or whole rows matter, every column counts as read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from agent.sanitizing.spark_names import COLUMN_METHODS, WINDOW_METHODS, WINDOW_VALUES, words

_BY_NAME = words("""
    agg alias avg count crossJoin filter groupBy groupby hint join limit max mean min orderBy select sort sum where
    withColumn withColumnRenamed withColumns
    """)
"""Methods of frames and grouped frames that read only the columns that they are given by name."""
_ARGUMENTS_NEEDED = ("avg", "max", "mean", "min", "sum")
"""Grouped methods that read every numeric column when none is named."""
_ATTRIBUTES = _BY_NAME | COLUMN_METHODS | WINDOW_METHODS | WINDOW_VALUES
# A star alone is a whole row, as in select("*"), `o.*` and count(DISTINCT *); between operands it multiplies.
_WHOLE_ROW = re.compile(r"(?:^|[.(,]|\bdistinct)\s*\*", re.IGNORECASE)
_ROWS_COUNTED = re.compile(r"\bcount\s*\(\s*\*\s*\)", re.IGNORECASE)


def columns_read(transform: str, columns: Iterable[str], wanted: Iterable[str]) -> frozenset[str] | None:
    """The columns that the function can read; None when it may read all.

    `wanted` are the target's columns, which the function may pass through unnamed; empty when the target takes all.
    """
    passed = {name.casefold() for name in wanted}
    nodes = list(ast.walk(ast.parse(transform)))
    texts = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    counted = {id(argument) for node in nodes for argument in _counted(node)}
    plain = _plain_names(nodes)
    if not passed or _makes_names(nodes) or not all(_by_name(node, plain) for node in nodes):
        return None
    if any(_WHOLE_ROW.search(_ROWS_COUNTED.sub("", str(text.value))) and id(text) not in counted for text in texts):
        return None
    said = "\0".join(str(text.value) for text in texts).replace("``", "`").casefold()
    return frozenset(name for name in columns if name.casefold() in passed or name.casefold() in said)


def _makes_names(nodes: list[ast.AST]) -> bool:
    """True when names may be computed: by functions, by imports, from parts of texts."""
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.Lambda)]
    return len(functions) > 1 or any(_hides_names(node) for node in nodes)


def _hides_names(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Slice():
            return True
        case ast.Subscript(slice=place):
            return not isinstance(place, ast.Constant) or not isinstance(place.value, str)
        case ast.Starred(value=value):
            return not isinstance(value, ast.List | ast.ListComp)
        case ast.Call(func=ast.Name(id="str" | "chr" | "repr")):
            return True
        case ast.Call(func=ast.Attribute(attr="orderBy" | "sort" | "groupBy"), args=args):
            return any(_is_ordinal(argument) for argument in args)
        case ast.Constant(value=str() as text):
            return "/*" in text or "--" in text
    return False


def _is_ordinal(node: ast.expr) -> bool:
    """True for a number that stands for a column's position."""
    match node:
        case ast.Call(func=ast.Attribute(attr="lit"), args=[ast.Constant(value=int())]) | ast.Constant(value=int()):
            return True
    return False


def _plain_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Variables that may hold text: of loops, and those that a text is assigned to."""
    targets: list[ast.AST] = []
    for node in nodes:
        if isinstance(node, ast.For | ast.comprehension):
            targets.append(node.target)
        elif isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call):
            targets += node.targets
    return frozenset(name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _is_text(node: ast.AST, plain: frozenset[str]) -> bool:
    return (isinstance(node, ast.Constant) and isinstance(node.value, str)) or (
        isinstance(node, ast.Name) and node.id in plain
    )


def _is_column(node: ast.AST) -> bool:
    """True for an expression that begins with `F.…`, with any methods and operators after it."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="F"))):
            return True
        case ast.Call(func=ast.Attribute(value=value)):
            return _is_column(value)
        case ast.BinOp(left=left, right=right):
            return _is_column(left) or _is_column(right)
    return False


def _by_name(node: ast.AST, plain: frozenset[str]) -> bool:
    """False for a node that may build a name out of parts, or read columns that it does not name."""
    match node:
        case ast.JoinedStr() | ast.AugAssign():
            return False
        case ast.BinOp(op=ast.Add() | ast.Mod() | ast.Mult(), left=left, right=right):
            # an operator on columns: at least one side is visibly a column
            return not (_is_text(left, plain) or _is_text(right, plain)) and (_is_column(left) or _is_column(right))
        case ast.Attribute(value=ast.Name(id="F" | "T" | "Window")):
            return True
        case ast.Attribute(attr=attr):
            return attr in _ATTRIBUTES
        case ast.Call(func=ast.Attribute(value=ast.Name(id="F" | "T" | "Window"))):
            return True
        case ast.Call(func=ast.Attribute(attr="join"), args=args, keywords=keywords):
            return len(args) + len(keywords) > 1  # with one argument it may be str.join, which builds texts
        case ast.Call(func=ast.Attribute(attr=attr), args=args):
            return attr not in _ARGUMENTS_NEEDED or bool(args)
    return True


def _counted(node: ast.AST) -> list[ast.expr]:
    """The arguments of `F.count(…)`, where a star means no column."""
    match node:
        case ast.Call(func=ast.Attribute(attr="count"), args=args):
            return args
    return []
