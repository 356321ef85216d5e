"""From a model's reply to the source of `transform`: fences, prose, truncation, syntax and signature.

Of several blocks that define transform the last complete one counts: a model that corrects itself does so below.
"""

from __future__ import annotations

import ast
import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from agent.errors import ReplyError
from agent.sanitizing.reply_layout import HEADER, one_function, without_kept

_CUT = {"max_tokens", "length", "model_context_window_exceeded"}
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$")
_START = re.compile(
    r"^(?:from|import|async def|def|@)\b|^@|^[A-Za-z_]\w*(?:, *\w+)*(?: *: *[^=\n]+)? *=(?!=)", re.MULTILINE
)
_TRANSFORM = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+transform\b", re.MULTILINE)
_ROOT_CAUSE = re.compile(
    r"^\W*ROOT CAUSE\W*?:\**\s*(.+?)(?=\n\s*\n|\n\s*[`~]{3}|\n(?:def|from|import) |\Z)", re.I | re.M | re.S
)
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_STRING_OR_COMMENT = re.compile(
    r"""(?s)(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\#[^\n]*)"""
)
_BESIDE = (ast.FunctionDef, ast.Assign, ast.AnnAssign)
"""Statements that may follow a transform without a fence: prose that is Python by chance is none of these."""
_MAX_FENCES = 40
_MAX_STARTS = 20
_MAX_ENDS = 60
_MAX_ROOT_CAUSE = 1000


@dataclass(frozen=True)
class Extracted:
    """The source of a reply's transform, and what was left out of it."""

    source: str
    notes: list[str]


def extract_transform(text: str, stop_reason: str) -> str:
    """The source of the reply's transform; see `extract`."""
    return extract(text, stop_reason).source


def extract(text: str, stop_reason: str) -> Extracted:
    """The reply's transform: LF, no BOM, dedented, one header, ending in a newline.

    Imports, constants and helper functions beside it move into it; imports that the script has anyway or that nothing
    uses, docstrings beside the function, `.cache()` and `.persist()` are dropped; other statements beside the function
    stay, for the policy to report. The function's header is rewritten to the one form
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
    _check_signature(ast.parse(code))
    code, notes = without_kept(code)
    return Extracted(one_function(code), notes)


def root_cause(text: str) -> str:
    """The sentence of a reply after `ROOT CAUSE:`, in one line of at most 1,000 characters; empty without one."""
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
    """Code without fences: from the first line that looks like it to the end of the functions and constants."""
    for start in islice(_START.finditer(text), _MAX_STARTS):
        rest = text[start.start() :]
        best, size = "", 0
        for end in islice(_ends(rest), _MAX_ENDS):
            code = tidy_code(rest[:end])
            if not _defines_transform(code):
                continue
            body = ast.parse(code).body
            if best and not all(isinstance(node, _BESIDE) for node in body[size:]):
                break
            best, size = code, len(body)
        if best:
            yield best
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


def normalise(text: str) -> str:
    """The text with LF line ends and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def tidy_code(code: str) -> str:
    """Code with plain blanks, and without zero-width characters, outside strings and comments; dedented.

    Smart quotes stay: what was meant by them is not certain.
    """
    parts = []
    end = 0
    for match in _STRING_OR_COMMENT.finditer(code):
        parts += [_plain(code[end : match.start()]), match.group()]
        end = match.end()
    return _dedented("".join([*parts, _plain(code[end:])])).strip("\n") + "\n"


def _dedented(code: str) -> str:
    """The code without the blanks that all its lines begin with; lines of a text that have fewer stay as they are."""
    lines = code.split("\n")
    margin = os.path.commonprefix([line[: len(line) - len(line.lstrip())] for line in lines if line.strip()])
    return "\n".join(line.removeprefix(margin) for line in lines) if margin else code


def _plain(code: str) -> str:
    return _SPACES.sub(" ", _INVISIBLE.sub("", code))
