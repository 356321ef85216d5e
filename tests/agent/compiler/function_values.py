"""Values of each family on which every function runs, as literals of Spark and of PostgreSQL."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple


class Literal(NamedTuple):
    """A value as both dialects write it."""

    spark: str
    postgres: str


def _quoted(text: str) -> Literal:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return Literal(f"'{escaped}'", "'{}'::text".format(text.replace("'", "''")))


def _typed(spark: str, postgres: str, values: str, separator: str | None = None) -> list[Literal]:
    texts = [text.strip() for text in values.split(separator)]
    return [Literal(f"CAST('{text}' AS {spark})", f"'{text}'::{postgres}") for text in texts]


def _null(spark: str, postgres: str) -> Literal:
    return Literal(f"CAST(NULL AS {spark})", f"NULL::{postgres}")


DAYS = """2024-05-17 2024-02-29 2023-02-28 2024-01-31 2023-12-31 2024-01-01 2024-12-30 2020-12-31 2021-01-03 2024-03-31
    2024-10-27 1970-01-01 1969-12-31 1900-03-01 2000-02-29 2016-01-03"""
_MOMENTS = """2024-05-17 13:45:06.123456|2024-02-29 00:00:00|2024-01-31 23:59:59.999999|2023-12-31 12:00:00.5
    |2020-12-31 00:00:00.000001|2021-01-03 09:05:03|1969-12-31 23:59:59.5|1970-01-01 00:00:00|2024-03-31 01:30:00
    |2024-03-31 02:30:00|2024-10-27 00:30:00|2024-10-27 01:30:00|2024-10-27 02:30:00|2024-10-27 03:30:00
    |1900-03-01 06:00:00"""
TEXTS = [
    "", " ", "a", "abc", "ABC def", "  padded  ", "\ttab\n", "mary-ann o'neil", "ÀÉñ öl", "日本語", "😀x", "00120",
    "12", "-3.5", "a,b,,c", ",", "a.b.c", "a|b", "a\\b", "aXbXc", "2024-05-17", "x" * 40, "foo 12 bar 345", "100%", "_",
]  # fmt: skip

FAMILIES: dict[str, list[Literal]] = {
    "int": [_null("int", "int"), *_typed("int", "int", "0 1 -1 2 3 5 7 -7 10 12 100 12345 2147483647 -2147483648")],
    "bigint": [_null("bigint", "bigint"), *_typed("bigint", "bigint", "0 1 -1 2 -7 10 3000000000 9007199254740993")],
    "decimal": [
        _null("decimal(18,4)", "numeric(18,4)"),
        *_typed("decimal(18,4)", "numeric(18,4)", "0 0.5 -0.5 1 1.5 2.5 -2.5 0.005 1.005 2.675 -7.25 100 123456.789"),
    ],
    "float": [
        _null("double", "float8"),
        *_typed("double", "float8", "0 0.5 -0.5 1 1.5 2.5 -2.5 0.1 2.675 -7.25 100 1e-5 1e7 1e15 123456789.125 1e20"),
    ],
    "boolean": [_null("boolean", "boolean"), *_typed("boolean", "boolean", "true false")],
    "date": [_null("date", "date"), *_typed("date", "date", DAYS)],
    "timestamp": [_null("timestamp", "timestamp"), *_typed("timestamp", "timestamp", _MOMENTS, "|")],
    "string": [_null("string", "text"), *map(_quoted, TEXTS)],
    "array": [
        Literal("CAST(NULL AS array<string>)", "NULL::text[]"),
        Literal("array('a', 'b', 'a')", "ARRAY['a', 'b', 'a']"),
        Literal("array('b', CAST(NULL AS string), '')", "ARRAY['b', NULL, '']"),
        Literal("CAST(array() AS array<string>)", "ARRAY[]::text[]"),
    ],
}
_SPREAD = {"integer": ("int", "bigint"), "decimal": ("decimal",), "float": ("float",)}
_MOST = {1: 60, 2: 14, 3: 6, 4: 5}
"""Values of each argument, by the number of arguments."""


def integers(values: str) -> list[Literal]:
    """NULL and these integers."""
    return [_null("int", "int"), *_typed("int", "int", values)]


def constants(values: str) -> list[Literal]:
    """These integers, as a call writes them."""
    return [Literal(text, text) for text in values.split()]


ZONES = [_quoted(zone) for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")]
CONSTANTS: dict[int | None, list[Literal]] = {
    0: constants("0 1 2 3 7 50"),
    1: constants("1 2 3 7 50"),
    None: constants("-3 -2 -1 0 1 2 3 7"),
}
"""Integers that a function takes only as constants, by the least one."""


def shapes(families: list[frozenset[str]], alike: bool) -> list[tuple[str, ...]]:
    """The combinations of types that parameters of these families take: all, or only those of one type."""
    choices = [[one for family in sorted(each) for one in _SPREAD.get(family, (family,))] for each in families]
    return [shape for shape in product(*choices) if not alike or len(set(shape)) == 1]


def rows(shape: tuple[str, ...], chosen: dict[int, list[Literal]]) -> list[tuple[Literal, ...]]:
    """Arguments of these types; `chosen` are a place's own values."""
    most = _MOST.get(len(shape), 4)
    lists = []
    for place, kind in enumerate(shape):
        values = chosen.get(place) or FAMILIES[kind]
        step = max(1, len(values) // most)
        lists.append(values if len(values) <= most else [values[0], *values[1::step]])
    return list(product(*lists))
