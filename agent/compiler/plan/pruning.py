"""Pruning: a step that nothing needs is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.plan.steps import ComputedStep, DerivedStep, Ordering, OutputColumn, PlanPhase, RowCondition
from agent.compiler.plan.tie_breakers import with_ties_broken

_Step = TypeVar("_Step", DerivedStep, ComputedStep)


def phase(
    derived: Sequence[DerivedStep],
    windowed: Sequence[ComputedStep],
    filters: tuple[RowCondition, ...],
    asked: Iterable[Reference],
    deferred: Collection[RowCondition] = (),
) -> PlanPhase:
    """The phase that supplies the columns `asked`.

    Filters on a window's column come after the windows, and so do those that are `deferred`.
    """
    made = {step.name for step in windowed}
    late = tuple(step for step in filters if step in deferred or named(step.references) & made)
    early = tuple(step for step in filters if step not in late)
    wanted = [*(reference for step in late for reference in step.references), *asked]
    windows = with_ties_broken(needed(windowed, wanted), wanted)
    wanted += [reference for step in windows for reference in step.references]
    wanted += [reference for step in early for reference in step.references]
    kept = needed(derived, wanted)
    wanted += [reference for step in kept for reference in step.references]
    return PlanPhase(kept, early, windows, late, tuple(dict.fromkeys(wanted)))


def needed(steps: Sequence[_Step], asked: Iterable[Reference]) -> tuple[_Step, ...]:
    """The steps that the columns `asked` need, directly or through another step, in their order."""
    wanted, kept = named(asked), []
    for step in reversed(steps):
        if step.name in wanted:
            wanted |= named(step.references)
            kept.append(step)
    return tuple(reversed(kept))


def named(columns: Iterable[Reference]) -> set[str]:
    """The names of the columns that no source has."""
    return {column.name for column in columns if isinstance(column, NamedColumn)}


def of_result(outputs: tuple[OutputColumn, ...], ordering: Ordering) -> list[Reference]:
    """The columns that the result and its order need."""
    sort = [key.column for key in ordering.keys] if ordering.before_select else []
    return [*(output.column for output in outputs), *sort]
