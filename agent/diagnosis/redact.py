"""Secrets and row values out of error texts and logs, before these are stored, shown or put into a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

_MASK = "***"
_SHORTEST_SECRET = 4
_LABEL = (
    r"(?:password|passwd|passphrase|pwd|secret|secret_?access_?key|api[_-]?key|private[_-]?key"
    r"|(?:access|auth|id|refresh|security|session|csrf)[_-]?token|x-amz-(?:signature|credential|security-token))"
)

_SECRETS: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", _MASK),
    (r"(\w://[^\s:/@\"']*):[^\s\"']*@", rf"\1:{_MASK}@"),
    (r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}\b", _MASK),
    (r"(?i)\b(bearer|basic)\s+(?=[\w~+/-]*[\d.=])[\w.~+/-]{8,}=*", rf"\1 {_MASK}"),
    (rf"(?i)({_LABEL}[\"']?\s*[=:]\s*)\"[^\"\n]*\"", rf'\1"{_MASK}"'),
    (rf"(?i)({_LABEL}[\"']?\s*[=:]\s*)'[^'\n]*'", rf"\1'{_MASK}'"),
    (rf"(?i)({_LABEL}[\"']?\s*[=:]\s*)(?![\"'])[^\s,;&\"'}})\]]+", rf"\1{_MASK}"),
)

_ROWS: tuple[tuple[str, str], ...] = (
    (r"(Failing row contains )\((?:[^\n]*\)\.|.*?\)\.|.*)", rf"\1({_MASK})."),
    (
        r"(?i)(key \([^\n=]{0,300}\)=)\(.{0,2000}?\)"
        r"(?= (?:already exists|conflicts|is not present|is still referenced|is duplicated))",
        rf"\1({_MASK})",
    ),
    (r"(?i)(key \([^\n=]{0,300}\)=)\((?!\*\*\*\))[^\n]*", rf"\1({_MASK})"),
    (r"(Batch entry \d+ INSERT\b.*?\bVALUES\s*)\(.*?(\s+was aborted|\Z)", rf"\1({_MASK})\2"),
    (r"(?i)(\bINSERT INTO\b[^\n]*?\bVALUES\s*)\((?!\*\*\*\))[^\n]*", rf"\1({_MASK})"),
    (r"(invalid input (?:syntax|value) for (?:type|enum) [\w ]+: )\"[^\n]*\"", rf'\1"{_MASK}"'),
    (r"(date/time field value out of range: )\"[^\n]*?\"", rf'\1"{_MASK}"'),
    (r"(\bvalue )\"[^\n]*?\"( is out of range)", rf'\1"{_MASK}"\2'),
    (r"(\bCOPY \S+, line \d+(?:, column \S+)?: )\"[^\n]*\"", rf'\1"{_MASK}"'),
    (r"(The value )'[^\n]*?'( of the type)", rf"\1'{_MASK}'\2"),
)

_SHAPED = re.compile(r"((?:Fail to parse|Text) )'([^\n]*?)'(?= in the new parser| could not be parsed)")


def _compiled(patterns: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.DOTALL), replacement) for pattern, replacement in patterns)


_PATTERNS = _compiled(_SECRETS + _ROWS)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without credentials, without row values that PostgreSQL, JDBC and Spark quote, and without `secrets`.

    Column names stay. A date that Spark could not parse keeps its shape: `2024-1-2` becomes `9999-9-9`.
    Redacting twice changes nothing.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _MASK).replace(quote(secret, safe=""), _MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _SHAPED.sub(_shape(), text)


def _shape() -> Callable[[re.Match[str]], str]:
    def shaped(match: re.Match[str]) -> str:
        value = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", match.group(2)))
        return f"{match.group(1)}'{value}'"

    return shaped


def clip(text: str, limit: int = 4000) -> str:
    """At most `limit` characters: the head and the tail, with a note of how many are left out between them."""
    if len(text) <= limit:
        return text
    note = f"\n[{len(text) - limit} characters left out]\n"
    room = max(limit - len(note), 0)
    tail = room // 2
    return (text[: room - tail] + note + text[len(text) - tail :])[:limit]
