"""Extraction of `transform` from a model's reply: fences, prose, truncation, syntax and signature.

Of several blocks that define transform the last complete one counts: a model corrects itself further down.
"""

from __future__ import annotations

import ast
import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from agent.errors import ReplyError
from agent.sanitizing.reply_layout import HEADER, one_function, without_caching

_TRUNCATED = {"max_tokens", "length", "model_context_window_exceeded"}
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$")
# The first line of code in a reply without fences: an import, a definition, a decorator or an assignment.
_CODE_START = re.compile(
    r"^(?:from|import|async def|def|@)\b|^@|^[A-Za-z_]\w*(?:, *\w+)*(?: *: *[^=\n]+)? *=(?!=)", re.MULTILINE
)
_TRANSFORM = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+transform\b", re.MULTILINE)
# The sentence ends at a blank line, a fence or the code, whichever comes first.
_ROOT_CAUSE = re.compile(
    r"^\W*ROOT CAUSE\W*?:\**\s*(.+?)(?=\n\s*\n|\n\s*[`~]{3}|\n(?:def|from|import) |\Z)", re.I | re.M | re.S
)
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
# Strings and comments are matched whole, so that only the code between them is changed.
_STRING_OR_COMMENT = re.compile(
    r"""(?s)(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\#[^\n]*)"""
)
_MAY_FOLLOW = (ast.FunctionDef, ast.Assign, ast.AnnAssign)
"""Statements that may follow a transform without a fence; prose that happens to be Python is none of these."""
_MAX_FENCES = 40
_MAX_STARTS = 20
_MAX_ENDS = 60
_MAX_ROOT_CAUSE = 1000


@dataclass(frozen=True)
class Extracted:
    """The source of a reply's transform, and notes on dropped parts."""

    source: str
    notes: list[str]


def extract(text: str, stop_reason: str) -> Extracted:
    """The reply's transform: LF, no BOM, dedented, one header, ending in a newline.

    Imports, constants and helper functions beside it move into it. Needless imports, docstrings beside the function,
    `.cache()` and `.persist()` are dropped. Other statements beside the function stay, for the policy to report. The
    header becomes `def transform(sources: dict[str, DataFrame]) -> DataFrame:`.

    Raises ReplyError with rule `reply_empty`, `reply_truncated` (also for a part that parses), `no_transform`,
    `syntax_error` (with line) or `signature`.
    """
    if stop_reason in _TRUNCATED:
        raise ReplyError("reply_truncated", "the reply was cut at the token limit; ask for a shorter transform")
    text = normalise_newlines(text)
    if not tidy_code(text).strip():
        raise ReplyError("reply_empty", "the reply is empty; ask again")
    code = _last_complete(text)
    if code is None:
        raise _extraction_error(text)
    _check_signature(ast.parse(code))
    code, notes = without_caching(code)
    return Extracted(one_function(code), notes)


def root_cause(text: str) -> str:
    """The sentence of a reply after `ROOT CAUSE:`, in one line of at most 1,000 characters; empty without one."""
    match = _ROOT_CAUSE.search(normalise_newlines(text))
    return " ".join(match.group(1).strip("* \n").split())[:_MAX_ROOT_CAUSE] if match else ""


def _last_complete(text: str) -> str | None:
    blocks = [] if _starts_before_fences(text) else list(_fenced(text))
    return blocks[-1] if blocks else next(_unfenced(text), None)


def _starts_before_fences(text: str) -> bool:
    """True when the transform stands without a fence, and a fence is part of its own text."""
    start = _TRANSFORM.search(text)
    return start is not None and not any(_FENCE.match(line) for line in text[: start.start()].split("\n"))


def _fenced(text: str) -> Iterator[str]:
    """Fenced blocks that define transform; a fence inside a string does not end a block."""
    lines = text.split("\n")
    fences = [index for index, line in enumerate(lines) if _FENCE.match(line)][-_MAX_FENCES:]
    after = -1
    for start in fences:
        if start <= after:
            continue
        ends = [end for end in fences if end > start and _closes(lines[end], lines[start])]
        # The first end at which the block parses: a fence inside a string leaves the string open before it.
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
    """Code without fences: from the first line that looks like code to the last function or constant."""
    for start in islice(_CODE_START.finditer(text), _MAX_STARTS):
        rest = text[start.start() :]
        best, size = "", 0
        for end in islice(_possible_ends(rest), _MAX_ENDS):
            code = tidy_code(rest[:end])
            if not _defines_transform(code):
                continue
            body = ast.parse(code).body
            if best and not all(isinstance(node, _MAY_FOLLOW) for node in body[size:]):
                break
            best, size = code, len(body)
        if best:
            yield best
            return


def _possible_ends(text: str) -> Iterator[int]:
    """Possible ends of the transform: before each unindented line behind its `def`, and the end of the text."""
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


def _extraction_error(text: str) -> ReplyError:
    """The error for a reply without a usable block: no transform at all, or one that Python cannot parse."""
    starts = list(_TRANSFORM.finditer(text))
    if not starts:
        return ReplyError("no_transform", f"the reply defines no transform; write `{HEADER}`")
    rest = text[starts[-1].start() :]
    fence = re.search(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$", rest, re.MULTILINE)
    code = tidy_code(rest[: fence.start()] if fence else rest)
    try:
        ast.parse(code)
    except SyntaxError as error:
        return ReplyError("syntax_error", f"{error.msg}: {(error.text or '').strip()[:120]}", error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return ReplyError("syntax_error", f"the transform cannot be parsed: {error}")
    return ReplyError("no_transform", f"transform is not defined at the top level; write `{HEADER}`")


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
        return f"transform takes exactly one argument: `{HEADER}`"
    return ""


def normalise_newlines(text: str) -> str:
    """The text with LF line ends and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def tidy_code(code: str) -> str:
    """Dedented code with plain blanks and without zero-width characters, outside strings and comments.

    Smart quotes stay, because their meaning is uncertain.
    """
    parts = []
    end = 0
    for match in _STRING_OR_COMMENT.finditer(code):
        parts += [_with_plain_blanks(code[end : match.start()]), match.group()]
        end = match.end()
    return _dedented("".join([*parts, _with_plain_blanks(code[end:])])).strip("\n") + "\n"


def _dedented(code: str) -> str:
    """The code without its common indentation; lines of a string that are indented less stay as they are."""
    lines = code.split("\n")
    margin = os.path.commonprefix([line[: len(line) - len(line.lstrip())] for line in lines if line.strip()])
    return "\n".join(line.removeprefix(margin) for line in lines) if margin else code


def _with_plain_blanks(code: str) -> str:
    return _SPACES.sub(" ", _INVISIBLE.sub("", code))
