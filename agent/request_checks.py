"""Checks of a well-formed request: problems that refuse it, and warnings."""

from __future__ import annotations

from pydantic import BaseModel

from agent.compiler.notes import Notes
from agent.compiler.problems import Problems
from agent.errors import Problem
from agent.nearest import did_you_mean
from agent.request import Request
from agent.validation_messages import path_of

KEYS_TOLD = 50
"""Unknown keys that are named in `warnings`."""


def unsupported(request: Request) -> list[Problem]:
    """A problem for each option that this version does not support."""
    options = request.options
    asked = {
        "options.allow_udfs": options.allow_udfs,
        "options.approve": options.approve,
        "options.budget_usd": options.budget_usd,
    }
    return [Problem(path, "is not supported in this version; leave it out") for path, value in asked.items() if value]


def misread(request: Request) -> list[Problem]:
    """The problems of the specification's entries that no model can make right either."""
    from agent.compiler.spec.entries import read_entries  # the reader is loaded when a request is read

    problems = Problems()
    read_entries(request.specs, problems, Notes())
    return [problem for problem in problems.found() if not problem.beyond]


def unknown_tables(request: Request) -> list[Problem]:
    """A problem for each schema and sample whose table is a mistyped source."""
    names = _source_names(request)
    near = [(path, did_you_mean(name, names)) for path, name in _of_no_source(request)]
    return [Problem(path, f"is no source{meant}") for path, meant in near if meant]


def unused(request: Request) -> list[str]:
    """Warnings for schemas, samples and keys that are not read: the first `KEYS_TOLD`."""
    names = _source_names(request)
    told = [f"{path}: is no source, and is not looked at" for path, name in _of_no_source(request)]
    for name, schema in request.source_schemas.items():
        extras = _extras(schema, ("source_schemas", name)) if name in names else []
        told += [f"{path}: unknown key, which is not looked at" for path in extras]
    return told[:KEYS_TOLD]


def _source_names(request: Request) -> list[str]:
    sources = request.specs.source_tables
    return list(dict.fromkeys(name for table in sources for name in table.names))


def _of_no_source(request: Request) -> list[tuple[str, str]]:
    """Path and table name of each schema and sample whose table is no source."""
    given = [("source_schemas", name) for name in request.source_schemas]
    given += [("source_data_samples", name) for name in request.source_data_samples]
    names = _source_names(request)
    return [(path_of((field, name)), name) for field, name in given if name not in names]


def unknown_keys(request: Request) -> list[str]:
    """Warnings for unknown keys of `specs`, which only the model reads: the first `KEYS_TOLD`, then their number."""
    from agent.compiler.spec.entries import read_entries  # the reader is loaded when a request is read

    problems = Problems()
    read_entries(request.specs, problems, Notes())
    paths = [problem.path for problem in problems.found() if problem.message.startswith("unknown key")]
    told = [f"{path}: unknown key; only the model sees it" for path in paths[:KEYS_TOLD]]
    more = len(paths) - len(told)
    return [*told, f"specs: {more} more unknown keys; only the model sees them"] if more > 0 else told


def _extras(value: object, at: tuple[int | str, ...]) -> list[str]:
    if isinstance(value, tuple):
        return [path for index, item in enumerate(value) for path in _extras(item, (*at, index))]
    if not isinstance(value, BaseModel):
        return []
    own = [path_of((*at, key)) for key in value.model_extra or {}]
    fields = [_extras(getattr(value, name), (*at, name)) for name in type(value).model_fields]
    return own + [path for paths in fields for path in paths]
