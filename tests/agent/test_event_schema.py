"""JSON Schema of events and specifications, and the prompt for those who write them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan, read_specification
from agent.event_schema import Schema, event_schema, specification_prompt, specification_schema
from agent.request import Request, parse_request
from agent.snapshot import event_snapshot

ROOT = Path(__file__).parents[2]
TABLES = {
    "customers": {"customer_id": "integer", "name": "text", "country": "text"},
    "orders": {
        "order_id": "integer",
        "customer_id": "integer",
        "placed": "date",
        "status": "text",
        "amount": "numeric(10,2)",
    },
}
SCHEMAS = {
    table: {"columns": [{"name": name, "type": kind} for name, kind in columns.items()]}
    for table, columns in TABLES.items()
}
EXAMPLE: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", specification_prompt(), re.DOTALL)[0])
STEPS = [
    {"type": "window", "details": {"function": "rank", "alias": "n", "order_by": ["order_id"]}},
    {"type": "window", "details": {"function": "lag", "alias": "n", "column": "amount", "order_by": ["order_id"]}},
    {"type": "window", "details": {"function": "sum", "alias": "n", "column": "amount"}},
    {"type": "distinct"},
]


def request_for(specs: dict[str, Any]) -> Request:
    return parse_request({"run_id": "r1", "specs": specs, "source_schemas": SCHEMAS})


def faults(schema: Schema, value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def objects(schema: Any) -> list[Schema]:
    """All objects of named properties in a schema."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    return ([schema] if "properties" in schema else []) + objects(list(schema.values()))


def filled(schema: Schema, value: Any) -> Any:
    """The value with every key that the schema requires: null, an empty list or text, false."""
    if "anyOf" in schema:
        fitting = [one for one in schema["anyOf"] if not faults(one, filled(one, value))]
        return filled(fitting[0], value) if fitting else value
    if isinstance(value, list):
        return [filled(schema["items"], item) for item in value]
    if not isinstance(value, dict):
        short = next((key for key in ("column", "name", "table_name") if key in schema.get("properties", ())), None)
        return filled(schema, {short: value, **({"nulls": "last"} if short == "column" else {})}) if short else value
    return {
        name: filled(inner, value[name]) if name in value else nothing(inner)
        for name, inner in schema["properties"].items()
    } | {name: item for name, item in value.items() if name not in schema["properties"]}


def nothing(schema: Schema) -> Any:
    if any(one.get("type") == "null" for one in schema.get("anyOf", ())):
        return None
    if schema["type"] == "object":
        return filled(schema, {})
    return {"string": schema.get("enum", [""])[0], "array": [], "boolean": False, "integer": 1}[schema["type"]]


@pytest.mark.parametrize("schema", [event_schema(), specification_schema()], ids=["event", "specification"])
def test_both_are_valid_schemas(schema: Schema) -> None:
    """Of draft 2020-12; unknown keys are faults everywhere."""
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert [one for one in objects(schema) if one.get("additionalProperties") is not False] == []


def test_structured_output_can_fill_in_the_specification() -> None:
    """Every key is required and described, nothing is referred to, and no keyword is used that providers refuse."""
    schema = specification_schema()
    text = json.dumps(schema)
    assert [one for one in objects(schema) if one["required"] != [*one["properties"]]] == []
    assert [
        name for one in objects(schema) for name, inner in one["properties"].items() if not inner.get("description")
    ] == []
    assert [
        word for word in ("$ref", "minLength", "minItems", "default", "pattern", "format") if f'"{word}"' in text
    ] == []


@pytest.mark.parametrize(
    "path", ["examples/carrier_delays.json", *(str(p.relative_to(ROOT)) for p in ROOT.glob("examples/*/*.json"))]
)
def test_the_examples_of_this_repository_are_valid(path: str) -> None:
    """They show the recommended forms."""
    assert faults(event_schema(), json.loads((ROOT / path).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"derived_columns": [{"name": "a", "expression": "b", "exprs": ""}]}, "'exprs' was unexpected"),
        ({"join_conditions": [{"left_table": "a", "right_table": "b", "join_type": "sideways"}]}, "'sideways'"),
        ({"target_table": {}}, "'name' is a required property"),
    ],
)
def test_an_editor_marks_a_mistake(change: dict[str, Any], words: str) -> None:
    """An unknown key, a wrong word, a missing name."""
    assert words in " ".join(faults(event_schema(), {"specs": {**EXAMPLE, **change}}))


def test_alternatives_are_a_form_of_their_own() -> None:
    """As the prompt names it; both schemas and the reader take it."""
    either = {"or": [{"column": "o.status", "operator": "=", "value": word} for word in ("paid", "open")]}
    specs = {**EXAMPLE, "filters": [either]}
    assert '`{"or": [filter, filter]}`' in specification_prompt()
    assert faults(event_schema(), {"specs": specs}) == []
    schema = specification_schema()
    assert faults(schema, filled(schema, specs)) == []
    request = request_for(specs)
    assert read_specification(request, event_snapshot(request)).certain_plan()


def test_the_example_of_the_prompt_is_read_without_a_doubt() -> None:
    """And is valid by both schemas."""
    request = request_for(EXAMPLE)
    reading = read_specification(request, event_snapshot(request))
    assert (reading.problems, reading.beyond, reading.unread, reading.notes) == ((), (), (), ())
    assert compile_transform(reading.certain_plan())
    assert faults(event_schema(), {"specs": EXAMPLE}) == []
    schema = specification_schema()
    assert faults(schema, filled(schema, EXAMPLE)) == []


@pytest.mark.parametrize("steps", [[one] for one in STEPS], ids=lambda steps: steps[0]["type"])
def test_empty_values_say_nothing(steps: list[dict[str, Any]]) -> None:
    """A specification with every key of the structured output means the same as the short one."""
    short = EXAMPLE
    if steps[0]["type"] != "sort":
        target = {"name": "t", "columns": ["order_id", *(one["details"]["alias"] for one in steps if "details" in one)]}
        short = {"source_tables": ["orders"], "target_table": target, "transformations": steps}
    schema = specification_schema()
    long = filled(schema, short)
    assert faults(schema, long) == []
    first, second = request_for(short), request_for(long)
    assert build_plan(first, event_snapshot(first)) == build_plan(second, event_snapshot(second))
