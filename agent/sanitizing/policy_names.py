"""The policy for bare names: locals, a few of Python's own, and what the script provides."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.diagnosis.findings import Finding
from agent.sanitizing.allowed_names import BUILTINS, FUNCTIONS, TYPES, UDF_NAMES
from agent.sanitizing.policy_context import Context, finding

MODULES = frozenset({"F", "T", "Window"})
"""What the script imports for the transform, apart from DataFrame, which stands in the annotations only."""

_HINTS = {
    "spark": "there is no session here: every table that is needed is in `sources`",
    "reduce": "loop with `for` and assign the result each time",
    "functools": "loop with `for` and assign the result each time",
    "isinstance": "the columns' types are known: write the case that applies",
    "print": "leave it out: the script reports what happens",
    "datetime": "use F.current_date(), F.to_date() or F.lit('2024-01-31').cast('date')",
    "Decimal": "use F.lit('1.50').cast('decimal(10,2)')",
    "re": "use F.regexp_extract or F.regexp_replace",
    "math": "use the functions of F",
    "DataFrame": "call methods on the DataFrames of `sources`",
}


def check_name(node: ast.Name, context: Context) -> Iterator[Finding]:
    """A name is bound once to what it means, and read only when it is known."""
    name = node.id
    if isinstance(node.ctx, ast.Store):
        if name in MODULES or name in BUILTINS or name in {"sources", "DataFrame"} or name.startswith("__"):
            yield finding("name", f"the name {name!r} is taken and cannot be assigned", node.lineno, "choose another")
    elif name in MODULES:
        if not context.is_owner(node):
            yield finding("name", f"the name '{name}' stands alone", node.lineno, f"write {name}.something(...)")
    elif name not in context.locals and name not in BUILTINS:
        yield _unknown(node)


def _unknown(node: ast.Name) -> Finding:
    name = node.id
    if name in UDF_NAMES:
        return finding("udf", f"{name} is not allowed in a transform", node.lineno, "use the functions of F")
    return finding("name", f"the name '{name}' is not defined in a transform", node.lineno, _hint(name))


def _hint(name: str) -> str:
    if name in FUNCTIONS:
        return f"write F.{name}"
    if name in TYPES:
        return f"write T.{name}"
    if name in _HINTS:
        return _HINTS[name]
    return "use `sources`, F, T, Window and local variables; nothing else can be imported"
