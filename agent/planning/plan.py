"""The plan of a specification: every name resolved, or a refusal that names what is not certain."""

from __future__ import annotations

from collections.abc import Iterable

from agent.errors import InvalidRequestError, Problem
from agent.planning.conditions import filter_step
from agent.planning.derivations import Derivation, Derivations
from agent.planning.grouping import Grouped, read_grouping
from agent.planning.joins import JoinChain, join_chain
from agent.planning.outputs import read_ordering, read_outputs, read_renames
from agent.planning.refusals import collecting, refuse
from agent.planning.resolution import Names, Sources, all_names, read_sources, unquoted
from agent.planning.steps import (
    DerivedStep,
    FilterStep,
    Grouping,
    NamedColumn,
    Ordering,
    OutputColumn,
    Plan,
    PlannedSource,
    Reference,
)
from agent.planning.transformations import Entries, read_entries, without_repetitions
from agent.request import Aggregation, DerivedColumn, Request
from agent.snapshot import Snapshot

__all__ = ["Plan", "build_plan"]


def build_plan(request: Request, snapshot: Snapshot) -> Plan:
    """The plan of a request. Raises InvalidRequestError with everything that cannot be expressed with certainty."""
    problems: list[Problem] = []
    entries = read_entries(request.specs, problems)
    sources = read_sources(request.specs, snapshot, problems)
    before_joins = len(problems)
    chain = join_chain(entries.joins, sources, problems)
    if len(sources.tables) < len(request.specs.source_tables) or len(problems) > before_joins:
        raise InvalidRequestError(problems)
    plan = _Planner(request, snapshot, entries, sources, chain, problems).plan()
    if problems:
        raise InvalidRequestError(problems)
    return plan


class _Planner:
    """Carries what the stages share: names before grouping, derived columns, and the problems found so far."""

    def __init__(
        self,
        request: Request,
        snapshot: Snapshot,
        entries: Entries,
        sources: Sources,
        chain: JoinChain,
        problems: list[Problem],
    ) -> None:
        self._specs, self._target = request.specs, snapshot.target
        self._entries, self._sources, self._chain, self._problems = entries, sources, chain, problems
        self._before: Names = all_names(sources, chain.merged(sources))
        self._aggregations = without_repetitions(entries.aggregations, _alias, _aggregate_meaning, problems)
        self._derivations = Derivations(sources, self._before, [entry.alias for _, entry in self._aggregations])
        derived = without_repetitions(entries.derived, _derived_name, _derived_meaning, problems)
        self._derivations.read(derived, problems)

    def plan(self) -> Plan:
        filters = self._filters(late=False)
        if self._aggregations:
            return self._grouped_plan(filters)
        defaults = [*self._source_columns(), *self._derived_columns()]
        renames = read_renames(self._entries, self._before, self._problems)
        outputs = read_outputs(
            self._specs, self._entries, self._before, renames, defaults, self._target, self._problems
        )
        ordering = read_ordering(self._entries, self._before, outputs, None, self._problems)
        asked = {*_columns(filters, outputs, ordering)}
        self._refuse_unused(asked)
        return self._assembled(asked, filters, None, (), (), outputs, ordering)

    def _grouped_plan(self, filters: tuple[FilterStep, ...]) -> Plan:
        grouping = read_grouping(self._aggregations, self._before, self._derivations, self._problems)
        grouped = Grouped(grouping, self._before, self._derivations.found, self._problems)
        used_before = {step.column for step in filters} | {key.column for key in grouping.keys}
        used_before |= {step.column for step in grouping.aggregates if step.column is not None}
        filters_after = self._filters(late=True, grouped=grouped)
        defaults = self._grouped_defaults(grouping, grouped, _named(used_before))
        result = grouped.finished()
        renames = read_renames(self._entries, result, self._problems)
        outputs = read_outputs(self._specs, self._entries, result, renames, defaults, self._target, self._problems)
        ordering = read_ordering(self._entries, result, outputs, grouping, self._problems)
        asked = {*_columns(filters_after, outputs, ordering)}
        after = _needed(grouped.steps, _named(asked))
        asked |= {reference for step in after for reference in step.value.references}
        self._refuse_unused_aggregates(_named(asked))
        return self._assembled(used_before, filters, grouping, after, filters_after, outputs, ordering)

    def _assembled(
        self,
        asked: set[Reference],
        filters: tuple[FilterStep, ...],
        grouping: Grouping | None,
        derived_after: tuple[DerivedStep, ...],
        filters_after: tuple[FilterStep, ...],
        outputs: tuple[OutputColumn, ...],
        ordering: Ordering,
    ) -> Plan:
        order = [self._chain.start, *(step.source for step in self._chain.steps)]
        target = self._specs.target_table
        return Plan(
            target=target.name,
            description=target.description,
            sources=tuple(PlannedSource(key, self._sources.tables[key]) for key in order),
            joins=tuple(self._chain.steps),
            derived=_needed(_steps(self._derivations.found), _named(asked)),
            filters=filters,
            grouping=grouping,
            derived_after=derived_after,
            filters_after=filters_after,
            outputs=outputs,
            distinct=self._entries.distinct,
            ordering=ordering,
        )

    def _filters(self, late: bool, grouped: Grouped | None = None) -> tuple[FilterStep, ...]:
        """The filters before grouping, or those on aggregates and what is derived from them."""
        steps = []
        for path, entry in self._entries.filters:
            text = unquoted(entry.column)
            if self._derivations.late(text) != late:
                continue
            with collecting(self._problems):
                if late and self._before.find(text):
                    both = f"{entry.column!r} is a source column and an aggregate's alias"
                    refuse(f"{path}.column", f"{both}; rename the alias or qualify the column")
                scope = self._before if grouped is None else grouped
                steps.append((path, filter_step(entry, scope.resolve(text, f"{path}.column"), path)))
        once = without_repetitions(steps, _filtered, _filter_meaning, self._problems)
        return tuple(step for _, step in once)

    def _source_columns(self) -> list[Reference]:
        """Every source column in the order listed; a key that joins share stands once."""
        found: list[Reference] = []
        for own in self._sources.columns.values():
            for column in own:
                same = self._before.find(column.name)
                found.append(same[0] if len(same) == 1 else column)
        return found

    def _derived_columns(self) -> list[Reference]:
        return [reference for d in self._derivations.found for reference in self._before.find(d.name)]

    def _refuse_unused(self, asked: set[Reference]) -> None:
        """Without a list of columns, a derived column that goes nowhere is a mistake."""
        kept = {step.name for step in _needed(_steps(self._derivations.found), _named(asked))}
        for derivation in self._derivations.found:
            if derivation.name not in kept and not self._explicit():
                message = f"{derivation.name!r} is not a column of the existing target; list the columns to fill"
                self._problems.append(Problem(derivation.path, message))

    def _refuse_unused_aggregates(self, asked: set[str]) -> None:
        """Without a list of columns, an aggregate that goes nowhere is a mistake."""
        for path, entry in self._aggregations:
            if entry.alias not in asked and not self._explicit():
                message = f"{entry.alias!r} is not a column of the existing target; list the columns to fill"
                self._problems.append(Problem(f"{path}.alias", message))

    def _grouped_defaults(self, grouping: Grouping, grouped: Grouped, used: set[str]) -> list[Reference]:
        """Keys, aggregates, and the derived columns that need an aggregate or serve nothing before grouping."""
        used = used | {step.name for step in _needed(_steps(self._derivations.found), used)}
        names = [key.name for key in grouping.keys] + [step.name for step in grouping.aggregates]
        placed = {step.name for step in grouped.steps}
        for derivation in self._derivations.found:
            if derivation.name in placed and derivation.name not in used:
                names.append(derivation.name)
            elif derivation.name not in used and not self._explicit() and derivation.value is not None:
                message = f"{derivation.name!r} is neither grouped by nor aggregated, so it is lost; group by it"
                self._problems.append(Problem(derivation.path, message))
        return [reference for name in names for reference in grouped.find(name)]

    def _explicit(self) -> bool:
        return bool(self._specs.target_table.columns or self._entries.select)


def _alias(entry: Aggregation) -> object:
    return entry.alias.casefold()


def _aggregate_meaning(entry: Aggregation) -> object:
    return entry.function, entry.column or "*", frozenset(entry.group_by)


def _derived_name(entry: DerivedColumn) -> object:
    return entry.name.casefold()


def _derived_meaning(entry: DerivedColumn) -> object:
    return entry.expression.strip()


def _filtered(step: FilterStep) -> object:
    """Several values may be excluded one by one; any other operator says one thing of a column."""
    return step.column, step.operator, step.values if step.operator in ("!=", "NOT IN", "NOT LIKE") else ()


def _filter_meaning(step: FilterStep) -> object:
    return step.values


def _steps(found: Iterable[Derivation]) -> list[DerivedStep]:
    return [DerivedStep(one.name, one.value) for one in found if one.value is not None]


def _columns(filters: tuple[FilterStep, ...], outputs: tuple[OutputColumn, ...], ordering: Ordering) -> list[Reference]:
    sort = [key.column for key in ordering.keys] if ordering.before_select else []
    return [*(step.column for step in filters), *(output.column for output in outputs), *sort]


def _named(columns: Iterable[Reference]) -> set[str]:
    return {column.name for column in columns if isinstance(column, NamedColumn)}


def _needed(steps: list[DerivedStep], asked: set[str]) -> tuple[DerivedStep, ...]:
    """The steps that `asked` needs, directly or through another step, in their order."""
    wanted, kept = set(asked), []
    for step in reversed(steps):
        if step.name in wanted:
            wanted |= _named(step.value.references)
            kept.append(step)
    return tuple(reversed(kept))
