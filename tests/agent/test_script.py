"""The script around a transform."""

from __future__ import annotations

import ast

import pytest

from agent.request import Request, parse_request
from agent.script import assemble, target_columns
from agent.snapshot import Column, Snapshot, Source, Target

TRANSFORM = 'def transform(sources):\n    return sources["o"]\n'


def request(**target: object) -> Request:
    specs = {"source_tables": [{"table_name": "orders", "alias": "o"}], "target_table": {"name": "t"} | target}
    return parse_request({"run_id": "r", "specs": specs})


def snapshot(*columns: Column, name: str = "t") -> Snapshot:
    source = Source(key="o", table="orders", relation="public.orders", columns=(Column(name="id", type="integer"),))
    return Snapshot(
        sources=(source,), target=Target(name=name, exists=bool(columns), columns=columns), origin="database"
    )


def test_it_is_python_of_glue_4() -> None:
    """Glue 4.0 runs Python 3.10."""
    ast.parse(assemble(TRANSFORM, request(), snapshot(), "dmdb-connection").text, feature_version=(3, 10))


def test_it_knows_where_the_transform_stands() -> None:
    """So that an error's line can be told in the model's own function."""
    script = assemble(TRANSFORM, request(), snapshot(), "dmdb-connection")
    assert script.text.splitlines()[script.transform_line - 1] == "def transform(sources):"
    assert script.line_in_transform(script.transform_line + 1) == 2
    assert script.line_in_transform(script.transform_line + 2) is None
    assert script.line_in_transform(None) is None


def test_the_same_input_gives_the_same_script() -> None:
    """The job's name rests on the script's hash."""
    assert assemble(TRANSFORM, request(), snapshot(), "c") == assemble(TRANSFORM, request(), snapshot(), "c")


@pytest.mark.parametrize("name", ['evil""" + boom() + """', "back\\slash", "line\nbreak", "$transform"])
def test_no_name_breaks_out_of_the_script(name: str) -> None:
    """Names are data, also in the docstring."""
    script = assemble(TRANSFORM, request(), snapshot(name=name), "c")
    calls = [node.func for node in ast.walk(ast.parse(script.text)) if isinstance(node, ast.Call)]
    assert "boom" not in [call.id for call in calls if isinstance(call, ast.Name)]


def test_listed_columns_take_the_existing_target_s_types() -> None:
    """What is declared does not overrule what is there."""
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
