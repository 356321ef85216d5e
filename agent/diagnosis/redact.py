"""Secrets and row values out of error texts and logs, before these are stored, shown or put into a prompt."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import lru_cache

_MASK = "***"
_SHORTEST_SECRET = 4
_SHORTEST_BASE64 = 6
_LABEL = (
    r"(?:password|passwd|passphrase|pwd|secret|secret_?access_?key|api[_-]?key|private[_-]?key"
    r"|(?:access|auth|id|refresh|security|session|csrf)[_-]?token|x-amz-(?:signature|credential|security-token))"
)
_SAID = rf"(?i)({_LABEL}\\*[\"']?\s*(?>[=:]{{1,2}}>?\s*))"
"""What stands before a secret: `password=`, `"pwd": `, in JSON within JSON `\\"pwd\\": `."""
_INNER_QUOTE = r"[\"'](?![\s,;)\]}]|\Z)"
"""A quote that ends nothing: more of the word follows."""
_INNER_MARK = r"[,;&)\]}](?![\s\"')\]}]|\Z|[A-Za-z_][\w.-]*\s*[=:])"
"""A mark that separates nothing: neither an end nor another `name=` follows."""
_ESCAPES = (r"%[\dA-Fa-f]{2}", r"\\[abfnrtv]", r"\\x[\dA-Fa-f]{2}", r"\\u[\dA-Fa-f]{4}", r"\\[0-7]{3}")
"""What ends in a letter or digit of no word: percent-encoded characters, and those that JSON, repr and C escape."""
_WORD_BEGINS = rf"(?:(?<![^\W_])|{'|'.join(f'(?<={escape})' for escape in _ESCAPES)})"

_SECRETS: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", _MASK),
    (rf"(\w://[^\s:/@\"']*):(?:[^\s\"'@]*+(?:{_INNER_QUOTE}[^\s\"'@]*+)*+@)+", rf"\1:{_MASK}@"),
    (rf"(\bpostgres(?:ql)?://[^\s:/@\"']+):(?!\d+[/?\"'\s,]|{re.escape(_MASK)}@)(?:[^\s@]*+@)+", rf"\1:{_MASK}@"),
    (r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}\b", _MASK),
    (r"(?i)\b(bearer|basic)\s+(?=[\w~+/-]*[\d.=])[\w.~+/-]{8,}=*", rf"\1 {_MASK}"),
    (rf"{_SAID}(\\+[\"'])[^\n]*?(?:(?<!\\)\2|(?=\n)|\Z)", rf"\1\2{_MASK}\2"),
    (rf"{_SAID}\"(?:[^\"\\\n]|\\(?:.|\Z)|\"\")*(?:\"|(?=\n)|\Z)", rf'\1"{_MASK}"'),
    (rf"{_SAID}'(?:[^'\\\n]|\\(?:.|\Z)|'')*(?:'|(?=\n)|\Z)", rf"\1'{_MASK}'"),
    (rf"{_SAID}(?!\\*[\"'])(?:[^\s,;&\"'}})\]]|{_INNER_QUOTE}|{_INNER_MARK})+", rf"\1{_MASK}"),
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
    text = without(text, secrets)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _SHAPED.sub(_shape(), text)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text without known secrets: as they are, percent-encoded, escaped, and in base64, also amid other bytes.

    What is shorter than four characters stays; a word of letters alone goes where it stands alone, as it does behind
    `%3A` or an escaped line break, and not out of `org.postgresql`.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = _known(secret).sub(_MASK, text)
    return text


@lru_cache(maxsize=16)
def _known(secret: str) -> re.Pattern[str]:
    """What finds a secret in every form."""
    spelled = "".join(map(_spelled, secret))
    plain = rf"{_WORD_BEGINS}{spelled}(?![^\W_])" if secret.isalpha() else spelled
    # Around what depends on the secret alone stand characters that share bits with it.
    encoded = (rf"[\w+/-]?{''.join(map(_spelled, core))}[\w+/-]*(?:=|%3[Dd])*" for core in _base64(secret.encode()))
    return re.compile("|".join((plain, *encoded)))


def _spelled(character: str) -> str:
    """What finds a character: as it is, behind backslashes, percent-encoded, or as JSON escapes it."""
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    more = {" ": r"|\+", "+": "|-", "/": "|_"}.get(character, "")  # in forms; in the base64 that URLs have
    return rf"(?:\\*{re.escape(character)}|(?i:{percent})|{re.escape(json.dumps(character)[1:-1])}{more})"


def _base64(secret: bytes) -> list[str]:
    """The characters of base64 that depend on the secret alone, for each place that it may have among other bytes."""
    cores = []
    for before, shared in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        cores.append(b64encode(bytes(before) + secret).decode()[shared:whole])
    return [core for core in cores if len(core) >= _SHORTEST_BASE64]


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
