"""Writes `transform` from a plan: the DataFrame code that an engineer would write, one step a statement."""

from __future__ import annotations

from agent.planning.kinds import wraps
from agent.planning.layout import Argument, Call, bracketed, call_of, comparison, conjunction, statement
from agent.planning.spelling import (
    docstring,
    python_column,
    python_literal,
    python_text,
    python_value,
    spark_name,
    sql_column,
    variables,
)
from agent.planning.steps import (
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
    Reference,
    SortKey,
)

_Comparison = tuple[Argument, str, str]
"""Left side, operator, right side."""
_COMPARISONS = {"=": "==", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_AGGREGATES = {
    "sum": "F.sum", "avg": "F.avg", "count": "F.count", "min": "F.min", "max": "F.max",
    "count_distinct": "F.countDistinct",
}  # fmt: skip
_TEXT_WIDTH = 70
_MAX_CALLS = 40
"""Calls in one chain: the policy refuses expressions that are nested too deeply."""


def compile_transform(plan: Plan) -> str:
    """The Python source of `transform`; it needs `F`, `DataFrame` and nothing else."""
    lines = ["def transform(sources: dict[str, DataFrame]) -> DataFrame:"]
    lines += [f"    {line}" for line in docstring(plan.description, plan.target)]
    of = variables(plan.sources)
    lines += [f"    {of[source.key]} = sources[{python_text(source.key)}]" for source in plan.sources]
    frame = of[plan.sources[0].key]
    for name, calls in _stages(plan, of):
        for start in range(0, len(calls), _MAX_CALLS):
            lines += statement(f"{name} = ", frame, calls[start : start + _MAX_CALLS])
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
        condition = _all_of([(_column(one), "==", python_column(two)) for one, two in step.equalities])
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
        if parts[-1] and len(python_text(parts[-1] + word)) > _TEXT_WIDTH:
            parts.append("")
        parts[-1] += word
    return parts


def _words(text: str) -> list[str]:
    """The words with the blank behind each; a longer one is cut, which the text does not show when it is joined."""
    piece = _TEXT_WIDTH // 10
    words = [f"{word} " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    cut = [[word] if len(python_text(word)) <= _TEXT_WIDTH else _pieces(word, piece) for word in words]
    return [part for parts in cut for part in parts]


def _pieces(word: str, length: int) -> list[str]:
    return [word[start : start + length] for start in range(0, len(word), length)]


def _where(filters: tuple[FilterStep, ...]) -> list[Call]:
    if not filters:
        return []
    conditions = [_condition(step) for step in filters]
    groups = [conditions[start : start + _MAX_CALLS] for start in range(0, len(conditions), _MAX_CALLS)]
    return [Call("where", (_all_of(group),)) for group in groups]


def _all_of(conditions: list[_Comparison | Argument]) -> Argument:
    """All conditions at once; a comparison needs parentheses beside another condition."""
    found = [one if isinstance(one, Argument) else comparison(*one) for one in conditions]
    if len(found) == 1:
        return found[0]
    return conjunction(
        [one if isinstance(said, Argument) else bracketed(one) for said, one in zip(conditions, found, strict=True)]
    )


def _column(reference: Reference, before: str = "", after: str = "") -> Argument:
    """A column with what stands round it; a merged one can be broken."""
    if not isinstance(reference, MergedColumn):
        return Argument(f"{before}{python_column(reference)}{after}")
    members = [f"    {python_column(member)}," for member in reference.members]
    return Argument(f"{before}{python_column(reference)}{after}", (f"{before}F.coalesce(", *members, f"){after}"))


def _condition(step: FilterStep) -> _Comparison | Argument:
    """A comparison as its parts, anything else as a call."""
    values = [python_value(value) for value in step.values]
    inverted = "~" if step.operator.startswith("NOT ") else ""
    column = _column(step.column, inverted)
    compared = _column(step.column, f"{inverted}F.rtrim(", ")") if step.trimmed else column
    match step.operator:
        case "IS NULL":
            return call_of(column, "isNull", [])
        case "IS NOT NULL":
            return call_of(column, "isNotNull", [])
        case "BETWEEN":
            return call_of(compared, "between", values)
        case "IN" | "NOT IN":
            plain = all(value.cast is None for value in step.values)
            members = [python_literal(value) for value in step.values] if plain else values
            return call_of(compared, "isin", members)
        case "LIKE" | "NOT LIKE":
            return call_of(column, "like", [python_literal(step.values[0])])
        case _:
            return compared, _COMPARISONS[step.operator], values[0]


def _group(grouping: Grouping | None) -> list[Call]:
    if grouping is None:
        return []
    aggregates = Call("agg", tuple(_aggregate(step) for step in grouping.aggregates))
    keys = [_named(OutputColumn(key.column, key.name)) for key in grouping.keys]
    return [Call("groupBy", tuple(keys)), aggregates] if keys else [aggregates]


def _aggregate(step: AggregateStep) -> Argument:
    begin, end = f"{_AGGREGATES[step.function]}(", f").alias({python_text(step.name)})"
    if step.column is None:
        return Argument(f"{begin}F.lit(1){end}")
    wide = '.cast("decimal(20,0)")' if step.function == "sum" and wraps(step.column.kind) else ""
    return _column(step.column, begin, f"{wide}{end}")


def _named(output: OutputColumn) -> Argument:
    """A column under its name; an alias only where the name would be another one."""
    same = not isinstance(output.column, MergedColumn) and output.column.name == output.name
    return _column(output.column, after="" if same else f".alias({python_text(output.name)})")


def _result(plan: Plan) -> list[Call]:
    select = [_select(plan.outputs)] + ([Call("distinct")] if plan.distinct else [])
    order = _order(plan.ordering)
    return [*order, *select] if plan.ordering.before_select else [*select, *order]


def _select(outputs: tuple[OutputColumn, ...]) -> Call:
    plain = all(isinstance(o.column, NamedColumn) and o.column.name == o.name for o in outputs)
    if plain:
        return Call("select", tuple(Argument(python_text(spark_name(o.name))) for o in outputs))
    return Call("select", tuple(_named(o) for o in outputs))


def _order(ordering: Ordering) -> list[Call]:
    calls = [Call("orderBy", tuple(_sort_key(key) for key in ordering.keys))] if ordering.keys else []
    return [*calls, Call("limit", (Argument(str(ordering.limit)),))] if ordering.limit is not None else calls


def _sort_key(key: SortKey) -> Argument:
    return _column(key.column, after=f".{'desc_nulls_last' if key.descending else 'asc_nulls_first'}()")
