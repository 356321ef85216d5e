"""Repairs without a model, where a rule is certain: a misspelt column, and a function that lacks its `F.`.

An edit replaces exact spans of the source; every other byte stays. A repair that the policy refuses is dropped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from itertools import pairwise

from agent.diagnosis.failure_rules import CODE_RULES
from agent.diagnosis.rule import Match, first_match
from agent.findings import Diagnosis
from agent.sanitizing.policy import check_policy
from agent.sanitizing.spark_names import FUNCTIONS

_SHADOWED = {"sum", "max", "min", "round", "abs"}
"""Functions of F that are Python's own too."""
_NAMING_METHODS = {
    "alias",
    "withColumn",
    "withColumnRenamed",
    "withColumns",
    "toDF",
    "name",
    "lit",
    "when",
    "otherwise",
}
"""Calls whose text argument names or is a value: an unknown name there may be meant."""
_SHORTEST_NAME = 4
"""Characters; shorter names differ by one letter too easily."""
_LONG_NAME = 8
"""Characters from which on two slips are accepted."""

Edit = tuple[ast.expr, str]


def repair_by_rule(source: str, diagnosis: Diagnosis) -> str | None:
    """The repaired source of the transform, or None where no rule is certain."""
    match = first_match(CODE_RULES, diagnosis["evidence"])
    if match is None or match.rule.failure_class != diagnosis["failure_class"]:
        return None
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    edits = _edits(tree, source, match)
    if not edits:
        return None
    repaired = _apply(source, edits)
    return None if check_policy(repaired) else repaired


def _edits(tree: ast.Module, source: str, match: Match) -> list[Edit]:
    if match.rule.failure_class == "unknown_column":
        return _column_edits(tree, source, match)
    if match.rule.failure_class == "python_name":
        return _function_edits(tree)
    return []


def _column_edits(tree: ast.Module, source: str, match: Match) -> list[Edit]:
    right = _intended(match.name, match.names)
    if right is None:
        return []
    edits: list[Edit] = []
    named = _naming_constants(tree)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and node.value == match.name) or id(node) in parts:
            continue
        text = ast.get_source_segment(source, node) or ""
        if id(node) in named or text[1:-1] != match.name:
            return []
        edits.append((node, text[0] + right + text[-1]))
    return edits


def _intended(wrong: str, names: tuple[str, ...]) -> str | None:
    """The only real name within reach of `wrong`; None when there are none or several."""
    near = [name for name in names if _is_slip(wrong, name)]
    if len(near) != 1:
        return None
    return near[0] if "." in wrong else near[0].rpartition(".")[2]


def _is_slip(wrong: str, name: str) -> bool:
    """True for one typing error, or two in a long name; another digit or another alias means another column."""
    qualifier, _, bare = wrong.rpartition(".")
    real_qualifier, _, real = name.rpartition(".")
    if qualifier and qualifier != real_qualifier:
        return False
    if min(len(bare), len(real)) < _SHORTEST_NAME or re.findall(r"\d", bare) != re.findall(r"\d", real):
        return False
    return 1 <= _distance(bare, real) <= (2 if len(bare) >= _LONG_NAME else 1)


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein distance: a swap of two neighbours is one edit."""
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _naming_constants(tree: ast.Module) -> set[int]:
    """Ids of constants that give a name or a value and read no column: there the unknown name may be meant."""
    given: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _NAMING_METHODS:
            given |= {id(argument) for argument in node.args if isinstance(argument, ast.Constant)}
        if isinstance(node, ast.Compare | ast.Dict):
            given |= {id(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.Constant)}
    return given


def _function_edits(tree: ast.Module) -> list[Edit]:
    """`F.` before each undefined name that is a function of F, and before Python's own when they get a Column."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    edits: list[Edit] = []
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in bound or name not in FUNCTIONS:
            continue
        if name in _SHADOWED and not _gets_a_column(call):
            continue
        edits.append((call.func, f"F.{name}"))
    return edits


def _gets_a_column(call: ast.Call) -> bool:
    """True for `sum(F.col("x"))` and `sum("x")`; Python's own `sum` of a list of columns may be meant."""
    others = call.args[1:]
    if not call.args or call.keywords or not all(isinstance(other, ast.Constant) for other in others):
        return False
    first = call.args[0]
    if isinstance(first, ast.Constant):
        return isinstance(first.value, str)
    while isinstance(first, ast.Call | ast.Attribute):
        first = first.func if isinstance(first, ast.Call) else first.value
    return isinstance(first, ast.Name) and (first.id == "F" or first.id in FUNCTIONS)


def _apply(source: str, edits: Iterable[Edit]) -> str:
    """The source with spans replaced; positions of the syntax tree count UTF-8 bytes."""
    raw = source.encode()
    starts = [0]
    for line in raw.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = sorted((*_span(node, starts), text.encode()) for node, text in edits)
    if any(left[1] > right[0] for left, right in pairwise(spans)):
        raise ValueError("two edits overlap")
    for start, end, text in reversed(spans):
        raw = raw[:start] + text + raw[end:]
    return raw.decode()


def _span(node: ast.expr, starts: list[int]) -> tuple[int, int]:
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column
