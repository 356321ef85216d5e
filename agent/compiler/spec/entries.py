"""The entries of a specification: structured fields, and `transformations` with structured details."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse, within
from agent.compiler.spec import pivots, union_entries, window_entries
from agent.compiler.spec.entry_details import Details, known_keys, one_of, says, sort_items
from agent.compiler.spec.pivots import read_pivot
from agent.compiler.spec.repetitions import aggregates_once, derived_once, windows_once
from agent.compiler.spec.union_entries import read_union
from agent.compiler.spec.window_entries import OFFSETS, read_window
from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    DerivedColumn,
    Entries,
    JoinCondition,
    Located,
    SelectItem,
    SortItem,
    StepEntry,
    located,
)
from agent.event_forms import AggregationForm, DerivedColumnForm, FilterForm, JoinForm, TransformationForm
from agent.request import Specification
from agent.validation_messages import shape_problem

_Form = TypeVar("_Form", bound=BaseModel)
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


@dataclass(frozen=True)
class _Type:
    """A type of transformation whose details are structured."""

    into: str
    """The list of Entries that its entries go into."""
    keys: tuple[str, ...]
    """The keys that the details may hold."""
    read: Callable[[Details], Any]
    form: type[BaseModel] | None = None
    """The form of the structured field whose shape the details have."""


def read_entries(specs: Specification, problems: Problems, notes: Notes) -> Entries:
    """The entries of a specification. Free text, unknown keys and unknown types are problems."""
    entries = Entries()
    _refuse_extras(Located("specs", specs), problems)
    for table in located("specs.source_tables", specs.source_tables):
        _refuse_extras(table, problems)
    _read_lists(specs, entries, problems)
    for raw in _items("specs.transformations", specs.transformations):
        entry = _form(raw, TransformationForm, problems)
        if entry is not None and not _refuse_outside(entry, problems):
            with problems.at(entry.path):
                _read(entry, entries, problems)
                entries.steps.append(_step(entry))
    for step in entries.steps:
        with problems.at(step.path):
            _refuse_unsaid(step, entries)
    _one_meaning("sort", entries.sort, problems)
    _one_meaning("limit", entries.limit, problems)
    _one_meaning("select", entries.select, problems)
    entries.aggregations = aggregates_once(entries.aggregations, problems)
    entries.derived = derived_once(entries.derived, problems)
    entries.windows = windows_once(entries.windows, problems)
    return entries


def elements_of(specs: Specification) -> Entries:
    """The entries that can be read, where what cannot be read does not matter."""
    return read_entries(specs, Problems(), Notes())


def _read_lists(specs: Specification, entries: Entries, problems: Problems) -> None:
    """Read the structured fields."""
    for name, type_ in (("join_conditions", "join"), ("filters", "filter"), ("aggregations", "aggregate"),
                        ("derived_columns", "derive")):  # fmt: skip
        kind = _TYPES[type_]
        for raw in _items(f"specs.{name}", getattr(specs, name)):
            form = _form(raw, kind.form or TransformationForm, problems)
            if form is not None:
                _refuse_extras(form, problems)
                getattr(entries, kind.into).append(Located(form.path, kind.read(form.value.model_dump())))


def _items(path: str, raw: JsonValue) -> list[Located[JsonValue]]:
    """The items of an open list; an object or a text alone is its one item."""
    if raw is None:
        return []
    return located(path, raw) if isinstance(raw, list) else [Located(path, raw)]


def _form(raw: Located[JsonValue], form: type[_Form], problems: Problems) -> Located[_Form] | None:
    if isinstance(raw.value, str):
        problems.add(raw.path, f'"{raw.value}" is free text; {USE_A_MODEL}', beyond=True)
        return None
    try:
        return Located(raw.path, form.model_validate(raw.value))
    except ValidationError as error:
        _tell_shape(error, raw.path, form, problems)
        return None


def _refuse_extras(model: Located[_Form], problems: Problems, but: Collection[str] = ()) -> None:
    for key in model.value.model_extra or {}:
        if key not in but:
            message = f"unknown key, so its meaning is not certain; remove it or {USE_A_MODEL}"
            problems.add(f"{model.path}.{key}", message, beyond=True)


def _refuse_outside(entry: Located[TransformationForm], problems: Problems) -> bool:
    """Refuse keys beside the details. True when these keys are the missing details: no other problem is told then."""
    known = _TYPES[entry.value.type].keys if entry.value.type in _TYPES else ()
    misplaced = [key for key in entry.value.model_extra or {} if key in known]
    for key in misplaced:
        problems.add(f"{entry.path}.{key}", f"put `{key}` into `details`", beyond=True)
    _refuse_extras(entry, problems, but=misplaced)
    return bool(misplaced) and not entry.value.details


def _one_meaning(name: str, found: list[Located[Any]], problems: Problems) -> None:
    for path, meaning in found[1:]:
        if meaning != found[0].value:
            problems.add(path, f"a second {name} contradicts {found[0].path}")


def _step(at: Located[TransformationForm]) -> StepEntry:
    path, entry = at
    return StepEntry(path, entry.type, entry.description, entry.details | (entry.model_extra or {}))


def _read(at: Located[TransformationForm], entries: Entries, problems: Problems) -> None:
    path, entry = at
    if entry.type == "distinct":
        _check_distinct(entry)
        entries.distinct = True
        return
    if entry.type not in _TYPES:
        known = f"it knows {', '.join(sorted(TYPES))}"
        cannot(f"the compiler cannot express a transformation of type {entry.type!r}: {known}; {USE_A_MODEL}")
    if not entry.details:
        cannot(f'"{entry.description or entry.type}" is free text; {USE_A_MODEL}')
    kind, details = _TYPES[entry.type], f"{path}.details"
    try:
        with within(".details"):
            if kind.form is None:
                known_keys(entry.details, kind.keys)
                value = kind.read(entry.details)
            else:
                form = kind.form.model_validate(entry.details)
                _refuse_extras(Located(details, form), problems)
                value = kind.read(form.model_dump())
    except ValidationError as error:
        _tell_shape(error, details, kind.form or TransformationForm, problems)
        return
    found = getattr(entries, kind.into)
    if entry.type == "pivot":
        found += [Located(f"{details}{one.value_at}", one) for one in value]
    else:
        found.append(Located(details, value))


def _refuse_unsaid(step: StepEntry, entries: Entries) -> None:
    unsaid = _unsaid(step, entries)
    if unsaid and step.type != "distinct":
        cannot(f"says {unsaid!r}, which the details do not; say it there or {USE_A_MODEL}", ".description")


def _tell_shape(error: ValidationError, path: str, model: type[BaseModel], problems: Problems) -> None:
    for detail in error.errors():
        detail["loc"] = (path, *detail["loc"])
        problem = shape_problem(detail, model)
        beyond = problem.path.rpartition(".")[2] in ("function", "operator") and isinstance(detail["input"], str)
        problems.add(problem.path, problem.message, beyond)


def _unsaid(entry: StepEntry, entries: Entries) -> str:
    """The first number or telling word of the description that the details lack; empty when there is none."""
    text = json.dumps(entry.details, ensure_ascii=False).lower()
    carried = {*_CARRIED.get(entry.type, ())}
    order: tuple[SortItem, ...] = ()
    if entry.type == "window":
        [window] = [one for path, one in entries.windows if path == f"{entry.path}.details"]
        filtered, order = _filters_on(window.name, entries.filters), window.order_by
        text += " ".join(filtered).lower()
        carried |= {*_FILTERED} if filtered or window.function in OFFSETS else set()
    elif entry.type == "sort":
        [order] = [items for path, items in entries.sort if path == f"{entry.path}.details"]
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


def _filters_on(name: str, filters: list[Located[Condition]]) -> list[str]:
    """The filters on a column, as JSON."""
    listed = [one for _, one in filters if isinstance(one, Comparison) and one.column.casefold() == name.casefold()]
    return [json.dumps([one.operator, one.value]) for one in listed]


def _check_distinct(entry: TransformationForm) -> None:
    if entry.details:
        refuse(
            "distinct takes no details: which row of several stays is not certain; number the rows with a window of "
            "row_number and keep those with 1",
            ".details",
        )
    if entry.description.strip(" .").lower() not in _SAYS_DISTINCT:
        cannot(f'"{entry.description}" is free text; {USE_A_MODEL}')


def _read_sort(details: Details) -> tuple[SortItem, ...]:
    return sort_items(one_of(details, ("columns", "column", "by")), details)


def _read_limit(details: Details) -> tuple[int, bool]:
    rows, ties = one_of(details, _COUNT_KEYS), details.get("with_ties", False)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_ROWS:
        refuse(f"a limit is a whole number from 1 to {_MAX_ROWS}, not {rows!r}")
    if not isinstance(ties, bool):
        refuse(f"is true or false, not {ties!r}", ".with_ties")
    return rows, ties


def _read_select(details: Details) -> tuple[SelectItem, ...]:
    names = details["columns"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse("is a list of column names", ".columns")
    return tuple(SelectItem(str(name)) for name in names)


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


def _like(form: type[BaseModel], into: str, element: type[Any]) -> _Type:
    """A type whose details have the shape of a structured field."""
    names = [*form.model_fields]
    return _Type(into, tuple(names), lambda details: element(**{name: details[name] for name in names}), form)


_TYPES: dict[str, _Type] = {
    "join": _like(JoinForm, "joins", JoinCondition),
    "filter": _like(FilterForm, "filters", Comparison),
    "aggregate": _like(AggregationForm, "aggregations", Aggregation),
    "derive": _like(DerivedColumnForm, "derived", DerivedColumn),
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
