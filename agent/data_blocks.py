"""Data blocks: marked text from outside in a prompt, which cannot pass for the prompt's own words."""

from __future__ import annotations

import json
import re
from hashlib import sha256

_DIGITS = 12
"""Hex digits of a block's hash."""

# ASCII alone is plain: letters of other scripts may look like ASCII ones.
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_PLAIN_TYPE = re.compile(r"[A-Za-z][\w ]*(?:\.\w+)?(?:\([\d, ]*\)[\w ]*)?(?:\[\])*", re.ASCII)
_IGNORABLE = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0]
    + [*range(0xE0100, 0xE01F0)]
)
"""Invisible characters that Python calls printable: fillers and variation selectors, which can smuggle text."""


def block(text: str) -> str:
    """The text between tags that hold a hash of it: `<data-3f9a…>`; the same text gives the same tags.

    The text cannot close its block: one that holds its own tag gets another tag.
    """
    shown = visible(text)
    tag = _tag(shown)
    while tag in shown:  # a text that holds its own hash can be found by force: the hash has 48 bits
        tag = _tag(tag + shown)
    return f"<{tag}>\n{shown}\n</{tag}>"


def _tag(text: str) -> str:
    return f"data-{sha256(text.encode()).hexdigest()[:_DIGITS]}"


def visible(text: str) -> str:
    r"""The text with each control, bidirectional or invisible character as JSON escapes it: `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if character in "\n\t" or (character.isprintable() and ord(character) not in _IGNORABLE):
        return character
    return json.dumps(character)[1:-1]


def name_shown(name: str) -> str:
    """A plain name as it is, `sales.orders`; any other as a JSON string, on one line and with a visible end."""
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def type_shown(kind: str) -> str:
    """A plain type as it is, `numeric(5,2)`; any other, as an oddly named enum, as a JSON string."""
    return kind if _PLAIN_TYPE.fullmatch(kind) else json.dumps(kind, ensure_ascii=False)
