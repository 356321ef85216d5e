"""Glue's requests and answers checked against botocore's service model, member by member."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

_ASTRAL = ("\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\U00010000-\\U0010FFFF")
"""UTF-16 pairs, as the model writes them, and what Python calls the same characters."""

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),
}


@cache
def glue_model() -> Any:
    """Glue's service model, as the installed botocore has it."""
    from botocore.session import get_session

    return get_session().get_service_model("glue")


def wrong_request(operation: str, parameters: object) -> list[str]:
    """Problems of a request's body; empty when the model allows it."""
    shape = glue_model().operation_model(operation).input_shape
    return [f"{operation} request: {fault}" for fault in _faults(parameters, shape, operation)]


def wrong_answer(operation: str, answer: object) -> list[str]:
    """Problems of an answer's body; empty when the model allows it."""
    shape = glue_model().operation_model(operation).output_shape
    return [f"{operation} answer: {fault}" for fault in _faults(answer, shape, operation)]


def wrong_error(operation: str, code: str) -> list[str]:
    """A complaint when the model does not know this error of the operation."""
    known = [shape.name for shape in glue_model().operation_model(operation).error_shapes]
    return [] if code in known else [f"{operation} error: {code} is none of {known}"]


def _faults(value: object, shape: Any, where: str) -> Iterator[str]:
    types = _TYPES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{where} is {value!r}, not a {shape.type_name}"
        return
    size = len(value) if isinstance(value, str | list | dict) else value
    if (low := shape.metadata.get("min")) is not None and size < low:
        yield f"{where} is {size}, below the minimum of {low}"
    if (high := shape.metadata.get("max")) is not None and size > high:
        yield f"{where} is {size}, above the maximum of {high}"
    if shape.type_name in _INNER:
        yield from _INNER[shape.type_name](value, shape, where)


def _in_structure(value: Any, shape: Any, where: str) -> Iterator[str]:
    yield from (f"{where} lacks {name}" for name in shape.required_members if name not in value)
    for name, member in value.items():
        if name in shape.members:
            yield from _faults(member, shape.members[name], f"{where}.{name}")
        else:
            yield f"{where} has no member {name}"


def _in_map(value: Any, shape: Any, where: str) -> Iterator[str]:
    for key, member in value.items():
        yield from _faults(key, shape.key, f"{where} key")
        yield from _faults(member, shape.value, f"{where}[{key}]")


def _in_list(value: Any, shape: Any, where: str) -> Iterator[str]:
    for index, member in enumerate(value):
        yield from _faults(member, shape.member, f"{where}[{index}]")


def _in_string(value: Any, shape: Any, where: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{where} is {value!r}, none of {shape.enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace(*_ASTRAL), value):
        yield f"{where} is {value!r}, which does not match {pattern}"


_INNER: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
    "structure": _in_structure,
    "map": _in_map,
    "list": _in_list,
    "string": _in_string,
}
