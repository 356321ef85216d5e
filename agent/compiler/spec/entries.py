"""The reader of a specification: open lists of entries in any of the usual spellings, as canonical elements."""

from __future__ import annotations

from pydantic import JsonValue

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, Problems, cannot, refuse
from agent.compiler.spec.fields import Details, Fields, normal_key, one_or_many
from agent.compiler.spec.further_keys import COMMENTS, FurtherKeys
from agent.compiler.spec.key_spellings import ENTRY, KEYS, TYPES, words
from agent.compiler.spec.source_keys import read_source
from agent.compiler.spec.statements import Statements
from agent.elements import Entries, StepEntry
from agent.request import Specification
from agent.target_spellings import told_target_keys

_LISTS = {
    spelling: kind
    for kind, spellings in {
        "join": "join_conditions joins", "filter": "filters filter where having",
        "aggregate": "aggregations aggregates metrics", "derive": "derived_columns calculated_columns computed_columns",
        "window": "windows window_functions", "group_by": "group_by", "sort": "order_by sort sort_by", "limit": "limit",
        "select": "select", "rename": "renames rename", "distinct": "distinct", "union": "unions", "pivot": "pivots",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip
"""Keys of a specification that hold entries of one kind."""
_WHOLE = {"sort": "columns", "limit": "rows", "select": "columns", "group_by": "group_by", "rename": "columns"}
"""Kinds whose list is one entry, under this key."""
_SIGNATURES = (
    ("window", {"partition_by", "window_function", "over"}),
    ("join", {"left_table", "right_table", "join_type", "on_columns", "joins"}),
    ("aggregate", {"aggregations", "group_by", "aggregate_function"}),
    ("filter", {"operator", "conditions", "condition", "where"}),
    ("derive", {"expression", "formula", "new_column"}),
    ("sort", {"order_by", "sort_by"}),
    ("limit", {"limit"}),
)
"""Keys that tell the kind of an entry whose type tells none."""
_UNTOLD_TYPES = words("""
    custom other transform transformation sql step general misc logic data_cleaning cleaning clean cleanse
    data_preparation preparation prepare preprocess preprocessing process processing standardize standardise
    standardization standardisation business_rule business_rules rule rules data_transformation data_processing
    enrichment data_enrichment
    """) | {""}
"""Types that tell no kind."""
_LOOSE_TYPES = ("enrich", "convert", "transform_column", "lookup")
"""Types of a kind that often stand over a new column with its expression."""


_SHORT = {
    "filter": "conditions", "sort": "columns", "select": "columns", "rename": "columns", "derive": "columns",
    "aggregate": "aggregations", "deduplicate": "partition_by", "join": "joins", "union": "tables",
}  # fmt: skip
"""The key that details stand for which are a text or a list."""


def read_entries(specs: Specification, problems: Problems, notes: Notes) -> Entries:
    """The elements of a specification. What cannot be read is a problem with its path."""
    read = Statements(specs, problems, notes)
    further = FurtherKeys(read.entries, problems, notes)
    lists = {name: getattr(specs, name) for name in ("join_conditions", "filters", "aggregations", "derived_columns")}
    extra = specs.model_extra or {}
    lists |= {key: value for key, value in extra.items() if normal_key(key) in _LISTS}
    further.tell("specs", {key: value for key, value in extra.items() if key not in lists})
    for position, table in enumerate(specs.source_tables):
        read_source(f"specs.source_tables[{position}]", table, read, further)
    target = specs.target_table
    for path, told in told_target_keys(target.model_extra or {}, target.write_mode):
        notes.add(path, told)
    for name, value in lists.items():
        _read_list(f"specs.{name}", _LISTS[normal_key(name)], value, read, further)
    for place, item in one_or_many(specs.transformations):
        _read_step(f"specs.transformations{place}", item, read, further)
    read.settle()
    return read.entries


def elements_of(specs: Specification) -> Entries:
    """The elements that can be read, where what cannot be read does not matter."""
    return read_entries(specs, Problems(), Notes())


def _read_list(path: str, kind: str, value: JsonValue, read: Statements, further: FurtherKeys) -> None:
    """Read a structured field."""
    if kind in _WHOLE and value not in (None, [], {}, ""):
        details: Details = value if isinstance(value, dict) and kind != "rename" else {_WHOLE[kind]: value}
        read.add(path, "aggregate" if kind == "group_by" else kind, details)
    elif kind == "distinct":
        if value is True:
            read.add(path, "distinct", {})
    elif kind == "filter":
        read.add_filters(path, value)
        for place, item in one_or_many(value):
            if isinstance(item, dict):
                further.of_entry(path + place, item, "filter")
    elif kind in ("derive", "aggregate") and isinstance(value, dict) and _is_mapping(value, kind):
        _read_mapping(path, kind, value, read)
    else:
        for place, item in one_or_many(value):
            at = path + place
            if isinstance(item, dict):
                further.of_entry(at, item, kind)
                read.add(at, kind, item)
            else:
                read.add_text(at, kind, item)


def _read_mapping(path: str, kind: str, value: Details, read: Statements) -> None:
    """Read an object that maps new names to texts."""
    named, said = ("name", "expression") if kind == "derive" else ("alias", "function")
    for name, text in value.items():
        read.add(f"{path}.{name}", kind, {named: name, said: text})


def _is_mapping(value: Details, kind: str) -> bool:
    """True for an object that maps new names to texts, instead of an entry's own keys."""
    known = {*KEYS[kind], *(name for names in KEYS[kind].values() for name in names)}
    return not any(normal_key(key) in known for key in value)


def _read_step(path: str, raw: JsonValue, read: Statements, further: FurtherKeys) -> None:
    """Read an entry of `transformations`: its words, and the elements that its details state."""
    if isinstance(raw, str):
        read.steps.append((StepEntry(path, "", raw, {}), []))
        return
    with read.problems.at(path):
        if not isinstance(raw, dict):
            refuse(f"an object with `type` is needed, not {raw!r}")
        written, description, inner, beside = _taken_apart(raw)
        told = {key: value for key, value in beside.items() if normal_key(key) not in COMMENTS}
        details, at = {**told, **inner}, "" if told and not inner else ".details"
        kind = _kind(written, details)
        step = StepEntry(path, kind or written, description, details)
        read.steps.append((step, []))
        further.tell(path, {key: value for key, value in beside.items() if key not in told})
        if not kind:
            if further.only_words(path + at, details):
                return
            known = ", ".join(sorted({*TYPES.values()}))
            cannot(f"the compiler cannot express a transformation of type {written!r}: it knows {known}; {USE_A_MODEL}")
        further.of_entry(path, told, kind)
        further.of_entry(f"{path}.details", inner, kind)
        if details or kind in ("distinct", "deduplicate"):
            read.add(path + at, kind, details, written)


def _kind(written: str, details: Details) -> str:
    """The kind that a type tells, or else the keys of its details; empty where neither does."""
    known = TYPES.get(written, "")
    if written in _UNTOLD_TYPES:
        return known or _told_by_keys(details)
    if known and written not in _LOOSE_TYPES:
        return known
    fields = Fields(details, "derive")
    # A name with its expression is a new column under any type.
    computes = _told_by_keys(details) == "derive" and "name" in fields and "expression" in fields
    return "derive" if computes else known


def _taken_apart(raw: Details) -> tuple[str, str, Details, Details]:
    """Type, description, details, and the keys beside them."""
    names: dict[str, str] = {}
    for name in ("type", "description", "details"):
        spellings = [name, *ENTRY[name]]
        given = sorted(
            (key for key in raw if normal_key(key) in spellings), key=lambda key: spellings.index(normal_key(key))
        )
        fits = dict if name == "details" else str
        names[name] = next((key for key in given if isinstance(raw[key], fits)), "")
    written, description = raw.get(names["type"]), raw.get(names["description"]) or ""
    if "type" in raw and not isinstance(raw["type"], str) and raw["type"] is not None:
        refuse(f"a text is needed, not {raw['type']!r}", ".type")
    if raw.get("details") is not None and not isinstance(raw["details"], dict | list | str):
        refuse(f"an object is needed, not {raw['details']!r}", ".details")
    kind = normal_key(str(written or ""))
    inner = raw.get(names["details"]) if names["details"] else None
    beside: Details = {
        key: value for key, value in raw.items() if key not in names.values() and value not in (None, "", [], {})
    }
    if isinstance(raw.get("details"), str | list):
        beside |= _short_details(TYPES.get(kind, ""), beside.pop("details", None))
    return kind, str(description), inner if isinstance(inner, dict) else {}, beside


def _short_details(kind: str, value: JsonValue) -> Details:
    """Details that are a text or a list, under the key that they stand for."""
    if value in (None, "", []):
        return {}
    key = _SHORT.get(kind)
    return {"note" if key is None else key: value}


def _told_by_keys(details: Details) -> str:
    keys = {normal_key(key) for key in details}
    return next((kind for kind, signature in _SIGNATURES if keys & signature), "")
