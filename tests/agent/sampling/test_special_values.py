"""Sample cells of the types that Spark sees as something else: time, uuid, json, enum, bytea and arrays."""

from __future__ import annotations

from operator import ge, lt
from typing import Any

import pytest
from pydantic import JsonValue

from agent.sampling.made_values import fitted, generated
from agent.sampling.masking import mask_rows
from agent.snapshot import Column, Row
from tests.agent.sampling.scene import is_valid, on, rows_of, source, where

MOOD = Column(name="mood", type="enum mood", labels=("sad", "happy"))
TYPES = {
    "t": "time without time zone!", "u": "uuid!", "j": "json!", "b": "jsonb!", "y": "bytea!",
    "ints": "integer[]!", "texts": "character varying(3)[]!", "numbers": "numeric(5,2)[]!", "ids": "uuid[]!",
    "days": "date[]!", "moments": "timestamp with time zone[]!",
}  # fmt: skip


def test_every_type_gets_valid_cells() -> None:
    """The same in every run, and not one value for all rows."""
    listed = source("x", TYPES)
    listed = listed.model_copy(update={"columns": (*listed.columns, MOOD)})
    rows = rows_of(listed)["x"]
    assert rows == rows_of(listed)["x"]
    for column in listed.columns:
        cells = [row[column.name] for row in rows if row[column.name] is not None]
        assert all(is_valid(cell, column) for cell in cells), (column, cells)
        assert len({str(cell) for cell in cells}) > 1


FITTED: list[tuple[str, JsonValue, JsonValue]] = [
    ("time", "08:30", "08:30:00"),
    ("time", "1970-01-01T08:30:15", "08:30:15"),
    ("time", "08:30:15.25", None),
    ("time", "24:00:00", None),
    ("time", "1971-01-01T08:30:15", None),
    ("time", 830, None),
    ("uuid", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("uuid", "a0eebc99", None),
    ("jsonb", {"a": [1, None]}, '{"a": [1, null]}'),
    ("jsonb", [], "[]"),
    ("jsonb", 1.5, "1.5"),
    ("json", '{"a":   1}', '{"a":   1}'),
    ("json", "{cut of", None),
    ("json", '"\ud800"', None),
    ("bytea", r"\x00FF", r"\x00ff"),
    ("bytea", r"\x00f", None),
    ("bytea", "text", None),
    ("enum mood", "sad", "sad"),
    ("enum mood", {"a": 1}, None),
    ("integer[]", [1, None, "3"], [1, None, 3]),
    ("integer[]", [], []),
    ("integer[]", [1, "x"], None),
    ("integer[]", [[1]], None),
    ("integer[]", "{1}", None),
    ("character varying(3)[]", ["abcd"], None),
]


@pytest.mark.parametrize(("kind", "value", "cell"), FITTED)
def test_a_value_is_brought_into_the_type_or_left_out(kind: str, value: JsonValue, cell: JsonValue) -> None:
    """Nothing that PostgreSQL would refuse, or Spark would cut, gets into a dry run."""
    assert fitted(value, Column(name="x", type=kind)) == cell


def test_an_enum_takes_its_own_values_only() -> None:
    """Where the database told them."""
    assert [fitted(value, MOOD) for value in ("happy", "glad")] == ["happy", None]
    assert [generated(MOOD, index) for index in range(3)] == ["sad", "happy", "sad"]


@pytest.mark.parametrize(
    ("kind", "operator", "value", "keep"),
    [
        ("time without time zone", ">=", "09:00:00", ge),
        ("time without time zone", "<", "23:59", lt),
        ("uuid", "=", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", lambda a, b: a == b.lower()),
        ("bytea", "!=", r"\x00", lambda a, b: a != b),
    ],
)
def test_a_filter_has_rows_on_both_sides(kind: str, operator: str, value: str, keep: Any) -> None:
    """As with any other type."""
    cells = [row["x"] for row in rows_of(source("t", {"x": f"{kind}!"}), filters=[where("x", operator, value)])["t"]]
    assert {keep(cell, value) for cell in cells} == {True, False}


def test_uuid_keys_meet() -> None:
    """And arrays as keys do no harm."""
    left, right = source("a", {"id": "uuid!", "tags": "text[]!"}), source("b", {"id": "uuid!", "tags": "text[]!"})
    rows = rows_of(left, right, joins=[on("a", "b", "id")])
    assert {row["id"] for row in rows["a"]} & {row["id"] for row in rows["b"]}
    assert rows_of(left, right, joins=[on("a", "b", "tags")])["a"][0]["tags"] == ["tags_1", "tags_2"]


def test_masked_cells_are_still_of_their_types() -> None:
    """Their content is gone."""
    columns = [Column(name=name, type=kind.rstrip("!")) for name, kind in TYPES.items()]
    row: Row = {
        "t": "08:30:15", "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "j": '{"Name": "Ann", "age": 7}',
        "b": None, "y": r"\x00ff", "ints": [123, None], "texts": ["Abc"], "numbers": ["19.99"],
        "ids": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "days": ["2024-05-17"], "moments": [],
    }  # fmt: skip
    assert mask_rows([row], columns) == (
        {
            "t": "00:00:00", "u": "00000000-0000-0000-0000-000000000000", "j": '{"Aaaa": "Aaa", "aaa": 9}',
            "b": None, "y": r"\x0000", "ints": [100, None], "texts": ["Aaa"], "numbers": ["10.00"],
            "ids": ["00000000-0000-0000-0000-000000000000"], "days": ["2024-01-01"], "moments": [],
        },
    )  # fmt: skip
