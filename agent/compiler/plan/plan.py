"""The planner's stages: from a request to a plan in which every name is resolved, or to problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.compiler.expressions.references import Reference, unquoted
from agent.compiler.notes import Notes
from agent.compiler.plan.conditions import filter_step, filters_once
from agent.compiler.plan.derivations import Derivation, Derivations
from agent.compiler.plan.grouping import Grouped, read_grouping
from agent.compiler.plan.joins import JoinChain, join_chain
from agent.compiler.plan.outputs import ResultReader
from agent.compiler.plan.pruning import named, of_result, phase
from agent.compiler.plan.resolution import Names, Scope, Sources, all_names
from agent.compiler.plan.steps import (
    DerivedStep,
    FilterStep,
    Grouping,
    Ordering,
    OutputColumn,
    Plan,
    PlannedSource,
    PlanPhase,
    UnionStep,
)
from agent.compiler.plan.unions import apply_unions
from agent.compiler.plan.window_steps import read_windowing
from agent.compiler.problems import Problems, Stages, cannot, refuse
from agent.elements import Comparison, Entries, Located
from agent.request import Specification
from agent.snapshot import Target


@dataclass(frozen=True)
class Findings:
    """The findings of a reading, which its stages add to."""

    stages: Stages
    notes: Notes


def plan_of(entries: Entries, sources: Sources, specs: Specification, target: Target, found: Findings) -> Plan:
    """The plan of a specification's entries over its sources.

    It is made in stages. Raises InvalidRequestError with all problems of the first stage that has any.
    """
    listed = dict(sources.tables)
    with found.stages.stage() as problems:
        sources, unions = apply_unions(entries.unions, sources, problems)
    with found.stages.stage() as problems:
        chain = join_chain(entries.joins, sources, problems)
    return _Planner(specs, target, entries, _Rows(listed, sources, unions, chain), found).plan()


@dataclass(frozen=True)
class _Rows:
    """The sources after unions and joins: the rows that all other steps work on."""

    listed: dict[str, str]
    """Key to table name of each listed source."""
    sources: Sources
    unions: tuple[UnionStep, ...]
    chain: JoinChain


class _Planner:
    """The stages after the joins. They share the names before grouping, the derived columns and the windows."""

    def __init__(self, specs: Specification, target: Target, entries: Entries, rows: _Rows, found: Findings) -> None:
        self._specs, self._target, self._stages, self._notes = specs, target, found.stages, found.notes
        self._entries, self._rows = entries, rows
        self._before: Names = all_names(rows.sources, rows.chain.merged(rows.sources))
        aliases = [one.alias for _, one in entries.aggregations]
        windows = [one.name for _, one in entries.windows]
        self._before.hint([*aliases, *windows, *(one.name for _, one in entries.derived)])
        self._derivations = Derivations(rows.sources, self._before, aliases, windows)
        with self._stages.stage() as problems:
            self._derivations.read(entries.derived, problems)
            self._windowing = read_windowing(
                entries.windows, entries.aggregations, self._before, self._derivations, problems
            )

    def plan(self) -> Plan:
        """The whole plan. Raises InvalidRequestError."""
        if self._entries.aggregations:
            return self._grouped_plan()
        with self._stages.stage() as problems:
            filters = self._filters(self._before, problems)
        defaults = [*self._source_columns(), *self._derived_columns()]
        self._refuse_unreadable()
        outputs, ordering = self._result(self._before, defaults, None)
        before = self._phase(filters, of_result(outputs, ordering))
        self._refuse_unused(before)
        return self._assembled(before, None, PlanPhase(), outputs, ordering)

    def _grouped_plan(self) -> Plan:
        with self._stages.stage() as problems:
            filters = self._filters(self._before, problems)
            grouping = read_grouping(self._entries.aggregations, self._before, self._derivations, problems)
        grouped = Grouped(grouping, self._before)
        with self._stages.stage() as problems:
            grouped.derive(self._derivations.found, problems)
            self._windowing.bind_after(grouped, problems)
        used: list[Reference] = [key.column for key in grouping.keys]
        used += [reference for step in grouping.aggregates for reference in step.references]
        before = self._phase(filters, used)
        with self._stages.stage() as problems:
            filters_after = self._filters(grouped, problems)
            defaults = self._grouped_defaults(grouping, grouped, named(before.reads), problems)
        outputs, ordering = self._result(grouped.finished(), defaults, grouping)
        after = phase(grouped.steps, self._windowing.after, filters_after, of_result(outputs, ordering))
        self._refuse_unused_aggregates(named(after.reads))
        return self._assembled(before, grouping, after, outputs, ordering)

    def _result(
        self, scope: Scope, defaults: list[Reference], grouping: Grouping | None
    ) -> tuple[tuple[OutputColumn, ...], Ordering]:
        """The columns of the result, and its order."""
        result = ResultReader(self._entries, scope, self._stages)
        outputs = result.columns(self._specs.target_table, self._target, defaults)
        return outputs, result.ordering(outputs, grouping)

    def _phase(self, filters: tuple[FilterStep, ...], asked: list[Reference]) -> PlanPhase:
        """The phase before grouping."""
        return phase(_steps(self._derivations.found), self._windowing.before, filters, asked)

    def _assembled(
        self,
        before: PlanPhase,
        grouping: Grouping | None,
        after: PlanPhase,
        outputs: tuple[OutputColumn, ...],
        ordering: Ordering,
    ) -> Plan:
        rows, target = self._rows, self._specs.target_table
        members = [key for union in rows.unions for key in union.members]
        order = dict.fromkeys([*members, rows.chain.start, *(step.source for step in rows.chain.steps)])
        return Plan(
            target=target.name,
            description=target.description,
            sources=tuple(PlannedSource(key, rows.listed[key]) for key in order if key in rows.listed),
            unions=rows.unions,
            start=rows.chain.start,
            joins=tuple(rows.chain.steps),
            before=before,
            grouping=grouping,
            after=after,
            outputs=outputs,
            distinct=self._entries.distinct,
            ordering=ordering,
        )

    def _filters(self, scope: Names | Grouped, problems: Problems) -> tuple[FilterStep, ...]:
        """The filters before grouping; after it, those on aggregates and on columns derived from them."""
        late, steps = isinstance(scope, Grouped), []
        for path, entry in self._entries.filters:
            if not isinstance(entry, Comparison):
                with problems.at(path):
                    cannot("a group of conditions or a condition as SQL cannot be expressed by the compiler")
                continue
            text = unquoted(entry.column)
            if self._derivations.late(text) != late:
                continue
            with problems.at(path):
                if late and self._before.find(text):
                    both = f"{entry.column!r} is a source column and an aggregate's alias"
                    refuse(f"{both}; rename the alias or qualify the column", ".column")
                steps.append(Located(path, filter_step(entry, scope.resolve(text, ".column"))))
        return filters_once(steps, problems)

    def _source_columns(self) -> list[Reference]:
        """Every source column in the order listed; a shared join key once."""
        found: list[Reference] = []
        for own in self._rows.sources.columns.values():
            for column in own:
                same = self._before.find(column.name)
                found.append(same[0] if len(same) == 1 else column)
        return found

    def _derived_columns(self) -> list[Reference]:
        names = [*(d.name for d in self._derivations.found), *(step.name for step in self._windowing.before)]
        return [reference for name in names for reference in self._before.find(name)]

    def _refuse_unreadable(self) -> None:
        """Refuse a result that takes, unasked, source columns that no job reads."""
        if self._explicit():
            return
        filled = {column.name.casefold() for column in self._target.columns if not column.generated}
        sources = self._rows.sources
        with self._stages.stage() as problems:
            for key, path in sources.paths.items():
                for fold, reason in sources.unreadable.get(key, {}).items():
                    if fold in filled or not self._target.exists:
                        problems.add(path, f"the result takes this column too: {reason}; or list the target's columns")

    def _refuse_unused(self, before: PlanPhase) -> None:
        """Refuse a derived column or window that nothing uses, where no list of columns leaves it out."""
        kept = {step.name for step in (*before.derived, *before.windowed)}
        paths = {d.name: d.path for d in self._derivations.found} | self._windowing.paths
        self._refuse_unfilled([(name, path) for name, path in paths.items() if name not in kept])

    def _refuse_unused_aggregates(self, asked: set[str]) -> None:
        """Refuse an aggregate or a window over groups that nothing uses, where no list of columns leaves it out."""
        paths = [(entry.alias, f"{path}.alias") for path, entry in self._entries.aggregations]
        paths += [(step.name, self._windowing.paths[step.name]) for step in self._windowing.after]
        self._refuse_unfilled([(name, path) for name, path in paths if name not in asked])

    def _refuse_unfilled(self, unused: list[tuple[str, str]]) -> None:
        """Refuse the unused columns that the existing target does not have."""
        if not self._target.exists or self._explicit():
            return
        columns = {column.name.casefold() for column in self._target.columns}
        with self._stages.stage() as problems:
            for name, path in unused:
                if name.casefold() not in columns:
                    problems.add(path, f"{name!r} is not a column of the existing target; list the columns to fill")

    def _grouped_defaults(
        self, grouping: Grouping, grouped: Grouped, used: set[str], problems: Problems
    ) -> list[Reference]:
        """Keys, aggregates, and the derived columns that need an aggregate or that nothing uses before grouping."""
        names = [key.name for key in grouping.keys] + [step.name for step in grouping.aggregates]
        placed = {step.name for step in grouped.steps}
        lost = [(step.name, self._windowing.paths[step.name]) for step in self._windowing.before]
        for derivation in self._derivations.found:
            if derivation.name in placed and derivation.name not in used:
                names.append(derivation.name)
            elif derivation.value is not None:
                lost.append((derivation.name, derivation.path))
        used = used | {unquoted(entry.column) for _, entry in self._entries.aggregations if entry.column}
        for name, path in lost:
            if name not in used and not self._explicit():
                problems.add(path, f"{name!r} is neither grouped by nor aggregated, so it is lost; group by it")
        names += [step.name for step in self._windowing.after]
        return [reference for name in names for reference in grouped.find(name)]

    def _explicit(self) -> bool:
        return bool(self._specs.target_table.columns or self._entries.select)


def _steps(found: Iterable[Derivation]) -> list[DerivedStep]:
    return [DerivedStep(one.name, one.value) for one in found if one.value is not None]
