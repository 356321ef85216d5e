"""Columns and conditions in generated code."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.code.layout import Argument, bracketed, call_of, comparison, joined_conditions
from agent.compiler.code.spelling import python_column, python_literal, python_text, python_value, sql_column
from agent.compiler.expressions.references import Constant, MergedColumn, Reference
from agent.compiler.expressions.rendering import spark_sql
from agent.compiler.expressions.typed_values import BoundExpression
from agent.compiler.plan.steps import ConditionStep, FilterStep, RowCondition

ComparisonParts = tuple[Argument, str, str]
"""Left side, operator, right side."""
_COMPARISONS = {"=": "==", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_CONNECTIVES = {"and": "&", "or": "|"}
_TEXT_WIDTH = 70


def expression_code(bound: BoundExpression) -> Argument:
    """An expression as `F.expr("...")`; broken over lines, its text is cut after blanks."""
    text = spark_sql(bound.value, sql_column)
    whole = f"F.expr({python_text(text)})"
    parts = [f"    {python_text(part)}" for part in _parts(text)]
    return Argument(whole, ("F.expr(", *parts, ")") if len(parts) > 1 else ())


def _parts(text: str) -> list[str]:
    """The text cut after blanks; the parts joined are the text again."""
    parts = [""]
    for word in _words(text):
        if parts[-1] and len(python_text(parts[-1] + word)) > _TEXT_WIDTH:
            parts.append("")
        parts[-1] += word
    return parts


def _words(text: str) -> list[str]:
    """The words, each with the blank after it. A word that is too long is cut."""
    piece = _TEXT_WIDTH // 10
    words = [f"{word} " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    cut = [[word] if len(python_text(word)) <= _TEXT_WIDTH else _pieces(word, piece) for word in words]
    return [part for parts in cut for part in parts]


def _pieces(word: str, length: int) -> list[str]:
    return [word[start : start + length] for start in range(0, len(word), length)]


def all_of(conditions: Sequence[ComparisonParts | Argument], operator: str = "&") -> Argument:
    """All conditions joined with `&`, or with another operator; a comparison needs parentheses beside it."""
    found = [one if isinstance(one, Argument) else comparison(*one) for one in conditions]
    if len(found) == 1:
        return found[0]
    return joined_conditions(
        [one if isinstance(said, Argument) else bracketed(one) for said, one in zip(conditions, found, strict=True)],
        operator,
    )


def column_code(reference: Reference, before: str = "", after: str = "") -> Argument:
    """A column between `before` and `after`; a merged one can be broken over lines."""
    if not isinstance(reference, MergedColumn):
        return Argument(f"{before}{python_column(reference)}{after}")
    members = [f"    {python_column(member)}," for member in reference.members]
    return Argument(f"{before}{python_column(reference)}{after}", (f"{before}F.coalesce(", *members, f"){after}"))


def condition_code(condition: RowCondition) -> ComparisonParts | Argument:
    """A comparison as its parts, anything else as one argument that binds more closely than `&`."""
    match condition:
        case FilterStep():
            return _filter_code(condition)
        case ConditionStep("not", (part,)):
            inner = condition_code(part)
            whole = all_of([inner])
            bare = isinstance(part, BoundExpression)
            opened = whole if bare or isinstance(part, ConditionStep) else bracketed(whole)
            return Argument(f"~{opened.text}", (f"~{opened.broken[0]}", *opened.broken[1:]) if opened.broken else ())
        case ConditionStep(operator, parts):
            joined = all_of([condition_code(part) for part in parts], _CONNECTIVES[operator])
            return bracketed(joined) if len(parts) > 1 else joined
        case BoundExpression():
            return expression_code(condition)


def _filter_code(step: FilterStep) -> ComparisonParts | Argument:
    values = [_value_code(value) for value in step.values]
    operator = step.operator.removeprefix("NOT ")
    inverted = "~" if operator in ("BETWEEN", "IN", "LIKE", "ILIKE") and operator != step.operator else ""
    column = column_code(step.column, inverted)
    compared = column_code(step.column, f"{inverted}F.rtrim(", ")") if step.trimmed else column
    match operator:
        case "IS NULL":
            return call_of(column, "isNull", [])
        case "IS NOT NULL":
            return call_of(column, "isNotNull", [])
        case "BETWEEN":
            return call_of(compared, "between", values)
        case "IN":
            constants = [value for value in step.values if isinstance(value, Constant) and value.cast is None]
            plain = len(constants) == len(step.values)
            return call_of(compared, "isin", [python_literal(value) for value in constants] if plain else values)
        case "LIKE" | "ILIKE":
            patterns = [python_literal(value) for value in step.values if isinstance(value, Constant)]
            return call_of(column, operator.lower(), patterns)
        case _:
            return compared, _COMPARISONS[operator], values[0]


def _value_code(value: Constant | Reference) -> str:
    return python_value(value) if isinstance(value, Constant) else python_column(value)
