"""Messages for an event of the wrong shape: pydantic's findings in the words of JSON, with the right form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from agent.errors import Problem
from agent.nearest import did_you_mean

EMPTY = "needs at least 1 item"

_NEEDED = {
    "string_type": "a text is needed",
    "string_too_short": "a text that is not empty is needed",
    "bool_type": "true or false is needed",
    "float_type": "a number is needed",
    "dict_type": "an object is needed",
}


def path_of(location: Iterable[int | str]) -> str:
    """A location as a path: `("specs", "filters", 0, "value")` is `specs.filters[0].value`."""
    text = "".join(f".{part}" if isinstance(part, str) and _readable(part) else f"[{part!r}]" for part in location)
    return text.removeprefix(".") or "event"


def _readable(key: str) -> bool:
    """False for a key that is invisible in a path, such as a blank one."""
    return bool(key.strip()) and key.isprintable()


def kind_of(value: object) -> str:
    """The JSON type of a value, as `a list`."""
    kinds = {list: "a list", str: "a string", type(None): "null", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), type(value).__name__)


def shape_problem(detail: Any, root: type[BaseModel]) -> Problem:
    """One of pydantic's findings about an instance of `root`, as a problem."""
    location = tuple(part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    return Problem(path_of(location), _message(detail, location, root))


def _message(detail: Any, location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    kind = detail["type"]
    if kind == "missing":
        known = _model_at(root, location[:-1]).model_fields
        unknown = [_shown(key) for key in detail["input"] if key not in known]
        return "is required" + (f"; not known here: {', '.join(unknown)}" if unknown else "")
    if kind == "extra_forbidden":
        known = _model_at(root, location[:-1]).model_fields
        return f"unknown key{did_you_mean(location[-1], known, listed=True)}"
    if kind == "too_short":
        return EMPTY
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    found = detail["input"]
    not_this = f"not {_shown(found)}"
    if kind == "literal_error":
        expected = detail["ctx"]["expected"]
        near = did_you_mean(found, re.findall(r"'([^']*)'", expected))
        return f"use one of {expected}, {not_this}{near or _way_out(found, location, root)}"
    return f"{_needed(detail, location, root)}, {not_this}{_way_out(found, location, root)}"


def _needed(detail: Any, location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    kind, found = detail["type"], detail["input"]
    if kind in ("tuple_type", "list_type"):
        return _list(found, _field_at(root, location), _model_at(root, location))
    if kind == "model_type":
        return _object(found, _model_at(root, location))
    return _NEEDED.get(kind) or f"{detail['msg'][0].lower()}{detail['msg'][1:]}"


def _list(found: object, annotation: object, items: type[BaseModel]) -> str:
    """The list that is needed, with the given value as its one item where that is right."""
    of_objects = _model_in(annotation) is not None
    if isinstance(found, str):
        return f"a list is needed, as [{_shown(found)}]"
    if of_objects and isinstance(found, dict) and found and set(found) <= set(items.model_fields):
        return "a list is needed, as [{…}]"
    return f"a list of objects with {_required(items)} is needed" if of_objects else "a list is needed"


def _object(found: object, model: type[BaseModel]) -> str:
    names = [name for name, field in model.model_fields.items() if field.is_required()]
    if not names:
        return "an object is needed"
    example = f", as {json.dumps({names[0]: found}, ensure_ascii=False)}" if isinstance(found, str) else ""
    return f"an object with {_required(model)} is needed{example if len(names) == 1 and len(example) < 90 else ''}"


def _required(model: type[BaseModel]) -> str:
    return " and ".join(f"`{name}`" for name, field in model.model_fields.items() if field.is_required())


def _way_out(found: object, location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    """The hint to leave out a null in an optional field; empty otherwise."""
    if found is not None or not location or not isinstance(location[-1], str):
        return ""
    field = _model_at(root, location[:-1]).model_fields.get(location[-1])
    return "; leave it out" if field is not None and not field.is_required() else ""


def _model_at(root: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of the object at a location, or of the items of the list there."""
    return _model_in(_field_at(root, location)) or _model_at(root, location[:-1]) if location else root


def _field_at(root: type[BaseModel], location: tuple[int | str, ...]) -> object:
    """The annotation at a location. Items of a list or mapping have the annotation of the list or mapping."""
    model: type[BaseModel] | None = root
    annotation: object = root
    is_key = False
    for part in location:
        if is_key or isinstance(part, int):
            is_key = False
            continue
        if model is None or part not in model.model_fields:
            continue
        annotation = model.model_fields[part].annotation
        model = _model_in(annotation)
        is_key = get_origin(annotation) is dict
    return annotation


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def follows(problem: Problem, problems: list[Problem]) -> bool:
    """True for a list that pydantic calls empty because all its items are wrong."""
    return problem.message == EMPTY and any(other.path.startswith(f"{problem.path}[") for other in problems)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
