"""The kind of an expression's value, where it is plain to see."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from agent.kinds import Kind
from agent.refusals import refuse
from agent.steps import BoundExpression

_STRING = (
    exp.Concat, exp.ConcatWs, exp.DPipe, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Initcap, exp.Pad,
    exp.Replace, exp.RegexpReplace, exp.TimeToStr, exp.Left, exp.Right,
)  # fmt: skip
_BOOLEAN = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.And, exp.Or, exp.Not,
    exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.Boolean,
)  # fmt: skip
_INTEGER = (exp.Year, exp.Month, exp.Day, exp.DayOfWeek, exp.DayOfYear, exp.Quarter, exp.Length)
_NUMBER = (exp.Div, exp.Mod, exp.Neg, exp.Round, exp.Abs, exp.Sqrt, exp.Pow)
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ANY_NUMBER = Kind("decimal")
"""A number whose digits are not known."""
_KINDS: tuple[tuple[tuple[type[Any], ...], Kind], ...] = (
    (_STRING, Kind("string")),
    (_BOOLEAN, Kind("boolean")),
    (_INTEGER, Kind("integer", whole=10)),
    (_NUMBER, _ANY_NUMBER),
)
_CASTS = {
    "INT": Kind("integer", whole=10), "BIGINT": Kind("integer", whole=20), "SMALLINT": Kind("integer", whole=5),
    "TINYINT": Kind("integer", whole=5), "DOUBLE": Kind("float"), "FLOAT": Kind("float"), "TEXT": Kind("string"),
    "VARCHAR": Kind("string"), "BOOLEAN": Kind("boolean"), "DATE": Kind("date"),
}  # fmt: skip


def kind_of_expression(bound: BoundExpression) -> Kind | None:
    """The kind of the value; None where it is not certain."""
    mentions = zip(bound.expression.mentions, bound.references, strict=True)
    return _kind(bound.expression.tree, {mention.start: reference.kind for mention, reference in mentions})


def refuse_silent_casts(bound: BoundExpression, path: str) -> None:
    """Refuse a comparison of a text with something else, where Spark would turn the text into a number or date."""
    mentions = zip(bound.expression.mentions, bound.references, strict=True)
    columns = {mention.start: reference.kind for mention, reference in mentions}
    for node in bound.expression.tree.find_all(*_COMPARED):
        sides = (node.this, node.expression)
        kinds = [_kind(side, columns) for side in sides]
        families = {kind.family for kind in kinds if kind is not None}
        literal = any(isinstance(side, exp.Literal) for side in sides)
        if None not in kinds and not literal and len(families) > 1 and "string" in families:
            other = next(iter(families - {"string"}))
            refuse(path, f"{node.sql(dialect='spark')} compares string with {other}, which Spark converts; write CAST")


def _kind(node: Any, columns: dict[int, Kind | None]) -> Kind | None:
    match node:
        case exp.Paren():
            return _kind(node.this, columns)
        case exp.Column():
            return columns.get(node.parts[0].meta["start"])
        case exp.Literal() if node.is_string:
            return Kind("string")
        case exp.Literal():
            whole = 10 if len(node.this) < 10 else 20
            return Kind("integer", whole=whole) if node.this.isdigit() else _ANY_NUMBER
        case exp.Case() | exp.If():
            return _kind_of_branches(node, columns)
        case exp.Cast():
            return _CASTS.get(node.to.this.name)
        case exp.Add() | exp.Sub() | exp.Mul():
            return _kind_of_arithmetic(_kind(node.this, columns), _kind(node.expression, columns))
    return next((kind for classes, kind in _KINDS if isinstance(node, classes)), None)


def _kind_of_arithmetic(left: Kind | None, right: Kind | None) -> Kind | None:
    if left is None or right is None or not (left.numeric and right.numeric):
        return None
    return Kind("integer", whole=20) if left.family == right.family == "integer" else _ANY_NUMBER


def _kind_of_branches(node: Any, columns: dict[int, Kind | None]) -> Kind | None:
    """The kind that all branches have; a missing ELSE is NULL, which fits any."""
    conditions = node.args["ifs"] if isinstance(node, exp.Case) else [node]
    branches = [branch.args["true"] for branch in conditions]
    otherwise = node.args.get("default") or node.args.get("false")
    kinds = [_kind(branch, columns) for branch in [*branches, *([otherwise] if otherwise is not None else [])]]
    first = kinds[0]
    if first is None or any(kind is None or kind.family != first.family for kind in kinds):
        return None
    return max((kind for kind in kinds if kind is not None), key=lambda kind: kind.whole) if first.numeric else first
