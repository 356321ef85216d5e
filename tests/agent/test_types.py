"""Type names."""

from __future__ import annotations

import pytest

from agent.errors import UnsupportedTypeError
from agent.types import base_type, canonical, family, spark_type

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
]


@pytest.mark.parametrize(("written", "name", "spark", "base", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_a_type_has_one_name_one_spark_type_and_one_base(
    written: str, name: str, spark: str, base: str, kind: str
) -> None:
    """Each row of the table holds."""
    assert (canonical(written), spark_type(written), base_type(written), family(spark)) == (name, spark, base, kind)


@pytest.mark.parametrize(
    "written", ["money", "integer[]", "int4range", "numeric(40,2)", "numeric(3,5)", "numeric(3,-1)", "xml", ""]
)
def test_any_other_type_is_refused_by_column_name(written: str) -> None:
    """Rather than converted."""
    with pytest.raises(UnsupportedTypeError, match="column 'price'"):
        spark_type(written, "price")
