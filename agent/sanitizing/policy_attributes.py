"""The policy for attributes: `F.`, `T.` and `Window.` names, methods that are called, and nothing else.

A DataFrame's column as an attribute (`orders.amount`) cannot be told from a method by a closed list, breaks after
joins, and is refused.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from agent.diagnosis.findings import Finding
from agent.sanitizing.allowed_names import (
    ACTIONS,
    FUNCTIONS,
    HIGHER_ORDER_FUNCTIONS,
    METHODS,
    NEWER_FUNCTIONS,
    NEWER_METHODS,
    OUTSIDE,
    PROPERTIES,
    SQL_FUNCTIONS,
    TYPES,
    UDF_NAMES,
    UNSTABLE_FUNCTIONS,
    WINDOW_METHODS,
    WINDOW_VALUES,
    words,
)
from agent.sanitizing.policy_context import Context, finding

_GROUPING = words("cube groupBy groupby pivot rollup")
_ACTION_HINTS = {
    "count": "count rows with F.count inside agg; the script counts the result itself",
    "collect": "join the DataFrame instead of collecting it",
    "cache": "the script keeps the result itself",
    "persist": "the script keeps the result itself",
    "first": "use F.first inside agg, or row_number over a window",
    "show": "leave it out: nobody sees a job's screen",
}


def check_attribute(node: ast.Attribute, context: Context) -> Iterator[Finding]:
    """An attribute is read, called at once where it is a method, and on the list of what it belongs to."""
    found = _check(node, context)
    if found is not None:
        yield found


def _check(node: ast.Attribute, context: Context) -> Finding | None:
    name = node.attr
    if not isinstance(node.ctx, ast.Load):
        return finding("attribute", f"the attribute {name!r} is assigned", node.lineno, "assign to a local variable")
    if name.startswith("_"):
        return finding("attribute", f"the private attribute {name!r}", node.lineno, "use public methods")
    if name in UDF_NAMES:
        return _udf(node, context)
    if isinstance(node.value, ast.Name) and node.value.id == "F":
        return _check_function(node, context)
    if isinstance(node.value, ast.Name) and node.value.id == "T":
        return _check_member(node, "T", TYPES)
    if isinstance(node.value, ast.Name) and node.value.id == "Window":
        return _check_member(node, "Window", WINDOW_METHODS | WINDOW_VALUES)
    return _check_method(node, context)


def _udf(node: ast.Attribute, context: Context) -> Finding:
    reason = "is not supported yet, although allow_udfs is set" if context.allow_udfs else "is not allowed"
    return finding("udf", f"the user-defined function {node.attr} {reason}", node.lineno, "use the functions of F")


def _check_member(node: ast.Attribute, owner: str, names: frozenset[str]) -> Finding | None:
    if node.attr in names:
        return None
    return finding(
        "attribute", f"{owner} has no allowed name {node.attr!r}", node.lineno, _nearest(node.attr, names, f"{owner}.")
    )


def _check_function(node: ast.Attribute, context: Context) -> Finding | None:
    name, line = node.attr, node.lineno
    if name in FUNCTIONS:
        if name == "expr" and not context.is_called(node):
            return finding("sql", "F.expr is used without a call", line, 'write F.expr("...")')
        return None
    if name in UNSTABLE_FUNCTIONS:
        message = f"F.{name} gives another value when Spark retries a task"
        return finding("function", message, line, "number rows with F.row_number over an ordered window")
    if name in HIGHER_ORDER_FUNCTIONS:
        return finding("function", f"F.{name} needs a lambda", line, f'write F.expr("{name}(items, x -> ...)")')
    if name in NEWER_FUNCTIONS:
        sql = f'write F.expr("{name}(...)")' if name in SQL_FUNCTIONS else _nearest(name, FUNCTIONS, "F.")
        return finding("function", f"F.{name} exists only since Spark 3.4 or 3.5; Glue 4.0 has 3.3", line, sql)
    return finding("function", f"F has no allowed function {name!r}", line, _nearest(name, FUNCTIONS, "F."))


def _check_method(node: ast.Attribute, context: Context) -> Finding | None:
    name, line = node.attr, node.lineno
    called = context.is_called(node)
    if name == "count" and called and _is_grouped(node.value):
        return None
    if name in OUTSIDE:
        return finding("attribute", f".{name} leads out of the transform", line, "return the DataFrame; use `sources`")
    if name in ACTIONS and called:
        hint = _ACTION_HINTS.get(name, "return the DataFrame; the script runs it once")
        return finding("action", f".{name}() starts a job or moves rows to the driver", line, hint)
    if name in PROPERTIES or (name in METHODS and called):
        return None
    if name in NEWER_METHODS:
        return finding("attribute", f".{name} exists only since Spark 3.4; Glue 4.0 has 3.3", line, "use select")
    if called:
        return finding("attribute", f"the method .{name}() is not allowed", line, _nearest(name, METHODS, "."))
    return finding("attribute", f"the attribute .{name}", line, f'write F.col("{name}") or F.col("alias.{name}")')


def _is_grouped(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Attribute) and owner.func.attr in _GROUPING


def _nearest(name: str, names: frozenset[str], prefix: str) -> str:
    near = difflib.get_close_matches(name, sorted(names), 1)
    return f"did you mean {prefix}{near[0]}?" if near else "use the functions of F and the usual DataFrame methods"
