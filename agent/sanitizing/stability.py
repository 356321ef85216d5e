"""Warnings about non-determinism: a transform whose rows can differ from run to run, or whose hashes collide.

They refuse nothing: only the author knows whether the order or the day matters.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.sanitizing.library import FUNCTIONS_MODULE
from agent.sanitizing.policy import analyse
from agent.sanitizing.policy_context import Context
from agent.sanitizing.runtime import OLDEST, Runtime
from agent.sanitizing.spark_names import words
from agent.sanitizing.value_kinds import certainly

_ORDERED_BY_CALLER = words("array_sort sort_array size array_distinct array_contains array_max array_min")
"""Functions around `collect_list` whose result does not depend on its order."""
_ANY_ORDER = words("collect_list collect_set")
_ANY_ROW = words("first last")
_TIME = words("current_date current_timestamp now")
_RANKS = words("row_number ntile lag lead")


def unstable_uses(source: str, runtime: Runtime = OLDEST) -> list[str]:
    """One warning for each unstable use, beginning with `the transform`; the source must pass the policy."""
    context = analyse(source, runtime)
    calls = [node for node in ast.walk(context.tree) if isinstance(node, ast.Call)]
    return list(dict.fromkeys(warning for node in calls for warning in _warnings(node, context)))


def _warnings(node: ast.Call, context: Context) -> Iterator[str]:
    line = node.lineno
    for dotted in context.members(node.func):
        owner, _, name = dotted.rpartition(".")
        if owner == FUNCTIONS_MODULE:
            yield from _function(node, name, context)
    if not isinstance(node.func, ast.Attribute):
        return
    method, owner_value = node.func.attr, context.of(node.func.value)
    if method == "limit" and certainly(owner_value, "frame") and any(atom.of != "ordered" for atom in owner_value):
        yield f"the transform takes any rows, line {line}: limit without orderBy"
    elif method in ("dropDuplicates", "drop_duplicates") and (node.args or node.keywords):
        yield f"the transform keeps any one of several rows, line {line}: dropDuplicates by some columns"


def _function(node: ast.Call, name: str, context: Context) -> Iterator[str]:
    line, over = node.lineno, _is_over_window(node, context)
    if name in _TIME or (name == "unix_timestamp" and not node.args):
        yield f"the transform uses the time of its run, line {line}: F.{name} gives another value each time"
    elif name == "hash":
        yield f"the transform uses F.hash, line {line}: of 100,000 values two are alike; use F.xxhash64 or F.sha2"
    elif name in _ANY_ORDER and not over and _caller(node, context) not in _ORDERED_BY_CALLER:
        yield f"the transform collects in any order, line {line}: put F.sort_array round F.{name}"
    elif name in _ANY_ROW and not over:
        yield f"the transform takes any row of a group, line {line}: F.{name} without a window; F.max_by names one"
    elif name in _RANKS and over and _orders_by_constant(node, context):
        yield f"the transform numbers rows in any order, line {line}: its window is ordered by a constant"


def _is_over_window(node: ast.Call, context: Context) -> bool:
    parent = context.parent(node)
    return isinstance(parent, ast.Attribute) and parent.attr == "over"


def _caller(node: ast.Call, context: Context) -> str:
    parent = context.parent(node)
    names = context.members(parent.func) if isinstance(parent, ast.Call) else []
    return names[0].rpartition(".")[2] if names else ""


def _orders_by_constant(node: ast.Call, context: Context) -> bool:
    over = context.parent(context.parent(node) or node)
    window = over.args[0] if isinstance(over, ast.Call) and over.args else None
    calls = [part for part in ast.walk(window) if isinstance(part, ast.Call)] if window is not None else []
    orders = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "orderBy"]
    return any(
        isinstance(argument, ast.Call) and context.members(argument.func) == [f"{FUNCTIONS_MODULE}.lit"]
        for call in orders
        for argument in call.args
    )
