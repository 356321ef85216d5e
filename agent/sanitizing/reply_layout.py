"""One function out of a reply's code: what stands beside `transform` moves into it.

The script around a transform has names of its own, so nothing of a reply may stand beside them: imports, constants and
helper functions become local. What the script has anyway, imports that nothing uses, and calls that only keep a
DataFrame in memory are dropped.
"""

from __future__ import annotations

import ast
import io
import symtable
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard

from agent.errors import ReplyError
from agent.sanitizing.allowed_names import KEPT
from agent.sanitizing.library import names_of
from agent.sanitizing.python_grammar import without_annotations
from agent.sanitizing.runtime import OLDEST
from agent.sanitizing.scopes import bound_name

HEADER = "def transform(sources: dict[str, DataFrame]) -> DataFrame:"
_PROVIDED = {
    ("pyspark.sql.functions", "F"),
    ("pyspark.sql.types", "T"),
    ("pyspark.sql.DataFrame", "DataFrame"),
    ("pyspark.sql.dataframe.DataFrame", "DataFrame"),
    ("pyspark.sql.Window", "Window"),
    ("pyspark.sql.window.Window", "Window"),
}
_INDENT = "    "
_STAR = "*"

Moved = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.Assign | ast.AnnAssign


def without_kept(code: str) -> tuple[str, list[str]]:
    """The code without `.cache()`, `.persist(…)` and `.unpersist()`, and a note where there was one."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    spans = [
        (_offset(code, node.func.value), _offset(code, node))
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr in KEPT
    ]
    kept = code.encode()
    for start, end in sorted(spans, reverse=True):
        kept = kept[:start] + kept[end:]
    note = "the transform's cache() and persist() were left out: the script keeps the result itself"
    return kept.decode(), [note] if spans else []


def _offset(code: str, node: ast.expr) -> int:
    """Where a node ends, in UTF-8 bytes."""
    lines = code.encode().split(b"\n")
    return sum(len(line) + 1 for line in lines[: (node.end_lineno or 1) - 1]) + (node.end_col_offset or 0)


def one_function(code: str) -> str:
    """The code with everything that can be moved inside `transform`, under its one header, ending in a newline.

    Other statements stay where they are, for the policy to report. Text that spans lines keeps its lines.
    """
    tree = ast.parse(code)
    if any(after.lineno <= (before.end_lineno or 0) for before, after in pairwise(tree.body)):
        code = ast.unparse(tree)  # two statements share a line
        tree = ast.parse(code)
    lines = code.split("\n")
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform")
    moved = [node for node in tree.body if _is_movable(node) and node is not function]
    used, within = _names_used(code, tree), _inside_text(tree)
    placed: list[str | int] = [line for node in moved for line in _moved(node, lines, tree, used)]
    gone = {number for node in tree.body if _is_comment(node) or node in moved for number in _lines_of(node, lines)}
    gone |= {number for node in moved for number in _lines_of(node, lines)}
    before = [line for number, line in enumerate(lines[: function.lineno - 1], 1) if number not in gone]
    end = function.end_lineno or 0
    after = [line for number, line in enumerate(lines[end:], end + 1) if number not in gone]
    body = _function(lines, function, code, placed, within)
    return "\n".join([*before, *body, *after]).strip("\n") + "\n"


def _is_movable(node: ast.stmt) -> TypeGuard[Moved]:
    return isinstance(node, Moved) and not (isinstance(node, ast.FunctionDef) and node.decorator_list)


def _is_comment(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _lines_of(node: ast.stmt, lines: list[str]) -> range:
    """The numbers of a statement's lines, with the comment right above it."""
    start = node.lineno
    while isinstance(node, Moved) and start > 1 and lines[start - 2].startswith("#"):
        start -= 1
    return range(start, (node.end_lineno or node.lineno) + 1)


def _inside_text(tree: ast.Module) -> set[int]:
    """The numbers of lines that begin within a text: these cannot be indented."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            found |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return found


def _moved(node: Moved, lines: list[str], tree: ast.Module, used: set[str]) -> Iterator[str | int]:
    """The lines of a statement that moves: as text where it is written anew, else by their numbers."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        needed = _needed(node, tree, used)
        if needed is not None:
            yield ast.unparse(needed)
    else:
        yield from _lines_of(node, lines)


def _needed(node: ast.Import | ast.ImportFrom, tree: ast.Module, used: set[str]) -> ast.stmt | None:
    """The import with only the names that are used and not there anyway; None where none is left."""
    if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] == [_STAR]:
        names = [ast.alias(name) for name in sorted(names_of(node.module or "", OLDEST) & used - _bound(tree))]
        return ast.ImportFrom(node.module, names, node.level) if names else None
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    names = [
        alias
        for alias in node.names
        if bound_name(alias) in used and (prefix + alias.name, bound_name(alias)) not in _PROVIDED
    ]
    if not names or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
        return None
    return ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)


def _bound(tree: ast.Module) -> set[str]:
    """Names that the module binds by anything but a star."""
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {bound_name(alias) for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {
                part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
    return found


def _names_used(code: str, tree: ast.Module) -> set[str]:
    """Global names that are read when the code runs: annotations are not."""
    found: set[str] = set()
    tables = [symtable.symtable(without_annotations(code, tree), "transform", "exec")]
    for table in tables:
        top = table.get_type() == "module"
        found |= {one.get_name() for one in table.get_symbols() if one.is_referenced() and (top or one.is_global())}
        tables += table.get_children()
    return found


def _function(
    lines: list[str], function: ast.FunctionDef, code: str, placed: list[str | int], within: set[int]
) -> list[str]:
    """The function's lines under the one header, with the statements that moved behind its docstring."""
    line, column = _header_end(code, function)
    rest, first = lines[line - 1][column:], function.body[0]
    body = lines[line : function.end_lineno]
    if not placed:
        return [HEADER + rest, *body]
    indent = _INDENT
    if first.lineno == line:
        body, rest = [indent + rest.strip(), *body], ""
    else:
        indent = lines[first.lineno - 1][: first.col_offset]
    docstring = ast.get_docstring(function, clean=False) is not None
    after = len(body) - ((function.end_lineno or 0) - (first.end_lineno or 0)) if docstring else 0
    inside = [_indented(one, lines, indent, within) for one in placed]
    return [HEADER + rest, *body[:after], *inside, *body[after:]]


def _indented(one: str | int, lines: list[str], indent: str, within: set[int]) -> str:
    text = one if isinstance(one, str) else lines[one - 1]
    return text if one in within or not text.strip() else indent + text


def _header_end(code: str, function: ast.FunctionDef) -> tuple[int, int]:
    """Line and character offset just after the colon that ends the header."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.start[0] < function.lineno or token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.end
    raise ReplyError("syntax_error", "the header of transform has no end", function.lineno)
