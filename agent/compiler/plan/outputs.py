"""The result: its columns, their names and order, and how its rows are sorted and cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from agent.compiler.expressions.column_kinds import unequal, unordered
from agent.compiler.expressions.references import NamedColumn, Reference, unquoted
from agent.compiler.notes import Notes
from agent.compiler.plan.resolution import Scope, described
from agent.compiler.plan.steps import Grouping, Ordering, OutputColumn, SortKey
from agent.compiler.plan.tie_breakers import limit_tie_breakers, tie_rank
from agent.compiler.problems import Problems, Stages, cannot, refuse
from agent.elements import Entries, Located, SortItem, located
from agent.nearest import did_you_mean
from agent.request import TargetTable
from agent.snapshot import Target

_TARGET = "specs.target_table.columns"


class ResultReader:
    """Reads the result of a specification over the names in `scope`: renames, then columns, then the order.

    Each is a stage: it raises InvalidRequestError with its problems.
    """

    def __init__(self, entries: Entries, scope: Scope, stages: Stages, notes: Notes) -> None:
        self._entries, self._scope, self._stages, self._notes = entries, scope, stages, notes
        self._renamed_to: dict[str, Reference] = {}
        """Casefolded new name to the column that gets it."""
        self._new_names: dict[Reference, str] = {}
        pairs = [(path, unquoted(old), new) for path, names in entries.rename for old, new in names.items()]
        old_names = {old.casefold() for _, old, _ in pairs}
        with self._stages.stage() as problems:
            for path, old, new in pairs:
                with problems.at(path):
                    if new.casefold() in old_names - {old.casefold()}:
                        refuse(
                            f"{new!r} is renamed itself, so the order of the renames would decide; rename in one step"
                        )
                    self._rename(old, new)

    def _rename(self, old: str, new: str) -> None:
        reference = self._scope.resolve(old)
        if self._renamed_to.setdefault(new.casefold(), reference) != reference:
            refuse(f"two columns are renamed to {new!r}")
        if self._new_names.setdefault(reference, new) != new:
            refuse(f"{old!r} is renamed twice")

    def columns(self, wanted: TargetTable, target: Target, defaults: list[OutputColumn]) -> tuple[OutputColumn, ...]:
        """The columns: those of the specification, else those of an existing target, else `defaults`."""
        with self._stages.stage() as problems:
            selected = self._selected(problems)
            if wanted.columns:
                names = located(_TARGET, [column.name for column in wanted.columns])
                outputs = self._of_target(names, problems)
                self._check_selection(selected, outputs, problems)
            elif self._entries.select:
                outputs = selected
            elif target.exists:
                outputs = self._of_existing(target, problems)
            else:
                outputs = [self._output(one.column, one.name) for one in dict.fromkeys(defaults)]
            self._check_names(outputs, problems)
        return tuple(outputs)

    def _output(self, reference: Reference, name: str) -> OutputColumn:
        return OutputColumn(reference, self._new_names.get(reference, name))

    def _selected(self, problems: Problems) -> list[OutputColumn]:
        outputs = []
        for path, items in self._entries.select[:1]:
            for item in items:
                with problems.at(path):
                    column = self._renamed(item.column) or self._scope.resolve(item.column)
                    name = item.name or self._scope.name_of(item.column, column)
                    outputs.append(OutputColumn(column, name) if item.name else self._output(column, name))
        return outputs

    def _renamed(self, name: str) -> Reference | None:
        """The column that is renamed to `name`, or None. Refuses a name that another column has and keeps."""
        renamed = self._renamed_to.get(name.casefold())
        if renamed is not None:
            for other in self._scope.find(name):
                if other != renamed and other not in self._new_names:
                    refuse(f"{name!r} is {described(other)} and a rename's new name; rename to a name that is free")
        return renamed

    def _of_target(self, names: Iterable[Located[str]], problems: Problems) -> list[OutputColumn]:
        outputs = []
        for path, name in names:
            with problems.at(path):
                outputs.append(OutputColumn(self._renamed(name) or self._named(name), name))
        return outputs

    def _named(self, name: str) -> Reference:
        """The column that has a target column's name."""
        found = self._scope.find(name)
        if len(found) > 1:
            candidates = " or ".join(described(reference) for reference in found)
            refuse(f"{name!r} may be {candidates}; derive a column or rename the one that is meant")
        reference = self._scope.resolve(name)
        if reference in self._new_names:
            refuse(f"{name!r} is renamed to {self._new_names[reference]!r}; list that name")
        if self._scope.name_of(name, reference).casefold() != name.casefold():
            refuse(f"{name!r} is a source's column, not a name of the target; rename it to the target's name")
        return reference

    def _of_existing(self, target: Target, problems: Problems) -> list[OutputColumn]:
        """The existing target's columns; those with a default or an identity may be left to the database."""
        names = []
        for column in target.columns:
            if column.generated:
                continue
            if column.name.casefold() in self._renamed_to or self._scope.find(column.name):
                names.append(Located(_TARGET, column.name))
            elif not (column.has_default or column.identity):
                near = did_you_mean(column.name, self._scope.shown(), listed=True)
                lacking = f"the existing target's column {column.name!r} is not supplied"
                problems.add(_TARGET, f"{lacking}{near}; or list the columns to fill")
        return self._of_target(names, problems)

    def _check_selection(self, selected: list[OutputColumn], outputs: list[OutputColumn], problems: Problems) -> None:
        picked, listed = ({(o.name.casefold(), o.column) for o in columns} for columns in (selected, outputs))
        if self._entries.select and not problems and picked != listed:
            problems.add(self._entries.select[0].path, f"selects other columns than {_TARGET} lists")

    def _check_names(self, outputs: list[OutputColumn], problems: Problems) -> None:
        counts = Counter(output.name.casefold() for output in outputs)
        for name, count in counts.items():
            if count > 1:
                message = f"{count} columns of the result would be called {name!r}; list the columns to fill, or rename"
                problems.add(_TARGET, message)
        for path, names in self._entries.rename:
            for new in names.values():
                if new.casefold() not in counts:
                    problems.add(path, f"{new!r} is not in the result; list it or leave the rename out")

    def ordering(self, outputs: tuple[OutputColumn, ...], grouping: Grouping | None) -> Ordering:
        """Sort and limit. A sort by columns of the result stands after the select, any other before it."""
        limit, ties = self._entries.limit[0].value if self._entries.limit else (None, False)
        with self._stages.stage() as problems:
            if self._entries.distinct:
                _check_distinct(outputs, problems)
            keys = self._sort_keys(outputs, problems)
            name_of = {output.column: output.name for output in outputs}
            early = any(column not in name_of for column, _ in keys)
            if early and self._entries.distinct:
                message = "after distinct only columns of the result can be sorted by"
                problems.add(self._entries.sort[0].path, message)
            if ties and not self._entries.sort:
                problems.add(self._entries.limit[0].path, "ties are between rows that are sorted; add a sort")
        breakers: list[Reference] = []
        if limit is not None and not ties:
            breakers = limit_tie_breakers([column for column, _ in keys], outputs, grouping)
            self._tell_ties([column for column, _ in keys], breakers)
        steps = [
            SortKey(column if early else NamedColumn(name_of[column]), item.descending, item.nulls_first)
            for column, item in keys
        ]
        steps += [SortKey(one if early else NamedColumn(name_of[one]), False, False) for one in breakers]
        rank = tie_rank([*self._scope.shown(), *(output.name for output in outputs)]) if ties else ""
        return Ordering(tuple(steps), limit, before_select=early, tie_rank=rank)

    def _tell_ties(self, keys: list[Reference], breakers: list[Reference]) -> None:
        """Tell by which columns rows may tie at the cut of a limit."""
        if not breakers:
            return
        others = ", ".join(one.name for one in breakers)
        if keys:
            by = ", ".join(one.name for one in keys)
            message = f"rows that are equal in {by} may tie at the last place; then {others} decide, the smallest first"
            other = 'all rows that tie with the last one ("with_ties": true)'
        else:
            message, other = f"no order is given, so the first rows by {others} are kept", "any rows"
        self._notes.add(self._entries.limit[0].path, message, other)

    def _sort_keys(self, outputs: tuple[OutputColumn, ...], problems: Problems) -> list[tuple[Reference, SortItem]]:
        keys = []
        by_name = {output.name.casefold(): output.column for output in reversed(outputs)}
        for path, items in self._entries.sort[:1]:
            for item in items:
                with problems.at(path):
                    key = self._sorted_by(item.column, by_name)
                    if reason := unordered(key.kind):
                        cannot(f"{described(key)} cannot be sorted by: {reason}")
                    keys.append((key, item))
        return keys

    def _sorted_by(self, text: str, by_name: dict[str, Reference]) -> Reference:
        """The column to sort by, as it is before the select. Refuses a name that the result gives to another column."""
        own = by_name.get(text.casefold())
        found = self._scope.find(text)
        if own and found and own not in found:
            refuse(f"{text!r} is one column before the select and another after it; rename one of them")
        return own or self._scope.resolve(text)


def _check_distinct(outputs: tuple[OutputColumn, ...], problems: Problems) -> None:
    for output in outputs:
        if reason := unequal(output.column.kind):
            problems.add("specs.transformations", f"distinct rows with {output.name!r}: {reason}", beyond=True)
