"""Writes `transform` from a plan: the DataFrame code that an engineer would write, one step a statement."""

from __future__ import annotations

from agent.layout import Argument, Call, call_of, conjunction, statement
from agent.spelling import (
    docstring,
    python_column,
    python_literal,
    python_text,
    python_value,
    spark_name,
    sql_column,
    variables,
)
from agent.steps import (
    AggregateStep,
    BoundExpression,
    DerivedStep,
    FilterStep,
    Grouping,
    JoinStep,
    MergedColumn,
    NamedColumn,
    Ordering,
    OutputColumn,
    Plan,
    SortKey,
)

_COMPARISONS = {"=": "==", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_AGGREGATES = {
    "sum": "F.sum", "avg": "F.avg", "count": "F.count", "min": "F.min", "max": "F.max",
    "count_distinct": "F.countDistinct",
}  # fmt: skip
_TEXT_WIDTH = 80


def compile_transform(plan: Plan) -> str:
    """The Python source of `transform`; it needs `F`, `DataFrame` and nothing else."""
    lines = ["def transform(sources: dict[str, DataFrame]) -> DataFrame:"]
    lines += [f"    {line}" for line in docstring(plan.description, plan.target)]
    of = variables(plan.sources)
    lines += [f"    {of[source.key]} = sources[{python_text(source.key)}]" for source in plan.sources]
    frame = of[plan.sources[0].key]
    for name, calls in _stages(plan, of):
        if calls:
            lines += statement(f"{name} = ", frame, calls)
            frame = name
    return "\n".join([*lines, *statement("return ", frame, _result(plan))]) + "\n"


def _stages(plan: Plan, of: dict[str, str]) -> list[tuple[str, list[Call]]]:
    """The steps before the result, each with the variable that it is kept in."""
    return [
        ("joined", [_join(step, of[step.source]) for step in plan.joins]),
        ("derived", [_derive(step) for step in plan.derived]),
        ("kept", _where(plan.filters)),
        ("grouped", _group(plan.grouping)),
        ("completed", [_derive(step) for step in plan.derived_after]),
        ("having", _where(plan.filters_after)),
    ]


def _join(step: JoinStep, variable: str) -> Call:
    if step.condition is not None:
        condition = _expression(step.condition)
    else:
        pairs: list[str | Argument] = [f"{python_column(one)} == {python_column(two)}" for one, two in step.equalities]
        condition = _all_of(pairs)
    return Call("join", (Argument(variable), condition, Argument(python_text(step.join_type))))


def _derive(step: DerivedStep) -> Call:
    return Call("withColumn", (Argument(python_text(step.name)), _expression(step.value)))


def _expression(bound: BoundExpression) -> Argument:
    text = bound.expression.rendered([sql_column(reference) for reference in bound.references])
    whole = f"F.expr({python_text(text)})"
    parts = [f"    {python_text(part)}" for part in _parts(text)]
    return Argument(whole, ("F.expr(", *parts, ")") if len(parts) > 1 else ())


def _parts(text: str) -> list[str]:
    """The text cut behind blanks into parts of some width; joined they are the text again."""
    parts = [""]
    for word in _words(text):
        if parts[-1] and len(parts[-1]) + len(word) > _TEXT_WIDTH:
            parts.append("")
        parts[-1] += word
    return parts


def _words(text: str) -> list[str]:
    words = [f"{word} " for word in text.split(" ")]
    return [*words[:-1], words[-1][:-1]]


def _where(filters: tuple[FilterStep, ...]) -> list[Call]:
    if not filters:
        return []
    return [Call("where", (_all_of([_condition(step) for step in filters]),))]


def _all_of(conditions: list[str | Argument]) -> Argument:
    """All conditions at once; a comparison, which is plain text, needs parentheses beside another condition."""
    return conjunction(
        [Argument(one if len(conditions) == 1 else f"({one})") if isinstance(one, str) else one for one in conditions]
    )


def _condition(step: FilterStep) -> str | Argument:
    """A comparison as text, anything else as a call."""
    column = python_column(step.column)
    compared = f"F.rtrim({column})" if step.trimmed else column
    values = [python_value(value) for value in step.values]
    inverted = "~" if step.operator.startswith("NOT ") else ""
    match step.operator:
        case "IS NULL":
            return call_of(f"{column}.isNull", [])
        case "IS NOT NULL":
            return call_of(f"{column}.isNotNull", [])
        case "BETWEEN":
            return call_of(f"{compared}.between", values)
        case "IN" | "NOT IN":
            plain = all(value.cast is None for value in step.values)
            members = [python_literal(value) for value in step.values] if plain else values
            return call_of(f"{inverted}{compared}.isin", members)
        case "LIKE" | "NOT LIKE":
            return call_of(f"{inverted}{column}.like", [python_literal(step.values[0])])
        case _:
            return f"{compared} {_COMPARISONS[step.operator]} {values[0]}"


def _group(grouping: Grouping | None) -> list[Call]:
    if grouping is None:
        return []
    aggregates = Call("agg", tuple(Argument(_aggregate(step)) for step in grouping.aggregates))
    keys = [_named(OutputColumn(key.column, key.name)) for key in grouping.keys]
    return [Call("groupBy", tuple(Argument(key) for key in keys)), aggregates] if keys else [aggregates]


def _aggregate(step: AggregateStep) -> str:
    argument = "F.lit(1)" if step.column is None else python_column(step.column)
    return f"{_AGGREGATES[step.function]}({argument}).alias({python_text(step.name)})"


def _named(output: OutputColumn) -> str:
    """A column under its name; an alias only where the name would be another one."""
    column = python_column(output.column)
    same = not isinstance(output.column, MergedColumn) and output.column.name == output.name
    return column if same else f"{column}.alias({python_text(output.name)})"


def _result(plan: Plan) -> list[Call]:
    select = [_select(plan.outputs)] + ([Call("distinct")] if plan.distinct else [])
    order = _order(plan.ordering)
    return [*order, *select] if plan.ordering.before_select else [*select, *order]


def _select(outputs: tuple[OutputColumn, ...]) -> Call:
    plain = all(isinstance(o.column, NamedColumn) and o.column.name == o.name for o in outputs)
    if plain:
        return Call("select", tuple(Argument(python_text(spark_name(o.name))) for o in outputs))
    return Call("select", tuple(Argument(_named(o)) for o in outputs))


def _order(ordering: Ordering) -> list[Call]:
    calls = [Call("orderBy", tuple(Argument(_sort_key(key)) for key in ordering.keys))] if ordering.keys else []
    return [*calls, Call("limit", (Argument(str(ordering.limit)),))] if ordering.limit is not None else calls


def _sort_key(key: SortKey) -> str:
    return f"{python_column(key.column)}.{'desc_nulls_last' if key.descending else 'asc_nulls_first'}()"
