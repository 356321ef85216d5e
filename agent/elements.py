"""Elements: the structured parts of a specification in one canonical form, whatever their spelling was.

The reader makes them (`agent.compiler.spec`); the planner, made rows, the regression guard and reports use them.
Names and expressions are texts that are not resolved yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue


@dataclass(frozen=True)
class Comparison:
    """`column operator value`. IN and NOT IN hold a list, BETWEEN and NOT BETWEEN a list of two."""

    column: str
    """A column, an aggregate's alias, or a SQL expression such as `count(*)`."""
    operator: str
    """`=`, `!=`, `>`, `<`, `>=`, `<=`, `IS NULL`, `IS NOT NULL`; `LIKE`, `ILIKE`, `IN` and `BETWEEN`, also with NOT."""
    value: JsonValue = None
    """As it was written: a text may be a number, a date or another column."""


@dataclass(frozen=True)
class SqlCondition:
    """A condition as SQL text."""

    text: str


@dataclass(frozen=True)
class ConditionGroup:
    """Conditions joined by `and` or `or`; `not` has one part."""

    operator: Literal["and", "or", "not"]
    parts: tuple[Condition, ...]


Condition = Comparison | SqlCondition | ConditionGroup


@dataclass(frozen=True)
class SelectItem:
    """A column of a select step, with its new name where it has one."""

    column: str
    """A name or a SQL expression."""
    name: str | None = None


@dataclass(frozen=True)
class Deduplication:
    """One row of each group of rows that are equal in `partition_by`: the first in the order of `order_by`.

    Without `order_by` all rows of a group must be equal in every column of the result.
    """

    partition_by: tuple[str, ...]
    order_by: tuple[object, ...]
    """Items to sort by (`agent.compiler.spec.entry_details.SortItem`)."""
