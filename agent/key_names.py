"""Keys of a specification without their letter case and separators, and closed lists of them."""

from __future__ import annotations

import re

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s\-_]+")


def normal_key(key: str) -> str:
    """A key in small letters with underscores: `leftTable` and `left-table` are `left_table`."""
    return _SEPARATORS.sub("_", _CAMEL.sub("_", key).strip().lower())


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())
