"""Type names."""

from __future__ import annotations

import pytest

from agent.errors import UnsupportedTypeError
from agent.types import canonical, family, spark_type, sql_type

ROWS = [
    ("INT4", "integer", "int", "integer"),
    ("bigserial", "bigint", "bigint", "integer"),
    ("decimal(5, 2)", "numeric(5,2)", "decimal(5,2)", "decimal"),
    ("numeric", "numeric", "decimal(38,18)", "decimal"),
    ("numeric(7)", "numeric(7,0)", "decimal(7,0)", "decimal"),
    ("float8", "double precision", "double", "float"),
    ("varchar(3)", "character varying(3)", "string", "string"),
    ("char(3)", "character(3)", "string", "string"),
    ("timestamptz", "timestamp with time zone", "timestamp", "timestamp"),
    ("timestamp", "timestamp without time zone", "timestamp", "timestamp"),
    ("timestamp(3) with time zone", "timestamp with time zone", "timestamp", "timestamp"),
    ("BOOL", "boolean", "boolean", "boolean"),
    ("time", "time without time zone", "timestamp", "time"),
    ("time(0) without time zone", "time without time zone", "timestamp", "time"),
    ("UUID", "uuid", "string", "uuid"),
    ("json", "json", "string", "json"),
    ("jsonb", "jsonb", "string", "json"),
    ("bytea", "bytea", "binary", "binary"),
    ("enum mood", "enum mood", "string", "enum"),
    ('ENUM Sales."Order ""Status"', 'enum sales."Order ""Status"', "string", "enum"),
    ("_int4", "integer[]", "array<int>", "array"),
    ("int4[]", "integer[]", "array<int>", "array"),
    ("integer ARRAY", "integer[]", "array<int>", "array"),
    ("numeric(5, 2)[]", "numeric(5,2)[]", "array<decimal(5,2)>", "array"),
    ("_numeric", "numeric[]", "array<decimal(38,18)>", "array"),
    ("char(3)[]", "character(3)[]", "array<string>", "array"),
    ("varchar(3)[]", "character varying(3)[]", "array<string>", "array"),
    ("timestamptz[]", "timestamp with time zone[]", "array<timestamp>", "array"),
    ("_jsonb", "jsonb[]", "array<string>", "array"),
    ('enum "My Mood"[]', 'enum "My Mood"[]', "array<string>", "array"),
]


@pytest.mark.parametrize(("written", "name", "spark", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_a_type_has_one_name_one_spark_type_and_one_kind(written: str, name: str, spark: str, kind: str) -> None:
    """Each row of the table holds."""
    assert (canonical(written), spark_type(written), family(written)) == (name, spark, kind)


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
