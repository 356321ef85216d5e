"""Rounds of windows: a window that is listed behind a filter on windows sees the rows that the filter keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.plan.steps import ComputedStep, RowCondition
from agent.elements import StepEntry


class Rounds:
    """Numbers windows, and the filters behind them, in the order of `transformations`.

    A column that no step states is in the first round that has what it needs, and a filter in the last round.
    """

    def __init__(self, steps: Sequence[StepEntry]) -> None:
        self._listed = _numbers(steps)
        self._steps: dict[str, int] = {}
        self._filters: dict[RowCondition, int] = {}
        self._deferred: set[RowCondition] = set()

    def add_step(self, name: str, path: str) -> None:
        """Record the path of a computed column."""
        self._steps[name] = self._listed.get(path.removesuffix(".expression"), 0)

    def add_filter(self, step: RowCondition, path: str, deferred: bool) -> None:
        """Record the path of a filter; a `deferred` one is listed behind a window."""
        if path in self._listed:
            self._filters.setdefault(step, self._listed[path])
        if deferred:
            self._deferred.add(step)

    def of_steps(self, steps: Sequence[ComputedStep]) -> dict[str, int]:
        """The round of each column, by name: not before those of the columns that it uses."""
        found: dict[str, int] = {}
        for step in steps:
            found[step.name] = max(self._steps.get(step.name, 0), *_of_uses(step.references, found))
        return found

    def of_filters(self, filters: Sequence[RowCondition], of_steps: dict[str, int]) -> dict[RowCondition, int]:
        """The round of each filter that comes behind windows."""
        last = max(of_steps.values(), default=0)
        found: dict[RowCondition, int] = {}
        for step in filters:
            uses = _of_uses(step.references, of_steps)
            if len(uses) > 1:
                found[step] = max(self._filters.get(step, last), *uses)
            elif step in self._deferred:
                found[step] = self._filters.get(step, last)
        return found


def _of_uses(references: Iterable[Reference], of_steps: dict[str, int]) -> list[int]:
    """0, and the rounds of the columns that are computed in one."""
    names = [one.name for one in references if isinstance(one, NamedColumn)]
    return [0, *(of_steps[name] for name in names if name in of_steps)]


def _numbers(steps: Sequence[StepEntry]) -> dict[str, int]:
    """The round of each element by its path: a new one begins with a window behind a filter behind a window."""
    found: dict[str, int] = {}
    number, windows, filtered = 0, False, False
    for step in steps:
        kinds = {claim.kind for claim in step.claims}
        if filtered and kinds & {"windows", "derived", "deduplications"}:
            number, windows, filtered = number + 1, False, False
        windows = windows or bool(kinds & {"windows", "derived"})
        filtered = filtered or "deduplications" in kinds or (windows and "filters" in kinds)
        for claim in step.claims:
            found.setdefault(claim.path, number)
    return found
