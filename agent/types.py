"""PostgreSQL type names and the Spark types that their columns have in a script.

The mapping is that of Spark's JDBC source with the PostgreSQL driver
(https://spark.apache.org/docs/3.5.6/sql-data-sources-jdbc.html#mapping-spark-sql-data-types-from-postgresql).
An enum is written `enum NAME`, with NAME as `format_type` gives it: a name alone does not say its kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from agent.errors import UnsupportedTypeError
from agent.nearest import nearest

Family = Literal[
    "integer", "decimal", "float", "boolean", "date", "timestamp", "string",
    "time", "uuid", "json", "enum", "binary", "array",
]  # fmt: skip
"""Kind of a type's values. Spark stores time as timestamp, and uuid, json and enum as string."""

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
    "time": "time without time zone",
}  # fmt: skip

_TYPES: dict[str, tuple[str, Family]] = {
    "smallint": ("smallint", "integer"),
    "integer": ("int", "integer"),
    "bigint": ("bigint", "integer"),
    "real": ("float", "float"),
    "double precision": ("double", "float"),
    "boolean": ("boolean", "boolean"),
    "date": ("date", "date"),
    "time without time zone": ("timestamp", "time"),
    "timestamp without time zone": ("timestamp", "timestamp"),
    "timestamp with time zone": ("timestamp", "timestamp"),
    "text": ("string", "string"),
    "character varying": ("string", "string"),
    "character": ("string", "string"),
    "uuid": ("string", "uuid"),
    "json": ("string", "json"),
    "jsonb": ("string", "json"),
    "bytea": ("binary", "binary"),
}

SUPPORTED = f"{', '.join(sorted([*_TYPES, 'numeric']))}, enums, and one-dimensional arrays"
"""The supported types, for messages."""

_WRITTEN = ("numeric", "decimal", "varchar", "timestamp", "timestamptz", "boolean", *_TYPES)
"""Names that a mistyped one is compared with. Short names resemble too many of PostgreSQL's other types."""

_NO_ARRAYS = frozenset({"time", "binary"})
"""Spark's JDBC source cannot read an array of times, and its sink cannot write one of byte strings."""

# `_SHAPE`: name, length or precision and scale, and time zone: `numeric ( 5, 2 )`, `time(3) with time zone`.
# `_ARRAY`: the internal name `_int4`, or an element type before `[]`, `[3]` or `array`.
# `_ENUM`: one or two names, each plain or in double quotes; the lookahead refuses a dot at the end.
_SHAPE = re.compile(r"^([a-z0-9_ ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?( with(?:out)? time zone)?$")
_ARRAY = re.compile(r"^(?:_(?P<internal>\w+)|(?P<element>.+?)\s*(?:\[\d*\]|(?i:\s+array)))$", re.DOTALL)
_ENUM = re.compile(r'^(?i:enum)\s+((?:(?:[a-zA-Z_][a-zA-Z0-9_$]*|"(?:[^"\0]|"")+")(?:\.(?!$)|$)){1,2})$')

_NUMERIC_WITHOUT_PRECISION = "decimal(38,18)"


@lru_cache(maxsize=1024)
def canonical(type_name: str) -> str:
    """PostgreSQL's own spelling of a type name: `decimal(5, 2)` is `numeric(5,2)`, `_int4` is `integer[]`.

    Raises UnsupportedTypeError for a type outside the supported list.
    """
    written = type_name.strip()
    element = _array_element(written)
    if element is None:
        return _canonical_scalar(written, type_name)
    base = _canonical_scalar(element, type_name)
    if _scalar_family(base) in _NO_ARRAYS:
        raise UnsupportedTypeError(type_name)
    return f"{base}[]"


def _array_element(written: str) -> str | None:
    """The element type of an array, as written; None when the type is no array."""
    match = _ARRAY.match(written)
    return None if match is None else match["internal"] or match["element"]


def _canonical_scalar(written: str, type_name: str) -> str:
    enum = _ENUM.match(written)
    if enum is not None:
        return "enum " + re.sub(r'"(?:[^"]|"")*"|[^"]+', _folded, enum[1])
    match = _SHAPE.match(re.sub(r"\s+", " ", written.lower()))
    if match is None:
        raise UnsupportedTypeError(type_name)
    word, first, second, zone = match.groups()
    base = _ALIASES.get(word, word)
    if zone:
        base = f"{word}{zone}" if word in ("timestamp", "time") else word + zone
    if base == "numeric":
        return "numeric" if first is None else f"numeric({first},{second or 0})"
    if base not in _TYPES:
        raise UnsupportedTypeError(type_name)
    return f"{base}({first})" if first and base.startswith("character") else base


def _folded(part: re.Match[str]) -> str:
    """A part of a name in lower case unless it is quoted, as PostgreSQL reads it."""
    return part[0] if part[0].startswith('"') else part[0].lower()


def spark_type(type_name: str, column: str | None = None) -> str:
    """The Spark DDL type of a PostgreSQL type: `numeric(10,2)` is `decimal(10,2)`, `integer[]` is `array<int>`.

    Raises UnsupportedTypeError, naming `column`, for a type outside the supported list, and for a
    numeric whose precision is over Spark's 38 digits or whose scale is negative or over its precision.
    """
    try:
        base = canonical(type_name)
    except UnsupportedTypeError:
        raise UnsupportedTypeError(type_name, column) from None
    if base.endswith("[]"):
        try:
            return f"array<{spark_type(base[:-2])}>"
        except UnsupportedTypeError:
            raise UnsupportedTypeError(type_name, column) from None
    if base.startswith("enum "):
        return "string"
    if base == "numeric":
        return _NUMERIC_WITHOUT_PRECISION
    if base.startswith("numeric("):
        precision, scale = (int(part) for part in base[8:-1].split(","))
        if precision > 38 or not 0 <= scale <= precision:
            raise UnsupportedTypeError(type_name, column)
        return f"decimal({precision},{scale})"
    return _TYPES[base.split("(")[0]][0]


def near_type(type_name: str) -> str:
    """The end of a message about an unsupported type: the type that was probably meant, or empty."""
    word = type_name.lower().split("(")[0].strip()
    if _ALIASES.get(word, word) == "numeric":
        return "; a numeric has at most 38 digits, and not more decimals than digits"
    near = nearest(word, _WRITTEN)
    return f"; did you mean {near!r}?" if near else ""


def same_type(declared: str, found: str) -> bool:
    """True when a declared type is a column's type: `int4` is `integer`, and `char` is `character(1)`.

    Enums are compared without their schema. Raises UnsupportedTypeError for a declared type outside the list.
    """
    one, other = (_compared(name) for name in (declared, found))
    return one == other


def _compared(type_name: str) -> str:
    name = canonical(type_name)
    if name.startswith("enum "):
        return "enum " + name.removeprefix("enum ").rpartition(".")[2]
    return re.sub(r"^character(?=\[|$)", "character(1)", name)


def sql_type(type_name: str) -> str:
    """The type as SQL writes it: `enum mood` is `mood`."""
    return canonical(type_name).removeprefix("enum ")


def element_type(type_name: str) -> str:
    """The type of an array's elements: of `integer[]` it is `integer`."""
    return canonical(type_name).removesuffix("[]")


def family(type_name: str, column: str | None = None) -> Family:
    """The family of a PostgreSQL type: `numeric(5,2)` is `decimal`, `jsonb` is `json`, `integer[]` is `array`.

    Raises UnsupportedTypeError as `spark_type` does.
    """
    spark_type(type_name, column)
    base = canonical(type_name)
    return "array" if base.endswith("[]") else _scalar_family(base)


def _scalar_family(base: str) -> Family:
    if base.startswith("enum "):
        return "enum"
    return "decimal" if base.startswith("numeric") else _TYPES[base.split("(")[0]][1]
