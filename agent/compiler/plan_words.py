"""A plan in words: one sentence for each step, in the order of execution."""

from __future__ import annotations

from collections.abc import Iterable

from agent.compiler.code.spelling import sql_column
from agent.compiler.expressions.references import Constant, NamedColumn, Reference
from agent.compiler.expressions.rendering import spark_sql
from agent.compiler.expressions.typed_values import BoundExpression
from agent.compiler.plan.steps import (
    AggregateStep,
    ComputedStep,
    ConditionStep,
    Grouping,
    JoinStep,
    Ordering,
    Plan,
    PlanPhase,
    RowCondition,
    SortKey,
    UnionStep,
    WindowStep,
)
from agent.elements import Frame
from agent.snapshot import Snapshot

_SHOWN = 5
"""Values of an IN that are shown."""
_KEEPS = {
    "inner": "rows without a partner are dropped",
    "left": "rows without a partner keep NULL in the columns of {new}",
    "right": "every row of {new} stays",
    "outer": "all rows of both sides stay",
}
_AGGREGATES = {"count_distinct": "number of different values of {}", "count": "number of values of {}"}
_NAMES = {"avg": "average", "min": "smallest", "max": "largest", "sum": "sum"}


def plan_words(plan: Plan, snapshot: Snapshot) -> dict[str, list[str]]:
    """Sentences by the kind of step; kinds without a step are left out."""
    found = {
        "sources": [_source(source.key, source.table, snapshot) for source in plan.sources],
        "unions": [_union(union) for union in plan.unions],
        "joins": [_join(step, snapshot) for step in plan.joins],
        **_phase(plan.before, ""),
        "groups": _groups(plan.grouping),
        **_phase(plan.after, " of groups"),
        "columns": _outputs(plan),
        "distinct": ["equal rows are kept once"] if plan.distinct else [],
        "order": _order(plan.ordering),
    }
    return {kind: sentences for kind, sentences in found.items() if sentences}


def _source(key: str, table: str, snapshot: Snapshot) -> str:
    source = snapshot.source(key)
    rows = f", about {source.rows_estimate:,} rows" if source.rows_estimate else ""
    named = table if key == table else f"{table} as {key}"
    return f"{named}{rows}"


def _union(union: UnionStep) -> str:
    kept = "all rows stay" if union.keeps_all else "equal rows are kept once"
    return f"{union.key} stacks {_listed(union.members)} by {_listed(union.columns)}; {kept}"


def _join(step: JoinStep, snapshot: Snapshot) -> str:
    conditions = [f"{_column(one)} = {_column(two)}" for one, two in step.equalities]
    conditions += [_expression(condition) for condition in step.conditions]
    if not conditions:
        return f"cross join {step.source}: each row meets every row of {step.source}"
    keeps = _KEEPS[step.join_type].format(new=step.source)
    return f"{step.join_type} join {step.source} on {' and '.join(conditions)}: {_fan_out(step, snapshot)}; {keeps}"


def _fan_out(step: JoinStep, snapshot: Snapshot) -> str:
    """Whether a join can multiply rows, as the unique keys of the joined table say."""
    equal = {column.name.casefold() for _, column in step.equalities}
    source = next((source for source in snapshot.sources if source.key == step.source), None)
    unique = [key for key in (source.unique_keys if source else ()) if {name.casefold() for name in key} <= equal]
    if unique:
        return f"each row meets at most one row of {step.source}, which is unique by {_listed(unique[0])}"
    by = f" by {_listed(sorted(equal))}" if equal else ""
    return f"may multiply rows, as {step.source} is not known to be unique{by}"


def _phase(phase: PlanPhase, of: str) -> dict[str, list[str]]:
    found = {
        f"new columns{of}": [_computed(step) for step in phase.derived],
        f"filters{of}": [_filter(step) for step in phase.filters],
    }
    for place, one in enumerate(phase.rounds):
        behind = " over the rows that are left" if place else ""
        found[f"windows{of}{behind * place}"] = [_computed(step) for step in one.windowed]
        found[f"filters on windows{of}{behind * place}"] = [_filter(step) for step in one.filters]
    return found


def _computed(step: ComputedStep) -> str:
    return f"{step.name} = {_value(step)}"


def _value(step: ComputedStep) -> str:
    return _window(step) if isinstance(step, WindowStep) else _expression(step.value)


def _window(step: WindowStep) -> str:
    arguments = "" if step.column is None else _column(step.column)
    if step.function in ("lag", "lead"):
        arguments += f", {step.offset}" + ("" if step.default is None else f", {_constant(step.default)}")
    over = [f"partition by {_listed(map(_column, step.partition_by))}"] if step.partition_by else []
    over += [f"order by {_listed(map(_sort_key, step.order_by))}"] if step.order_by else []
    over += [_frame(step.frame)] if step.frame is not None else []
    return f"{step.function}({arguments}) over ({' '.join(over)})"


def _frame(frame: Frame) -> str:
    return f"{frame.unit} between {_bound(frame.start, 'preceding')} and {_bound(frame.end, 'following')}"


def _bound(offset: int | None, unbounded: str) -> str:
    if offset is None:
        return f"unbounded {unbounded}"
    return "current row" if offset == 0 else f"{abs(offset)} {'preceding' if offset < 0 else 'following'}"


def _filter(step: RowCondition) -> str:
    return f"keep rows where {_condition(step)}"


def _condition(step: RowCondition) -> str:
    match step:
        case ConditionStep("not", (part,)):
            return f"not ({_condition(part)})"
        case ConditionStep(operator, parts):
            return f" {operator} ".join(f"({_condition(part)})" for part in parts)
        case BoundExpression():
            return _expression(step)
    values = [_constant(value) if isinstance(value, Constant) else _column(value) for value in step.values]
    if len(values) > _SHOWN:
        values = [*values[:_SHOWN], f"… {len(step.values) - _SHOWN:,} more"]
    if step.operator.endswith("IN"):
        return f"{_column(step.column)} {step.operator} ({', '.join(values)})"
    return " ".join([_column(step.column), step.operator, " AND ".join(values)]).strip()


def _groups(grouping: Grouping | None) -> list[str]:
    if grouping is None:
        return []
    keys = _listed(_column(key.column) for key in grouping.keys)
    head = f"one row for each {keys}" if keys else "one row for all rows together"
    return [head, *(f"{step.name} = {_aggregate(step)}" for step in grouping.aggregates)]


def _aggregate(step: AggregateStep) -> str:
    if step.column is None:
        value = "number of rows"
    else:
        template = _AGGREGATES.get(step.function) or f"{_NAMES.get(step.function, step.function)} of {{}}"
        value = template.format(_column(step.column))
    return value if step.only is None else f"{value} of the rows where {_condition(step.only)}"


def _outputs(plan: Plan) -> list[str]:
    """The columns of the result, each with its origin."""
    origins = _origins(plan)
    return [f"{output.name} = {_origin(output.column, origins)}" for output in plan.outputs]


def _origin(column: Reference, origins: dict[str, str]) -> str:
    return origins.get(column.name, column.name) if isinstance(column, NamedColumn) else _column(column)


def _origins(plan: Plan) -> dict[str, str]:
    """The values of the computed columns, by name; a later step replaces an earlier one of its name."""
    grouping = plan.grouping
    found = {step.name: _value(step) for step in (*plan.before.derived, *plan.before.windowed)}
    if grouping is not None:
        found |= {key.name: _origin(key.column, found) for key in grouping.keys}
        found |= {step.name: _aggregate(step) for step in grouping.aggregates}
    return found | {step.name: _value(step) for step in (*plan.after.derived, *plan.after.windowed)}


def _order(ordering: Ordering) -> list[str]:
    found = [f"sorted by {_listed(map(_sort_key, ordering.keys))}"] if ordering.keys else []
    if ordering.limit is not None:
        rows = f"the first {ordering.limit:,} rows" if ordering.limit > 1 else "the first row"
        found.append(f"{rows}, and those that tie with the last one" if ordering.tie_rank else rows)
    return found


def _sort_key(key: SortKey) -> str:
    direction = " descending" if key.descending else ""
    # PostgreSQL's own place of NULL is not worth a word: first when descending, else last.
    nulls = "" if key.nulls_first == key.descending else f", NULL {'first' if key.nulls_first else 'last'}"
    return f"{_column(key.column)}{direction}{nulls}"


def _column(reference: Reference) -> str:
    return sql_column(reference)


def _expression(bound: BoundExpression) -> str:
    return spark_sql(bound.value, sql_column)


def _constant(value: Constant) -> str:
    return f"'{value.value}'" if isinstance(value.value, str) else str(value.value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
