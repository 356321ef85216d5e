"""Further keys of a source table: descriptions of it, a filter on its rows, the way it is joined."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot
from agent.compiler.spec.condition_entries import read_conditions
from agent.compiler.spec.fields import Details, normal_key
from agent.compiler.spec.further_keys import FurtherKeys
from agent.compiler.spec.key_spellings import words
from agent.compiler.spec.sql_texts import column_parts, is_column
from agent.compiler.spec.statements import Statements
from agent.elements import Comparison, Condition, ConditionGroup
from agent.request import SourceTable

_DESCRIBING = words("""
    columns fields selected_columns required_columns needed_columns used_columns columns_needed columns_to_select
    type kind
    primary_key primary_keys pk unique_key unique_keys key keys foreign_key foreign_keys fk indexes partition_keys
    row_count rows num_rows estimated_rows size grain cardinality relationships
    """)
"""Keys that describe a table and change no row. `columns` is checked against the table."""
_FILTERS = words("filter filters where condition conditions filter_condition where_clause predicate")
_JOINS = words("join join_type join_condition join_conditions join_on on on_columns using join_keys join_key joins")


def read_source(path: str, table: SourceTable, read: Statements, further: FurtherKeys) -> None:
    """Read the further keys of a source table."""
    rest: Details = {}
    joined: Details = {}
    for key, value in (table.model_extra or {}).items():
        name = normal_key(key)
        if name in _FILTERS and value not in (None, "", [], {}):
            _read_filter(f"{path}.{key}", table.key, value, read)
        elif name in _JOINS and value not in (None, "", [], {}):
            joined[key] = value
        elif name not in _DESCRIBING:
            rest[key] = value
    further.of_source(path, rest)
    if joined:
        read.add(path, "join", {"right_table": table.key, **joined})


def _read_filter(path: str, key: str, value: JsonValue, read: Statements) -> None:
    """A filter on the rows of one table. It stands before the joins, which makes a difference to outer joins."""
    with read.problems.at(path):
        condition = _of_table(read_conditions(value), key)
        if condition is None:
            cannot(f"write it in `filters`, with the columns qualified by {key!r}, or {USE_A_MODEL}")
        read.state_filter(path, condition, before_joins=key)


def _of_table(condition: Condition, key: str) -> Condition | None:
    """The condition with its columns qualified by the table; None where that is not certain."""
    match condition:
        case Comparison(column) if is_column(column) and is_column(key):
            qualifier, name = column_parts(column)
            return replace(condition, column=column if qualifier else f"{key}.{name}")
        case ConditionGroup(_, parts):
            found = [_of_table(part, key) for part in parts]
            kept = tuple(one for one in found if one is not None)
            return replace(condition, parts=kept) if len(kept) == len(parts) else None
    return None
