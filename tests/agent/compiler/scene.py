"""A small shop whose tables the compiler's tests plan over and run on."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError, Problem
from agent.request import Request, parse_request
from agent.snapshot import Column, Snapshot, Source, Target
from agent.types import spark_type
from tests.agent.compiler.random_tables import RANDOM_ROWS, RANDOM_TABLES

TABLES: dict[str, dict[str, str]] = {
    **RANDOM_TABLES,
    "customers": {"customer_id": "integer", "name": "text", "city": "text", "code": "character(3)"},
    "orders": {
        "order_id": "integer",
        "customer_id": "integer",
        "amount": "numeric(10,2)",
        "placed": "date",
        "note": "text",
    },
    "regions": {"city": "text", "region": "text"},
    "employees": {"id": "integer", "name": "text", "boss": "integer"},
    "Odd Table": {"Order Date": "date", "a.b": "integer", "tick`ed": "text", "order": "integer"},
    "sales.items": {"order_id": "bigint", "qty": "integer", "sent": "timestamp with time zone"},
    "sales": {
        "sale_id": "integer",
        "region": "text",
        "rep": "text",
        "sold": "date",
        "amount": "numeric(10,2)",
        "units": "bigint",
        "paid": "boolean",
        "rate": "double precision",
    },
    "spring": {"city": "text", "amount": "numeric(8,2)", "units": "integer"},
    "autumn": {"units": "bigint", "amount": "numeric(10,3)", "city": "text"},
    "ledger": {"entry": "integer", "paid": "numeric(20,2)", "rate": "numeric(38,20)", "parts": "integer"},
    "prices": {"city": "text", "since": "date", "until": "date", "price": "numeric(6,2)"},
}

ROWS: dict[str, list[tuple[Any, ...]]] = {
    **RANDOM_ROWS,
    "customers": [
        (1, "Ann", "Bern", "A  "),
        (2, "Bob", "Oslo", "B  "),
        (3, None, None, None),
    ],
    "orders": [
        (10, 1, Decimal("5.00"), dt.date(2024, 1, 1), "gift"),
        (11, 1, Decimal("7.50"), dt.date(2024, 1, 2), None),
        (12, 2, Decimal("7.50"), dt.date(2024, 2, 1), "rush_1"),
        (13, 9, Decimal("1.00"), dt.date(2024, 3, 1), "rushed"),
        (14, None, None, None, None),
    ],
    "regions": [("Bern", "south"), ("Rome", "far south")],
    "employees": [(1, "Ada", None), (2, "Ben", 1), (3, "Cy", 1)],
    "Odd Table": [(dt.date(2024, 1, 1), 1, "x", 7), (dt.date(2024, 1, 2), 2, "y", 8)],
    "sales.items": [
        (10, 2, dt.datetime(2024, 1, 1, 12, 0, tzinfo=dt.UTC)),
        (11, 3, dt.datetime(2024, 1, 2, 12, 0, tzinfo=dt.UTC)),
    ],
    "sales": [
        (1, "north", "Ada", dt.date(2024, 1, 5), Decimal("10.00"), 3, True, 0.5),
        (2, "north", "Ada", dt.date(2024, 2, 5), Decimal("20.50"), 2**62, False, None),
        (3, "north", "Ben", dt.date(2024, 2, 5), Decimal("20.50"), 2**62, True, 0.25),
        (4, "north", "Ben", None, None, None, None, 1.0),
        (5, "south", "Cy", dt.date(2024, 1, 9), Decimal("7.25"), 1, True, 2.0),
        (6, "south", "Cy", dt.date(2024, 3, 1), Decimal("99.99"), 9, False, 2.0),
        (7, "south", None, dt.date(2024, 3, 1), Decimal("0.01"), None, True, None),
        (8, "south", "Dee", dt.date(2024, 4, 1), None, 4, None, -1.5),
        (9, None, "Eve", dt.date(2024, 4, 2), Decimal("20.50"), 5, False, 0.0),
        (10, None, None, None, Decimal("3.00"), 6, True, 4.0),
        (11, "west", "Fay", dt.date(2024, 1, 5), Decimal("-5.00"), -2, False, 3.5),
    ],
    "spring": [("Bern", Decimal("1.50"), 2), ("Oslo", Decimal("2.00"), None), ("Bern", Decimal("1.50"), 2)],
    "autumn": [(2, Decimal("1.500"), "Bern"), (7, Decimal("2.125"), None), (None, Decimal("2.000"), "Oslo")],
    "ledger": [
        (1, Decimal("12345678901234567.88"), Decimal("0.12345678901234567890"), 0),
        (2, Decimal("12345678901234567.89"), Decimal("0.12345678901234567891"), 2),
        (3, Decimal("12345678901234568.00"), Decimal("0.12345678901234567892"), None),
    ],
    "prices": [
        ("Bern", dt.date(2024, 1, 1), dt.date(2024, 1, 31), Decimal("3.00")),
        ("Bern", dt.date(2024, 2, 1), None, Decimal("4.00")),
        ("Oslo", dt.date(2024, 1, 1), dt.date(2024, 12, 31), Decimal("5.00")),
    ],
}


def request_for(sources: list[Any], target: dict[str, Any] | None = None, **specs: Any) -> Request:
    """A request over these source tables; `specs` are the other structured fields."""
    table = {"name": "result", **(target or {})}
    return parse_request({"run_id": "r1", "specs": {"source_tables": sources, "target_table": table, **specs}})


def snapshot_for(request: Request, target: Target | None = None) -> Snapshot:
    """The snapshot of the shop for a request."""
    sources = tuple(
        Source(
            key=table.key,
            table=table.table_name,
            columns=tuple(Column(name=name, type=kind) for name, kind in TABLES[table.table_name].items()),
        )
        for table in request.specs.source_tables
    )
    missing = Target(name=request.specs.target_table.name, exists=False)
    return Snapshot(sources=sources, target=target or missing, origin="event")


def aliased(table: str, alias: str) -> dict[str, str]:
    """A source table under an alias."""
    return {"table_name": table, "alias": alias}


SHOP: list[Any] = [aliased("customers", "c"), aliased("orders", "o")]
ON_CUSTOMER = {"left_table": "c", "right_table": "o", "on_columns": ["customer_id"]}
ORDERS: list[Any] = ["orders"]


def aggregate(function: str, column: str | None, alias: str, *group_by: str) -> dict[str, Any]:
    """An entry of `aggregations`."""
    return {"function": function, "column": column, "alias": alias, "group_by": list(group_by)}


def join(join_type: str, **changes: Any) -> dict[str, Any]:
    """Customers and orders joined."""
    return {"join_conditions": [{**ON_CUSTOMER, "join_type": join_type, **changes}]}


def derive(name: str, expression: str) -> dict[str, str]:
    """An entry of `derived_columns`."""
    return {"name": name, "expression": expression}


def where(column: str, operator: str, value: Any = None) -> dict[str, Any]:
    """An entry of `filters`."""
    return {"column": column, "operator": operator, "value": value}


def step(kind: str, **details: Any) -> dict[str, Any]:
    """An entry of `transformations` with details."""
    return {"type": kind, "details": details}


def window(function: str, alias: str, **details: Any) -> dict[str, Any]:
    """An entry of `transformations` of type window."""
    return step("window", function=function, alias=alias, **details)


def down(column: str, **more: Any) -> dict[str, Any]:
    """A column to sort by, the largest first."""
    return {"column": column, "direction": "desc", **more}


def names(*columns: str) -> dict[str, Any]:
    """The target's columns."""
    return {"columns": list(columns)}


def problems(sources: list[Any], target: dict[str, Any] | None = None, **specs: Any) -> list[Problem]:
    """Problems of a specification; empty when it has a plan."""
    request = request_for(sources, target, **specs)
    try:
        build_plan(request, snapshot_for(request))
    except InvalidRequestError as error:
        return error.problems
    return []


def assert_refused(found: list[Problem], path: str, message: str) -> None:
    """One of the problems stands at that path and says that."""
    assert any(problem.path == path and message in problem.message for problem in found), found


def collected(frame: Any) -> list[tuple[Any, ...]]:
    """The rows of a DataFrame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # collect() leaves its socket to the garbage collector
        return [tuple(row) for row in frame.collect()]


def run(spark: Any, case: Case) -> Any:
    """The result of a case's transform on the shop's rows."""
    from pyspark.sql import DataFrame, Window
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    request = request_for(case.sources, case.target, **case.specs)
    code = compile_transform(build_plan(request, snapshot_for(request)))
    scope: dict[str, Any] = {"F": F, "T": T, "Window": Window, "DataFrame": DataFrame}
    exec(compile(code, "transform", "exec"), scope)
    frames = {
        table.key: spark.sql(rows_in_sql(table.table_name)).alias(table.key) for table in request.specs.source_tables
    }
    return scope["transform"](frames)


def rows_in_sql(table: str) -> str:
    """One of the shop's tables as a query, so that its rows need no Python worker in Spark."""
    lines = [f"({', '.join(in_sql(cell) for cell in row)})" for row in ROWS[table]]
    casts = [
        f"CAST(col{position} AS {spark_type(kind)}) AS `{name.replace('`', '``')}`"
        for position, (name, kind) in enumerate(TABLES[table].items(), start=1)
    ]
    return f"SELECT {', '.join(casts)} FROM VALUES {', '.join(lines)}"


def in_sql(cell: object) -> str:
    """A cell as a SQL literal."""
    return "NULL" if cell is None else str(cell) if isinstance(cell, int) else f"'{cell}'"


@dataclass(frozen=True)
class Case:
    """A specification and the rows that it gives, worked out by hand."""

    sources: list[Any]
    columns: list[str]
    rows: list[tuple[Any, ...]]
    specs: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    ordered: bool = False
