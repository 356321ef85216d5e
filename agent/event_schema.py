"""JSON Schema of an event, for editors, and of a bare specification, for a generator's structured output.

Both show the recommended forms; the reader takes other spellings too.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from agent.request import Request
from prompts import render

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}


def _object(told: str, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": told,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _told(schema: Schema, told: str) -> Schema:
    return {**schema, "description": told}


def _list(items: Schema, told: str) -> Schema:
    return {"type": "array", "items": items, "description": told}


_VALUES: Schema = {
    "description": "A number, a text, true, false; a date as `2024-01-31`; a list for IN, two values for BETWEEN.",
    "anyOf": [
        *({"type": kind} for kind in ("string", "number", "boolean", "null")),
        {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
    ],
}
_SORT_KEY = _object(
    "A column to sort by.",
    ("order", "nulls"),
    column=_told(_TEXT, "A column, an aggregate's alias or a new column."),
    order={"enum": ["asc", "desc"], "type": "string", "description": "The direction."},
    nulls={"enum": ["first", "last"], "type": "string", "description": "The place of NULLs."},
)
_SORT_KEYS = _list({"anyOf": [_TEXT, {"$ref": "#/$defs/SortKey"}]}, "The order, the most important column first.")
_ALTERNATIVES = _object(
    "Filters of which one is enough.", (), **{"or": _list({"$ref": "#/$defs/FilterForm"}, "The alternatives.")}
)
_ALIAS = _told(_TEXT, "The new column.")
_PARTITION = _list(_TEXT, "The window sees the rows that are equal in these columns; all rows when empty.")
_COLUMN = _told(_TEXT, "The column that is computed from.")


def _step(kind: str, told: str, details: Schema | None) -> Schema:
    """A transformation of one type; None for a type without details."""
    properties = {
        "type": {"type": "string", "const": kind, "description": told},
        "description": _told(_TEXT, "The step in words: a comment."),
        **({"details": details} if details is not None else {}),
    }
    return _object(told, ("description",), **properties)


def _window(functions: list[str], told: str, optional: tuple[str, ...], **more: Schema) -> Schema:
    function = {"enum": functions, "type": "string", "description": "The function."}
    return _object(
        told, optional, function=function, alias=_ALIAS, **more, partition_by=_PARTITION, order_by=_SORT_KEYS
    )


_STEPS = [
    _step("window", "A new column that ranks rows.", _window(
        ["rank", "dense_rank", "row_number"], "A ranking.", ("partition_by",))),
    _step("window", "A new column from an earlier or later row.", _window(
        ["lag", "lead"], "A look at another row.", ("partition_by", "offset"), column=_COLUMN,
        offset={"type": "integer", "description": "Rows back for lag, ahead for lead."})),
    _step("window", "A new column: a running total with `order_by`, else the total of the partition.", _window(
        ["sum", "avg", "min", "max", "count"], "An aggregate beside each row.", ("partition_by", "order_by"),
        column=_told(_COLUMN, "The column, or `*` to count rows."))),
    _step("sort", "The order, for a limit.", _object("The order.", columns=_SORT_KEYS)),
    _step("limit", "Only the first rows of the order.", _object(
        "The number of rows.", ("with_ties",), n={"type": "integer", "description": "Rows to keep."},
        with_ties={"type": "boolean", "description": "True: rows that tie with the last one are kept too."})),
    _step("distinct", "Equal rows of the result are kept once.", None),
    _step("union", "Stacks tables with the same columns, before any join.", _object(
        "The tables.", ("alias",), tables=_list(_TEXT, "Names or aliases of source tables."),
        all={"type": "boolean", "description": "True keeps every row, false keeps equal rows once."},
        alias=_told(_TEXT, "Name of the stacked source."))),
]  # fmt: skip
_OTHER_STEPS = {
    "type": "object",
    "description": "A step that has a list of its own too, or that renames or spreads columns.",
    "properties": {
        "type": {"type": "string", "enum": ["filter", "join", "aggregate", "derive", "select", "rename", "pivot"]},
        "description": _told(_TEXT, "The step in words: a comment."),
        "details": {"type": "object", "description": "The step's structured form."},
    },
    "required": ["type"],
    "additionalProperties": False,
}


def event_schema() -> Schema:
    """JSON Schema of an event. From the terminal `run_id` may be missing."""
    schema: Schema = _closed(Request.model_json_schema())
    definitions = schema["$defs"]
    definitions["SortKey"] = _SORT_KEY
    definitions["FilterForm"]["properties"]["value"] = _VALUES
    definitions["TransformationForm"] = {"anyOf": [*_STEPS, _OTHER_STEPS]}
    for form in ("FilterForm", "JoinForm", "AggregationForm", "DerivedColumnForm"):
        definitions[form]["properties"]["description"] = _told(_TEXT, "The same in words: a comment.")
    definitions["Alternatives"] = _ALTERNATIVES
    specification = definitions["Specification"]
    filters = specification["properties"]["filters"]
    filters["items"] = {"anyOf": [filters["items"], {"$ref": "#/$defs/Alternatives"}]}
    specification["description"] = "Sources, steps and target."
    _shorthand(specification["properties"]["source_tables"])
    _shorthand(definitions["TargetTable"]["properties"]["columns"])
    return {"$schema": DIALECT, "title": "DataMorph event", **schema, "required": ["specs"]}


def specification_schema() -> Schema:
    """JSON Schema of a bare specification: closed, without references, every key required.

    Language models fill it in as structured output; null, an empty list and an empty text mean that nothing is said.
    """
    event = event_schema()
    definitions = event["$defs"] | {"TransformationForm": {"anyOf": _STEPS}}
    schema = _resolved(definitions["Specification"], definitions)
    return {"$schema": DIALECT, "title": "DataMorph specification", **schema}


def specification_prompt() -> str:
    """The prompt for a language model that writes specifications."""
    return render("specify", fields="\n".join(outline(specification_schema())), steps="\n".join(steps()))


def steps() -> Iterator[str]:
    """The recommended types of transformations, each with the keys of its details."""
    for step in _STEPS:
        properties = step["properties"]
        keys = ", ".join(f"`{key}`" for key in properties.get("details", {}).get("properties", ()))
        functions = properties.get("details", {}).get("properties", {}).get("function", {}).get("enum", ())
        with_functions = f" Functions: {', '.join(functions)}." if functions else ""
        with_keys = f" Details: {keys}." if keys else " No details."
        yield f"- `{properties['type']['const']}`: {step['description']}{with_keys}{with_functions}"


def outline(schema: Schema, depth: int = 0) -> Iterator[str]:
    """The keys of a schema of `specification_schema` as an indented list, each with its meaning."""
    for name, value in schema["properties"].items():
        yield f"{'  ' * depth}- `{name}`: {_meaning(value)}"
        for inner in _objects(value):
            yield from outline(inner, depth + 1)


def _meaning(schema: Schema) -> str:
    words = schema.get("enum")
    told = str(schema.get("description", ""))
    return f"{told} One of {', '.join(f'`{word}`' for word in words)}." if words else told


def _objects(schema: Schema) -> Iterator[Schema]:
    """The objects that stand in a value; of several forms the first one."""
    inner = schema.get("items", schema)
    inner = inner["anyOf"][0] if "anyOf" in inner else inner
    if "const" in inner.get("properties", {}).get("type", {}):
        return  # the types of transformations are told by `steps`
    if "properties" in inner:
        yield inner


def _closed(schema: Any) -> Any:
    """Without titles and defaults; unknown keys are faults in every object of named properties."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: {name: _closed(item) for name, item in value.items()} if key in ("properties", "$defs") else _closed(value)
        for key, value in schema.items()
        if key not in ("title", "default")
    }
    return found | {"additionalProperties": False} if "properties" in found else found


def _shorthand(schema: Schema) -> None:
    """Let a list of objects take names too."""
    schema["items"] = {"anyOf": [_TEXT, schema["items"]]}


def _resolved(schema: Any, definitions: Schema) -> Any:
    """A copy without references, lengths and shorthands, every property required."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return deepcopy(schema)
    if reference := schema.get("$ref"):
        inner = _resolved(definitions[reference.rpartition("/")[2]], definitions)
        return inner | {key: value for key, value in schema.items() if key != "$ref"}
    if _is_shorthand(schema):
        return _resolved(schema["anyOf"][1], definitions)
    found = {
        key: {name: _resolved(item, definitions) for name, item in value.items()}
        if key == "properties"
        else _resolved(value, definitions)
        for key, value in schema.items()
        if key not in ("minLength", "minItems")
    }
    return found | {"required": [*found["properties"]]} if "properties" in found else found


def _is_shorthand(schema: Schema) -> bool:
    return len(schema.get("anyOf", ())) == 2 and schema["anyOf"][0] == _TEXT and "$ref" in schema["anyOf"][1]
