"""Types that Spark sees as something else, from the catalogue to the published table."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from agent.errors import InvalidRequestError, PublishError
from agent.snapshot import Column
from tests.tools.database.scene import STAGED, Sql, order, publish, request
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres

ENUMS = (
    "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE SCHEMA other; CREATE TYPE other.\"Mood\" AS ENUM ('up', 'down')"
)
KEY = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"

# column, PostgreSQL type, what Spark's sink makes of it, a value of that, what stands in the target
STAGES: list[tuple[str, str, str, str, Any]] = [
    ("at", "time", "timestamp", "'1970-01-01 08:30:15'", dt.time(8, 30, 15)),
    ("id", "uuid", "text", f"'{KEY}'", uuid.UUID(KEY)),
    ("raw", "json", "text", "'{\"a\":  1}'", {"a": 1}),
    ("doc", "jsonb", "text", "'[1, null]'", [1, None]),
    ("feeling", "mood", "text", "'happy'", "happy"),
    ("further", 'other."Mood"', "text", "'down'", "down"),
    ("body", "bytea", "bytea", "'\\x00ff'", b"\x00\xff"),
    ("i2", "smallint[]", "integer[]", "'{1,NULL}'", [1, None]),
    ("n52", "numeric(5,2)[]", "numeric(38,18)[]", "'{1.5}'", None),
    ("v3", "varchar(3)[]", "text[]", "'{abc,\"\"}'", ["abc", ""]),
    ("c3", "char(3)[]", "text[]", "'{ab}'", ["ab "]),
    ("tz", "timestamptz[]", "timestamp[]", "'{2024-03-31 02:30:00}'", [dt.datetime(2024, 3, 31, 2, 30, tzinfo=dt.UTC)]),
    ("ids", "uuid[]", "text[]", f"'{{{KEY}}}'", [uuid.UUID(KEY)]),
    ("docs", "jsonb[]", "text[]", "ARRAY['{\"a\": 1}']", [{"a": 1}]),
    ("moods", "mood[]", "text[]", "'{sad,NULL}'", None),
]


def stage_all(sql: Sql) -> None:
    """Stage one row of values and one of NULLs, as Spark's sink would."""
    sql(f"{ENUMS}; CREATE TABLE orders (id integer)")
    columns = ", ".join(f"{name} {staged}" for name, _, staged, _, _ in STAGES)
    sql(f"CREATE TABLE datamorph_staging.{STAGED} ({columns})")
    sql(f"INSERT INTO datamorph_staging.{STAGED} VALUES ({', '.join(value for *_, value, _ in STAGES)})")
    sql(f"INSERT INTO datamorph_staging.{STAGED} VALUES ({', '.join('NULL' for _ in STAGES)})")


def types_of(sql: Sql, table: str) -> list[tuple[Any, ...]]:
    return sql(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"
    )


def test_an_existing_target_gets_its_own_types(sql: Sql, database: PostgresDatabase) -> None:
    """Texts become uuids, JSON and enum values, timestamps become times, element by element too."""
    stage_all(sql)
    sql(f"CREATE TABLE summary ({', '.join(f'{name} {kind}' for name, kind, *_ in STAGES)})")
    columns = " ".join(name for name, *_ in STAGES)
    assert publish(database, order(columns=columns, column_types=("",) * len(STAGES))).rows == 2
    [row, nulls] = sql("SELECT * FROM summary ORDER BY id")
    assert set(nulls) == {None}
    for found, (name, *_, expected) in zip(row, STAGES, strict=True):
        assert expected is None or found == expected, name
    assert sql("SELECT n52::text, moods::text FROM summary ORDER BY id LIMIT 1") == [("{1.50}", "{sad,NULL}")]


def test_a_missing_target_is_created_with_the_declared_types(sql: Sql, database: PostgresDatabase) -> None:
    """Enums are declared as `enum NAME`; the other names may be those of any tool."""
    stage_all(sql)
    spelled = {"mood": "enum mood", 'other."Mood"': 'enum other."Mood"', "mood[]": "enum mood[]", "uuid[]": "_uuid"}
    declared = tuple(spelled.get(kind, kind) for _, kind, *_ in STAGES)
    publish(database, order(target="fresh", columns=" ".join(name for name, *_ in STAGES), column_types=declared))
    sql(f"CREATE TABLE wanted ({', '.join(f'{name} {kind}' for name, kind, *_ in STAGES)})")
    assert types_of(sql, "fresh") == types_of(sql, "wanted")


def test_a_missing_target_is_created_with_the_result_s_types(sql: Sql, database: PostgresDatabase) -> None:
    """Where none are declared."""
    stage_all(sql)
    columns = " ".join(name for name, *_ in STAGES)
    publish(database, order(target="fresh", columns=columns, column_types=("",) * len(STAGES)))
    assert types_of(sql, "fresh") == types_of(sql, f"datamorph_staging.{STAGED}")


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        ("uuid", "'secret'", "'x': not every value fits uuid"),
        ("json", "'{secret'", "'x': not every value fits json"),
        ("jsonb", "'{secret'", "'x': not every value fits jsonb"),
        ("mood", "'secret'", "'x': not every value fits enum mood"),
        ("mood[]", "'{secret}'::text[]", r"'x': not every value fits enum mood\[\]"),
        ("numeric(5,2)[]", "'{8888}'::numeric[]", r"'x': not every value fits numeric\(5,2\)\[\]"),
        ("varchar(3)[]", "'{secret}'::text[]", r"value too long for type character varying\(3\)"),
    ],
)
def test_values_of_another_type_are_refused_by_column(
    sql: Sql, database: PostgresDatabase, kind: str, value: str, word: str
) -> None:
    """Without saying them, and the old rows stay."""
    sql(
        f"{ENUMS}; CREATE TABLE orders (id integer); CREATE TABLE summary (x {kind}); INSERT INTO summary VALUES (NULL)"
    )
    sql(f"CREATE TABLE datamorph_staging.{STAGED} AS SELECT {value} AS x")
    with pytest.raises(PublishError, match=word) as caught:
        publish(database, order(columns="x", column_types=("",), expected_rows=1))
    assert "secret" not in str(caught.value)
    assert sql("SELECT * FROM summary") == [(None,)]


def test_the_snapshot_tells_enums_and_shows_short_samples(sql: Sql, database: PostgresDatabase) -> None:
    """With the values of an enum in their order, and arrays as lists of at most ten elements."""
    sql(f"{ENUMS}; CREATE TABLE orders ({', '.join(f'{name} {kind}' for name, kind, *_ in STAGES)})")
    sql(
        "CREATE TYPE empty AS ENUM ();"
        " ALTER TABLE orders ADD nothing empty, ADD days date[], ADD flags bool[], ADD f real[]"
    )
    values = ", ".join(f"{value}::text::{kind}" for _, kind, _, value, _ in STAGES if value[0] == "'")
    names = ", ".join(name for name, _, _, value, _ in STAGES if value[0] == "'")
    days = "ARRAY(SELECT date '2024-01-01' + n FROM generate_series(1, 40) AS n)"
    values = values.replace("1970-01-01 ", "")
    sql(f"INSERT INTO orders ({names}, days, flags, f) VALUES ({values}, {days}, '{{t,NULL,f}}', '{{1.5,NaN}}')")
    source = database.snapshot(request(), 1).source("orders")
    types = {column.name: column for column in source.columns}
    assert types["feeling"] == Column(name="feeling", type="enum mood", labels=("sad", "happy"))
    assert types["further"].type == 'enum other."Mood"'
    assert types["moods"] == Column(name="moods", type="enum mood[]", labels=("sad", "happy"))
    assert (types["nothing"].type, types["nothing"].labels) == ("enum empty", ())
    [row] = source.samples
    shown = row.pop("days")
    assert isinstance(shown, list) and (len(shown), shown[0]) == (10, "2024-01-02")
    assert row == {
        "at": "08:30:15", "id": KEY, "raw": '{"a":  1}', "doc": "[1, null]", "feeling": "happy", "further": "down",
        "body": "\\x00ff", "i2": [1, None], "n52": ["1.50"], "v3": ["abc", ""], "c3": ["ab"],
        "tz": ["2024-03-31T02:30:00+00:00"], "ids": [KEY], "docs": None, "moods": ["sad", None], "nothing": None,
        "flags": [True, None, False], "f": [1.5, "NaN"],
    }  # fmt: skip


@pytest.mark.parametrize("declared", ["enum moods", "enum moods[]", "enum integer", 'enum "Mood"'])
def test_a_declared_enum_must_be_there(sql: Sql, database: PostgresDatabase, declared: str) -> None:
    """A target is created, its types are not."""
    sql(f"{ENUMS}; CREATE TABLE orders (id integer)")
    target = {"name": "fresh", "columns": ["id", {"name": "x", "type": declared}]}
    with pytest.raises(InvalidRequestError) as caught:
        database.snapshot(request(target), 0)
    [problem] = caught.value.problems
    assert problem.path == "specs.target_table.columns[1].type"
    assert problem.message.startswith("there is no enum ")
