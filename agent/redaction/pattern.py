"""One kind of text that is redacted: how it is found, and what becomes of it.

Every pattern is linear: it gives up within a bounded number of steps, or it matches, and never looks again at what it
has passed. So a repeat without an upper bound is possessive, and nothing that can fail comes after it; what is left to
decide is decided by `replacement`, once a match. `tests/agent/redaction/test_linear_patterns.py` counts the steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MASK = "***"

NEXT = r"\n(?:[ \t]{0,8}+(?:at |\.\.\. \d|Caused by: )|Traceback |\d{2,4}[-/]\d\d[-/ ])"
"""Where a value ends at the latest: before a stack frame, another exception or the next line of a log."""


@dataclass(frozen=True)
class Pattern:
    """A row of the tables in `secret_patterns.py` and `row_patterns.py`."""

    name: str
    regex: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    """What comes in its place: a template with groups, or a function that may leave the text as it is."""

    def taken_out(self, text: str) -> str:
        """The text without what this pattern finds."""
        return self.regex.sub(self.replacement, text)


def pattern(name: str, regex: str, replacement: str | Callable[[re.Match[str]], str] = MASK) -> Pattern:
    """A pattern whose `.` matches line breaks too."""
    return Pattern(name, re.compile(regex, re.DOTALL), replacement)
