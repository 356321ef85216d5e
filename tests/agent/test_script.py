"""The script around a transform."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from agent.request import Request, parse_request
from agent.script import assemble, target_columns
from agent.snapshot import Column, Snapshot, Source, Target

TRANSFORM = 'def transform(sources):\n    return sources["o"]\n'


def request(**target: object) -> Request:
    specs = {"source_tables": [{"table_name": "orders", "alias": "o"}], "target_table": {"name": "t"} | target}
    return parse_request({"run_id": "r", "specs": specs})


SOURCES = (Column(name="id", type="integer", nullable=False), Column(name="note", type="text"))


def snapshot(*columns: Column, name: str = "t", **changes: Any) -> Snapshot:
    given: dict[str, Any] = {"key": "o", "table": "orders", "relation": "public.orders", "columns": SOURCES, **changes}
    source = Source(**given)
    return Snapshot(
        sources=(source,), target=Target(name=name, exists=bool(columns), columns=columns), origin="database"
    )


def test_it_is_python_of_glue_4() -> None:
    """Glue 4.0 runs Python 3.10."""
    ast.parse(assemble(TRANSFORM, request(), snapshot(), "dmdb-connection").text, feature_version=(3, 10))


def test_it_knows_where_the_transform_stands() -> None:
    """An error's line is told as a line of the model's function."""
    script = assemble(TRANSFORM, request(), snapshot(), "dmdb-connection")
    assert script.text.splitlines()[script.transform_line - 1] == "def transform(sources):"
    assert script.line_in_transform(script.transform_line + 1) == 2
    assert script.line_in_transform(script.transform_line + 2) is None
    assert script.line_in_transform(None) is None


def test_the_same_input_gives_the_same_script() -> None:
    """The job's name contains the script's hash."""
    assert assemble(TRANSFORM, request(), snapshot(), "c") == assemble(TRANSFORM, request(), snapshot(), "c")


@pytest.mark.parametrize("name", ['evil""" + boom() + """', "back\\slash", "line\nbreak", "$transform"])
def test_no_name_breaks_out_of_the_script(name: str) -> None:
    """Names are data, also in the docstring."""
    script = assemble(TRANSFORM, request(), snapshot(name=name), "c")
    calls = [node.func for node in ast.walk(ast.parse(script.text)) if isinstance(node, ast.Call)]
    assert "boom" not in [call.id for call in calls if isinstance(call, ast.Name)]


def test_listed_columns_take_the_existing_target_s_types() -> None:
    """A declared type does not change an existing column."""
    existing = snapshot(Column(name="a", type="numeric(5,2)"), Column(name="b", type="text"))
    listed = request(columns=[{"name": "b", "type": "integer"}, "a", "new"])
    assert target_columns(listed, existing) == [
        ("b", "string", "text", True),
        ("a", "decimal(5,2)", "numeric(5,2)", True),
        ("new", None, "any type", True),
    ]


def test_without_a_list_the_existing_target_decides() -> None:
    """Generated columns are left out, those with a default are optional."""
    existing = snapshot(
        Column(name="id", type="integer", identity="by default"),
        Column(name="a", type="date"),
        Column(name="twice", type="integer", generated=True),
        Column(name="at", type="timestamp with time zone", has_default=True),
    )
    assert target_columns(request(), existing) == [
        ("id", "int", "integer", False),
        ("a", "date", "date", True),
        ("at", "timestamp", "timestamp with time zone", False),
    ]


def sources_of(text: str) -> Any:
    """The literal SOURCES of a script."""
    (assignment,) = [
        node for node in ast.parse(text).body if isinstance(node, ast.Assign) and "SOURCES" in ast.dump(node.targets[0])
    ]
    return ast.literal_eval(assignment.value)


def test_only_columns_that_are_read_are_in_the_script() -> None:
    """All columns are in it where the target takes whatever comes."""
    transform = 'def transform(sources):\n    return sources["o"].select(F.col("o.id"))\n'
    ((_, _, _, columns),) = sources_of(assemble(transform, request(columns=["id"]), snapshot(), "c").text)
    assert [name for name, *_ in columns] == ["id"]
    ((_, _, _, columns),) = sources_of(assemble(transform, request(), snapshot(), "c").text)
    assert [name for name, *_ in columns] == ["id", "note"]


def test_a_source_of_which_nothing_is_read_keeps_a_column() -> None:
    """The number of its rows may matter."""
    transform = 'def transform(sources):\n    return sources["o"].agg(F.count(F.lit(1)).alias("n"))\n'
    ((_, _, _, columns),) = sources_of(assemble(transform, request(columns=["n"]), snapshot(), "c").text)
    assert [name for name, *_ in columns] == ["id"]


LARGE: dict[str, Any] = {"rows_estimate": 1_000_001, "unique_keys": (("id",),)}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "id"),
        ({"rows_estimate": 1_000_000}, None),
        ({"rows_estimate": None}, None),
        ({"unique_keys": ()}, None),
        ({"unique_keys": (("id", "note"),)}, None),
        ({"unique_keys": (("note",), ("id",))}, "id"),
        ({"columns": (Column(name="id", type="integer"),)}, None),
        ({"columns": (Column(name="id", type="uuid", nullable=False),)}, None),
        ({"columns": (Column(name="Id", type="integer", nullable=False),), "unique_keys": (("Id",),)}, None),
    ],
)
def test_a_large_source_is_read_in_parallel_by_a_key(changes: dict[str, Any], found: str | None) -> None:
    """The key is one column, unique, never NULL and plainly named; without one a single reader reads."""
    ((_, _, by, _),) = sources_of(assemble(TRANSFORM, request(), snapshot(**{**LARGE, **changes}), "c").text)
    assert by == found
