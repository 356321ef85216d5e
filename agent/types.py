"""PostgreSQL type names and the Spark types that their columns have in a script.

The mapping is that of Spark's JDBC source with the PostgreSQL driver
(https://spark.apache.org/docs/3.5.6/sql-data-sources-jdbc.html#mapping-spark-sql-data-types-from-postgresql).
"""

from __future__ import annotations

import re
from typing import Literal

from agent.errors import UnsupportedTypeError

Family = Literal["integer", "decimal", "float", "boolean", "date", "timestamp", "string"]

_ALIASES = {
    "int2": "smallint", "smallserial": "smallint",
    "int": "integer", "int4": "integer", "serial": "integer",
    "int8": "bigint", "bigserial": "bigint", "long": "bigint",
    "float4": "real",
    "float": "double precision", "float8": "double precision", "double": "double precision",
    "decimal": "numeric", "dec": "numeric",
    "bool": "boolean",
    "string": "text",
    "varchar": "character varying",
    "char": "character", "bpchar": "character",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone", "datetime": "timestamp without time zone",
}  # fmt: skip

_SPARK = {
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    "real": "float",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
    "text": "string",
    "character varying": "string",
    "character": "string",
}

_FAMILIES: dict[str, Family] = {
    "smallint": "integer", "int": "integer", "bigint": "integer",
    "float": "float", "double": "float",
    "boolean": "boolean", "date": "date", "timestamp": "timestamp", "string": "string",
}  # fmt: skip

_SHAPE = re.compile(r"^([a-z0-9_ ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?( with(?:out)? time zone)?$")

_NUMERIC_WITHOUT_PRECISION = "decimal(38,18)"


def canonical(type_name: str) -> str:
    """PostgreSQL's own spelling of a type name: `INT4` is `integer`, `decimal(5, 2)` is `numeric(5,2)`.

    Raises UnsupportedTypeError for a type outside the supported list.
    """
    match = _SHAPE.match(re.sub(r"\s+", " ", type_name.strip().lower()))
    if match is None:
        raise UnsupportedTypeError(type_name)
    word, first, second, zone = match.groups()
    base = _ALIASES.get(word, word)
    if zone:
        base = f"timestamp{zone}" if word == "timestamp" else word + zone
    if base == "numeric":
        return "numeric" if first is None else f"numeric({first},{second or 0})"
    if base not in _SPARK:
        raise UnsupportedTypeError(type_name)
    return f"{base}({first})" if first and base.startswith("character") else base


def spark_type(type_name: str, column: str | None = None) -> str:
    """The Spark DDL type of a PostgreSQL type: `numeric(10,2)` is `decimal(10,2)`, `char(3)` is `string`.

    Raises UnsupportedTypeError, naming `column`, for a type outside the supported list, and for a
    numeric whose precision is over Spark's 38 digits or whose scale is negative or over its precision.
    """
    try:
        base = canonical(type_name)
    except UnsupportedTypeError:
        raise UnsupportedTypeError(type_name, column) from None
    if base == "numeric":
        return _NUMERIC_WITHOUT_PRECISION
    if base.startswith("numeric("):
        precision, scale = (int(part) for part in base[8:-1].split(","))
        if precision > 38 or not 0 <= scale <= precision:
            raise UnsupportedTypeError(type_name, column)
        return f"decimal({precision},{scale})"
    return _SPARK[base.split("(")[0]]


def base_type(type_name: str) -> str:
    """The type without its length or precision: what publish casts to, so that PostgreSQL checks the length.

    `character` alone would mean `character(1)` and cut in silence; `bpchar` has no length.
    """
    base = canonical(type_name).split("(")[0]
    return "bpchar" if base == "character" else base


def family(spark_ddl: str) -> Family:
    """The family of a Spark DDL type: `decimal(5,2)` is `decimal`, `int` is `integer`."""
    return "decimal" if spark_ddl.startswith("decimal") else _FAMILIES[spark_ddl]
