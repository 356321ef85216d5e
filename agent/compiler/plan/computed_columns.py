"""Columns that are computed, and an order in which each comes after those that it uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from agent.compiler.expressions.syntax_tree import Expression, Mention
from agent.compiler.plan.resolution import Names
from agent.compiler.problems import Problems
from agent.elements import WindowEntry


@dataclass(frozen=True)
class Computed:
    """A column that is computed."""

    name: str
    """Its name for other elements; the text of an expression that has no name."""
    path: str
    source: Expression | WindowEntry
    column: str
    """Its name in the plan, which no source column has."""
    shown: bool = True
    """False where the specification does not name it."""
    declared: str = ""
    """The type that the specification declares for it."""

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the columns that it is computed from."""
        return self.source.names if isinstance(self.source, Expression) else uses_of(self.source)

    @property
    def is_window(self) -> bool:
        """True for a window, False for an expression."""
        return isinstance(self.source, WindowEntry)

    @property
    def passed(self) -> str | None:
        """The name of the column that it passes through unchanged."""
        tree = self.source.tree if isinstance(self.source, Expression) else None
        return tree.name if isinstance(tree, Mention) and tree.call is None else None


def uses_of(entry: WindowEntry) -> tuple[str, ...]:
    """The names of all columns that a window is computed from."""
    own = () if entry.column is None else (entry.column,)
    return (*own, *entry.partition_by, *(item.column for item in entry.order_by))


def in_order(items: Iterable[Computed], names: Names, problems: Problems) -> list[Computed]:
    """Topological order: each column after those that it uses. A circle is a problem.

    A column may use the source column whose name it takes.
    """
    pending = {item.name.casefold(): item for item in items}
    place = {fold: position for position, fold in enumerate(pending)}
    waits = {fold: _waits_for(item, pending, names) for fold, item in pending.items()}
    users: dict[str, list[str]] = {}
    for fold, needed in waits.items():
        for use in needed:
            users.setdefault(use, []).append(fold)
    ordered: list[Computed] = []
    # Of the columns that wait for none, the first one listed comes next.
    ready = [(place[fold], fold) for fold, needed in waits.items() if not needed]
    while ready:
        _, fold = heappop(ready)
        ordered.append(pending.pop(fold))
        for user in users.get(fold, ()):
            waits[user].discard(fold)
            if not waits[user]:
                heappush(ready, (place[user], user))
    circle = _circle(pending)
    names_in_it = ", ".join(one.name for one in circle)
    for item in circle:
        problems.add(item.path, f"is needed for what it needs itself: {names_in_it}")
    return ordered


def _circle(pending: dict[str, Computed]) -> list[Computed]:
    """The columns that need each other, without those that only need them."""
    while True:
        used = {use.casefold() for item in pending.values() for use in item.uses}
        kept = {fold: item for fold, item in pending.items() if fold in used}
        if len(kept) == len(pending):
            return list(pending.values())
        pending = kept


def _waits_for(item: Computed, pending: dict[str, Computed], names: Names) -> set[str]:
    """The pending columns that a column uses, by casefolded name."""
    own = {item.name.casefold()} if names.find(item.name) else set()
    return {fold for use in item.uses if (fold := use.casefold()) in pending} - own
