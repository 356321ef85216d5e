"""A redaction pattern: the regex that finds a kind of secret or row value, and its replacement.

Every pattern is linear, as protection from catastrophic backtracking (ReDoS): a repeat without an upper bound is
possessive, and nothing that can fail follows it; further decisions are made by `replacement`, once a match.
`tests/agent/redaction/test_linear_patterns.py` counts the steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MASK = "***"

NEXT = r"\n(?:[ \t]{0,8}+(?:at |\.\.\. \d|Caused by: )|Traceback |\d{2,4}[-/]\d\d[-/ ])"
"""Latest end of a value: before a stack frame, another exception or the next line of a log."""


@dataclass(frozen=True)
class Pattern:
    """A row of the tables in `secret_patterns.py` and `row_patterns.py`."""

    name: str
    regex: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    """A template with groups, or a function, which may return the match unchanged."""

    def mask(self, text: str) -> str:
        """The text with each match replaced."""
        return self.regex.sub(self.replacement, text)


def pattern(name: str, regex: str, replacement: str | Callable[[re.Match[str]], str] = MASK) -> Pattern:
    """A Pattern whose `.` matches line breaks too."""
    return Pattern(name, re.compile(regex, re.DOTALL), replacement)
