"""The policy for names and imports: global names are bound by the module, or listed."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator

from agent.findings import Finding
from agent.sanitizing.library import canonical_name, is_listed, is_module, members_of
from agent.sanitizing.policy_context import Context, finding
from agent.sanitizing.python_names import BUILTINS, EXCEPTIONS, MODULES, PROVIDED, SPARK_MODULES
from agent.sanitizing.runtime import Runtime
from agent.sanitizing.scopes import MODULE, Scopes, Variable, bound_name, names_bound
from agent.sanitizing.spark_names import FUNCTIONS, TYPES, UDF_NAMES

_HINTS = {
    "spark": "there is no session here: every table that is needed is in `sources`",
    "SparkSession": "there is no session here: every table that is needed is in `sources`",
    "print": "leave it out: the script reports what happens",
    "Decimal": "import it: from decimal import Decimal",
    "getattr": 'name the functions: {"sum": F.sum, "avg": F.avg}[name]',
    "reduce": "import it: from functools import reduce",
    "date": "import it: from datetime import date",
    "datetime": "import it: from datetime import datetime",
}
_BUILTINS_OF_PYTHON = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def imported(tree: ast.Module, scopes: Scopes, runtime: Runtime) -> dict[Variable, set[str]]:
    """The variables that listed imports bind, each with the dotted names that it may stand for."""
    found: dict[Variable, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, dotted in _bindings(node, runtime):
                if not (is_module(dotted) or is_listed(dotted, runtime)):
                    continue
                star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
                found[Variable(MODULE, name) if star else scopes.bound(node, name)].add(dotted)
    return found


def _bindings(node: ast.Import | ast.ImportFrom, runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Names that an import binds, with the dotted names that they stand for."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield bound_name(alias), alias.name if alias.asname else alias.name.split(".")[0]
        elif alias.name == "*":
            yield from (
                (name, canonical_name(f"{node.module}.{name}")) for name in members_of(node.module or "", runtime)
            )
        else:
            yield bound_name(alias), canonical_name(f"{node.module}.{alias.name}")


def check_import(node: ast.Import | ast.ImportFrom, context: Context) -> Iterator[Finding]:
    """Check that an import brings listed members only, and does not rebind a provided name such as F."""
    if isinstance(node, ast.ImportFrom) and node.level:
        yield _refused(node, "." * node.level + (node.module or ""))
        return
    names = [alias.name for alias in node.names]
    dotted = names if isinstance(node, ast.Import) else [canonical_name(f"{node.module}.{name}") for name in names]
    for name in dotted:
        star = name.endswith(".*") and members_of(name[:-2], context.runtime)
        if not (star or is_module(name) or context.is_listed(name)):
            yield _refused(node, name)
    for name, meaning in _bindings(node, context.runtime):
        if PROVIDED.get(name, meaning) != meaning:
            message = f"the import binds {name}, which is {PROVIDED[name]} in a transform"
            yield finding("name", message, node.lineno, "import it under another name")


def _refused(node: ast.Import | ast.ImportFrom, name: str) -> Finding:
    modules = ", ".join(sorted(MODULES))
    hint = f"F, T, Window and DataFrame are there; allowed are listed names of pyspark.sql and of {modules}"
    return finding("import", f"import of {name}", node.lineno, hint)


def module_names(tree: ast.Module) -> tuple[set[str], list[Finding]]:
    """Names that the module binds exactly once, and findings against names bound twice or over a builtin."""
    bound: Counter[str] = Counter()
    lines: dict[str, int] = {}
    free: set[str] = set()
    for node in tree.body:
        names = names_bound(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            free |= set(names)
        bound.update(names)
        lines |= {name: node.lineno for name in names}
    found = [
        finding("name", f"the name {name!r} is bound {_times(times)} beside transform", lines[name], "use another name")
        for name, times in bound.items()
        if times > 1 or (name in _BUILTINS_OF_PYTHON and name not in free)
    ]
    return {name for name, times in bound.items() if times == 1} - {"transform"}, found


def _times(times: int) -> str:
    return "more than once" if times > 1 else "as a name of Python's own"


def check_name(node: ast.Name, context: Context, bound: set[str]) -> Iterator[Finding]:
    """Check that a global name is bound by the module or listed, and that no provided name is assigned."""
    name, variable = node.id, context.scopes.variable(node)
    if not isinstance(node.ctx, ast.Load):
        if name in PROVIDED or name == "sources" or name.startswith("__"):
            yield finding("name", f"the name {name!r} is taken and cannot be assigned", node.lineno, "choose another")
    elif variable.scope != MODULE or name in bound:
        pass
    elif name in PROVIDED:
        if name != "DataFrame" and not context.is_owner(node):
            yield finding("name", f"the name '{name}' stands alone", node.lineno, f"write {name}.something(...)")
    elif name not in BUILTINS | EXCEPTIONS and not any(map(context.is_listed, context.members(node))):
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
    if name in MODULES:
        return f"import it: import {name}"
    if name in SPARK_MODULES["pyspark.sql"] and name not in _HINTS:
        return f"import it: from pyspark.sql import {name}"
    return _HINTS.get(name, "use `sources`, F, T, Window, local variables and listed imports")
