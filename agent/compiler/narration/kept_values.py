"""Words of filters about rows to keep whose value is missing, and paths and addresses in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.compiler.narration.evidence import Evidence

_KEPT_MISSING = re.compile(
    r"(?<!not )(?<!non-)\b(?:missing|nulls?|absent)\b[^.;\n]{0,80}?\b"
    r"(?:counts? as|(?:is|are) (?:treated as|counted as|kept|retained|included)|keep (?:those|them|these)|stays?)\b",
    re.IGNORECASE,
)
_CARRIES_MISSING = ("is_null", "coalesce", "outer", "is distinct from", "is not distinct from", "case")
_WRITTEN_VALUE = re.compile(r"(?<![\w/.:<])/[a-z]\w*(?:[/.-]\w+)*|\b[\w.+-]{1,60}@\w[\w.-]*\w", re.IGNORECASE)
"""A path, as `/help`, or an address, as `user@x`."""


def unsaid_values(text: str, evidence: Evidence) -> Iterator[tuple[int, int]]:
    """First and last character of the words that no condition carries. A negation alone drops rows with NULL."""
    kept = _KEPT_MISSING.search(text)
    if kept and not evidence.any_of(_CARRIES_MISSING):
        yield kept.span()
    for match in _WRITTEN_VALUE.finditer(text):
        if not any(match[0].lower() in value for value in evidence.texts):
            yield match.span()
