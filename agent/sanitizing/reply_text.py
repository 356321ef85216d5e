"""Characters that models and chat windows put into code and that Python refuses there."""

from __future__ import annotations

import os.path
import re

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_STRING_OR_COMMENT = re.compile(
    r"""(?s)(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\#[^\n]*)"""
)


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
