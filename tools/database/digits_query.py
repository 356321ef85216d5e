"""Digits of numeric columns: Spark's product of wide decimals loses decimals, and that of narrow ones is exact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import psycopg

from agent.request import Specification
from agent.snapshot import Column
from agent.sql_identifiers import quote_name
from agent.types import spark_type
from tools.database.connection import Connection
from tools.database.sample_query import bounded

SECONDS = 30
"""Time limit of the query, in seconds for each source. Without its answer the columns stay wide."""
_NARROW = 12
"""Digits of a type that is narrow enough: the product of three such columns is exact."""
_SCALE = 18
"""Decimals of a numeric without precision, as Spark reads it."""
_ROOM = 2
"""Further digits before the point, and the least decimals: rows may change before the job reads them."""


def with_digits(
    connection: Connection, relation: str, columns: Sequence[Column], specs: Specification
) -> tuple[tuple[Column, ...], str]:
    """Return the columns with what their values hold.

    A warning tells of values that Spark reads rounded, and of digits that the query did not find.
    """
    wanted = [column for column in columns if _is_wide(column)]
    wanted = [column for column in wanted if _is_named(column, _computing(specs))] if wanted else []
    if not wanted:
        return tuple(columns), ""
    largest = _largest(connection, relation, wanted)
    if largest is None:
        return tuple(columns), _unknown(relation, wanted)
    held = {column.name: _held(column, *largest[column.name]) for column in wanted if column.name in largest}
    rounded = [name for name, (_, scale) in largest.items() if scale > _SCALE]
    warning = (
        f"{relation}: {', '.join(map(repr, rounded))} has values of more than {_SCALE} decimals, which are rounded"
    )
    return (
        tuple(column.model_copy(update={"held": held.get(column.name, "")}) for column in columns),
        warning if rounded else "",
    )


def _unknown(relation: str, columns: Sequence[Column]) -> str:
    names = ", ".join(repr(column.name) for column in columns)
    return (
        f"{relation}: the digits of the values in {names} are not known, as the query for them failed "
        f"or took over {SECONDS} seconds; calculations with them may be rounded to 6 decimals"
    )


def _is_wide(column: Column) -> bool:
    return spark_type(column.type).startswith("decimal") and sum(_declared(column)) > _NARROW


def _declared(column: Column) -> tuple[int, int]:
    """The digits before and after the point that the column's type allows, as Spark reads it."""
    precision, scale = spark_type(column.type)[len("decimal(") : -1].split(",")
    return int(precision) - int(scale), int(scale)


def _is_named(column: Column, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column.name.casefold())}(?!\w)", text) is not None


def _computing(specs: Specification) -> str:
    """The parts of a specification that may compute, as one text in small letters."""
    given = specs.model_dump(mode="json", exclude={"target_table", "source_tables"})
    return json.dumps(given, ensure_ascii=False).casefold()


def _largest(connection: Connection, relation: str, columns: Iterable[Column]) -> dict[str, tuple[Decimal, int]] | None:
    """Each column's largest value without its sign, and most decimals. None after a refusal or a time-out.

    NaN and infinity have no scale; columns without any number are left out.
    """
    names = [column.name for column in columns]
    picked = ", ".join(
        f"max(abs({name})) FILTER (WHERE scale({name}) IS NOT NULL), max(min_scale({name}))"
        for name in map(quote_name, names)
    )
    try:
        with bounded(connection, SECONDS):
            row = connection.execute(f"SELECT {picked} FROM {relation}").fetchone() or ()
    except psycopg.Error:
        if connection.closed:
            raise
        return None
    pairs = zip(names, row[::2], row[1::2], strict=True)
    return {name: (largest, scale) for name, largest, scale in pairs if largest is not None}


def _held(column: Column, largest: Decimal, scale: int) -> str:
    """The type that holds the values, with some room; empty where it is the column's own."""
    declared = _declared(column)
    whole = min(len(str(int(largest))) + _ROOM, declared[0])
    decimals = min(max(scale, _ROOM), declared[1])
    return "" if (whole, decimals) == declared else f"numeric({whole + decimals},{decimals})"
