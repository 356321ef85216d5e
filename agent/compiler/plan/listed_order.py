"""Order of `transformations` where rows depend on it: a filter behind a window, distinct rows beside groups."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.problems import Problems
from agent.elements import Entries, Located, SortItem, StepEntry

AS_LISTED = ("filters after windows", "filters after deduplications")
"""Kinds of reversed steps that are carried out as listed."""
_WINDOWS = ("windows", "derived", "deduplications")


def listed_before(steps: Sequence[StepEntry]) -> dict[str, set[str]]:
    """By a filter's path the paths of the columns and deduplications that steps before the filter's one state."""
    made: set[str] = set()
    found: dict[str, set[str]] = {}
    for step in steps:
        for claim in step.claims:
            if claim.kind == "filters":
                found.setdefault(claim.path, set(made))
        made |= {claim.path for claim in step.claims if claim.kind in _WINDOWS}
    return found


def sort_before(entries: Entries, path: str) -> Located[tuple[SortItem, ...]] | None:
    """The last sort that a step states before the step of the element at `path`."""
    sorts, found = dict(entries.sort), None
    for step in entries.steps:
        if any(claim.path == path for claim in step.claims):
            return found
        for claim in step.claims:
            if claim.kind == "sort" and claim.path in sorts:
                found = Located(step.path, sorts[claim.path])
    return None


def refuse_distinct_groups(entries: Entries, problems: Problems) -> None:
    """Refuse a step of distinct rows beside aggregations of which no step says whether they come first."""
    types = [step.type for step in entries.steps]
    if entries.distinct and "distinct" in types and "aggregate" not in types:
        problems.add(
            entries.steps[types.index("distinct")].path,
            "distinct rows before the aggregation change its values, and after it they change nothing; leave the step "
            "out, or aggregate distinct values",
            beyond=True,
        )
