"""Secrets and row values out of error texts and logs, before these are stored, shown or put into a prompt.

The time is linear in the text: see `pattern.py`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from agent.redaction.pattern import MASK
from agent.redaction.row_patterns import ROW_VALUES
from agent.redaction.secret_patterns import SECRETS

_SHORTEST_SECRET = 4
_SHORTEST_BASE64 = 6
_ESCAPES = (r"%[\dA-Fa-f]{2}", r"\\[abfnrtv]", r"\\x[\dA-Fa-f]{2}", r"\\u[\dA-Fa-f]{4}", r"\\[0-7]{3}")
"""What ends in a letter or digit of no word: percent-encoded characters, and those that JSON, repr and C escape."""
_WORD_BEGINS = rf"(?:(?<![^\W_])|{'|'.join(f'(?<={escape})' for escape in _ESCAPES)})"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without credentials, without row values that PostgreSQL, JDBC and Spark quote, and without `secrets`.

    Column names stay. A date that Spark could not parse keeps its shape: `2024-1-2` becomes `9999-9-9`.
    Redacting twice changes nothing.
    """
    text = without(text, secrets)
    for one in (*SECRETS, *ROW_VALUES):
        text = one.taken_out(text)
    return text


def without(text: str, secrets: Iterable[str]) -> str:
    """The text without known secrets: as they are, percent-encoded, escaped, and in base64, also amid other bytes.

    What is shorter than four characters stays; a word of letters alone goes where it stands alone, as it does behind
    `%3A` or an escaped line break, and not out of `org.postgresql`.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = _known(secret).sub(MASK, text)
    return text


@lru_cache(maxsize=16)
def _known(secret: str) -> re.Pattern[str]:
    """A pattern that finds a secret in every form."""
    plain = rf"{_WORD_BEGINS}{_spelled(secret)}(?![^\W_])" if secret.isalpha() else _spelled(secret)
    # Around what depends on the secret alone stand characters that share bits with it.
    encoded = (rf"[\w+/-]?{_spelled(core)}[\w+/-]*+(?:=|%3[Dd])*+" for core in _base64(secret.encode()))
    return re.compile("|".join((plain, *encoded)))


def _spelled(secret: str) -> str:
    """A pattern for a text: each character as it is, behind backslashes, percent-encoded, or as JSON escapes it."""
    runs = groupby(secret, lambda character: "\\" if character == "\\" else "")
    return "".join(_BACKSLASHES if key else "".join(map(_one, run)) for key, run in runs)


_BACKSLASHES = r"(?:\\(?!u[\dA-Fa-f]{4})|(?i:%5c)){0,64}+\\?"
"""A run of backslashes, however often it was escaped; the last one may begin the next character's `\\u00e9`."""


def _one(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    more = {" ": r"|\+", "+": "|-", "/": "|_"}.get(character, "")  # in forms; in the base64 that URLs have
    json_form = re.escape(json.dumps(character)[1:-1])
    return rf"(?>\\{{0,32}}+{re.escape(character)}|(?i:{percent})|{json_form}{more})"


def _base64(secret: bytes) -> list[str]:
    """The characters of base64 that depend on the secret alone, for each place that it may have among other bytes."""
    cores = []
    for before, shared in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        cores.append(b64encode(bytes(before) + secret).decode()[shared:whole])
    return [core for core in cores if len(core) >= _SHORTEST_BASE64]


def clip(text: str, limit: int = 4000) -> str:
    """At most `limit` characters: the head and the tail, with a note of how many are left out between them."""
    if len(text) <= limit:
        return text
    note = f"\n[{len(text) - limit} characters left out]\n"
    room = max(limit - len(note), 0)
    tail = room // 2
    return (text[: room - tail] + note + text[len(text) - tail :])[:limit]
