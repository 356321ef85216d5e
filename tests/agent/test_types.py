"""Type names."""

from __future__ import annotations

import pytest

from agent.errors import UnsupportedTypeError
from agent.types import base_type, canonical, family, spark_type, sql_type

ROWS = [
    ("INT4", "integer", "int", "integer", "integer"),
    ("bigserial", "bigint", "bigint", "bigint", "integer"),
    ("decimal(5, 2)", "numeric(5,2)", "decimal(5,2)", "numeric", "decimal"),
    ("numeric", "numeric", "decimal(38,18)", "numeric", "decimal"),
    ("numeric(7)", "numeric(7,0)", "decimal(7,0)", "numeric", "decimal"),
    ("float8", "double precision", "double", "double precision", "float"),
    ("varchar(3)", "character varying(3)", "string", "character varying", "string"),
    ("char(3)", "character(3)", "string", "bpchar", "string"),
    ("timestamptz", "timestamp with time zone", "timestamp", "timestamp with time zone", "timestamp"),
    ("timestamp", "timestamp without time zone", "timestamp", "timestamp without time zone", "timestamp"),
    ("timestamp(3) with time zone", "timestamp with time zone", "timestamp", "timestamp with time zone", "timestamp"),
    ("BOOL", "boolean", "boolean", "boolean", "boolean"),
    ("time", "time without time zone", "timestamp", "time without time zone", "time"),
    ("time(0) without time zone", "time without time zone", "timestamp", "time without time zone", "time"),
    ("UUID", "uuid", "string", "uuid", "uuid"),
    ("json", "json", "string", "json", "json"),
    ("jsonb", "jsonb", "string", "jsonb", "json"),
    ("bytea", "bytea", "binary", "bytea", "binary"),
    ("enum mood", "enum mood", "string", "mood", "enum"),
    ('ENUM Sales."Order ""Status"', 'enum sales."Order ""Status"', "string", 'sales."Order ""Status"', "enum"),
    ("_int4", "integer[]", "array<int>", "integer[]", "array"),
    ("int4[]", "integer[]", "array<int>", "integer[]", "array"),
    ("integer ARRAY", "integer[]", "array<int>", "integer[]", "array"),
    ("numeric(5, 2)[]", "numeric(5,2)[]", "array<decimal(5,2)>", "numeric[]", "array"),
    ("_numeric", "numeric[]", "array<decimal(38,18)>", "numeric[]", "array"),
    ("char(3)[]", "character(3)[]", "array<string>", "bpchar[]", "array"),
    ("varchar(3)[]", "character varying(3)[]", "array<string>", "character varying[]", "array"),
    ("timestamptz[]", "timestamp with time zone[]", "array<timestamp>", "timestamp with time zone[]", "array"),
    ("_jsonb", "jsonb[]", "array<string>", "jsonb[]", "array"),
    ('enum "My Mood"[]', 'enum "My Mood"[]', "array<string>", '"My Mood"[]', "array"),
]


@pytest.mark.parametrize(("written", "name", "spark", "base", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_a_type_has_one_name_one_spark_type_and_one_base(
    written: str, name: str, spark: str, base: str, kind: str
) -> None:
    """Each row of the table holds."""
    assert (canonical(written), spark_type(written), base_type(written), family(written)) == (name, spark, base, kind)


@pytest.mark.parametrize(
    "written",
    [
        "money",
        "int4range",
        "numeric(40,2)",
        "numeric(3,5)",
        "numeric(3,-1)",
        "xml",
        "",
        "interval",
        "mood",
        "timetz",
        "time with time zone",
        "double precision with time zone",
        "_timetz",
        "time[]",
        "bytea[]",
        "money[]",
        "integer[][]",
        "_int4[]",
        "numeric(40,2)[]",
        "[]",
        "_",
        "enum",
        "enum ",
        "enum a.b.c",
        "enum a.",
        'enum ""',
        "enum mood; DROP TABLE t",
        'enum "a" b',
        "enum mood[][]",
    ],
)
def test_any_other_type_is_refused_by_column_name(written: str) -> None:
    """An unsupported type is never converted."""
    with pytest.raises(UnsupportedTypeError, match="column 'price'"):
        spark_type(written, "price")


def test_an_enum_is_written_in_sql_by_its_name_alone() -> None:
    """The word `enum` is this project's own."""
    assert [sql_type(written) for written in ("enum mood", 'enum a."B"[]', "varchar(3)[]")] == [
        "mood",
        'a."B"[]',
        "character varying(3)[]",
    ]
