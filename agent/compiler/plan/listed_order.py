"""The order of `transformations` where rows depend on it: a filter behind a window, distinct rows before groups."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.problems import Problems
from agent.elements import StepEntry

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


def refuse_early_distinct(steps: Sequence[StepEntry], problems: Problems) -> None:
    """Refuse a step of distinct rows beside an aggregation that no earlier step states."""
    types = [step.type for step in steps]
    if "distinct" not in types or "aggregate" in types[: types.index("distinct")]:
        return
    first = next((step.path for step in steps if step.type == "aggregate"), "")
    after = f", which {first} follows," if first else ""
    problems.add(
        steps[types.index("distinct")].path,
        f"distinct rows before the aggregation{after} change its values, and after it they change nothing; "
        "leave the step out, or aggregate distinct values",
        beyond=True,
    )
