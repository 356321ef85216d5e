"""The DataFrame writer: a plan as the `transform` that an engineer would write, one statement a step."""

from __future__ import annotations

from collections.abc import Iterator

from agent.compiler.code.averages import average_code, is_exact_average
from agent.compiler.code.columns import all_of, column_code, condition_code, expression_code
from agent.compiler.code.layout import Argument, Call, comparison, statement
from agent.compiler.code.spelling import (
    docstring,
    python_column,
    python_text,
    spark_name,
    union_variables,
    variables,
)
from agent.compiler.code.windows import WindowVariables, aggregated, sort_code, window_code
from agent.compiler.expressions.references import MergedColumn, NamedColumn
from agent.compiler.plan.steps import (
    AggregateStep,
    ComputedStep,
    Grouping,
    JoinStep,
    Ordering,
    OutputColumn,
    Plan,
    PlanPhase,
    RowCondition,
    UnionStep,
    WindowStep,
)

_AGGREGATES = {
    "sum": "F.sum", "avg": "F.avg", "count": "F.count", "min": "F.min", "max": "F.max",
    "count_distinct": "F.countDistinct",
}  # fmt: skip
_INNER_WIDTH = 84
"""Characters of an argument on a line of its own."""
_MAX_CALLS = 40
"""Calls in one chain. A longer chain is cut: the policy refuses deeply nested expressions."""


def compile_transform(plan: Plan) -> str:
    """The Python source of `transform`. It uses the names `F`, `DataFrame` and `Window`."""
    lines = ["def transform(sources: dict[str, DataFrame]) -> DataFrame:"]
    lines += [f"    {line}" for line in docstring(plan.description, plan.target)]
    of, stacked = variables(plan.sources), union_variables(plan)
    lines += [f"    {of[source.key]} = sources[{python_text(source.key)}]" for source in plan.sources]
    for union, variable in zip(plan.unions, stacked, strict=True):
        lines += statement(f"{variable} = ", of[union.members[0]], _stack(union, of))
        of[union.key] = variable
    frame = of[plan.start]
    windows = WindowVariables()
    for name, calls in _stages(plan, of, windows):
        lines += windows.new_lines()
        for start in range(0, len(calls), _MAX_CALLS):
            lines += statement(f"{name} = ", frame, calls[start : start + _MAX_CALLS])
            frame = name
    result = _result(plan, windows)
    return "\n".join([*lines, *windows.new_lines(), *statement("return ", frame, result)]) + "\n"


def _stages(plan: Plan, of: dict[str, str], windows: WindowVariables) -> Iterator[tuple[str, list[Call]]]:
    """The steps before the result, each with its variable."""
    yield "joined", [_join(step, of[step.source]) for step in plan.joins]
    yield from _phase(plan.before, ("derived", "kept", "windowed", "chosen"), windows)
    yield "grouped", _group(plan.grouping)
    yield from _phase(plan.after, ("completed", "having", "ranked", "chosen_groups"), windows)


def _phase(
    phase: PlanPhase, names: tuple[str, str, str, str], windows: WindowVariables
) -> Iterator[tuple[str, list[Call]]]:
    derived, filtered, windowed, chosen = names
    yield derived, [_computed(step, windows) for step in phase.derived]
    yield filtered, _where(phase.filters)
    for one in phase.rounds:
        yield windowed, [_computed(step, windows) for step in one.windowed]
        yield chosen, _where(one.filters)


def _join(step: JoinStep, variable: str) -> Call:
    equal = [(column_code(one), "==", python_column(two)) for one, two in step.equalities]
    more = [expression_code(condition) for condition in step.conditions]
    if not equal and not more:
        return Call("crossJoin", (Argument(variable),))
    condition = all_of([*equal, *more])
    return Call("join", (Argument(variable), condition, Argument(python_text(step.join_type))))


def _stack(union: UnionStep, of: dict[str, str]) -> list[Call]:
    """The members' columns one below the other, under the union's name."""
    columns = [python_text(spark_name(name)) for name in union.columns]
    select = Call("select", tuple(Argument(name) for name in columns))
    calls = [select]
    for member in union.members[1:]:
        lines = tuple(f"    {name}," for name in columns)
        calls.append(
            Call("unionByName", (Argument(f"{of[member]}{select.text()}", (f"{of[member]}.select(", *lines, ")")),))
        )
    once = [] if union.keeps_all else [Call("distinct")]
    return [*calls, *once, Call("alias", (Argument(python_text(union.key)),))]


def _computed(step: ComputedStep, windows: WindowVariables) -> Call:
    value = window_code(step, windows) if isinstance(step, WindowStep) else expression_code(step.value)
    return Call("withColumn", (Argument(python_text(step.name)), value))


def _where(filters: tuple[RowCondition, ...]) -> list[Call]:
    if not filters:
        return []
    conditions = [condition_code(step) for step in filters]
    groups = [conditions[start : start + _MAX_CALLS] for start in range(0, len(conditions), _MAX_CALLS)]
    return [Call("where", (all_of(group),)) for group in groups]


def _group(grouping: Grouping | None) -> list[Call]:
    if grouping is None:
        return []
    aggregates = Call("agg", tuple(_aggregate(step) for step in grouping.aggregates))
    keys = [_named(OutputColumn(key.column, key.name)) for key in grouping.keys]
    return [Call("groupBy", tuple(keys)), aggregates] if keys else [aggregates]


def _aggregate(step: AggregateStep) -> Argument:
    alias = f".alias({python_text(step.name)})"
    if step.column is not None and is_exact_average(step.function, step.column.kind):
        return average_code(step.column.kind, lambda function: _over_rows(step, function, ""), alias)
    return _over_rows(step, step.function, alias)


def _over_rows(step: AggregateStep, function: str, after: str) -> Argument:
    """A function over the rows of an aggregate."""
    begin, end = f"{_AGGREGATES[function]}(", f"){after}"
    value = aggregated(function, step.column, "" if step.only else begin, "" if step.only else end)
    if step.only is None:
        return value
    condition = all_of([condition_code(step.only)])
    whole = f"F.when({condition.text}, {value.text})"
    inner = [whole]
    if len(whole) > _INNER_WIDTH:
        long = len(condition.text) > _INNER_WIDTH - 8
        parts = condition.broken if long and condition.broken else (condition.text,)
        last = value.broken or (value.text,)
        inner = ["F.when(", *(f"    {line}" for line in (*parts[:-1], f"{parts[-1]},", *last)), ")"]
    return Argument(f"{begin}{whole}{end}", (begin, *(f"    {line}" for line in inner), end))


def _named(output: OutputColumn) -> Argument:
    """A column under its name, with an alias only where its own name differs."""
    same = not isinstance(output.column, MergedColumn) and output.column.name == output.name
    return column_code(output.column, after="" if same else f".alias({python_text(output.name)})")


def _result(plan: Plan, windows: WindowVariables) -> list[Call]:
    select = [_select(plan.outputs)] + ([Call("distinct")] if plan.distinct else [])
    order = _order(plan.ordering, windows)
    return [*order, *select] if plan.ordering.before_select else [*select, *order]


def _select(outputs: tuple[OutputColumn, ...]) -> Call:
    plain = all(isinstance(o.column, NamedColumn) and o.column.name == o.name for o in outputs)
    if plain:
        return Call("select", tuple(Argument(python_text(spark_name(o.name))) for o in outputs))
    return Call("select", tuple(_named(o) for o in outputs))


def _order(ordering: Ordering, windows: WindowVariables) -> list[Call]:
    keys = tuple(sort_code(key) for key in ordering.keys)
    calls = [Call("orderBy", keys)] if keys else []
    if ordering.limit is None:
        return calls
    if not ordering.tie_rank:
        return [*calls, Call("limit", (Argument(str(ordering.limit)),))]
    rank = Argument(python_text(ordering.tie_rank))
    cut = comparison(Argument(f"F.col({rank.text})"), "<=", f"F.lit({ordering.limit})")
    ranked = Call("withColumn", (rank, Argument(f"F.rank().over({windows.name((), ordering.keys)})")))
    return [ranked, Call("where", (cut,)), *calls, Call("drop", (rank,))]
