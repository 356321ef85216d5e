"""Row values that a pivot has made column names: errors that list columns would quote them."""

from __future__ import annotations

import re

from agent.redaction.pattern import MASK
from agent.snapshot import Snapshot

_PIVOTS = re.compile(r"\.\s*pivot\s*\(")
_LIST = re.compile(
    r"(following\? |columns: |columns |it has |it takes |among )"
    r"([\[(])((?:`(?:[^`]|``)*+`|'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|[^\])`'\"\n])*+)"
)
"""A list of columns in the words of Spark 3.5, Spark 3.3 and the script; a quoted name may hold a bracket."""
_COLUMN = re.compile(r"(The column )(`(?:[^`]|``)*+`)")
# Possessive repeats keep the scan linear; a doubled backtick or an escape does not end a quoted name.
_NAME = re.compile(r"(?:`(?:[^`]|``)*+`|'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|[^,`'\"])++")
_PLAN = re.compile(r"^[ \t]*(?:[+:!']|[A-Z]\w{1,40}+ (?:\[|\w{1,80}+#)).*$\n?", re.MULTILINE)
"""A line of a query plan, which names all columns."""


def mask_pivoted_columns(error: str, script: str, snapshot: Snapshot) -> str:
    """The error with columns masked that neither the script nor the sources name, if the script has a pivot."""
    if not _PIVOTS.search(script):
        return error
    known = {word.lower() for word in re.findall(r"\w+", script)}
    known |= {column.name.lower() for source in snapshot.sources for column in source.columns}

    def masked(name: re.Match[str]) -> str:
        text = name[0].strip()
        last = text.rpartition(".")[2] if text[-1:] not in "'\"" else text
        bare = [re.sub(r"[`'\"]", "", one).lower() for one in (text, last)]
        return name[0] if not text or known.intersection(bare) else name[0].replace(text, MASK)

    error = _PLAN.sub("", error)
    error = _LIST.sub(lambda match: f"{match[1]}{match[2]}{_NAME.sub(masked, match[3])}", error)
    return _COLUMN.sub(lambda match: match[1] + _NAME.sub(masked, match[2]), error)
