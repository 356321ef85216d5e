"""Columns and conditions in generated code."""

from __future__ import annotations

from agent.compiler.code.layout import Argument, bracketed, call_of, comparison, conjunction
from agent.compiler.code.spelling import python_column, python_literal, python_text, python_value, sql_column
from agent.compiler.expressions.divisions import with_safe_divisors
from agent.compiler.expressions.references import BoundExpression, MergedColumn, Reference
from agent.compiler.plan.steps import FilterStep

ComparisonParts = tuple[Argument, str, str]
"""Left side, operator, right side."""
_COMPARISONS = {"=": "==", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_TEXT_WIDTH = 70


def expression_code(bound: BoundExpression) -> Argument:
    """An expression as `F.expr("...")`; broken over lines, its text is cut after blanks."""
    text = with_safe_divisors(bound.expression.rendered([sql_column(reference) for reference in bound.references]))
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


def all_of(conditions: list[ComparisonParts | Argument]) -> Argument:
    """All conditions joined with `&`; a comparison needs parentheses beside another condition."""
    found = [one if isinstance(one, Argument) else comparison(*one) for one in conditions]
    if len(found) == 1:
        return found[0]
    return conjunction(
        [one if isinstance(said, Argument) else bracketed(one) for said, one in zip(conditions, found, strict=True)]
    )


def column_code(reference: Reference, before: str = "", after: str = "") -> Argument:
    """A column between `before` and `after`; a merged one can be broken over lines."""
    if not isinstance(reference, MergedColumn):
        return Argument(f"{before}{python_column(reference)}{after}")
    members = [f"    {python_column(member)}," for member in reference.members]
    return Argument(f"{before}{python_column(reference)}{after}", (f"{before}F.coalesce(", *members, f"){after}"))


def condition_code(step: FilterStep) -> ComparisonParts | Argument:
    """A comparison as its parts, anything else as a call."""
    values = [python_value(value) for value in step.values]
    inverted = "~" if step.operator.startswith("NOT ") else ""
    column = column_code(step.column, inverted)
    compared = column_code(step.column, f"{inverted}F.rtrim(", ")") if step.trimmed else column
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
