"""The `transformations` list: entries with structured details join the structured fields, words are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agent.errors import Problem
from agent.planning.refusals import USE_A_MODEL, collecting, refuse
from agent.request import Aggregation, DerivedColumn, Filter, JoinCondition, Specification, Transformation, path_of

_Model = TypeVar("_Model", bound=BaseModel)
_Entry = TypeVar("_Entry")
_SAYS_DISTINCT = frozenset(
    {"", "distinct", "distinct rows", "remove duplicates", "remove duplicate rows", "deduplicate", "drop duplicates"}
)
_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
_TELLING = frozenset({"top", "first", "last", "only", "desc", "descending", "asc", "ascending", "limit", "distinct"})
"""Words of a description that would change the rows."""
_CARRIED = {"limit": ("top", "first", "limit", "only"), "filter": ("only",), "select": ("only",)}
_DIGITS = re.compile(r"[0-9]+")
_COUNT_KEYS = ("n", "limit", "count", "rows")
_MAX_ROWS = 2**31 - 1


@dataclass
class Entries:
    """All entries with their paths, the structured fields first; entries of one meaning may repeat."""

    joins: list[tuple[str, JoinCondition]] = field(default_factory=list)
    filters: list[tuple[str, Filter]] = field(default_factory=list)
    aggregations: list[tuple[str, Aggregation]] = field(default_factory=list)
    derived: list[tuple[str, DerivedColumn]] = field(default_factory=list)
    sort: list[tuple[str, tuple[tuple[str, bool], ...]]] = field(default_factory=list)
    """Column and whether it descends."""
    limit: list[tuple[str, int]] = field(default_factory=list)
    select: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    rename: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    distinct: bool = False


_Reader = Callable[[dict[str, JsonValue], str, Entries, list[Problem]], None]


def read_entries(specs: Specification, problems: list[Problem]) -> Entries:
    """The entries of a specification; free text, unknown keys and unknown types go to `problems`."""
    entries = Entries()
    _refuse_extras(specs, "specs", problems)
    for position, table in enumerate(specs.source_tables):
        _refuse_extras(table, f"specs.source_tables[{position}]", problems)
    _structured(specs.join_conditions, "join_conditions", entries.joins, problems)
    _structured(specs.filters, "filters", entries.filters, problems)
    _structured(specs.aggregations, "aggregations", entries.aggregations, problems)
    _structured(specs.derived_columns, "derived_columns", entries.derived, problems)
    for position, entry in enumerate(specs.transformations):
        path = f"specs.transformations[{position}]"
        _refuse_extras(entry, path, problems)
        with collecting(problems):
            _read(entry, path, entries, problems)
    for name, found in (("sort", entries.sort), ("limit", entries.limit), ("select", entries.select)):
        _one_meaning(name, found, problems)
    return entries


def _structured(models: tuple[_Model, ...], name: str, into: list[tuple[str, _Model]], problems: list[Problem]) -> None:
    for position, model in enumerate(models):
        path = f"specs.{name}[{position}]"
        _refuse_extras(model, path, problems)
        into.append((path, model))


def _refuse_extras(model: BaseModel, path: str, problems: list[Problem]) -> None:
    for key in model.model_extra or {}:
        message = f"unknown key, so its meaning is not certain; remove it or {USE_A_MODEL}"
        problems.append(Problem(f"{path}.{key}", message))


def without_repetitions(
    entries: list[tuple[str, _Entry]],
    identity: Callable[[_Entry], object],
    meaning: Callable[[_Entry], object],
    problems: list[Problem],
) -> list[tuple[str, _Entry]]:
    """The entries without those of `transformations` that repeat another; one that differs is a problem."""
    seen: dict[object, tuple[str, _Entry]] = {}
    kept = []
    for path, entry in entries:
        first_path, first = seen.setdefault(identity(entry), (path, entry))
        if first is entry or not path.startswith("specs.transformations"):
            kept.append((path, entry))
        elif meaning(first) != meaning(entry):
            problems.append(Problem(path, f"contradicts {first_path}"))
    return kept


def _one_meaning(name: str, found: list[tuple[str, Any]], problems: list[Problem]) -> None:
    for path, meaning in found[1:]:
        if meaning != found[0][1]:
            problems.append(Problem(path, f"a second {name} contradicts {found[0][0]}"))


def _read(entry: Transformation, path: str, entries: Entries, problems: list[Problem]) -> None:
    if entry.type == "distinct":
        _read_distinct(entry, path, entries)
        return
    if entry.type not in _READERS:
        refuse(path, f"the compiler cannot express a transformation of type {entry.type!r}; {USE_A_MODEL}")
    if not entry.details:
        refuse(path, f'"{entry.description or entry.type}" is free text; {USE_A_MODEL}')
    _READERS[entry.type](entry.details, f"{path}.details", entries, problems)
    unsaid = _unsaid(entry, entries)
    if unsaid:
        refuse(f"{path}.description", f"says {unsaid!r}, which the details do not; say it there or {USE_A_MODEL}")


def _unsaid(entry: Transformation, entries: Entries) -> str:
    """The first number or telling word of the description that the details do not carry; empty when there is none."""
    text = json.dumps(entry.details, ensure_ascii=False).lower()
    carried = {*re.findall(r"[^\W\d_]+", text), *_CARRIED.get(entry.type, ())}
    if entry.type == "sort":
        for _, descends in entries.sort[-1][1]:
            carried |= {"first", *(word for word, down in _DIRECTIONS.items() if down == descends)}
    if entry.type == "join" and entry.details.get("join_type", "inner") == "inner":
        carried.add("only")
    numbers = {int(number) for number in _DIGITS.findall(text)}
    words = re.findall(r"\d+|[^\W\d_]+", entry.description.lower().replace(",", ""))
    for word in words:
        if int(word) not in numbers if _DIGITS.fullmatch(word) else word in _TELLING - carried:
            return str(word)
    return ""


def _read_distinct(entry: Transformation, path: str, entries: Entries) -> None:
    if entry.details:
        refuse(
            f"{path}.details", f"distinct takes no details: which row of several stays is not certain; {USE_A_MODEL}"
        )
    if entry.description.strip(" .").lower() not in _SAYS_DISTINCT:
        refuse(path, f'"{entry.description}" is free text; {USE_A_MODEL}')
    entries.distinct = True


def _model_reader(model: type[_Model], into: Callable[[Entries], list[tuple[str, _Model]]]) -> _Reader:
    """A reader of details that have the shape of a structured field."""

    def read(details: dict[str, JsonValue], path: str, entries: Entries, problems: list[Problem]) -> None:
        try:
            parsed = model.model_validate(details)
        except ValidationError as error:
            for detail in error.errors():
                message = detail["msg"].removeprefix("Value error, ")
                problems.append(Problem(path_of((path, *detail["loc"])), f"{message[0].lower()}{message[1:]}"))
            return
        _refuse_extras(parsed, path, problems)
        into(entries).append((path.removesuffix(".details"), parsed))

    return read


def _read_sort(details: dict[str, JsonValue], path: str, entries: Entries, problems: list[Problem]) -> None:
    _known_keys(details, ("columns", "column", "by", "order", "direction", "ascending"), path)
    given = _one_of(details, ("columns", "column", "by"), path)
    default = _descends(details, ("order", "direction", "ascending"), path)
    items = given if isinstance(given, list) else [given]
    if not items:
        refuse(path, "names no column to sort by")
    keys = tuple(_sort_key(item, default, f"{path}[{position}]") for position, item in enumerate(items))
    entries.sort.append((path, keys))


def _sort_key(item: JsonValue, default: bool, path: str) -> tuple[str, bool]:
    if isinstance(item, str):
        return item, default
    if not isinstance(item, dict) or not isinstance(item.get("column"), str):
        refuse(path, 'a sort column is a name or {"column": name, "order": "asc" or "desc"}')
    _known_keys(item, ("column", "order", "direction", "ascending"), path)
    own = any(key in item for key in ("order", "direction", "ascending"))
    return str(item["column"]), _descends(item, ("order", "direction", "ascending"), path) if own else default


def _descends(details: dict[str, JsonValue], keys: tuple[str, ...], path: str) -> bool:
    given = [(key, details[key]) for key in keys if key in details]
    if len(given) > 1:
        refuse(path, f"says the direction twice: {' and '.join(key for key, _ in given)}")
    for key, value in given:
        if key == "ascending" and isinstance(value, bool):
            return not value
        if key != "ascending" and isinstance(value, str) and value.lower() in _DIRECTIONS:
            return _DIRECTIONS[value.lower()]
        refuse(f"{path}.{key}", f"{value!r} is not a direction; write asc or desc")
    return False


def _read_limit(details: dict[str, JsonValue], path: str, entries: Entries, problems: list[Problem]) -> None:
    _known_keys(details, _COUNT_KEYS, path)
    rows = _one_of(details, _COUNT_KEYS, path)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_ROWS:
        refuse(path, f"a limit is a whole number from 1 to {_MAX_ROWS}, not {rows!r}")
    entries.limit.append((path, rows))


def _read_select(details: dict[str, JsonValue], path: str, entries: Entries, problems: list[Problem]) -> None:
    _known_keys(details, ("columns",), path)
    names = details["columns"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse(f"{path}.columns", "is a list of column names")
    entries.select.append((path, tuple(str(name) for name in names)))


def _read_rename(details: dict[str, JsonValue], path: str, entries: Entries, problems: list[Problem]) -> None:
    _known_keys(details, ("from", "to", "columns", "mapping"), path)
    if "from" in details or "to" in details:
        _known_keys(details, ("from", "to"), path)
        mapping: JsonValue = {str(details.get("from")): details.get("to")}
    else:
        mapping = _one_of(details, ("columns", "mapping"), path)
    if (
        not isinstance(mapping, dict)
        or not mapping
        or not all(isinstance(new, str) and new for new in mapping.values())
    ):
        refuse(path, 'a rename is {"from": old, "to": new} or {"columns": {old: new}}')
    entries.rename.append((path, {old: str(new) for old, new in mapping.items()}))


def _known_keys(details: dict[str, JsonValue], known: tuple[str, ...], path: str) -> None:
    for key in details:
        if key not in known:
            refuse(f"{path}.{key}", f"unknown key here; known are {', '.join(known)}")


def _one_of(details: dict[str, JsonValue], keys: tuple[str, ...], path: str) -> JsonValue:
    given = [key for key in keys if key in details]
    if len(given) != 1:
        refuse(path, f"takes exactly one of {', '.join(keys)}")
    return details[given[0]]


_READERS: dict[str, _Reader] = {
    "join": _model_reader(JoinCondition, lambda entries: entries.joins),
    "filter": _model_reader(Filter, lambda entries: entries.filters),
    "aggregate": _model_reader(Aggregation, lambda entries: entries.aggregations),
    "derive": _model_reader(DerivedColumn, lambda entries: entries.derived),
    "sort": _read_sort,
    "limit": _read_limit,
    "select": _read_select,
    "rename": _read_rename,
}
