"""Deduplications: a filter on the number of each row within its group."""

from __future__ import annotations

from agent.compiler.notes import Notes
from agent.compiler.plan.computations import Computations
from agent.compiler.plan.computed_columns import Computed
from agent.compiler.plan.listed_order import sort_before
from agent.compiler.problems import Problems, refuse
from agent.compiler.spec.result_entries import kept_first
from agent.elements import Comparison, Condition, Deduplication, Entries, Located, SortItem, WindowEntry
from agent.request import Specification


def first_rows(
    entries: Entries, specs: Specification, work: Computations, notes: Notes, problems: Problems
) -> list[Located[Condition]]:
    """The filters that keep one row of each group. A sort that is listed before says the order where none is given."""
    found: list[Located[Condition]] = []
    for path, entry in entries.deduplications:
        with problems.at(path):
            order = entry.order_by or _listed_order(entries, entry, path, notes)
            if not order and not _holds_keys_alone(entries, specs, entry):
                refuse(
                    "keeps one of several rows, and which one is not said: give `order_by` for the first row of "
                    "each group, or write a step of type distinct to drop rows that are equal in every column"
                )
            # Spark numbers rows in an order alone; where any row will do, that of the keys is one.
            order = order or tuple(SortItem(name, False, False) for name in entry.partition_by)
            window = WindowEntry("row_number", "", None, entry.partition_by, order)
            found.append(Located(path, Comparison(work.hidden_window(window, path), "=", 1)))
    return found


def _listed_order(entries: Entries, entry: Deduplication, path: str, notes: Notes) -> tuple[SortItem, ...]:
    """The order of the sort that `transformations` lists before a deduplication."""
    sort = sort_before(entries, path)
    if sort is None:
        return ()
    word = {"greatest": "largest", "least": "smallest"}.get(entry.keep, entry.keep)
    notes.add(path, f"keeps the {word} row of each group in the order of {sort.path}, which is listed before")
    return kept_first(entry.keep, sort.value)


def _holds_keys_alone(entries: Entries, specs: Specification, entry: Deduplication) -> bool:
    """True when the result holds no other columns than those that a group has in common: any row will do."""
    listed = [column.name for column in specs.target_table.columns]
    columns = listed or [one.name or one.column for _, items in entries.select for one in items]
    made = {one.name.casefold() for _, one in entries.derived}
    keys = {_bare(name) for name in entry.partition_by} - made
    plain = not (entries.aggregations or entries.rename or entries.windows or entries.limit)
    return plain and bool(columns) and {_bare(name) for name in columns} <= keys


def _bare(name: str) -> str:
    return name.casefold().rpartition(".")[2]


def refuse_windows_beside(entries: Entries, windows: list[Computed], problems: Problems) -> None:
    """Refuse windows of which no step says whether they see the rows that a deduplication drops."""
    stated = {claim.path for step in entries.steps for claim in step.claims}
    for path, _ in entries.deduplications:
        for item in windows:
            if item.path not in stated:
                problems.add(
                    item.path,
                    f"the window {item.name!r} counts the rows that {path} drops, or those that it keeps; write the "
                    "window as a step of `transformations`, before or behind the deduplication",
                    beyond=True,
                )
