"""Tables for the tests of sample rows, and what holds of such rows, checked without the code that makes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from agent.request import Request, parse_request
from agent.sampling.samples import sample_tables
from agent.snapshot import Column, Row, Snapshot, Source, Target

_PATTERNS = {
    "time without time zone": "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "bytea": r"\\x([0-9a-f]{2})*",
}
_INTEGER_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


def snapshot_of(*sources: Source) -> Snapshot:
    """A snapshot of these sources."""
    return Snapshot(sources=sources, target=Target(name="target", exists=False), origin="event")


def source(listed: str, columns: Mapping[str, str], samples: Sequence[Row] = ()) -> Source:
    """A source listed as `table` or `table alias`; a type that ends in `!` is NOT NULL."""
    table, _, alias = listed.partition(" ")
    made = tuple(Column(name=name, type=kind.rstrip("!"), nullable=not kind.endswith("!"))
                 for name, kind in columns.items())  # fmt: skip
    return Source(key=alias or table, table=table, columns=made, samples=tuple(samples))


def is_valid(cell: Any, column: Column) -> bool:
    """True when PostgreSQL's column could hold the cell as it is written."""
    if cell is None:
        return column.nullable
    special = _is_valid_special(cell, column)
    return _is_valid_plain(cell, column) if special is None else special


def _is_valid_special(cell: Any, column: Column) -> bool | None:
    """None for a type that Spark has too."""
    if column.type.endswith("[]"):
        element = Column(name=column.name, type=column.type.removesuffix("[]"))
        return isinstance(cell, list) and all(is_valid(item, element) for item in cell)
    if column.type in _PATTERNS:
        return isinstance(cell, str) and re.fullmatch(_PATTERNS[column.type], cell) is not None
    if column.type.startswith("json"):
        return isinstance(cell, str) and json.dumps(json.loads(cell)) == cell
    if column.labels:
        return cell in column.labels
    return None


def _is_valid_plain(cell: Any, column: Column) -> bool:
    kind, _, arguments = column.type.partition("(")
    numbers = [int(part) for part in re.findall(r"\d+", arguments)]
    if kind in _INTEGER_BITS:
        return type(cell) is int and -(2 ** (_INTEGER_BITS[kind] - 1)) <= cell < 2 ** (_INTEGER_BITS[kind] - 1)
    if kind == "numeric":
        return isinstance(cell, str) and _fits_numeric(cell, *(numbers or [38, 18]))
    if kind in ("real", "double precision"):
        return type(cell) is float and abs(cell) < (3.5e38 if kind == "real" else 1e309)
    if kind == "boolean":
        return isinstance(cell, bool)
    if kind == "date":
        return isinstance(cell, str) and date.fromisoformat(cell).isoformat() == cell
    if kind.startswith("timestamp"):
        return datetime.fromisoformat(cell).tzinfo is not None if kind.endswith("with time zone") else _naive(cell)
    return isinstance(cell, str) and "\x00" not in cell and len(cell) <= (numbers or [10**9])[0]


def _fits_numeric(cell: str, precision: int, scale: int) -> bool:
    match = re.fullmatch(r"-?(\d+)(?:\.(\d+))?", cell)
    assert match is not None, cell
    whole, part = match.group(1).lstrip("0"), match.group(2) or ""
    return len(whole) <= precision - scale and len(part) <= scale


def _naive(cell: str) -> bool:
    return "T" in cell and datetime.fromisoformat(cell).tzinfo is None


Keep = Callable[[Any], bool]
"""A filter on a cell or on a row, in Python."""

Equal = Sequence[tuple[str, str]]
"""Pairs of `alias.column` that a join compares."""


def joined(tables: Mapping[str, Sequence[Row]], first: str, joins: Sequence[tuple[str, str, Equal]]) -> list[Row]:
    """The inner join, by nested loops: `joins` names alias, table and pairs; columns come out as `alias.column`."""
    table, alias = first.split(" ")
    rows = _prefixed(table, alias, tables)
    for alias, table, pairs in joins:
        right = _prefixed(table, alias, tables)
        rows = [{**a, **b} for a in rows for b in right if all(_same({**a, **b}, pair) for pair in pairs)]
    return rows


def _prefixed(table: str, alias: str, tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    return [{f"{alias}.{name}": cell for name, cell in row.items()} for row in tables[table]]


def _same(row: Row, pair: tuple[str, str]) -> bool:
    left, right = row[pair[0]], row[pair[1]]
    if left is None or right is None:
        return False
    return left == right or _as_number(left) == _as_number(right)


def _as_number(cell: Any) -> Any:
    return Decimal(str(cell)) if re.fullmatch(r"-?\d+(\.\d+)?", str(cell)) else cell


def kept(rows: Sequence[Row], keep: Callable[[Row], bool]) -> tuple[int, int]:
    """How many rows a filter keeps and how many it drops."""
    passing = sum(keep(row) for row in rows)
    return passing, len(rows) - passing


CUSTOMERS = source("customers c", {"customer_id": "integer!", "name": "character varying(20)", "city": "text"})
ORDERS = source("orders o", {"order_id": "bigint!", "customer_id": "integer", "amount": "numeric(8,2)",
                             "ordered": "date", "status": "character(4)"})  # fmt: skip
ITEMS = source("items i", {"order_id": "numeric(12,0)", "line": "smallint!", "sku": "text"})
AIRPORTS = {"faa": "text!", "state": "character(2)"}
FLIGHTS = source("flights f", {"origin": "character(3)", "dest": "text", "year": "integer", "month": "integer"})


def request(*sources: Source, joins: Any = (), filters: Any = (), **specs: Any) -> Request:
    """A request over these sources."""
    tables = [{"table_name": item.table, "alias": item.key} for item in sources]
    fields = {"join_conditions": list(joins), "filters": list(filters), **specs}
    return parse_request({"run_id": "r1", "specs": {"source_tables": tables, "target_table": {"name": "x"}, **fields}})


def rows_of(*sources: Source, joins: Any = (), filters: Any = (), **specs: Any) -> dict[str, list[Row]]:
    """The sample rows."""
    return sample_tables(request(*sources, joins=joins, filters=filters, **specs), snapshot_of(*sources))


def on(left: str, right: str, *columns: str) -> dict[str, Any]:
    """A join on columns of the same name."""
    return {"left_table": left, "right_table": right, "on_columns": list(columns)}


def where(column: str, operator: str, value: Any = None) -> dict[str, Any]:
    """A filter."""
    return {"column": column, "operator": operator, "value": value}
