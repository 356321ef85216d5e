"""SQL identifiers of PostgreSQL: quoted where they must be, and never cut."""

from __future__ import annotations

import re

MAX_BYTES = 63
"""Longest name in bytes. PostgreSQL cuts a longer one silently, and it may then name another table."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")

# PostgreSQL 18's keywords that are not plain column and table names everywhere; a test compares with the server's.
_KEYWORDS = """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant
    greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
    placing position precision primary real references returning right row select session_user setof similar
    smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
    union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
_RESERVED = frozenset(_KEYWORDS.split())


def quote_name(name: str) -> str:
    """Return one identifier for SQL: `orders` as it is, `Order Lines` and `order` in double quotes.

    Raises ValueError for a name that PostgreSQL cannot hold as it is: empty, over 63 bytes, or with a zero byte.
    """
    if not name or "\0" in name or len(name.encode()) > MAX_BYTES:
        raise ValueError(f"{name!r} is not a PostgreSQL name: 1 to {MAX_BYTES} bytes, and no zero byte")
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_table(schema: str, table: str) -> str:
    """Return a qualified table for SQL: `quote_table("sales", "Order Lines")` is `sales."Order Lines"`."""
    return f"{quote_name(schema)}.{quote_name(table)}"
