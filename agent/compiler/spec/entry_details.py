"""The `details` of a transformation, read with plain messages: keys, names, and columns to sort by."""

from __future__ import annotations

from pydantic import JsonValue

from agent.compiler.problems import refuse, within
from agent.elements import SortItem
from agent.nearest import did_you_mean

_DIRECTION_KEYS = ("order", "direction", "ascending")
_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
_SORT_SHAPE = 'a sort column is a name or {"column": name, "order": "asc" or "desc"}'
Details = dict[str, JsonValue]


def known_keys(details: Details, known: tuple[str, ...]) -> None:
    """Refuse an unknown key: it may change the meaning."""
    for key in details:
        if key not in known:
            refuse(f"unknown key here{did_you_mean(key, known, listed=True)}", f".{key}")


def one_of(details: Details, keys: tuple[str, ...]) -> JsonValue:
    """The value of the one key that is given. Refuses none and several."""
    given = [key for key in keys if key in details]
    if len(given) != 1:
        refuse(f"takes exactly one of {', '.join(keys)}")
    return details[given[0]]


def text_of(details: Details, key: str, what: str) -> str:
    """The text under `key`. Refuses anything else; the message says that `what` is needed."""
    value = details.get(key)
    if not isinstance(value, str) or not value.strip():
        refuse(f"{what} is needed as a text" if value is None else f"is {what}, not {value!r}", f".{key}")
    return value


def word_of(details: Details, key: str, known: tuple[str, ...]) -> str:
    """The word under `key`, one of `known`, whatever its case. Refuses any other."""
    word = text_of(details, key, f"one of {', '.join(known)}").strip().lower()
    if word not in known:
        refuse(f"{details[key]!r} is not known here{did_you_mean(word, known, listed=True)}", f".{key}")
    return word


def names_of(details: Details, key: str) -> tuple[str, ...]:
    """The names under `key`, one or a list of them; empty when the key is missing."""
    value = details.get(key)
    value = [] if value is None else value
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        refuse("is a column name or a list of column names", f".{key}")
    return tuple(str(name) for name in names)


def sort_items(given: JsonValue, default: Details) -> tuple[SortItem, ...]:
    """The columns to sort by. `default` may hold the direction of columns that give none."""
    items = given if isinstance(given, list) else [given]
    if not items:
        refuse("names no column to sort by")
    descending, found = _descends(default), []
    for position, item in enumerate(items):
        with within(f"[{position}]"):
            found.append(_sort_item(item, descending))
    return tuple(found)


def says(item: SortItem) -> set[str]:
    """The words of a direction that an item carries."""
    return {word for word, descends in _DIRECTIONS.items() if descends == item.descending}


def _sort_item(item: JsonValue, descending: bool) -> SortItem:
    if isinstance(item, str):
        return _directed(item, descending, {})
    if not isinstance(item, dict) or not isinstance(item.get("column"), str):
        refuse(_SORT_SHAPE)
    known_keys(item, ("column", *_DIRECTION_KEYS, "nulls"))
    if any(key in item for key in _DIRECTION_KEYS):
        descending = _descends(item)
    if item.get("nulls", "first") not in ("first", "last"):
        refuse(f"{item['nulls']!r} is no place for NULLs; write first or last", ".nulls")
    return _directed(str(item["column"]), descending, item)


def _directed(column: str, descending: bool, item: Details) -> SortItem:
    """The item with the place of its NULLs: by default they are larger than every value, as in PostgreSQL."""
    nulls_first = item["nulls"] == "first" if "nulls" in item else descending
    return SortItem(column, descending, nulls_first)


def _descends(details: Details) -> bool:
    given = [(key, details[key]) for key in _DIRECTION_KEYS if key in details]
    if len(given) > 1:
        refuse(f"says the direction twice: {' and '.join(key for key, _ in given)}")
    for key, value in given:
        if key == "ascending" and isinstance(value, bool):
            return not value
        if key != "ascending" and isinstance(value, str) and value.lower() in _DIRECTIONS:
            return _DIRECTIONS[value.lower()]
        refuse(f"{value!r} is not a direction; write asc or desc", f".{key}")
    return False
