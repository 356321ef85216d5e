"""Tie-breakers: every order that decides rows or values is total, so that each run gives the same answer.

Windows that count rows and limits get tie-breakers, unless a limit keeps all ties.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agent.compiler.expressions.column_kinds import unordered
from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.plan.steps import ComputedStep, Grouping, OutputColumn, SortKey, WindowStep


def with_ties_broken(steps: tuple[ComputedStep, ...], used: Iterable[Reference]) -> tuple[ComputedStep, ...]:
    """The steps with tie-breakers: the order of each window that counts rows ends with every other column in use.

    `used` are the columns that later steps read. Rows that are equal in all of them may change places without a
    difference in the result. Columns of other windows break ties too, except those of windows with the same order,
    which were computed over the rows in the order that is to be made total.
    """
    made = {step.name for step in steps}
    seen = dict.fromkeys([*used, *(reference for step in steps for reference in step.references)])
    rows = [one for one in seen if not (isinstance(one, NamedColumn) and one.name in made)]
    found: list[ComputedStep] = []
    before: list[tuple[WindowStep, Reference]] = []
    for step in steps:
        if not isinstance(step, WindowStep):
            found.append(step)
            continue
        others = [column for earlier, column in before if _order(earlier) != _order(step)]
        found.append(_with_tie_breakers(step, [*rows, *others]) if step.counts_rows else step)
        if step.counts_rows:
            before.append((step, NamedColumn(step.name)))
    return tuple(found)


def _order(step: WindowStep) -> object:
    return step.partition_by, step.order_by


def _with_tie_breakers(step: WindowStep, known: list[Reference]) -> WindowStep:
    placed = {_identity(one) for one in (*step.partition_by, *(key.column for key in step.order_by))}
    others = [column for column in known if _identity(column) not in placed]
    keys = [SortKey(column, descending=False, nulls_first=False) for column in others]
    return replace(step, order_by=(*step.order_by, *keys))


def _identity(reference: Reference) -> object:
    return reference.name if isinstance(reference, NamedColumn) else reference


def tie_rank(taken: Iterable[str]) -> str:
    """A free name for the rank that a limit with ties is cut by: underscores are added until it is free."""
    name, folds = "tie_rank", {one.casefold() for one in taken}
    while name in folds:
        name += "_"
    return name


def limit_tie_breakers(
    keys: list[Reference], outputs: tuple[OutputColumn, ...], grouping: Grouping | None
) -> list[Reference]:
    """The columns that decide between rows that tie in the order of a limit; none where no two rows can tie."""
    group = [NamedColumn(key.name, key.column.kind) for key in grouping.keys] if grouping is not None else None
    if group is not None and {_identity(one) for one in group} <= {_identity(one) for one in keys}:
        return []
    placed = {_identity(one) for one in keys}
    others = dict.fromkeys(output.column for output in outputs)
    return [one for one in others if _identity(one) not in placed and not unordered(one.kind)]
