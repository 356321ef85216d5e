"""From a model's reply to the source of `transform`: fences, prose, truncation, syntax and signature.

Of several blocks that define transform the last complete one counts: a model that corrects itself does so below.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import islice

from agent.errors import ReplyError
from agent.sanitizing.reply_text import normalise, tidy_code

_CUT = {"max_tokens", "length", "model_context_window_exceeded"}
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$")
_START = re.compile(r"^(?:from|import|async def|def|@)\b|^@", re.MULTILINE)
_TRANSFORM = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+transform\b", re.MULTILINE)
_ROOT_CAUSE = re.compile(
    r"^\W*ROOT CAUSE\W*?:\**\s*(.+?)(?=\n\s*\n|\n\s*[`~]{3}|\n(?:def|from|import) |\Z)", re.I | re.M | re.S
)
_MAX_FENCES = 40
_MAX_STARTS = 20
_MAX_ENDS = 60
_MAX_ROOT_CAUSE = 1000
_HEADER = "def transform(sources: dict[str, DataFrame]) -> DataFrame:"
_PROVIDED_MODULES = {"pyspark.sql.functions": "F", "pyspark.sql.types": "T"}
_PROVIDED_NAMES = {
    ("pyspark.sql", "functions"): "F",
    ("pyspark.sql", "types"): "T",
    ("pyspark.sql", "DataFrame"): "DataFrame",
    ("pyspark.sql.dataframe", "DataFrame"): "DataFrame",
    ("pyspark.sql", "Window"): "Window",
    ("pyspark.sql.window", "Window"): "Window",
}


def extract_transform(text: str, stop_reason: str) -> str:
    """The source of the reply's transform: LF, no BOM, dedented, one header, ending in a newline.

    Imports that the script has anyway, typing imports and a module docstring are dropped; other statements
    beside the function stay, for the policy to report. The function's header is rewritten to the one form
    `def transform(sources: dict[str, DataFrame]) -> DataFrame:`. Raises ReplyError with rule `reply_empty`,
    `reply_truncated` (also when what came parses), `no_transform`, `syntax_error` (with line) or `signature`.
    """
    if stop_reason in _CUT:
        raise ReplyError("reply_truncated", "the reply was cut at the token limit; ask for a shorter transform")
    text = normalise(text)
    if not tidy_code(text).strip():
        raise ReplyError("reply_empty", "the reply is empty; ask again")
    code = _last_complete(text)
    if code is None:
        raise _nothing_usable(text)
    tree = ast.parse(code)
    _check_signature(tree)
    return _rewrite(code, tree)


def root_cause(text: str) -> str:
    """What a reply says after `ROOT CAUSE:`, as one line of at most 1,000 characters; empty when it says nothing."""
    match = _ROOT_CAUSE.search(normalise(text))
    return " ".join(match.group(1).strip("* \n").split())[:_MAX_ROOT_CAUSE] if match else ""


def _last_complete(text: str) -> str | None:
    blocks = [] if _starts_before_fences(text) else list(_fenced(text))
    return blocks[-1] if blocks else next(_unfenced(text), None)


def _starts_before_fences(text: str) -> bool:
    """True when the transform stands without a fence, and a fence is part of its own text."""
    start = _TRANSFORM.search(text)
    return start is not None and not any(_FENCE.match(line) for line in text[: start.start()].split("\n"))


def _fenced(text: str) -> Iterator[str]:
    """The blocks between fences that define transform; a block goes on past a fence that stands inside a string."""
    lines = text.split("\n")
    fences = [index for index, line in enumerate(lines) if _FENCE.match(line)][-_MAX_FENCES:]
    after = -1
    for start in fences:
        if start <= after:
            continue
        ends = [end for end in fences if end > start and _closes(lines[end], lines[start])]
        for end in [*ends, len(lines)]:
            code = tidy_code("\n".join(lines[start + 1 : end]))
            if _defines_transform(code):
                after = end
                yield code
                break


def _closes(line: str, opening: str) -> bool:
    closing, first = _FENCE.match(line), _FENCE.match(opening)
    if closing is None or first is None:
        return False
    mark, rest = closing.groups()
    return mark.startswith(first.group(1)) and not rest.strip()


def _unfenced(text: str) -> Iterator[str]:
    """Code without fences: from the first line that looks like it to the end of the function, then what follows."""
    for start in islice(_START.finditer(text), _MAX_STARTS):
        rest = text[start.start() :]
        for end in islice(_ends(rest), _MAX_ENDS):
            code = tidy_code(rest[:end])
            if _defines_transform(code):
                yield code
                return


def _ends(text: str) -> Iterator[int]:
    """Where a function's body may end: before each unindented line after its `def`, and at the end."""
    match = _TRANSFORM.search(text)
    if match is None:
        return
    for line in re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE).finditer(text, match.end()):
        yield line.start()
    yield len(text)


def _defines_transform(code: str) -> bool:
    if not _TRANSFORM.search(code):
        return False
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_is_transform(node) for node in tree.body)


def _is_transform(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "transform"


def _nothing_usable(text: str) -> ReplyError:
    """Why no block is usable: no transform at all, or a transform that Python cannot read."""
    starts = list(_TRANSFORM.finditer(text))
    if not starts:
        return ReplyError("no_transform", f"the reply defines no transform; write `{_HEADER}`")
    rest = text[starts[-1].start() :]
    fence = re.search(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$", rest, re.MULTILINE)
    code = tidy_code(rest[: fence.start()] if fence else rest)
    try:
        ast.parse(code)
    except SyntaxError as error:
        return ReplyError("syntax_error", f"{error.msg}: {(error.text or '').strip()[:120]}", error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return ReplyError("syntax_error", f"the transform cannot be parsed: {error}")
    return ReplyError("no_transform", f"transform is not defined at the top level; write `{_HEADER}`")


def _check_signature(tree: ast.Module) -> None:
    functions = [node for node in tree.body if _is_transform(node)]
    message = _signature_fault(functions)
    if message:
        raise ReplyError("signature", message, functions[-1].lineno)


def _signature_fault(functions: list[ast.stmt]) -> str:
    if len(functions) != 1:
        return f"transform is defined {len(functions)} times; define it once"
    function = functions[0]
    if not isinstance(function, ast.FunctionDef):
        return "transform is async; write a plain `def`"
    if function.decorator_list:
        return "transform has a decorator; leave it out"
    arguments = function.args
    names = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    if names != ["sources"] or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
        return f"transform takes exactly one argument: `{_HEADER}`"
    return ""


def _rewrite(code: str, tree: ast.Module) -> str:
    """Drop what the script has anyway and give the function its one header; every other byte stays."""
    lines = code.split("\n")
    keep = [True] * len(lines)
    for node in tree.body:
        if _is_dropped(node) and _alone_on_its_lines(node, tree, lines):
            keep[node.lineno - 1 : node.end_lineno] = [False] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform")
    colon_line, colon = _header_end(code, function)
    rest = lines[colon_line - 1][colon:]
    keep[function.lineno - 1 : colon_line - 1] = [False] * (colon_line - function.lineno)
    lines[colon_line - 1] = _HEADER + rest
    return "\n".join(line for line, kept in zip(lines, keep, strict=True) if kept).strip("\n") + "\n"


def _is_dropped(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return all(alias.asname and _PROVIDED_MODULES.get(alias.name) == alias.asname for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        provided = (_PROVIDED_NAMES.get((node.module or "", a.name)) == (a.asname or a.name) for a in node.names)
        return node.module in ("typing", "__future__") or all(provided)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _alone_on_its_lines(node: ast.stmt, tree: ast.Module, lines: list[str]) -> bool:
    last = node.end_lineno or node.lineno
    others = (other for other in tree.body if other is not node)
    shared = any(other.lineno <= last and (other.end_lineno or 0) >= node.lineno for other in others)
    return not shared and not lines[last - 1].rstrip().endswith(";")


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
