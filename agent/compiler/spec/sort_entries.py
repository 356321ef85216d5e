"""Columns to sort by, in any of the usual spellings."""

from __future__ import annotations

import re

from pydantic import JsonValue

from agent.compiler.problems import refuse, within
from agent.compiler.spec.fields import Details, normal_key
from agent.compiler.spec.sql_texts import split_at
from agent.elements import SortItem

_DIRECTIONS: dict[object, bool] = {
    "asc": False, "ascending": False, "lowest first": False, "true": False,
    "desc": True, "descending": True, "highest first": True, "dsc": True, "false": True,
}  # fmt: skip
_ITEM_KEYS = {
    "column": ("column", "field", "name", "col", "by", "expression", "column_name", "key", "field_name"),
    "direction": ("direction", "order", "sort", "dir", "sort_order", "sort_direction", "order_direction"),
    "ascending": ("ascending", "asc", "is_ascending"),
    "descending": ("descending", "desc", "is_descending"),
    "nulls": ("nulls", "nulls_position", "null_order", "nulls_order", "null_position", "na_position"),
    "nulls_first": ("nulls_first",),
    "nulls_last": ("nulls_last",),
}
_NAMES = {spelling: name for name, spellings in _ITEM_KEYS.items() for spelling in spellings}
_SORT_SHAPE = 'a sort column is a name, "name DESC", or {"column": name, "order": "asc" or "desc"}'
_WRITTEN = re.compile(r"(?is)(.+?)(?:\s+(asc|desc|ascending|descending))?(?:\s+nulls\s+(first|last))?")


def sort_items(given: JsonValue, direction: JsonValue = None, nulls: JsonValue = None) -> tuple[SortItem, ...]:
    """The columns to sort by; `direction` and `nulls` hold for items that say none, or are lists beside the items."""
    items = _listed(given)
    if not items:
        refuse("names no column to sort by")
    beside = direction if isinstance(direction, list) else [direction] * len(items)
    if len(beside) != len(items):
        refuse(f"{len(items)} columns have {len(beside)} directions")
    found = []
    for position, (item, own) in enumerate(zip(items, beside, strict=True)):
        with within(f"[{position}]" if isinstance(given, list) else ""):
            found.append(_sort_item(item, _descends(own), nulls))
    return tuple(found)


def _listed(given: JsonValue) -> list[JsonValue]:
    if isinstance(given, str):
        return [part for part in split_at(given, ",") if part]
    if isinstance(given, dict) and not any(normal_key(key) in _NAMES for key in given):
        return [{"column": column, "direction": direction} for column, direction in given.items()]
    return given if isinstance(given, list) else [given]


def _sort_item(item: JsonValue, descending: bool, nulls: JsonValue) -> SortItem:
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
        item = {"column": item[0], "direction": item[1]}
    if isinstance(item, str) and item.strip():
        return _of_text(item.strip(), descending, nulls)
    if not isinstance(item, dict):
        refuse(_SORT_SHAPE)
    fields: Details = {}
    for key, value in item.items():
        name = _NAMES.get(normal_key(key))
        if name is None and normal_key(key) not in ("table", "description", "comment", "note", "priority", "sequence"):
            fields = (
                {"column": key, "direction": value}
                if len(item) == 1
                else refuse(f"unknown key here; {_SORT_SHAPE}", f".{key}")
            )
        elif name is not None and value is not None:
            fields[name] = value
    column = fields.get("column")
    if not isinstance(column, str) or not column.strip():
        refuse(_SORT_SHAPE)
    said = [_descends(fields[name]) for name in ("direction",) if name in fields]
    said += [not _truth(fields["ascending"], "ascending")] if "ascending" in fields else []
    said += [_truth(fields["descending"], "descending")] if "descending" in fields else []
    if len(set(said)) > 1:
        refuse("says the direction twice, in two ways")
    place = _nulls(fields)
    return _of_text(column.strip(), said[0] if said else descending, nulls if place is None else place)


def _truth(value: JsonValue, key: str) -> bool:
    if not isinstance(value, bool):
        refuse(f"{value!r} is not a direction; write true or false", f".{key}")
    return value


def _nulls(fields: Details) -> JsonValue:
    for key, meant in (("nulls_first", "first"), ("nulls_last", "last")):
        if key in fields:
            other = "last" if meant == "first" else "first"
            return meant if _truth(fields[key], key) else other
    return fields.get("nulls")


def _of_text(text: str, descending: bool, nulls: JsonValue) -> SortItem:
    """The item in `column DESC NULLS LAST`. NULLs are by default larger than every value, as in PostgreSQL."""
    match = _WRITTEN.fullmatch(text)
    column, word, place = match.groups() if match else (text, None, None)
    if word:
        descending = word.lower().startswith("desc")
    if place is None and nulls is not None:
        place = str(nulls).lower().removeprefix("nulls").strip(" _") if isinstance(nulls, str) else str(nulls)
        if place not in ("first", "last"):
            refuse(f"{nulls!r} is no place for NULLs; write first or last", ".nulls")
    return SortItem(column.strip(), descending, place.lower() == "first" if place else descending)


def _descends(value: JsonValue) -> bool:
    """True for a descending order. A boolean, in words or as 0 and 1, says whether it ascends."""
    if value is None:
        return False
    if isinstance(value, bool):
        return not value
    word = value.strip().lower() if isinstance(value, str) else value
    if word in (-1, 0, 1):
        return word != 1
    if isinstance(word, list | dict) or word not in _DIRECTIONS:
        refuse(f"{value!r} is not a direction; write asc or desc")
    return _DIRECTIONS[word]
