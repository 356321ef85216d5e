"""The `transformations` list: entries with structured details join the structured fields, words are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agent.compiler.plan import pivots, unions, window_entries
from agent.compiler.plan.entry_details import Details, SortItem, known_keys, one_of, says, sort_items
from agent.compiler.plan.pivots import read_pivot
from agent.compiler.plan.problems import USE_A_MODEL, collecting, entry_of, refuse
from agent.compiler.plan.unions import UnionEntry, read_union
from agent.compiler.plan.window_entries import OFFSETS, WindowEntry, read_window
from agent.errors import Problem
from agent.request import Aggregation, DerivedColumn, Filter, JoinCondition, Specification, Transformation
from agent.validation_messages import shape_problem

_Model = TypeVar("_Model", bound=BaseModel)
_SAYS_DISTINCT = frozenset(
    {"", "distinct", "distinct rows", "remove duplicates", "remove duplicate rows", "deduplicate", "drop duplicates"}
)
_TELLING = frozenset(
    {"top", "first", "last", "only", "desc", "descending", "asc", "ascending", "limit", "distinct", "ties"}
)
"""Words of a description that would change the rows."""
_CARRIED = {"limit": ("top", "first", "limit", "only"), "filter": ("only",), "select": ("only",)}
_FILTERED = ("top", "only", "first", "last")
"""Words that a window's description may say when its column is filtered."""
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
    windows: list[tuple[str, WindowEntry]] = field(default_factory=list)
    unions: list[tuple[str, UnionEntry]] = field(default_factory=list)
    sort: list[tuple[str, tuple[SortItem, ...]]] = field(default_factory=list)
    limit: list[tuple[str, tuple[int, bool]]] = field(default_factory=list)
    """Rows, and whether those that tie with the last one stay too."""
    select: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    rename: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    distinct: bool = False


_Reader = Callable[[Details, str, Entries, list[Problem]], None]


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
        if _refuse_outside(entry, path, problems):
            continue
        with collecting(problems):
            _read(entry, path, entries, problems, specs)
    for name, found in (("sort", entries.sort), ("limit", entries.limit), ("select", entries.select)):
        _one_meaning(name, found, problems)
    return entries


def _structured(models: tuple[_Model, ...], name: str, into: list[tuple[str, _Model]], problems: list[Problem]) -> None:
    for position, model in enumerate(models):
        path = f"specs.{name}[{position}]"
        _refuse_extras(model, path, problems)
        into.append((path, model))


def _refuse_extras(model: BaseModel, path: str, problems: list[Problem], but: Collection[str] = ()) -> None:
    for key in [key for key in model.model_extra or {} if key not in but]:
        message = f"unknown key, so its meaning is not certain; remove it or {USE_A_MODEL}"
        problems.append(Problem(f"{path}.{key}", message))


def _refuse_outside(entry: Transformation, path: str, problems: list[Problem]) -> bool:
    """Refuse keys beside the details; true where they are the details, so that nothing else can be said."""
    known = _DETAILS.get(entry.type, ())
    misplaced = [key for key in entry.model_extra or {} if key in known]
    problems += [Problem(f"{path}.{key}", f"put `{key}` into `details`") for key in misplaced]
    _refuse_extras(entry, path, problems, but=misplaced)
    return bool(misplaced) and not entry.details


def joins_mangled(specs: Specification, problems: list[Problem]) -> bool:
    """True where an entry is wrong that may join or stack sources, so that nobody knows which of them are joined."""
    wrong = {entry_of(problem.path) for problem in problems}
    joining = {f"specs.join_conditions[{position}]" for position in range(len(specs.join_conditions))}
    for position, entry in enumerate(specs.transformations):
        if entry.type in ("join", "union") or entry.type not in TYPES:
            joining.add(f"specs.transformations[{position}]")
    return bool(wrong & joining)


def _one_meaning(name: str, found: list[tuple[str, Any]], problems: list[Problem]) -> None:
    for path, meaning in found[1:]:
        if meaning != found[0][1]:
            problems.append(Problem(path, f"a second {name} contradicts {found[0][0]}"))


def _read(entry: Transformation, path: str, entries: Entries, problems: list[Problem], specs: Specification) -> None:
    if entry.type == "distinct":
        _read_distinct(entry, path, entries)
        return
    if entry.type not in _READERS:
        known = f"it knows {', '.join(sorted(TYPES))}"
        refuse(path, f"the compiler cannot express a transformation of type {entry.type!r}: {known}; {USE_A_MODEL}")
    if not entry.details:
        refuse(path, f'"{entry.description or entry.type}" is free text; {USE_A_MODEL}')
    _READERS[entry.type](entry.details, f"{path}.details", entries, problems)
    unsaid = _unsaid(entry, entries, specs)
    if unsaid:
        refuse(f"{path}.description", f"says {unsaid!r}, which the details do not; say it there or {USE_A_MODEL}")


def _unsaid(entry: Transformation, entries: Entries, specs: Specification) -> str:
    """The first number or telling word of the description that the details do not carry; empty when there is none."""
    text = json.dumps(entry.details, ensure_ascii=False).lower()
    carried = {*_CARRIED.get(entry.type, ())}
    order: tuple[SortItem, ...] = ()
    if entry.type == "window":
        window = entries.windows[-1][1]
        filtered, order = _filters_on(window.name, specs), window.order_by
        text += " ".join(filtered).lower()
        carried |= {*_FILTERED} if filtered or window.function in OFFSETS else set()
    elif entry.type == "sort":
        order = entries.sort[-1][1]
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
    """The filters on a column as text, wherever they stand."""
    listed = [one.model_dump(mode="json") for one in specs.filters]
    listed += [one.details for one in specs.transformations if one.type == "filter"]
    return [json.dumps(one) for one in listed if str(one.get("column")).casefold() == name.casefold()]


def _read_distinct(entry: Transformation, path: str, entries: Entries) -> None:
    if entry.details:
        refuse(
            f"{path}.details",
            "distinct takes no details: which row of several stays is not certain; number the rows with a window of "
            "row_number and keep those with 1",
        )
    if entry.description.strip(" .").lower() not in _SAYS_DISTINCT:
        refuse(path, f'"{entry.description}" is free text; {USE_A_MODEL}')
    entries.distinct = True


def _model_reader(model: type[_Model], into: Callable[[Entries], list[tuple[str, _Model]]]) -> _Reader:
    """A reader of details that have the shape of a structured field."""

    def read(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
        try:
            parsed = model.model_validate(details)
        except ValidationError as error:
            for detail in error.errors():
                detail["loc"] = (path, *detail["loc"])
                problems.append(shape_problem(detail, model))
            return
        _refuse_extras(parsed, path, problems)
        into(entries).append((path.removesuffix(".details"), parsed))

    return read


def _read_sort(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    known_keys(details, _DETAILS["sort"], path)
    entries.sort.append((path, sort_items(one_of(details, ("columns", "column", "by"), path), details, path)))


def _read_limit(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    known_keys(details, _DETAILS["limit"], path)
    rows, ties = one_of(details, _COUNT_KEYS, path), details.get("with_ties", False)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_ROWS:
        refuse(path, f"a limit is a whole number from 1 to {_MAX_ROWS}, not {rows!r}")
    if not isinstance(ties, bool):
        refuse(f"{path}.with_ties", f"is true or false, not {ties!r}")
    entries.limit.append((path, (rows, ties)))


def _read_select(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    known_keys(details, _DETAILS["select"], path)
    names = details["columns"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse(f"{path}.columns", "is a list of column names")
    entries.select.append((path, tuple(str(name) for name in names)))


def _read_rename(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    known_keys(details, _DETAILS["rename"], path)
    if "from" in details or "to" in details:
        known_keys(details, ("from", "to"), path)
        mapping: JsonValue = {str(details.get("from")): details.get("to")}
    else:
        mapping = one_of(details, ("columns", "mapping"), path)
    if (
        not isinstance(mapping, dict)
        or not mapping
        or not all(isinstance(new, str) and new for new in mapping.values())
    ):
        refuse(path, 'a rename is {"from": old, "to": new} or {"columns": {old: new}}')
    entries.rename.append((path, {old: str(new) for old, new in mapping.items()}))


def _read_window(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    entries.windows.append((path.removesuffix(".details"), read_window(details, path)))


def _read_pivot(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    entries.aggregations += [(one.value_path, one) for one in read_pivot(details, path)]


def _read_union(details: Details, path: str, entries: Entries, problems: list[Problem]) -> None:
    entries.unions.append((path.removesuffix(".details"), read_union(details, path)))


_READERS: dict[str, _Reader] = {
    "join": _model_reader(JoinCondition, lambda entries: entries.joins),
    "filter": _model_reader(Filter, lambda entries: entries.filters),
    "aggregate": _model_reader(Aggregation, lambda entries: entries.aggregations),
    "derive": _model_reader(DerivedColumn, lambda entries: entries.derived),
    "sort": _read_sort,
    "limit": _read_limit,
    "select": _read_select,
    "rename": _read_rename,
    "window": _read_window,
    "pivot": _read_pivot,
    "union": _read_union,
}
_DETAILS: dict[str, tuple[str, ...]] = {
    "join": tuple(JoinCondition.model_fields),
    "filter": tuple(Filter.model_fields),
    "aggregate": tuple(Aggregation.model_fields),
    "derive": tuple(DerivedColumn.model_fields),
    "sort": ("columns", "column", "by", "order", "direction", "ascending"),
    "limit": (*_COUNT_KEYS, "with_ties"),
    "select": ("columns",),
    "rename": ("from", "to", "columns", "mapping"),
    "window": window_entries.KEYS,
    "pivot": pivots.KEYS,
    "union": unions.KEYS,
}
"""What the details of each type may hold."""
TYPES = (*_READERS, "distinct")
"""The types that the compiler knows."""
