"""Redaction: error texts and logs lose secrets and row values before they are stored, shown or put into a prompt.

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
"""Characters; a shorter secret would be found in innocent words, and stays."""
_SHORTEST_BASE64 = 6
"""Characters of base64 that depend on the secret alone; fewer would match by chance."""
_ESCAPES = (r"%[\dA-Fa-f]{2}", r"\\[abfnrtv]", r"\\x[\dA-Fa-f]{2}", r"\\u[\dA-Fa-f]{4}", r"\\[0-7]{3}")
"""Escapes that end in a letter or digit (percent-encoding, JSON, repr, C): a word may begin behind them."""
# Each lookbehind has a width of its own, which `re` demands: one alternative an escape.
_WORD_BEGINS = rf"(?:(?<![^\W_])|{'|'.join(f'(?<={escape})' for escape in _ESCAPES)})"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without credentials, without row values that PostgreSQL, JDBC and Spark quote, and without `secrets`.

    Column names stay. A date that Spark could not parse keeps its shape: `2024-1-2` becomes `9999-9-9`.
    Redacting twice changes nothing.
    """
    text = mask_secrets(text, secrets)
    for one in (*SECRETS, *ROW_VALUES):
        text = one.mask(text)
    return text


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with known secrets masked: plain, percent-encoded, escaped, and in base64, also amid other bytes.

    A secret of fewer than four characters stays. A secret of letters alone is masked as a whole word only: behind
    `%3A` or an escaped line break, but not within `org.postgresql`.
    """
    # Longest first: a secret that holds another one would lose only that part.
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = _secret_pattern(secret).sub(MASK, text)
    return text


@lru_cache(maxsize=16)
def _secret_pattern(secret: str) -> re.Pattern[str]:
    """A pattern that finds a secret in every form."""
    plain = rf"{_WORD_BEGINS}{_spelled(secret)}(?![^\W_])" if secret.isalpha() else _spelled(secret)
    # base64 packs 6 bits a character: the characters around the core share bits with the secret's neighbours.
    encoded = (rf"[\w+/-]?{_spelled(core)}[\w+/-]*+(?:=|%3[Dd])*+" for core in _base64(secret.encode()))
    return re.compile("|".join((plain, *encoded)))


def _spelled(secret: str) -> str:
    """A pattern for every spelling of a text: plain, behind backslashes, percent-encoded, or as JSON escapes it."""
    runs = groupby(secret, lambda character: "\\" if character == "\\" else "")
    return "".join(_BACKSLASHES if key else "".join(map(_spellings, run)) for key, run in runs)


_BACKSLASHES = r"(?:\\(?!u[\dA-Fa-f]{4})|(?i:%5c)){0,64}+\\?"
"""A run of backslashes, escaped any number of times. A last one may belong to the next character's `\\u00e9`."""


def _spellings(character: str) -> str:
    """A pattern for the spellings of one character."""
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    # Forms write a blank as `+`; the base64 of URLs has `-` for `+` and `_` for `/`.
    more = {" ": r"|\+", "+": "|-", "/": "|_"}.get(character, "")
    # Atomic, so that no spelling is tried twice: the pattern stays linear.
    json_form = re.escape(json.dumps(character)[1:-1])
    return rf"(?>\\{{0,32}}+{re.escape(character)}|(?i:{percent})|{json_form}{more})"


def _base64(secret: bytes) -> list[str]:
    """The base64 characters that the secret alone decides, for each of its three offsets in groups of 3 bytes."""
    cores = []
    # With 1 or 2 bytes before the secret, the first 2 or 3 characters hold bits of those bytes.
    for before, shared in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        cores.append(b64encode(bytes(before) + secret).decode()[shared:whole])
    return [core for core in cores if len(core) >= _SHORTEST_BASE64]


def clip(text: str, limit: int = 4000) -> str:
    """The text in at most `limit` characters: head and tail, and between them a note of the omitted count."""
    if len(text) <= limit:
        return text
    note = f"\n[{len(text) - limit} characters left out]\n"
    room = max(limit - len(note), 0)
    tail = room // 2
    return (text[: room - tail] + note + text[len(text) - tail :])[:limit]
