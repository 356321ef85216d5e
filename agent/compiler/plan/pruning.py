"""Pruning: a step that nothing needs is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.plan.steps import (
    ComputedStep,
    DerivedStep,
    Ordering,
    OutputColumn,
    PlanPhase,
    RowCondition,
    WindowRound,
)
from agent.compiler.plan.tie_breakers import with_ties_broken
from agent.compiler.plan.window_rounds import Rounds

_Step = TypeVar("_Step", DerivedStep, ComputedStep)


def phase(
    derived: Sequence[DerivedStep],
    windowed: Sequence[ComputedStep],
    filters: tuple[RowCondition, ...],
    asked: Iterable[Reference],
    rounds: Rounds,
) -> PlanPhase:
    """The phase that supplies the columns `asked`.

    Filters on a window's column come after the windows, and so do those that are listed behind one.
    """
    of_steps = rounds.of_steps(windowed)
    of_filters = rounds.of_filters(filters, of_steps)
    wanted, made_later, found = list(asked), set[str](), list[WindowRound]()
    for number in sorted({*of_steps.values(), *of_filters.values()}, reverse=True):
        late = tuple(step for step in filters if of_filters.get(step) == number)
        wanted += [reference for step in late for reference in step.references]
        own = [step for step in windowed if of_steps[step.name] == number]
        made_later |= {step.name for step in windowed if of_steps[step.name] > number}
        there = [one for one in wanted if not named([one]) & made_later]
        windows = with_ties_broken(needed(own, there), there)
        wanted += [reference for step in windows for reference in step.references]
        found += [WindowRound(windows, late)] if windows or late else []
    early = tuple(step for step in filters if step not in of_filters)
    wanted += [reference for step in early for reference in step.references]
    kept = needed(derived, wanted)
    wanted += [reference for step in kept for reference in step.references]
    return PlanPhase(kept, early, tuple(reversed(found)), tuple(dict.fromkeys(wanted)))


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
