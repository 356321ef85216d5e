"""The `details` of a transformation, read with plain messages: keys, names, and columns to sort by."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import JsonValue

from agent.compiler.plan.problems import refuse
from agent.nearest import did_you_mean

_DIRECTION_KEYS = ("order", "direction", "ascending")
_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
_SORT_SHAPE = 'a sort column is a name or {"column": name, "order": "asc" or "desc"}'
Details = dict[str, JsonValue]


class SortItem(NamedTuple):
    """A column to sort by, as it was written."""

    column: str
    descending: bool
    nulls_first: bool


def known_keys(details: Details, known: tuple[str, ...], path: str) -> None:
    """Refuse a key that nothing reads: it may change the meaning."""
    for key in details:
        if key not in known:
            refuse(f"{path}.{key}", f"unknown key here{did_you_mean(key, known, listed=True)}")


def one_of(details: Details, keys: tuple[str, ...], path: str) -> JsonValue:
    """The value of whichever of these keys is there. Raises InvalidRequestError when it is not exactly one."""
    given = [key for key in keys if key in details]
    if len(given) != 1:
        refuse(path, f"takes exactly one of {', '.join(keys)}")
    return details[given[0]]


def text_of(details: Details, key: str, path: str, what: str) -> str:
    """The text under `key`. Raises InvalidRequestError, saying `what` is needed."""
    value = details.get(key)
    if not isinstance(value, str) or not value.strip():
        refuse(f"{path}.{key}", f"{what} is needed as a text" if value is None else f"is {what}, not {value!r}")
    return value


def word_of(details: Details, key: str, known: tuple[str, ...], path: str) -> str:
    """The word under `key`, one of `known`, whatever its case. Raises InvalidRequestError."""
    word = text_of(details, key, path, f"one of {', '.join(known)}").strip().lower()
    if word not in known:
        refuse(f"{path}.{key}", f"{details[key]!r} is not known here{did_you_mean(word, known, listed=True)}")
    return word


def names_of(details: Details, key: str, path: str) -> tuple[str, ...]:
    """The names under `key`, one or a list of them; empty when the key is missing."""
    value = details.get(key)
    value = [] if value is None else value
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        refuse(f"{path}.{key}", "is a column name or a list of column names")
    return tuple(str(name) for name in names)


def sort_items(given: JsonValue, default: Details, path: str) -> tuple[SortItem, ...]:
    """The columns to sort by; `default` may hold the direction of those that name none."""
    items = given if isinstance(given, list) else [given]
    if not items:
        refuse(path, "names no column to sort by")
    return tuple(_sort_item(item, default, f"{path}[{position}]", path) for position, item in enumerate(items))


def says(item: SortItem) -> set[str]:
    """The words of a direction that an item carries."""
    return {word for word, descends in _DIRECTIONS.items() if descends == item.descending}


def _sort_item(item: JsonValue, default: Details, path: str, outer: str) -> SortItem:
    if isinstance(item, str):
        return _directed(item, _descends(default, outer), {})
    if not isinstance(item, dict) or not isinstance(item.get("column"), str):
        refuse(path, _SORT_SHAPE)
    known_keys(item, ("column", *_DIRECTION_KEYS, "nulls"), path)
    own = any(key in item for key in _DIRECTION_KEYS)
    descending = _descends(item, path) if own else _descends(default, outer)
    if item.get("nulls", "first") not in ("first", "last"):
        refuse(f"{path}.nulls", f"{item['nulls']!r} is no place for NULLs; write first or last")
    return _directed(str(item["column"]), descending, item)


def _directed(column: str, descending: bool, item: Details) -> SortItem:
    """NULLs count as larger than every value, as in PostgreSQL, unless the item says where they go."""
    nulls_first = item["nulls"] == "first" if "nulls" in item else descending
    return SortItem(column, descending, nulls_first)


def _descends(details: Details, path: str) -> bool:
    given = [(key, details[key]) for key in _DIRECTION_KEYS if key in details]
    if len(given) > 1:
        refuse(path, f"says the direction twice: {' and '.join(key for key, _ in given)}")
    for key, value in given:
        if key == "ascending" and isinstance(value, bool):
            return not value
        if key != "ascending" and isinstance(value, str) and value.lower() in _DIRECTIONS:
            return _DIRECTIONS[value.lower()]
        refuse(f"{path}.{key}", f"{value!r} is not a direction; write asc or desc")
    return False
