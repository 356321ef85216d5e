"""Parsing of an engine's error and log: phase, line and the root cause without wrappers and stack traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Glue's `Error Category: …; Failed Line Number: …; Spark Error Class: …;` before the script's own message.
_GLUE_PREFIX = re.compile(
    r"^Error Category: [^;]*;\s*(?:Failed Line Number: (?P<line>\d+);\s*)?(?:Spark Error Class: [^;]*;\s*)?"
)
# The marker that the job template writes around a failure.
_PHASE = re.compile(r'(?:JobPhaseError: )?\[datamorph phase="(?P<phase>[^"]*)"(?: line=(?P<line>\d+|None))?\]\s*')
# Spark's report of the failed task, up to the task's own exception behind `(TID n) (host executor id): `.
_STAGE = re.compile(r"Job aborted due to stage failure:.*?\(TID \d+\)(?: \([^)\n]*\))?: ", re.DOTALL)
_CALL = re.compile(r"(?:\w+: )?An error occurred while calling [\w.]+\.\s*\n: ")
"""Py4J's words before the exception that Java raised."""
_ADVICE = re.compile(
    r"\s*(?:Use (?:[`']try_\w+[`']|the SQL function `get\(\)`)[^.]*\.)?\s*"
    r"If necessary,? set \"?spark\.sql\.ansi\.enabled[^\n]*(?:\n== SQL[^\n]*)?"
)
"""Spark's advice to switch ANSI mode off, which would turn errors into NULL or wrapped numbers; it is dropped."""
# Stack frames of Java and Python.
_FRAME = re.compile(r"^\s*(?:at [\w.$<>/]+\(|\.\.\. \d+ more|Driver stacktrace:|File \"|Traceback \()")
# A line of a query plan, which would quote all columns.
_PLAN = re.compile(r"^\s*(?:[+:!'\"]|[A-Z]\w+ (?:\[|\w+#))")
# A Java cause with its second line, where that is no frame: Spark breaks messages after the class.
_CAUSED_BY = re.compile(r"^\s*Caused by: ([^\n]*(?:\n(?!\s*(?:at |Caused by|\.\.\.))[^\n]+)?)", re.MULTILINE)
_EXCEPTION_LINE = re.compile(r"^[\w.]*(?:Error|Exception): [^\n]*", re.MULTILINE)
# Messages of what noticed the failure: connection, process or job; the cause stands in the log.
_UNINFORMATIVE = re.compile(
    r"This connection has been closed|[Cc]ommand failed with exit code|exit code 1\b|ended without a result"
    r"|An error occurred while calling [oz][\w.:]*\.?\s*\Z|Job aborted(?: due to stage failure[^:]*)?\.?\s*\Z"
)
_MAX_MESSAGE_LINES = 4


@dataclass(frozen=True)
class ErrorText:
    """An engine's error in its parts."""

    message: str
    """The error without Glue's prefix and the phase marker."""
    phase: str
    """The script's phase that failed; empty when the error does not say."""
    line: int | None
    """1-based, within the script."""


def parse_error(error: str, log: str = "") -> ErrorText:
    """Message, phase and line of a failure; a phase that the error lacks comes from the log's last marker."""
    prefix = _GLUE_PREFIX.match(error)
    message = error[prefix.end() :] if prefix else error
    markers = list(_PHASE.finditer(message)) or list(_PHASE.finditer(log))[-1:]
    line = prefix["line"] if prefix else None
    phase = ""
    if markers:
        phase = markers[0]["phase"]
        line = markers[0]["line"] or line
    message = _PHASE.sub("", message).strip()
    return ErrorText(message, phase, int(line) if line and line.isdigit() else None)


def is_uninformative(message: str) -> bool:
    """True for an error that hides its cause, which the log may hold."""
    return not message.strip() or _UNINFORMATIVE.search(message) is not None


def causes_in_log(log: str) -> Iterator[str]:
    """Candidates for the root cause, best first: text behind phase markers, deepest causes, last exceptions."""
    for marker in reversed(list(_PHASE.finditer(log))):
        yield core_message(log[marker.end() : marker.end() + 4000])
    found = [*_CAUSED_BY.findall(log)[::-1], *_EXCEPTION_LINE.findall(log)[::-1]]
    for text in found:
        if not is_uninformative(text):
            yield text.strip()
    for line in reversed(log.splitlines()):
        if "LAUNCH ERROR" in line or "ended with exit code" in line or "Container killed" in line:
            yield line.strip()


def core_message(error: str) -> str:
    """The innermost exception's first lines, without stack frames and query plans."""
    causes = [cause for cause in _CAUSED_BY.findall(error) if not is_uninformative(cause)]
    text = causes[-1] if causes and is_uninformative(_first_lines(error)) else _CALL.sub("", error, count=1)
    stage = _STAGE.search(text)
    return _first_lines(_ADVICE.sub("", text[stage.end() :] if stage else text))


def _first_lines(text: str) -> str:
    kept: list[str] = []
    for line in text.strip().splitlines():
        if _FRAME.match(line) or (kept and _PLAN.match(line)) or line.lstrip().startswith("Caused by:"):
            break
        if line.strip():
            kept.append(line.strip())
        if len(kept) == _MAX_MESSAGE_LINES:
            break
    return "\n".join(kept)


def normalised(message: str) -> str:
    """A message without parts that differ from run to run: numbers, quoted values, object and plan ids.

    Two failures with the same normalised message count as the same failure.
    """
    text = re.sub(r"0x[0-9a-fA-F]+|@[0-9a-f]{6,}", "", message.lower())
    text = re.sub(r"\bo\d+\.", "", re.sub(r"#\d+l?", "", text))
    text = re.sub(r"'[^'\n]*'", "''", text)
    text = re.sub(r"\b[0-9a-f]{8,}\b", "", re.sub(r"\d+", "", text))
    return " ".join(text.split())[:300]
