"""The planner's stages: from a specification's elements to a plan in which every name is resolved, or to problems."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.compiler.expressions.references import NamedColumn, Reference
from agent.compiler.plan.computations import Computations
from agent.compiler.plan.computed_columns import Computed, in_order
from agent.compiler.plan.conditions import ConditionReader
from agent.compiler.plan.declared_types import as_declared
from agent.compiler.plan.default_columns import DefaultColumns
from agent.compiler.plan.derivations import bind, refuse_shadowed, tell_remarks
from agent.compiler.plan.filter_lists import filters_once
from agent.compiler.plan.first_rows import first_rows, refuse_windows_beside
from agent.compiler.plan.grouping import Grouped, GroupingReader
from agent.compiler.plan.joins import JoinChain, join_chain, tell_lost_partners
from agent.compiler.plan.listed_order import listed_before, refuse_distinct_groups
from agent.compiler.plan.outputs import ResultReader
from agent.compiler.plan.pruning import named, of_result, phase
from agent.compiler.plan.reading_findings import Findings
from agent.compiler.plan.resolution import Names, Scope, Sources, all_names
from agent.compiler.plan.steps import (
    ComputedStep,
    DerivedStep,
    Grouping,
    Ordering,
    OutputColumn,
    Plan,
    PlannedSource,
    PlanPhase,
    RowCondition,
    UnionStep,
)
from agent.compiler.plan.unions import apply_unions
from agent.compiler.plan.window_rounds import Rounds
from agent.compiler.plan.window_steps import WindowPlaces, bind_window
from agent.compiler.problems import Problems, refuse, within
from agent.elements import Comparison, Condition, Entries, Located, WindowEntry
from agent.request import Specification
from agent.snapshot import Target


def plan_of(entries: Entries, sources: Sources, specs: Specification, target: Target, found: Findings) -> Plan:
    """The plan of a specification's entries over its sources.

    It is made in stages. Raises InvalidRequestError with all problems of the first stage that has any.
    """
    listed = dict(sources.tables)
    with found.stages.stage() as problems:
        sources, unions = apply_unions(entries.unions, sources, problems)
    with found.stages.stage() as problems:
        chain = join_chain(entries.joins, sources, problems, found)
    rows = _Rows(listed, sources.after_joins(chain.optional()), unions, chain)
    return _Planner(specs, target, entries, rows, found).plan()


@dataclass(frozen=True)
class _Rows:
    """The sources after unions and joins: the rows that all other steps work on."""

    listed: dict[str, str]
    """Key to table name of each listed source."""
    sources: Sources
    unions: tuple[UnionStep, ...]
    chain: JoinChain


@dataclass
class _Columns:
    """The computed columns on one side of grouping."""

    derived: list[DerivedStep] = field(default_factory=list)
    windowed: list[ComputedStep] = field(default_factory=list)
    """Windows, and columns derived from them."""


class _Planner:
    """The stages after the joins. They share the names before grouping and the computed columns."""

    def __init__(self, specs: Specification, target: Target, entries: Entries, rows: _Rows, found: Findings) -> None:
        self._specs, self._target, self._stages, self._notes = specs, target, found.stages, found.notes
        self._rows = rows
        self._before: Names = all_names(rows.sources, rows.chain.merged(rows.sources))
        self._work = Computations(self._before, entries, rows.sources.dialect)
        self._before.hint(self._work.declared_names())
        self._conditions = ConditionReader(self._work)
        self._steps, self._waiting = _Columns(), list[Computed]()
        self._listed_before = listed_before(entries.steps)
        self._rounds = Rounds(entries.steps)
        with self._stages.stage() as problems:
            self._work.read(problems)
            first = first_rows(entries, specs, self._work, found.notes, problems)
            self._filters = [*self._lifted_filters(entries, problems), *first]
            self._entries = self._lifted_result(entries, problems)
            self._ordered = in_order(self._work.items.values(), self._before, problems)
            listed = bool(specs.target_table.columns or self._entries.select)
            self._defaults = DefaultColumns(self._work, self._before, rows.sources, target, listed, found)
            self._place(problems)
            windows = [item for item in self._ordered if item.is_window and item not in self._waiting]
            refuse_windows_beside(entries, windows, problems)
            self._defaults.waiting = self._waiting

    def _lifted_filters(self, entries: Entries, problems: Problems) -> list[Located[Condition]]:
        found = []
        for path, entry in entries.filters:
            with problems.at(path):
                found += [Located(path, one) for one in self._work.conditions(entry, path)]
        return found

    def _lifted_result(self, entries: Entries, problems: Problems) -> Entries:
        """The entries with names in the place of the expressions that the result is sorted by or holds."""
        sort, select = [], []
        for path, items in entries.sort:
            with problems.at(path):
                found = [item._replace(column=self._work.operand(item.column, path)) for item in items]
                sort.append(Located(path, tuple(found)))
        for path, selected in entries.select:
            with problems.at(path):
                columns = [replace(one, column=self._work.operand(one.column, path)) for one in selected]
                select.append(Located(path, tuple(columns)))
        return replace(entries, sort=sort, select=select)

    def _place(self, problems: Problems) -> None:
        """Bind the columns that are computed before grouping, each after those that it uses."""
        entries = self._work.aggregations
        keys = [name for _, entry in entries for name in entry.group_by]
        places = WindowPlaces(keys, [entry.column for _, entry in entries if entry.column], self._ordered, self._before)
        for item in self._ordered:
            if problems.follows(item.name, item.uses):
                continue
            with problems.at(item.path, item.name):
                if any(self._work.late(use) for use in item.uses) or (entries and places.after_grouping(item)):
                    self._refuse_two_meanings(item.uses)
                    self._work.wait(item.name)
                    self._waiting.append(item)
                else:
                    self._compute(item, self._before, self._steps)

    def _compute(self, item: Computed, scope: Names | Grouped, steps: _Columns) -> None:
        """Add the step that computes a column, and its name."""
        self._rounds.add_step(item.column, item.path)
        column = self._step(item, scope, steps)
        if item.shown:
            scope.define(item.name, column)
        else:
            scope.add(item.name, column)

    def _step(self, item: Computed, scope: Names | Grouped, steps: _Columns) -> Reference:
        if isinstance(item.source, WindowEntry):
            step, kind = bind_window(item.column, item.source, scope)
            steps.windowed.append(step)
            return NamedColumn(item.column, kind)
        passed = item.passed
        if passed is not None and scope.find(passed) and not item.declared:
            refuse_shadowed(passed, scope)
            return scope.resolve(passed)
        value = as_declared(item, bind(item.source, scope), scope, self._rows.sources.dialect, self._notes)
        tell_remarks(self._notes, item.path, value)
        after_window = named(value.references) & {step.name for step in steps.windowed}
        (steps.windowed if after_window else steps.derived).append(DerivedStep(item.column, value))
        return NamedColumn(item.column, value.kind, value.value.nullable)

    def _refuse_two_meanings(self, uses: tuple[str, ...]) -> None:
        for use in uses:
            if self._work.late(use) and self._before.find(use):
                both = f"{use!r} is a source column and an aggregate's alias"
                refuse(f"{both}; rename the alias or qualify the column")

    def plan(self) -> Plan:
        """The whole plan. Raises InvalidRequestError."""
        if self._work.aggregations:
            return self._grouped_plan()
        with self._stages.stage() as problems:
            filters = self._read_filters(self._before, problems)
        self._defaults.refuse_unreadable()
        outputs, ordering = self._result(self._before, self._defaults.rows(), None)
        before = phase(self._steps.derived, self._steps.windowed, filters, of_result(outputs, ordering), self._rounds)
        kept = {step.name for step in (*before.derived, *before.windowed)}
        self._defaults.refuse_unused({step.name for step in (*self._steps.derived, *self._steps.windowed)} - kept)
        return self._assembled(before, None, PlanPhase(), outputs, ordering)

    def _grouped_plan(self) -> Plan:
        reader = GroupingReader(self._work, self._before, self._conditions, self._notes)
        with self._stages.stage() as problems:
            refuse_distinct_groups(self._entries, problems)
            filters = self._read_filters(self._before, problems)
            grouping = reader.read(problems)
        grouped, steps = Grouped(grouping, self._before, reader.aliases, self._work.made_names()), _Columns()
        with self._stages.stage() as problems:
            self._compute_after(grouped, steps, problems)
        used: list[Reference] = [key.column for key in grouping.keys]
        used += [reference for step in grouping.aggregates for reference in step.references]
        before = phase(self._steps.derived, self._steps.windowed, filters, used, self._rounds)
        with self._stages.stage() as problems:
            filters_after = self._read_filters(grouped, problems)
            defaults = self._defaults.groups(grouping, grouped, named(before.reads), problems)
        outputs, ordering = self._result(grouped.finished(), defaults, grouping)
        after = phase(steps.derived, steps.windowed, filters_after, of_result(outputs, ordering), self._rounds)
        self._defaults.refuse_unused_groups(self._entries.aggregations, named(after.reads))
        return self._assembled(before, self._needed(grouping, after), after, outputs, ordering)

    def _needed(self, grouping: Grouping, after: PlanPhase) -> Grouping:
        """The grouping without the aggregates that nobody named and nothing reads."""
        asked, made = named(after.reads), set(self._work.made_names().values())
        kept = tuple(step for step in grouping.aggregates if step.name in asked or step.name not in made)
        return replace(grouping, aggregates=kept)

    def _compute_after(self, grouped: Grouped, steps: _Columns, problems: Problems) -> None:
        """Compute the columns that need an aggregate, and those that use only columns that are grouped by."""
        before = {step.name: step for step in self._steps.derived}
        for item in self._ordered:
            if problems.follows(item.name, item.uses) or (grouped.find(item.name) and item not in self._waiting):
                continue
            with problems.at(item.path, item.name):
                if item in self._waiting:
                    self._compute(item, grouped, steps)
                elif item.column in before and (value := grouped.moved(before[item.column].value)) is not None:
                    steps.derived.append(DerivedStep(item.column, value))
                    column = NamedColumn(item.column, value.kind, value.value.nullable)
                    grouped.placed[item.column] = column
                    grouped.define(item.name, column)

    def _result(
        self, scope: Scope, defaults: list[OutputColumn], grouping: Grouping | None
    ) -> tuple[tuple[OutputColumn, ...], Ordering]:
        """The columns of the result, and its order."""
        result = ResultReader(self._entries, scope, self._stages, self._notes)
        outputs = result.columns(self._specs.target_table, self._target, defaults)
        return outputs, result.ordering(outputs, grouping)

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

    def _read_filters(self, scope: Names | Grouped, problems: Problems) -> tuple[RowCondition, ...]:
        """The filters before grouping; after it, those on aggregates and on columns derived from them."""
        late, steps = isinstance(scope, Grouped), list[Located[RowCondition]]()
        for path, entry in self._filters:
            uses = self._work.uses(entry)
            behind = [item for item in self._windows_before(path) if (item in self._waiting) == late]
            after_groups = any(item in self._waiting for item in self._windows_before(path))
            if (after_groups or any(self._work.late(use) for use in uses)) != late:
                continue
            with problems.at(path):
                if late:
                    with within(".column" if isinstance(entry, Comparison) else ""):
                        self._refuse_two_meanings(uses)
                step = self._conditions.step(entry, scope)
                tell_remarks(self._notes, path, step)
                tell_lost_partners(self._notes, self._rows.chain, path, step)
                self._rounds.add_filter(step, path, deferred=bool(behind))
                steps.append(Located(path, step))
        return filters_once(steps, problems)

    def _windows_before(self, path: str) -> list[Computed]:
        """The windows that `transformations` lists before a filter: they see the rows that the filter drops."""
        listed = self._listed_before.get(path, set())
        return [item for item in self._ordered if item.is_window and item.path in listed]
