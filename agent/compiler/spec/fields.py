"""The keys of one entry, found under any of their spellings; nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import JsonValue

from agent.compiler.problems import refuse
from agent.compiler.spec.key_spellings import KEYS
from agent.compiler.spec.sql_texts import split_at
from agent.key_names import normal_key as normal_key

Details = dict[str, JsonValue]


@cache
def _names(kind: str) -> Mapping[str, str]:
    """Spelling to canonical name of each key of a kind of entry."""
    return {spelling: name for name, spellings in KEYS[kind].items() for spelling in (name, *spellings)}


class Fields:
    """The keys of an entry of one kind. A null and an empty text, list or object count as not given."""

    def __init__(self, given: Details, kind: str) -> None:
        known = _names(kind)
        self.given = given
        self.rest: Details = {}
        """The keys that have no place in this kind of entry, with their values."""
        self._found: dict[str, list[str]] = {}
        for key in given:
            name = known.get(normal_key(key))
            if name is None:
                self.rest[key] = given[key]
            else:
                self._found.setdefault(name, []).append(key)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._found if name in self)

    def get(self, name: str) -> JsonValue:
        """The value of a key; None when it is not given. Refuses two spellings with different values."""
        found = [key for key in self._found.get(name, ()) if self.given[key] not in (None, "", [], {})]
        if len(found) > 1 and any(self.given[key] != self.given[found[0]] for key in found[1:]):
            refuse(f"`{found[0]}` and `{found[1]}` say the same thing in two ways; leave one of them out")
        return self.given[found[0]] if found else None

    def raw(self, name: str) -> JsonValue:
        """The value of a key, empty ones too; None when it is not given."""
        value = self.get(name)
        return self.given[self._found[name][0]] if value is None and name in self._found else value

    def written(self, name: str) -> bool:
        """True when the key stands there, with whatever value."""
        return name in self._found

    def at(self, name: str) -> str:
        """The path of a key below its entry, as `.column`, in the spelling that was used."""
        keys = self._found.get(name, [name])
        return f".{next((key for key in keys if self.given.get(key) not in (None, '', [], {})), keys[0])}"

    def text(self, name: str, what: str) -> str | None:
        """The text of a key; None when it is not given. Refuses any other value."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            refuse(f"is {what}, not {value!r}", self.at(name))
        return value.strip()

    def names(self, name: str) -> tuple[str, ...]:
        """The names of a key: a list of them, or a text with commas between them; empty when it is not given."""
        return tuple(names_in(self.get(name), self.at(name)))


def names_in(value: JsonValue, at: str = "") -> list[str]:
    """The names in a value: a list of them, or a text with commas between them."""
    if not isinstance(value, str | list | None):
        refuse("is a column name or a list of column names", at)
    if value is None:
        return []
    if isinstance(value, str):
        return [part for part in split_at(value, ",") if part]
    return [_named(item, f"{at}[{position}]") for position, item in enumerate(value)]


def _named(item: JsonValue, at: str) -> str:
    """The name in an item of a list: a text, or an object that holds nothing but a column."""
    if isinstance(item, dict) and len(item) == 1 and normal_key(next(iter(item))) in ("column", "name", "field"):
        item = next(iter(item.values()))
    if not isinstance(item, str) or not item.strip():
        refuse("is a column name or a list of column names", at)
    return item.strip()


def one_or_many(value: JsonValue) -> list[tuple[str, JsonValue]]:
    """The items of a list with their places in it, as `[0]`; a value alone has an empty place."""
    if isinstance(value, list):
        return [(f"[{position}]", item) for position, item in enumerate(value)]
    return [] if value is None else [("", value)]
