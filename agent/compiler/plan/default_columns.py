"""The columns of a result that nobody lists, and the refusal of columns that would be lost unasked."""

from __future__ import annotations

import re

from agent.compiler.expressions.references import Reference
from agent.compiler.plan.computations import Computations
from agent.compiler.plan.computed_columns import Computed
from agent.compiler.plan.grouping import Grouped
from agent.compiler.plan.reading_findings import Findings
from agent.compiler.plan.resolution import Names, Sources
from agent.compiler.plan.steps import Grouping, OutputColumn
from agent.compiler.problems import Problems
from agent.elements import Aggregation, Located, WindowEntry
from agent.snapshot import Target

_PLACE = re.compile(r"(.*aggregations)\[(\d+)\]")
"""The list of an aggregate, and its place in it."""


class DefaultColumns:
    """The columns of a result where neither the target nor a step lists them."""

    def __init__(
        self, work: Computations, before: Names, sources: Sources, target: Target, listed: bool, found: Findings
    ) -> None:
        """`listed` is True where the specification lists the columns of the result."""
        self._work, self._before, self._sources = work, before, sources
        self._target, self._listed = target, listed
        self._stages, self._notes = found.stages, found.notes
        self.waiting: list[Computed] = []
        """Columns that are computed after grouping."""

    def rows(self) -> list[OutputColumn]:
        """The columns of a result without grouping and without a list of columns."""
        shown = [item for item in self._work.items.values() if item.shown]
        computed = [OutputColumn(one, item.name) for item in shown for one in self._before.find(item.name)]
        passed = [item.name for item in shown if item.passed is not None]
        if passed and not self._listed:
            self._notes.add(
                "specs.derived_columns",
                f"pass source columns through ({', '.join(passed)}), so they are all columns of the result",
                "the other columns of the sources as well",
            )
        if computed and not passed and not self._listed and not self._target.exists:
            made = ", ".join(one.name for one in computed)
            self._notes.add(
                "specs.target_table",
                f"lists no columns, so the result holds all columns of the sources, and {made}",
                "the new columns alone",
            )
        own = [] if passed else self._source_columns()
        return [*(one for one in own if not any(one.name.casefold() == c.name.casefold() for c in computed)), *computed]

    def _source_columns(self) -> list[OutputColumn]:
        """Every source column in the order listed; a shared join key once."""
        found: dict[Reference, None] = {}
        for own in self._sources.columns.values():
            for column in own:
                same = self._before.find(column.name)
                shared = same[0] if len(same) == 1 and same[0].name.casefold() == column.name.casefold() else column
                found[shared] = None
        return [OutputColumn(column, column.name) for column in found]

    def refuse_unreadable(self) -> None:
        """Refuse a result that takes, unasked, source columns that no job reads."""
        if self._listed or any(item.passed for item in self._work.items.values() if item.shown):
            return
        filled = {column.name.casefold() for column in self._target.columns if not column.generated}
        sources = self._sources
        with self._stages.stage() as problems:
            for key, path in sources.paths.items():
                for fold, reason in sources.unreadable.get(key, {}).items():
                    if fold in filled or not self._target.exists:
                        problems.add(path, f"the result takes this column too: {reason}; or list the target's columns")

    def refuse_unused(self, unused: set[str]) -> None:
        """Refuse a derived column or window that nothing uses, where no list of columns leaves it out."""
        shown = [item for item in self._work.items.values() if item.shown and item.column in unused]
        self._refuse_unfilled([(item.name, item.path) for item in shown])

    def refuse_unused_groups(self, aggregations: list[Located[Aggregation]], asked: set[str]) -> None:
        """Refuse an aggregate or a window over groups that nothing uses, where no list of columns leaves it out."""
        paths = [(entry.alias, f"{path}.alias") for path, entry in aggregations]
        windows = [item for item in self.waiting if isinstance(item.source, WindowEntry) and item.shown]
        unused = [(item.name, item.path) for item in windows if item.column not in asked]
        self._refuse_unfilled([*((name, path) for name, path in paths if name not in asked), *unused])

    def _refuse_unfilled(self, unused: list[tuple[str, str]]) -> None:
        """Refuse the unused columns that the existing target does not have."""
        if not self._target.exists or self._listed:
            return
        columns = {column.name.casefold() for column in self._target.columns}
        with self._stages.stage() as problems:
            for name, path in unused:
                if name.casefold() not in columns:
                    problems.add(path, f"{name!r} is not a column of the existing target; list the columns to fill")

    def _slot(self, item: Computed, names: list[str]) -> int:
        """The place of a column that stands among the listed aggregates: before those that come after it."""
        place = _PLACE.match(item.path)
        for position, name in enumerate(names if place else ()):
            for path, entry in self._work.named_aggregations():
                other = _PLACE.match(path)
                if entry.alias == name and place and other and other[1] == place[1] and int(other[2]) > int(place[2]):
                    return position
        return len(names)

    def groups(self, grouping: Grouping, grouped: Grouped, used: set[str], problems: Problems) -> list[OutputColumn]:
        """Keys, aggregates, and the computed columns that need an aggregate or that nothing uses before grouping."""
        made = set(self._work.made_names().values())
        names = [key.name for key in grouping.keys] + [
            step.name for step in grouping.aggregates if step.name not in made
        ]
        for item in self._work.items.values():
            if not item.shown or item.name.casefold() in {name.casefold() for name in names}:
                continue
            if item in self.waiting or (item.column in grouped.placed and item.column not in used):
                names.insert(self._slot(item, names), item.name)
            elif item.passed is None and item.column not in used and not self._listed:
                message = f"{item.name!r} is neither grouped by nor aggregated, so it is lost; group by it"
                problems.add(item.path, message, beyond=True)
        return [OutputColumn(one, name) for name in names for one in grouped.find(name)]
