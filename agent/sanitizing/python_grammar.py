"""Parsing of a transform by the grammar of its Glue version's Python, on whatever Python this process runs."""

from __future__ import annotations
import __future__

import ast
import io
import tokenize
import unicodedata
import warnings
from collections.abc import Iterator

from agent.findings import Finding
from agent.sanitizing.policy_context import finding
from agent.sanitizing.runtime import Runtime, Version

MAX_CHARACTERS = 300_000
"""Limit of a transform; ten thousand values of an IN are within it."""
MAX_DEPTH = 250
"""Levels of the syntax tree: Python's own recursion limit is 1,000."""

_FORMAT_START = getattr(tokenize, "FSTRING_START", None)
_FORMAT_END = getattr(tokenize, "FSTRING_END", None)
"""Token types since Python 3.12. Earlier ones read an f-string as one token, and their parser keeps its limits."""


def parse(source: str, runtime: Runtime) -> tuple[ast.Module | None, list[Finding]]:
    """The syntax tree (None when there is none), and findings against code that the runtime's Python cannot read."""
    if len(source) > MAX_CHARACTERS:
        hint = "write the transform shorter; build repeated columns in a loop"
        return None, [finding("size", f"the transform has {len(source)} characters, over {MAX_CHARACTERS}", 1, hint)]
    try:
        tree = ast.parse(source, feature_version=runtime.python)
    except SyntaxError as error:
        message = f"not Python {runtime.python_name}: {error.msg}"
        return None, [finding("syntax_error", message, error.lineno, f"write it for Python {runtime.python_name}")]
    except (ValueError, RecursionError, MemoryError) as error:
        return None, [finding("size", f"the transform cannot be parsed: {error}", 1, "write shorter expressions")]
    if deep := _too_deep(tree):
        return None, [deep]
    found = [*_odd_names(source), *_newer_syntax(source, tree, runtime.python), *_not_compiled(source)]
    return tree, found


def _not_compiled(source: str) -> Iterator[Finding]:
    """Find code that parses but does not compile, as `break` outside a loop; nothing is executed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "transform", "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    except SyntaxError as error:
        yield finding("syntax_error", f"not Python: {error.msg}", error.lineno, "write it as Python compiles it")
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        yield finding("size", f"the transform cannot be compiled: {error}", 1, "write shorter expressions")


def _too_deep(tree: ast.Module) -> Finding | None:
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            hint = "split it with local variables"
            return finding("size", "an expression is nested too deeply", getattr(node, "lineno", 1), hint)
        stack += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return None


def _odd_names(source: str) -> Iterator[Finding]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and unicodedata.normalize("NFKC", token.string) != token.string:
            message = f"the name {token.string!r} is read by Python as another name"
            yield finding("name", message, token.start[0], "write names in plain letters")


def _newer_syntax(source: str, tree: ast.Module, python: Version) -> Iterator[Finding]:
    """Find newer syntax that `ast.parse` accepts although `feature_version` names an older Python."""
    if python < (3, 11):
        tuples = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
        for place in tuples:
            if isinstance(place, ast.Tuple) and any(isinstance(element, ast.Starred) for element in place.elts):
                yield finding("syntax_error", "a star in a subscript is Python 3.11", place.lineno, "write a list")
    if python < (3, 12) and _FORMAT_START is not None:
        yield from _newer_format_strings(source)


def _newer_format_strings(source: str) -> Iterator[Finding]:
    """Find f-strings of Python 3.12: their expressions hold the string's own quote, a backslash or a comment."""
    quotes: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        quote = token.string.lstrip("fFrRbBuU")
        if token.type == _FORMAT_END:
            quotes.pop()
            continue
        string = token.type in (tokenize.STRING, _FORMAT_START)
        nested = string and any(quote.startswith(outer) for outer in quotes)
        foreign = token.type == tokenize.COMMENT or (token.type == tokenize.STRING and "\\" in token.string)
        if nested or (quotes and foreign):
            message = "an f-string holds its own quote, a backslash or a comment, which is Python 3.12"
            yield finding("syntax_error", message, token.start[0], "assign the inner part to a variable first")
            return
        if token.type == _FORMAT_START:
            quotes.append(quote)


def without_annotations(source: str, tree: ast.Module) -> str:
    """The source with `0` for each annotation: annotations are never evaluated, so their names do not count."""
    spans = sorted(_span(source, node) for node in _annotations(tree))
    lines, out, end = source, [], 0
    for start, stop in spans:
        if start >= end:
            out += [lines[end:start], "(0" + "\n" * lines.count("\n", start, stop) + ")"]
            end = stop
    return "".join([*out, lines[end:]])


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(returns=ast.expr() as annotation):
                yield annotation
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.AnnAssign(annotation=annotation):
                yield annotation


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    """Start and end of a node as character offsets; the syntax tree counts lines, and UTF-8 bytes within a line."""
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return tuple(
        starts[line - 1] + len(source[starts[line - 1] : starts[line] - 1].encode()[:column].decode(errors="ignore"))
        for line, column in ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
    )  # type: ignore[return-value]
