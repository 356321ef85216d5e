"""The last steps in any of the usual spellings: sort, limit, select, rename, duplicates."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.fields import Details, Fields, normal_key, one_or_many
from agent.compiler.spec.sort_entries import sort_items
from agent.compiler.spec.sql_texts import aliased, is_column, split_at
from agent.elements import Deduplication, DerivedColumn, SelectItem, SortItem

_MAX_ROWS = 2**31 - 1
_Rule = Literal["first", "last", "greatest", "least"]
_FIRST = ("first", "top", "one", "any", "single", "true", "distinct", "all")
_GREATEST = ("latest", "most recent", "newest", "max", "highest", "largest", "most_recent")
_LEAST = ("oldest", "earliest", "min", "lowest", "smallest")
_SELECTED = ("column", "expression", "field", "source", "source_column", "name", "from", "column_name")
_RENAMED = ("alias", "as", "new_name", "output_column", "to", "target", "rename_to", "target_column", "name")
_RENAME_SHAPE = 'a rename is {"from": old, "to": new} or {"columns": {old: new}}'


class OrderedRows(NamedTuple):
    """The order and the number of rows that an entry says; None where it says neither."""

    order: tuple[SortItem, ...] | None
    limit: tuple[int, bool] | None


def read_sort(given: Details) -> OrderedRows:
    """The order of the result, with a number of rows where the entry says one."""
    fields = Fields(given, "sort")
    if "columns" not in fields:
        refuse("names no column to sort by; write them as `columns`")
    with within(fields.at("columns")):
        order = sort_items(fields.get("columns"), fields.get("direction"), fields.get("nulls"))
    return OrderedRows(order, (_rows(fields, "limit"), False) if "limit" in fields else None)


def read_limit(given: Details) -> OrderedRows:
    """The number of rows of the result, with an order where the entry says one."""
    fields = Fields(given, "limit")
    if "partition_by" in fields:
        cannot(
            "the first rows of each group: number them with a window of row_number, and filter on its column",
            fields.at("partition_by"),
        )
    if fields.get("offset") not in (None, 0, "0"):
        cannot(f"rows that are skipped cannot be expressed by the compiler; {USE_A_MODEL}", fields.at("offset"))
    order = None
    if "order_by" in fields:
        with within(fields.at("order_by")):
            order = sort_items(fields.get("order_by"), fields.get("direction"), fields.get("nulls"))
    if not fields.written("rows") and order is not None:
        return OrderedRows(order, None)
    ties = fields.raw("with_ties")
    if ties is not None and not isinstance(ties, bool):
        refuse(f"is true or false, not {ties!r}", fields.at("with_ties"))
    return OrderedRows(order, (_rows(fields, "rows"), bool(ties)))


def _rows(fields: Fields, name: str) -> int:
    rows = fields.raw(name)
    if isinstance(rows, str) and rows.strip().isdecimal():
        rows = int(rows)
    if isinstance(rows, float) and rows.is_integer():
        rows = int(rows)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_ROWS:
        refuse(
            f"a limit is a whole number from 1 to {_MAX_ROWS}, not {rows!r}",
            fields.at(name) if fields.written(name) else "",
        )
    return rows


class Selected(NamedTuple):
    """The columns of a select step; None for all of them."""

    items: tuple[SelectItem, ...] | None
    derived: tuple[DerivedColumn, ...]
    """The columns that the step computes."""
    distinct: bool


def read_select(given: Details) -> Selected:
    """The columns of the result."""
    fields = Fields(given, "select")
    if "exclude" in fields:
        cannot(f"a result without some columns: list those that stay, or {USE_A_MODEL}", fields.at("exclude"))
    listed = fields.get("columns") if "columns" in fields else fields.get("mapping")
    if isinstance(listed, str):
        listed = [*split_at(listed, ",")]
    if listed is None:
        refuse("is a list of column names", ".columns")
    if isinstance(listed, dict):
        listed = [{"column": column, "alias": name} for column, name in listed.items()]
    items, derived = [], []
    at = fields.at("columns" if "columns" in fields else "mapping")
    for place, item in one_or_many(listed):
        with within(at + place):
            column, name = _selected(item)
            if is_column(column) or column == "*":
                items.append(SelectItem(column, name))
            elif name:
                derived.append(DerivedColumn(name, column))
                items.append(SelectItem(name))
            else:
                refuse(f"the expression {column!r} needs a name; write `{column} AS name`")
    distinct = fields.get("distinct") is True
    if [item.column for item in items] == ["*"]:
        return Selected(None, (), distinct)
    return Selected(tuple(items), tuple(derived), distinct)


def _selected(item: JsonValue) -> tuple[str, str | None]:
    if isinstance(item, str) and item.strip():
        return (item.strip(), None) if is_column(item) else aliased(item)
    if not isinstance(item, dict):
        refuse("is a list of column names", "")
    names = {normal_key(key): value for key, value in item.items() if value}
    column: JsonValue = next((names[key] for key in _SELECTED if key in names), None)
    name: JsonValue = next((names[key] for key in _RENAMED if key in names), None)
    if not isinstance(column, str) or not isinstance(name, str | None):
        refuse('a column is a name or {"column": name, "alias": new name}')
    return column.strip(), None if name == column else name


def read_rename(given: Details) -> dict[str, str]:
    """Old to new names."""
    fields = Fields(given, "rename")
    if "from" in fields or "to" in fields:
        pairs: list[tuple[JsonValue, JsonValue]] = [(fields.get("from"), fields.get("to"))]
    else:
        listed = fields.get("columns")
        pairs = [*listed.items()] if isinstance(listed, dict) else [_pair(item) for _, item in one_or_many(listed)]
    found = {}
    for old, new in pairs:
        if not isinstance(old, str) or not isinstance(new, str) or not old.strip() or not new.strip():
            refuse(_RENAME_SHAPE)
        found[old.strip()] = new.strip()
    if not found:
        refuse(_RENAME_SHAPE)
    return found


def _pair(item: JsonValue) -> tuple[JsonValue, JsonValue]:
    if isinstance(item, str):
        return aliased(item)
    if not isinstance(item, dict):
        refuse(_RENAME_SHAPE)
    fields = Fields(item, "rename")
    if "from" not in fields and len(item) == 1:
        return next(iter(item.items()))
    return fields.get("from"), fields.get("to")


def read_deduplication(given: Details) -> Deduplication | None:
    """The rule that keeps one row of several; None where whole rows are compared."""
    fields = Fields(given, "deduplicate")
    keys = [name for name in fields.names("partition_by") if name != "*"]
    order: tuple[SortItem, ...] = ()
    if "order_by" in fields:
        with within(fields.at("order_by")):
            order = sort_items(fields.get("order_by"), fields.get("direction"))
    keep = fields.raw("keep")
    word = str(keep).strip().lower() if keep is not None else "first"
    if word not in (*_FIRST, *_GREATEST, *_LEAST, "last"):
        cannot(f"the rule {keep!r} to keep a row cannot be expressed by the compiler; {USE_A_MODEL}", fields.at("keep"))
    rule: _Rule = (
        "last" if word == "last" else "greatest" if word in _GREATEST else "least" if word in _LEAST else "first"
    )
    return Deduplication(tuple(keys), kept_first(rule, order), "first" if order else rule) if keys else None


def kept_first(rule: _Rule, order: tuple[SortItem, ...]) -> tuple[SortItem, ...]:
    """The order that begins with the row that a rule keeps."""
    descends = bool(order) and order[0].descending
    if rule == "last" or (rule == "greatest" and not descends) or (rule == "least" and descends):
        return tuple(_reversed(item) for item in order)
    return order


def _reversed(item: SortItem) -> SortItem:
    """The item in the other direction."""
    return item._replace(descending=not item.descending, nulls_first=not item.nulls_first)
