"""Usual spellings of the target, in the one form that the request has, and further keys that other tools give it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from agent.errors import Problem
from agent.key_names import normal_key, words
from agent.nearest import nearest
from agent.validation_messages import path_of

_AT = ("specs", "target_table")
_FIELDS = ("name", "description", "columns", "write_mode", "keys")
_SPELLINGS = {
    spelling: name
    for name, spellings in {
        "name": "table_name table target_table table_id relation identifier",
        "description": "desc comment purpose doc",
        "columns": "fields column_definitions column_list output_columns",
        "schema": "schema schema_name table_schema namespace",
    }.items()
    for spelling in spellings.split()
}
_STORAGE = words("""
    materialized materialization format file_format location path engine database catalog connection connection_name
    type kind partitioned_by partition_by partition_keys cluster_by clustered_by sort_key sortkey dist_key distkey
    distribution compression storage table_type tags owner indexes index grants config options properties
    temporary persist cache alias create_if_not_exists mode
    """)
"""Keys that tell how a table is stored."""
_COLUMN_KEYS = {"column_name": "name", "column": "name", "field": "name", "data_type": "type", "dtype": "type",
                "datatype": "type", "column_type": "type"}  # fmt: skip
WRITE_MODE_KEYS = (
    "write_mode", "mode", "load_type", "load_mode", "load_strategy", "if_exists", "save_mode", "write_disposition",
    "write_strategy", "incremental_strategy", "insert_mode", "output_mode",
)  # fmt: skip
KEY_KEYS = (
    "primary_key", "primary_keys", "unique_key", "unique_keys", "merge_keys", "merge_key", "key_columns", "key",
    "upsert_keys", "match_columns", "conflict_columns", "merge_on", "pk", "business_key", "natural_key",
)  # fmt: skip
MODES = {
    spelling: mode
    for mode, spellings in {
        "overwrite": "overwrite replace truncate truncate_insert truncate_and_insert truncate_load truncate_and_load "
        "full full_refresh full_load refresh recreate create_or_replace write_truncate insert_overwrite rebuild",
        "append": "append insert insert_into add write_append",
        "merge": "merge upsert merge_into insert_or_update update_or_insert insert_update",
    }.items()
    for spelling in spellings.split()
}
_STEPS = words("""
    filter filters where having order_by sort sort_by limit distinct group_by join joins join_conditions
    aggregations derived_columns select query sql expression mapping mappings column_mapping rename
    transformations unique deduplicate
    """)
"""Keys that change rows: they have a place of their own, beside `target_table`."""
_OF_COLUMNS = words("""
    description comment desc nullable is_nullable not_null required primary_key is_primary_key unique length
    precision scale constraints tests position ordinal_position
    """)
_KNOWN = {*WRITE_MODE_KEYS, *KEY_KEYS, *_STEPS, *_STORAGE}


def canonical_target(target: object, problems: list[Problem]) -> object:
    """The target as an object with the known keys; keys that tell about storage stay beside them."""
    if isinstance(target, str):
        return {"name": target}
    if not isinstance(target, dict):
        return target
    found: dict[str, Any] = {}
    for key, value in target.items():
        name = str(key if key in _FIELDS else _SPELLINGS.get(normal_key(key), key))
        name = "columns" if name == "schema" and isinstance(value, list | dict) else name
        if name in found and found[name] != value:
            problems.append(Problem(path_of((*_AT, key)), f"gives `{name}` a second time; leave one of the two out"))
        if name not in found:
            found[name] = value
    _qualify(found, problems)
    if "columns" in found:
        found["columns"] = _columns(found["columns"])
    _read_mode(found, problems)
    if found.get("write_mode") == "merge" and not found.get("keys"):
        given = [key for key in found if normal_key(key) in KEY_KEYS and found[key]]
        found |= {"keys": found[given[0]]} if len(given) == 1 else {}
    return found


def _qualify(found: dict[str, Any], problems: list[Problem]) -> None:
    """Put the schema before the table's name."""
    schema, name = found.get("schema"), found.get("name")
    if not isinstance(schema, str) or not isinstance(name, str) or not schema or not name:
        return
    own, dot, _ = name.rpartition(".")
    if not dot:
        found["name"] = f"{schema}.{name}"
    elif own.casefold() != schema.casefold():
        problems.append(Problem(path_of((*_AT, "schema")), f"is {schema!r}, and the name is {name!r}; name one schema"))
    del found["schema"]


def _columns(columns: object) -> object:
    """The columns as a list; a mapping tells name and type."""
    typed = isinstance(columns, dict) and all(isinstance(kind, str | None) for kind in columns.values())
    if isinstance(columns, dict) and typed and columns and not set(columns) <= {"name", "type"}:
        return [{"name": name, "type": kind} for name, kind in columns.items()]
    if not isinstance(columns, list):
        return columns
    return [_column(one) if isinstance(one, dict) else one for one in columns]


def _column(column: dict[str, Any]) -> dict[str, Any]:
    spelled = {_COLUMN_KEYS.get(normal_key(key), key): value for key, value in column.items()}
    whole = spelled if len(spelled) == len(column) else column
    return {key: value for key, value in whole.items() if key not in _OF_COLUMNS}


def _read_mode(found: dict[str, Any], problems: list[Problem]) -> None:
    """The write mode in other words, and under other keys."""
    said: dict[str, str] = {}
    for key, value in found.items():
        if normal_key(key) in WRITE_MODE_KEYS and isinstance(value, str) and value.strip():
            mode = MODES.get(normal_key(value))
            if mode is None and key != "write_mode":
                told = (
                    f"{value!r} is no way to write rows that is known; write `write_mode`: overwrite, append or merge"
                )
                problems.append(Problem(path_of((*_AT, key)), told))
            said |= {key: mode} if mode else {}
    if len(set(said.values())) > 1:
        told = " and ".join(f"`{key}` {mode}" for key, mode in said.items())
        problems.append(Problem(path_of((*_AT, "write_mode")), f"is said in two ways: {told}; leave one of them out"))
    elif said:
        found["write_mode"] = next(iter(said.values()))


def refused_target_keys(event: object) -> list[Problem]:
    """A problem for each key of an event's target that is misspelt or that changes rows."""
    specs = event.get("specs") if isinstance(event, dict) else None
    target = specs.get("target_table") if isinstance(specs, dict) else None
    problems = []
    for key, value in target.items() if isinstance(target, dict) else ():
        name = normal_key(key)
        if key not in _FIELDS and name not in _KNOWN and (near := _misspelt(name)):
            problems.append(Problem(path_of((*_AT, key)), f"unknown key; did you mean {near!r}?"))
        elif name in _STEPS and value not in (None, "", [], {}):
            problems.append(Problem(path_of((*_AT, key)), "unknown key; steps stand beside `target_table`, not in it"))
    return problems


def _misspelt(name: str) -> str | None:
    """The known key that is written with a slip."""
    near = get_close_matches(name, _FIELDS, 1, cutoff=0.8)
    return near[0] if near else nearest(name, _FIELDS)


def told_target_keys(extras: dict[str, Any], write_mode: str | None) -> list[tuple[str, str]]:
    """The path of each key of a target beside the known ones, and what became of it."""
    told = []
    for key, value in extras.items():
        name = normal_key(key)
        if value in (None, "", [], {}):
            continue
        if name in WRITE_MODE_KEYS:
            message = f"is read as `write_mode` {write_mode}"
        elif name in KEY_KEYS:
            message = "is read as `keys`" if write_mode == "merge" else "is not looked at: only merge has keys"
        else:
            message = "unknown key, which is not looked at"
        told.append((path_of((*_AT, key)), message))
    return told
