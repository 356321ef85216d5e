"""Order of steps: steps that are listed in another order than the order of meaning, where the rows could differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    ConditionGroup,
    Deduplication,
    DerivedColumn,
    Entries,
    SqlCondition,
    StepEntry,
    WindowEntry,
)

_NAME = re.compile(r"(?<![\w.'])(?:[^\W\d]\w*\.)?([^\W\d]\w*)(?![\w(])")
_TEXT = re.compile(r"'[^']*'")
_OVER = re.compile(r"\bover\b", re.IGNORECASE)
_OF_TYPE = {
    "filter": "filters", "having": "filters", "join": "joins", "aggregate": "aggregations", "window": "windows",
    "distinct": "distinct", "deduplicate": "deduplications", "limit": "limit", "top_n": "limit", "sort": "sort",
    "select": "select", "derive": "derived",
}  # fmt: skip
_UNCHANGED = frozenset(("min", "max", "count_distinct"))
"""Aggregates that equal rows do not change."""


@dataclass(frozen=True)
class Reversal:
    """Two steps whose order as listed is not the order of meaning."""

    kind: str
    """The two kinds of steps, as `filter after window`."""
    first: StepEntry
    second: StepEntry

    @property
    def message(self) -> str:
        """The problem, with both steps."""
        earlier, later = (f"{step.path} ({step.type})" for step in (self.first, self.second))
        return (
            f"{earlier} comes before {later}; the compiler carries out the {_of(self.second)} first, and the rows "
            "could differ; list the steps in that order if that is meant"
        )


def reversals(entries: Entries) -> list[Reversal]:
    """The pairs of steps that are listed the other way round, the earlier step first, each step once as the later."""
    found: list[Reversal] = []
    earlier: dict[str, StepEntry] = {}
    for step in entries.steps:
        for kind in _kinds(step):
            found += _against(step, kind, earlier, entries)
        for kind in _kinds(step):
            earlier[kind] = step
    return found


def _of(step: StepEntry) -> str:
    return {"having": "filter", "top_n": "limit"}.get(step.type, step.type)


def _kinds(step: StepEntry) -> list[str]:
    """The lists of elements that a step states or tells."""
    kinds = [claim.kind for claim in step.claims] or [_OF_TYPE.get(step.type, "")]
    return list(dict.fromkeys(kind for kind in kinds if kind))


def _against(step: StepEntry, kind: str, earlier: dict[str, StepEntry], entries: Entries) -> Iterator[Reversal]:
    """The earlier steps that a step of this kind would have to precede."""
    for before, differs in _RULES.get(kind, {}).items():
        first = earlier.get(before)
        if first is not None and first is not step and differs(first, step, entries):
            yield Reversal(f"{kind} after {before}", first, step)


def _claimed(step: StepEntry, kind: str, entries: Entries) -> list[object]:
    """The elements of a kind that a step states."""
    paths = {claim.path for claim in step.claims if claim.kind == kind}
    return [element for path, element in getattr(entries, kind) if path in paths]


def _always(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    return True


def _sums(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    """True when an aggregate changes with rows that repeat."""
    return any(one.function not in _UNCHANGED for _, one in entries.aggregations)


def _filter_after_window(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    """True when a filter compares columns that a window neither makes nor divides the rows by."""
    windows = [one for one in _windows(entries) if isinstance(one, WindowEntry | DerivedColumn)]
    made = {one.name.lower() for one in windows}
    made |= {one.name.lower() for _, one in entries.derived if not made.isdisjoint(_names(one.expression))}
    keys = [_bare(one.partition_by) if isinstance(one, WindowEntry) else set() for one in windows]
    aliases = {one.alias.lower() for _, one in entries.aggregations}
    late_window = not aliases or _follows_aggregate(first, entries)
    for element in _claimed(second, "filters", entries):
        names = _compared(element) if isinstance(element, Comparison | SqlCondition | ConditionGroup) else set()
        grouped = not names.isdisjoint(aliases)
        if names.isdisjoint(made) and (late_window or not grouped) and not all(names <= one for one in keys):
            return True
    return False


def _windows(entries: Entries) -> list[object]:
    return [one for _, one in entries.windows] + [one for _, one in entries.derived if _OVER.search(one.expression)]


def _follows_aggregate(step: StepEntry, entries: Entries) -> bool:
    """True when a step of aggregates is listed before a step."""
    position = entries.steps.index(step)
    return any("aggregations" in _kinds(one) for one in entries.steps[:position])


def _filter_after_dedup(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    """True when a filter compares more than the columns whose first row stays."""
    keys: set[str] = set()
    for element in _claimed(first, "deduplications", entries):
        keys |= _bare(element.partition_by) if isinstance(element, Deduplication) else set()
    conditions = _claimed(second, "filters", entries)
    return any(
        isinstance(one, Comparison | SqlCondition | ConditionGroup) and not _compared(one) <= keys for one in conditions
    )


def _unordered(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    """True when a limit has no order of its own and none before it."""
    position = entries.steps.index(first)
    ordered = any("sort" in _kinds(one) for one in entries.steps[: position + 1])
    return not ordered and "limit" in _kinds(first)


def _aggregate_before_join(first: StepEntry, second: StepEntry, entries: Entries) -> bool:
    """True when no group and no aggregate takes a column of the table that is joined later."""
    joins = _claimed(second, "joins", entries)
    tables = {
        name.lower() for one in joins for name in (getattr(one, "left_table", ""), getattr(one, "right_table", ""))
    }
    used = {text for _, one in entries.aggregations for text in _uses(one)}
    qualified = {text.lower().partition(".")[0] for text in used if "." in text}
    return bool(joins) and bool(used) and all("." in text for text in used) and len(tables - qualified) > 0


def _uses(one: Aggregation) -> Iterable[str]:
    return [*one.group_by, *([one.column] if one.column and one.column != "*" else [])]


def _bare(names: Iterable[str]) -> set[str]:
    return {name.lower().rpartition(".")[2] for name in names}


def _compared(condition: Condition) -> set[str]:
    """The names in a condition."""
    if isinstance(condition, ConditionGroup):
        return {name for part in condition.parts for name in _compared(part)}
    return _names(condition.text if isinstance(condition, SqlCondition) else condition.column) - _WORDS


_WORDS = frozenset(
    ("and", "or", "not", "in", "is", "null", "like", "between", "case", "when", "then", "else", "end", "date")
)


def _names(text: str) -> set[str]:
    return {name.lower() for name in _NAME.findall(_TEXT.sub("''", text))}


_Differs = Callable[[StepEntry, StepEntry, Entries], bool]
_RULES: dict[str, dict[str, _Differs]] = {
    "filters": {"windows": _filter_after_window, "limit": _always, "deduplications": _filter_after_dedup},
    "aggregations": {"distinct": _sums, "limit": _always},
    "joins": {
        "distinct": _always, "limit": _always, "deduplications": _always, "windows": _always,
        "aggregations": _aggregate_before_join,
    },
    "windows": {"distinct": _always, "limit": _always},
    "distinct": {"limit": _always},
    "select": {"distinct": _always},
    "deduplications": {"limit": _always},
    "sort": {"limit": _unordered},
}  # fmt: skip
"""For each kind of step the kinds that may not be listed before it, and when the rows could differ."""
