"""Layout of a reply's code as one function: imports, constants and helpers move into `transform`.

The script around a transform has global names of its own, which a reply must not touch. Imports that the script has
anyway or nothing uses, and calls that only cache a DataFrame, are dropped.
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
from agent.sanitizing.library import members_of
from agent.sanitizing.python_grammar import without_annotations
from agent.sanitizing.runtime import NEWEST
from agent.sanitizing.scopes import bound_name, names_bound
from agent.sanitizing.spark_names import CACHING_METHODS

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


def without_caching(code: str) -> tuple[str, list[str]]:
    """The code without `.cache()`, `.persist(…)` and `.unpersist()`, and a note where there was one."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    raw = code.encode()
    spans = sorted(
        (_dot_before(raw, _end_offset(code, node.func) - len(node.func.attr)), _end_offset(code, node))
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr in CACHING_METHODS
    )
    end, parts = 0, []
    for start, stop in spans:
        if start >= end:  # else the call is an argument of the one before
            parts += [raw[end:start]]
            end = stop
    note = "the transform's cache() and persist() were left out: the script keeps the result itself"
    return b"".join([*parts, raw[end:]]).decode(), [note] if spans else []


def _dot_before(raw: bytes, attribute: int) -> int:
    """Byte offset of the dot before an attribute; blanks, line ends and backslashes may stand between."""
    return raw.rindex(b".", 0, attribute)


def _end_offset(code: str, node: ast.expr) -> int:
    """Offset of a node's end, in UTF-8 bytes."""
    lines = code.encode().split(b"\n")
    return sum(len(line) + 1 for line in lines[: (node.end_lineno or 1) - 1]) + (node.end_col_offset or 0)


def one_function(code: str) -> str:
    """The code with all movable statements inside `transform`, under the one header, ending in a newline.

    Other statements stay in place, for the policy to report. Strings over several lines keep their lines.
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
    clash = {name for node in moved for name in names_bound(node)} & _own_names(code, tree)
    body = _function(lines, function, code, placed, within, bool(clash))
    return "\n".join([*before, *body, *after]).strip("\n") + "\n"


def _is_movable(node: ast.stmt) -> TypeGuard[Moved]:
    return isinstance(node, Moved) and not (isinstance(node, ast.FunctionDef) and node.decorator_list)


def _is_comment(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _lines_of(node: ast.stmt, lines: list[str]) -> range:
    """Line numbers of a statement and of the comment right above it."""
    start = node.lineno
    while isinstance(node, Moved) and start > 1 and lines[start - 2].startswith("#"):
        start -= 1
    return range(start, (node.end_lineno or node.lineno) + 1)


def _inside_text(tree: ast.Module) -> set[int]:
    """Numbers of the lines that begin inside a string: indenting them would change it."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            found |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return found


def _moved(node: Moved, lines: list[str], tree: ast.Module, used: set[str]) -> Iterator[str | int]:
    """The lines of a moving statement: text for a rewritten import, else line numbers."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        needed = _trimmed_import(node, tree, used)
        if needed is not None:
            yield ast.unparse(needed)
    else:
        yield from _lines_of(node, lines)


def _trimmed_import(node: ast.Import | ast.ImportFrom, tree: ast.Module, used: set[str]) -> ast.stmt | None:
    """The import with only the names that are used and not provided by the script; None when none is left."""
    if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] == [_STAR]:
        names = [
            ast.alias(name) for name in sorted(members_of(node.module or "", NEWEST) & used - _bound_after(node, tree))
        ]
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


def _bound_after(star: ast.stmt, tree: ast.Module) -> set[str]:
    """Names that the module binds again behind a star import; the later binding wins."""
    return {name for node in tree.body[tree.body.index(star) + 1 :] for name in names_bound(node)}


def _names_used(code: str, tree: ast.Module) -> set[str]:
    """Global names that running the code reads; annotations are not read."""
    found: set[str] = set()
    for table in _tables(code, tree):
        top = table.get_type() == "module"
        found |= {one.get_name() for one in table.get_symbols() if one.is_referenced() and (top or one.is_global())}
    return found


def _tables(code: str, tree: ast.Module) -> list[symtable.SymbolTable]:
    """The symbol tables of the code. Raises ReplyError for code that Python cannot compile."""
    try:
        tables = [symtable.symtable(without_annotations(code, tree), "transform", "exec")]
    except SyntaxError as error:
        raise ReplyError("syntax_error", str(error.msg), error.lineno) from error
    for table in tables:
        tables += table.get_children()
    return tables


def _own_names(code: str, tree: ast.Module) -> set[str]:
    """The local variables of `transform`."""
    functions = [table for table in _tables(code, tree)[0].get_children() if table.get_name() == "transform"]
    return {one.get_name() for table in functions for one in table.get_symbols() if one.is_local()}


def _function(
    lines: list[str], function: ast.FunctionDef, code: str, placed: list[str | int], within: set[int], clash: bool
) -> list[str]:
    """The function's lines under the one header, with the moved statements behind its docstring.

    On a clash between its local variables and moved names, its body becomes an inner function.
    """
    line, column = _header_end(code, function)
    rest, first = lines[line - 1][column:], function.body[0]
    if not placed:
        return [HEADER + rest, *lines[line : function.end_lineno]]
    end = function.end_lineno or line
    body: list[str | int] = list(range(line + 1, end + 1))
    indent = _INDENT
    if first.lineno == line:
        body, rest = [rest.lstrip(), *body], ""
    else:
        indent = lines[first.lineno - 1][: first.col_offset]
    documented = ast.get_docstring(function, clean=False) is not None and not _shares_line(function)
    after = len(body) - (end - (first.end_lineno or end)) if documented else 0
    inside = [_indented(one, lines, indent, within) for one in placed]
    text = [one if isinstance(one, int) else _indented(one, lines, indent, within) for one in body]
    docstring, own = _plain(text[:after], lines), text[after:]
    if not clash:
        return [HEADER + rest, *docstring, *inside, *_plain(own, lines)]
    nested = [_indented(one, lines, _INDENT, within) for one in own]
    return [HEADER + rest, *docstring, *inside, f"{indent}def rows(sources):", *nested, f"{indent}return rows(sources)"]


def _shares_line(function: ast.FunctionDef) -> bool:
    """True when a statement follows the docstring on its line."""
    return len(function.body) > 1 and function.body[1].lineno == function.body[0].end_lineno


def _plain(body: list[str | int], lines: list[str]) -> list[str]:
    return [lines[one - 1] if isinstance(one, int) else one for one in body]


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
