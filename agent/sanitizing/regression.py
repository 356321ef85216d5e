"""The regression guard: a repair may not lose a clause of the specification."""

from __future__ import annotations

import ast

from agent.elements import Comparison, Entries
from agent.findings import Finding
from agent.request import TargetTable


def lost_clauses(before: str, after: str, entries: Entries, target: TargetTable) -> list[Finding]:
    """Clauses of the specification that the transform `before` had and the repaired one has lost; both parse."""
    old, new = _Clauses(before), _Clauses(after)
    findings = [
        _finding("repair_lost_column", f"{what} {term!r} of the specification is not in the repaired function any more")
        for what, term in _terms(entries, target)
        if old.mentions(term) and not new.mentions(term)
    ]
    demanded = len(entries.joins)
    if new.joins < min(old.joins, demanded):
        message = f"the repaired function has {new.joins} of the {demanded} joins of the specification"
        findings.append(_finding("repair_lost_join", message))
    if entries.filters and old.filters and not new.filters:
        findings.append(_finding("repair_lost_filter", "the repaired function has no filter any more"))
    return findings


class _Clauses:
    """Clauses of a transform, by its string constants and method calls."""

    def __init__(self, source: str) -> None:
        nodes = list(ast.walk(ast.parse(source)))
        self._strings = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        methods = [n.func.attr for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        self.joins = methods.count("join")
        self.filters = methods.count("where") + methods.count("filter")

    def mentions(self, term: str) -> bool:
        return any(term in text for text in self._strings)


def _terms(entries: Entries, target: TargetTable) -> list[tuple[str, str]]:
    comparisons = [one for _, one in entries.filters if isinstance(one, Comparison)]
    return [
        *(("filter column", f.column.split(".")[-1]) for f in comparisons),
        *(("aggregate", a.alias) for _, a in entries.aggregations),
        *(("derived column", d.name) for _, d in entries.derived),
        *(("target column", c.name) for c in target.columns),
    ]


def _finding(rule: str, message: str) -> Finding:
    return Finding(rule=rule, message=message, line=None, hint="Repair the error only; keep every clause.")
