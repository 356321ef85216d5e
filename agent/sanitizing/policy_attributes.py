"""The policy for attributes: listed members of modules and calls of listed methods; all others are refused.

A column as an attribute (`orders.amount`) is refused too: a closed list cannot tell it from a method, and it breaks
after joins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.findings import Finding
from agent.nearest import nearest
from agent.sanitizing.library import FUNCTIONS_MODULE, TYPES_MODULE, is_module, members_of
from agent.sanitizing.policy_context import Context, finding
from agent.sanitizing.python_names import CONTAINER_METHODS, PLAIN_METHODS, PLAIN_PROPERTIES, TEXT_METHODS
from agent.sanitizing.spark_names import (
    ACTIONS,
    COLUMN_METHODS,
    ESCAPES,
    FRAME_METHODS,
    FRAME_PROPERTIES,
    FUNCTIONS_SINCE,
    GROUPED_METHODS,
    NA_METHODS,
    NEWER_METHODS,
    SQL_FUNCTIONS,
    TYPE_METHODS,
    TYPE_PROPERTIES,
    UDF_NAMES,
    UNSTABLE_FUNCTIONS,
    UNSTABLE_METHODS,
    WINDOW_METHODS,
    since,
    words,
)
from agent.sanitizing.value_kinds import AtomKind, Value, kinds

_METHODS: dict[AtomKind, frozenset[str]] = {
    "column": COLUMN_METHODS | {"alias", "name"},
    "frame": FRAME_METHODS | {"alias", "replace"},
    "grouped": GROUPED_METHODS,
    "na": NA_METHODS,
    "window": WINDOW_METHODS,
    "type": TYPE_METHODS,
    "text": frozenset(TEXT_METHODS),
    "list": frozenset(CONTAINER_METHODS),
    "dict": frozenset(CONTAINER_METHODS),
    "sources": words("copy get items keys values"),
    "plain": frozenset(PLAIN_METHODS),
}
_PROPERTIES: dict[AtomKind, frozenset[str]] = {
    "frame": FRAME_PROPERTIES,
    "type": TYPE_PROPERTIES,
    "plain": PLAIN_PROPERTIES,
    "member": words("utc max min"),
}
_ALL_METHODS = frozenset().union(*_METHODS.values())
_ALL_PROPERTIES = frozenset().union(*_PROPERTIES.values())
_NOUNS: dict[AtomKind, str] = {
    "column": "a Column", "frame": "a DataFrame", "grouped": "a grouped DataFrame", "na": "df.na", "window": "a window",
    "type": "a type", "text": "a text", "list": "a list", "dict": "a dictionary", "sources": "`sources`",
    "plain": "a plain value",
}  # fmt: skip
_ACTION_HINTS = {
    "count": "count rows with F.count inside agg; the script counts the result itself",
    "collect": "join the DataFrame instead of collecting it",
    "first": "use F.first inside agg, or row_number over a window; join or cross join a value that was aggregated",
    "show": "leave it out: a job has no screen",
    "cache": "leave it out: the script keeps the result itself",
    "persist": "leave it out: the script keeps the result itself",
}


def check_attribute(node: ast.Attribute, context: Context) -> Iterator[Finding]:
    """Check that an attribute is read, is listed for its owner's kind, and is called if it is a method."""
    found = _check(node, context)
    if found is not None:
        yield found


def _check(node: ast.Attribute, context: Context) -> Finding | None:
    name, line = node.attr, node.lineno
    if not isinstance(node.ctx, ast.Load):
        return finding("attribute", f"the attribute {name!r} is assigned", line, "assign to a local variable")
    if name.startswith("_"):
        return finding("attribute", f"the private attribute {name!r}", line, "use public methods")
    if name in UDF_NAMES:
        reason = "is not supported yet, although allow_udfs is set" if context.allow_udfs else "is not allowed"
        return finding("udf", f"the user-defined function {name} {reason}", line, "use the functions of F")
    owners = context.members(node.value)
    for owner in owners:
        if refused := _check_member(node, owner, context):
            return refused
    rest = frozenset(atom for atom in context.of(node.value) if atom.kind not in ("module", "member", "none"))
    return None if owners and not rest else _check_method(node, rest, context)


def _check_member(node: ast.Attribute, owner: str, context: Context) -> Finding | None:
    name, line = node.attr, node.lineno
    if not (context.is_listed(owner) or is_module(owner) or owner.startswith("builtins.")):
        return None  # the owner itself was refused
    dotted = context.members(node) or [f"{owner}.{name}"]
    if all(map(context.is_listed, dotted)):
        return None
    if owner == FUNCTIONS_MODULE:
        return _refused_function(name, line, context)
    short = {TYPES_MODULE: "T", "pyspark.sql.Window": "Window"}.get(owner, owner.removeprefix("builtins."))
    hint = _nearest(name, members_of(owner, context.runtime), f"{short}.") or f"use a listed name of {short}"
    return finding("attribute", f"{short} has no allowed name {name!r}", line, hint)


def _refused_function(name: str, line: int, context: Context) -> Finding:
    runtime = context.runtime
    if name in UNSTABLE_FUNCTIONS:
        message = f"F.{name} gives another value when Spark retries a task"
        return finding("function", message, line, "number rows with F.row_number over an ordered window")
    near = _nearest(name, members_of(FUNCTIONS_MODULE, runtime), "F.") or "use the functions of F"
    if version := since(name, FUNCTIONS_SINCE):
        message = (
            f"F.{name} exists only since Spark {version[0]}.{version[1]}; Glue {runtime.glue} has {runtime.spark_name}"
        )
        return finding("function", message, line, f'write F.expr("{name}(...)")' if name in SQL_FUNCTIONS else near)
    return finding("function", f"F has no allowed function {name!r}", line, near)


def _check_method(node: ast.Attribute, owner: Value, context: Context) -> Finding | None:
    name, line, of = node.attr, node.lineno, kinds(owner)
    known = {kind for kind in of if kind in _METHODS}
    certain = bool(of) and known == of
    if known and any(name in _METHODS[kind] | _PROPERTIES.get(kind, frozenset()) for kind in known):
        return _check_called(node, known, context)
    if name in ESCAPES:
        return finding("attribute", f".{name} leads out of the transform", line, "return the DataFrame; use `sources`")
    if name in UNSTABLE_METHODS:
        return finding("attribute", f".{name} chooses other rows each time", line, "choose rows by a condition")
    if name in ACTIONS and context.is_called(node) and not certain | bool(of & {"frame", "grouped"}):
        return _action(name, line)
    if name in ACTIONS and of & {"frame", "grouped"}:
        return _action(name, line)
    if not certain and name in _ALL_METHODS | _ALL_PROPERTIES:
        return _check_called(node, set(_METHODS), context)
    return _unknown(node, known if certain else set(), context)


def _action(name: str, line: int) -> Finding:
    hint = _ACTION_HINTS.get(name, "return the DataFrame; the script runs it once")
    return finding("action", f".{name}() starts a job or moves rows to the driver", line, hint)


def _check_called(node: ast.Attribute, of: set[AtomKind], context: Context) -> Finding | None:
    """Check that a method is called where it stands, and that the runtime's Spark has the name."""
    name, line = node.attr, node.lineno
    version = NEWER_METHODS.get(name, (0, 0))
    if of & {"frame", "na"} and version > context.runtime.spark:
        message = f".{name} exists only since Spark {version[0]}.{version[1]}"
        return finding(
            "attribute", f"{message}; Glue {context.runtime.glue} has {context.runtime.spark_name}", line, "use select"
        )
    if any(name in _PROPERTIES.get(kind, frozenset()) for kind in of) or context.is_called(node):
        return None
    if "frame" in of or "column" in of:
        return finding("attribute", f"the attribute .{name}", line, f'write F.col("{name}") or F.col("alias.{name}")')
    return finding("attribute", f"the method .{name} is not called", line, f"write .{name}(...) or a lambda")


def _unknown(node: ast.Attribute, of: set[AtomKind], context: Context) -> Finding:
    name, line = node.attr, node.lineno
    if not context.is_called(node):
        return finding("attribute", f"the attribute .{name}", line, f'write F.col("{name}") or F.col("alias.{name}")')
    methods = frozenset().union(*(_METHODS[kind] for kind in of)) if of else _ALL_METHODS
    what = f"{' or '.join(sorted(_NOUNS[kind] for kind in of))} has no allowed method" if of else "the method"
    message = f"{what} .{name}()" if of else f"the method .{name}() is not allowed"
    if "column" in of and name in members_of(FUNCTIONS_MODULE, context.runtime):
        return finding("attribute", message, line, f"write F.{name}(...)")
    hint = _nearest(name, methods, ".") or "use the functions of F and the usual DataFrame methods"
    return finding("attribute", message, line, hint)


def _nearest(name: str, names: frozenset[str], prefix: str) -> str:
    near = nearest(name, names)
    return f"did you mean {prefix}{near}?" if near else ""
