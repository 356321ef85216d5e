"""Values of rows that a pivot has made into names of columns: an error that lists columns quotes them."""

from __future__ import annotations

import re

from agent.redaction.pattern import MASK
from agent.snapshot import Snapshot

_PIVOTS = re.compile(r"\.\s*pivot\s*\(")
_LIST = re.compile(
    r"(following\? |columns: |columns |it has |it takes |among )"
    r"([\[(])((?:`(?:[^`]|``)*+`|'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|[^\])`'\"\n])*+)"
)
"""A list of columns as Spark 3.5, Spark 3.3 and the script tell it; a name in quotes may hold a bracket."""
_COLUMN = re.compile(r"(The column )(`(?:[^`]|``)*+`)")
_NAME = re.compile(r"(?:`(?:[^`]|``)*+`|'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|[^,`'\"])++")
_PLAN = re.compile(r"^[ \t]*(?:[+:!']|[A-Z]\w{1,40}+ (?:\[|\w{1,80}+#)).*$\n?", re.MULTILINE)
"""A line of a query plan, which names all columns."""


def without_pivoted(error: str, script: str, snapshot: Snapshot) -> str:
    """The error without columns that neither the script nor the sources know by name, if the script has a pivot."""
    if not _PIVOTS.search(script):
        return error
    known = {word.lower() for word in re.findall(r"\w+", script)}
    known |= {column.name.lower() for source in snapshot.sources for column in source.columns}

    def told(name: re.Match[str]) -> str:
        text = name[0].strip()
        last = text.rpartition(".")[2] if text[-1:] not in "'\"" else text
        bare = [re.sub(r"[`'\"]", "", one).lower() for one in (text, last)]
        return name[0] if not text or known.intersection(bare) else name[0].replace(text, MASK)

    error = _PLAN.sub("", error)
    error = _LIST.sub(lambda match: f"{match[1]}{match[2]}{_NAME.sub(told, match[3])}", error)
    return _COLUMN.sub(lambda match: match[1] + _NAME.sub(told, match[2]), error)
