"""The entries of a specification: structured fields, and `transformations` with structured details."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agent.compiler.problems import USE_A_MODEL, Located, Problems, located, refuse, within
from agent.compiler.spec import pivots, union_entries, window_entries
from agent.compiler.spec.entry_details import Details, SortItem, known_keys, one_of, says, sort_items
from agent.compiler.spec.pivots import read_pivot
from agent.compiler.spec.repetitions import aggregates_once, derived_once, windows_once
from agent.compiler.spec.union_entries import UnionEntry, read_union
from agent.compiler.spec.window_entries import OFFSETS, WindowEntry, read_window
from agent.request import Aggregation, DerivedColumn, Filter, JoinCondition, Specification, Transformation
from agent.validation_messages import shape_problem

_Model = TypeVar("_Model", bound=BaseModel)
_SAYS_DISTINCT = frozenset(
    {"", "distinct", "distinct rows", "remove duplicates", "remove duplicate rows", "deduplicate", "drop duplicates"}
)
_TELLING = frozenset(
    {"top", "first", "last", "only", "desc", "descending", "asc", "ascending", "limit", "distinct", "ties"}
)
"""Words of a description that could change the rows."""
_CARRIED = {"limit": ("top", "first", "limit", "only"), "filter": ("only",), "select": ("only",)}
_FILTERED = ("top", "only", "first", "last")
"""Words that a window's description may say when its column is filtered."""
_DIGITS = re.compile(r"[0-9]+")
_COUNT_KEYS = ("n", "limit", "count", "rows")
_MAX_ROWS = 2**31 - 1


@dataclass
class Entries:
    """All entries with their paths, the structured fields first."""

    joins: list[Located[JoinCondition]] = field(default_factory=list)
    filters: list[Located[Filter]] = field(default_factory=list)
    aggregations: list[Located[Aggregation]] = field(default_factory=list)
    derived: list[Located[DerivedColumn]] = field(default_factory=list)
    windows: list[Located[WindowEntry]] = field(default_factory=list)
    unions: list[Located[UnionEntry]] = field(default_factory=list)
    sort: list[Located[tuple[SortItem, ...]]] = field(default_factory=list)
    limit: list[Located[tuple[int, bool]]] = field(default_factory=list)
    """Number of rows, and True to keep rows that tie with the last one."""
    select: list[Located[tuple[str, ...]]] = field(default_factory=list)
    rename: list[Located[dict[str, str]]] = field(default_factory=list)
    distinct: bool = False


@dataclass(frozen=True)
class _Type:
    """A type of transformation whose details are structured."""

    into: str
    """The list of Entries that its entries go into."""
    keys: tuple[str, ...]
    """The keys that the details may hold."""
    read: Callable[[Details], Any]
    model: type[BaseModel] | None = None
    """The model of the structured field whose shape the details have."""


def read_entries(specs: Specification, problems: Problems) -> Entries:
    """The entries of a specification. Free text, unknown keys and unknown types are problems."""
    entries = Entries()
    _refuse_extras(Located("specs", specs), problems)
    for table in located("specs.source_tables", specs.source_tables):
        _refuse_extras(table, problems)
    entries.joins += _structured("specs.join_conditions", specs.join_conditions, problems)
    entries.filters += _structured("specs.filters", specs.filters, problems)
    entries.aggregations += _structured("specs.aggregations", specs.aggregations, problems)
    entries.derived += _structured("specs.derived_columns", specs.derived_columns, problems)
    for entry in located("specs.transformations", specs.transformations):
        if not _refuse_outside(entry, problems):
            with problems.at(entry.path):
                _read(entry, entries, problems, specs)
    _one_meaning("sort", entries.sort, problems)
    _one_meaning("limit", entries.limit, problems)
    _one_meaning("select", entries.select, problems)
    entries.aggregations = aggregates_once(entries.aggregations, problems)
    entries.derived = derived_once(entries.derived, problems)
    entries.windows = windows_once(entries.windows, problems)
    return entries


def _structured(path: str, models: tuple[_Model, ...], problems: Problems) -> list[Located[_Model]]:
    found = located(path, models)
    for model in found:
        _refuse_extras(model, problems)
    return found


def _refuse_extras(model: Located[_Model], problems: Problems, but: Collection[str] = ()) -> None:
    for key in model.value.model_extra or {}:
        if key not in but:
            message = f"unknown key, so its meaning is not certain; remove it or {USE_A_MODEL}"
            problems.add(f"{model.path}.{key}", message)


def _refuse_outside(entry: Located[Transformation], problems: Problems) -> bool:
    """Refuse keys beside the details. True when these keys are the missing details: no other problem is told then."""
    known = _TYPES[entry.value.type].keys if entry.value.type in _TYPES else ()
    misplaced = [key for key in entry.value.model_extra or {} if key in known]
    for key in misplaced:
        problems.add(f"{entry.path}.{key}", f"put `{key}` into `details`")
    _refuse_extras(entry, problems, but=misplaced)
    return bool(misplaced) and not entry.value.details


def _one_meaning(name: str, found: list[Located[Any]], problems: Problems) -> None:
    for path, meaning in found[1:]:
        if meaning != found[0].value:
            problems.add(path, f"a second {name} contradicts {found[0].path}")


def _read(at: Located[Transformation], entries: Entries, problems: Problems, specs: Specification) -> None:
    path, entry = at
    if entry.type == "distinct":
        _check_distinct(entry)
        entries.distinct = True
        return
    if entry.type not in _TYPES:
        known = f"it knows {', '.join(sorted(TYPES))}"
        refuse(f"the compiler cannot express a transformation of type {entry.type!r}: {known}; {USE_A_MODEL}")
    if not entry.details:
        refuse(f'"{entry.description or entry.type}" is free text; {USE_A_MODEL}')
    kind, details = _TYPES[entry.type], f"{path}.details"
    try:
        with within(".details"):
            if kind.model is None:
                known_keys(entry.details, kind.keys)
            value = kind.read(entry.details)
    except ValidationError as error:
        _tell_shape(error, details, kind.model or Transformation, problems)
        return
    if kind.model is not None:
        _refuse_extras(Located(details, value), problems)
    found = getattr(entries, kind.into)
    if entry.type == "pivot":
        found += [Located(f"{details}{one.value_at}", one) for one in value]
    else:
        found.append(Located(details, value))
    unsaid = _unsaid(entry, value, specs)
    if unsaid:
        refuse(f"says {unsaid!r}, which the details do not; say it there or {USE_A_MODEL}", ".description")


def _tell_shape(error: ValidationError, path: str, model: type[BaseModel], problems: Problems) -> None:
    for detail in error.errors():
        detail["loc"] = (path, *detail["loc"])
        problem = shape_problem(detail, model)
        problems.add(problem.path, problem.message)


def _unsaid(entry: Transformation, value: Any, specs: Specification) -> str:
    """The first number or telling word of the description that the details lack; empty when there is none."""
    text = json.dumps(entry.details, ensure_ascii=False).lower()
    carried = {*_CARRIED.get(entry.type, ())}
    order: tuple[SortItem, ...] = ()
    if entry.type == "window":
        filtered, order = _filters_on(value.name, specs), value.order_by
        text += " ".join(filtered).lower()
        carried |= {*_FILTERED} if filtered or value.function in OFFSETS else set()
    elif entry.type == "sort":
        order = value
    for item in order:
        carried |= {"first", *says(item)}
    if entry.type == "join" and entry.details.get("join_type", "inner") == "inner":
        carried.add("only")
    carried |= {*re.findall(r"[^\W\d_]+", text)}
    numbers = {int(number) for number in _DIGITS.findall(text)}
    words = re.findall(r"\d+|[^\W\d_]+", entry.description.lower().replace(",", ""))
    for word in words:
        if int(word) not in numbers if _DIGITS.fullmatch(word) else word in _TELLING - carried:
            return str(word)
    return ""


def _filters_on(name: str, specs: Specification) -> list[str]:
    """The filters on a column, from both lists, as JSON."""
    listed = [one.model_dump(mode="json") for one in specs.filters]
    listed += [one.details for one in specs.transformations if one.type == "filter"]
    return [json.dumps(one) for one in listed if str(one.get("column")).casefold() == name.casefold()]


def _check_distinct(entry: Transformation) -> None:
    if entry.details:
        refuse(
            "distinct takes no details: which row of several stays is not certain; number the rows with a window of "
            "row_number and keep those with 1",
            ".details",
        )
    if entry.description.strip(" .").lower() not in _SAYS_DISTINCT:
        refuse(f'"{entry.description}" is free text; {USE_A_MODEL}')


def _read_sort(details: Details) -> tuple[SortItem, ...]:
    return sort_items(one_of(details, ("columns", "column", "by")), details)


def _read_limit(details: Details) -> tuple[int, bool]:
    rows, ties = one_of(details, _COUNT_KEYS), details.get("with_ties", False)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_ROWS:
        refuse(f"a limit is a whole number from 1 to {_MAX_ROWS}, not {rows!r}")
    if not isinstance(ties, bool):
        refuse(f"is true or false, not {ties!r}", ".with_ties")
    return rows, ties


def _read_select(details: Details) -> tuple[str, ...]:
    names = details["columns"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse("is a list of column names", ".columns")
    return tuple(str(name) for name in names)


def _read_rename(details: Details) -> dict[str, str]:
    """Old to new names."""
    if "from" in details or "to" in details:
        known_keys(details, ("from", "to"))
        mapping: JsonValue = {str(details.get("from")): details.get("to")}
    else:
        mapping = one_of(details, ("columns", "mapping"))
    names = [*mapping.values()] if isinstance(mapping, dict) else []
    if not isinstance(mapping, dict) or not names or not all(isinstance(new, str) and new for new in names):
        refuse('a rename is {"from": old, "to": new} or {"columns": {old: new}}')
    return {old: str(new) for old, new in mapping.items()}


def _like(model: type[BaseModel], into: str) -> _Type:
    """A type whose details have the shape of a structured field."""
    return _Type(into, tuple(model.model_fields), model.model_validate, model)


_TYPES: dict[str, _Type] = {
    "join": _like(JoinCondition, "joins"),
    "filter": _like(Filter, "filters"),
    "aggregate": _like(Aggregation, "aggregations"),
    "derive": _like(DerivedColumn, "derived"),
    "sort": _Type("sort", ("columns", "column", "by", "order", "direction", "ascending"), _read_sort),
    "limit": _Type("limit", (*_COUNT_KEYS, "with_ties"), _read_limit),
    "select": _Type("select", ("columns",), _read_select),
    "rename": _Type("rename", ("from", "to", "columns", "mapping"), _read_rename),
    "window": _Type("windows", window_entries.KEYS, read_window),
    "pivot": _Type("aggregations", pivots.KEYS, read_pivot),
    "union": _Type("unions", union_entries.KEYS, read_union),
}
TYPES = (*_TYPES, "distinct")
"""The types that the compiler knows."""
