"""Type inference: the kind of an expression's value, where it is certain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlglot import exp

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.references import BoundExpression

_STRING = (
    exp.Concat, exp.ConcatWs, exp.DPipe, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Initcap, exp.Pad,
    exp.Replace, exp.RegexpReplace, exp.RegexpExtract, exp.TimeToStr, exp.Left, exp.Right, exp.SubstringIndex,
    exp.SplitPart, exp.Repeat, exp.Translate, exp.Space, exp.Format, exp.Soundex, exp.Overlay, exp.Chr, exp.MD5,
    exp.SHA, exp.SHA2, exp.Reverse, exp.ToBase64, exp.ArrayToString,
)  # fmt: skip
_BOOLEAN = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.And, exp.Or, exp.Not,
    exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.Boolean,
    exp.IsNan, exp.Contains, exp.StartsWith, exp.EndsWith, exp.ArrayContains,
)  # fmt: skip
_INTEGER = (
    exp.Year, exp.Month, exp.Day, exp.DayOfMonth, exp.DayOfWeek, exp.DayOfYear, exp.WeekOfYear, exp.Quarter, exp.Hour,
    exp.Minute, exp.Second, exp.Length, exp.BitLength, exp.DateDiff, exp.StrPosition, exp.Ascii, exp.ArraySize,
    exp.Levenshtein, exp.UnixDate,
)  # fmt: skip
_LONG = (exp.UnixSeconds, exp.IntDiv)
_NUMBER = (
    exp.Div, exp.Mod, exp.Neg, exp.Round, exp.Abs, exp.Sqrt, exp.Pow, exp.Ceil, exp.Floor, exp.Sign, exp.Exp, exp.Ln,
    exp.Log, exp.MonthsBetween, exp.Extract,
)  # fmt: skip
_DATE = (
    exp.TsOrDsToDate, exp.TsOrDsAdd, exp.DateTrunc, exp.LastDay, exp.AddMonths, exp.NextDay, exp.DateFromUnixDate,
    exp.CurrentDate,
)  # fmt: skip
_TIMESTAMP = (
    exp.TimestampTrunc, exp.StrToTime, exp.TimestampFromParts, exp.CurrentTimestamp, exp.AtTimeZone, exp.FromTimeZone,
)  # fmt: skip
_TEXTS = (exp.RegexpSplit, exp.RegexpExtractAll)
"""Arrays of texts."""
_FIXED_UNITS = frozenset({"DAY", "WEEK", "MONTH", "YEAR"})
_ANY_NUMBER = Kind("decimal")
"""A number whose digits are not known."""
_KINDS: tuple[tuple[tuple[type[Any], ...], Kind], ...] = (
    (_STRING, Kind("string")),
    (_BOOLEAN, Kind("boolean")),
    (_INTEGER, Kind("integer", whole=10)),
    (_LONG, Kind("integer", whole=20)),
    (_NUMBER, _ANY_NUMBER),
    (_DATE, Kind("date")),
    (_TIMESTAMP, Kind("timestamp")),
)
_NAMED = {
    "isnull": Kind("boolean"), "isnotnull": Kind("boolean"), "btrim": Kind("string"), "format_number": Kind("string"),
    "now": Kind("timestamp"), "timestamp_seconds": Kind("timestamp"), "make_date": Kind("date"),
    "weekday": Kind("integer", whole=10), "hash": Kind("integer", whole=10), "negative": _ANY_NUMBER,
    "positive": _ANY_NUMBER, "pmod": _ANY_NUMBER, "date_part": _ANY_NUMBER,
}  # fmt: skip
"""Functions that sqlglot has no class for."""
_CASTS = {
    "INT": Kind("integer", whole=10), "BIGINT": Kind("integer", whole=20), "SMALLINT": Kind("integer", whole=5),
    "TINYINT": Kind("integer", whole=5), "DOUBLE": Kind("float"), "FLOAT": Kind("float"), "TEXT": Kind("string"),
    "VARCHAR": Kind("string"), "BOOLEAN": Kind("boolean"), "DATE": Kind("date"),
    "TIMESTAMP": Kind("timestamp"), "TIMESTAMPTZ": Kind("timestamp"), "TIMESTAMPNTZ": Kind("timestamp"),
}  # fmt: skip


def kind_of_expression(bound: BoundExpression) -> Kind | None:
    """The kind of the value; None where it is not certain."""
    return kinds_in(bound)(bound.expression.tree)


def kinds_in(bound: BoundExpression) -> Callable[[Any], Kind | None]:
    """A function that gives the kind of a node's value; None where it is not certain."""
    mentions = zip(bound.expression.mentions, bound.references, strict=True)
    columns = {mention.start: reference.kind for mention, reference in mentions}
    return lambda node: _kind(node, columns)


def _kind(node: Any, columns: dict[int, Kind | None]) -> Kind | None:
    match node:
        case exp.Cast():
            return _kind_of_cast(node.to)
        case exp.Paren() | exp.Nullif():
            return _kind(node.this, columns)
        case exp.Column():
            return columns.get(node.parts[0].meta["start"])
        case exp.Literal() if node.is_string:
            return Kind("string")
        case exp.Literal():
            whole = 10 if len(node.this) < 10 else 20
            return Kind("integer", whole=whole) if node.this.isdigit() else _ANY_NUMBER
    return _kind_of_call(node, columns)


def _kind_of_call(node: Any, columns: dict[int, Kind | None]) -> Kind | None:
    """The kind of a function's or an operator's result."""
    match node:
        case exp.Case() | exp.If() | exp.Nvl2() | exp.Coalesce() | exp.Greatest() | exp.Least():
            return _common(_kinds_of_branches(node, columns))
        case exp.Bracket():
            return Kind("string") if isinstance(node.this.unnest(), _TEXTS) else None
        case exp.Anonymous():
            return _NAMED.get(node.name.lower())
        case exp.Add() | exp.Sub() if isinstance(node.expression, exp.Interval):
            return _moved(_kind(node.this, columns), node.expression)
        case exp.Add() | exp.Sub() | exp.Mul():
            return _kind_of_arithmetic(_kind(node.this, columns), _kind(node.expression, columns))
        case exp.Neg() | exp.Abs() | exp.Round() | exp.Mod():
            inner = _kind(node.this, columns)
            return _ANY_NUMBER if inner is None or inner.family != "float" else inner
    return next((kind for classes, kind in _KINDS if isinstance(node, classes)), None)


def _kind_of_arithmetic(left: Kind | None, right: Kind | None) -> Kind | None:
    if left is None or right is None or not (left.numeric and right.numeric):
        return None
    return Kind("integer", whole=20) if left.family == right.family == "integer" else _number_of({left, right})


def _number_of(kinds: set[Kind]) -> Kind:
    """The kind that Spark casts numbers of several kinds to."""
    return Kind("float") if any(kind.family == "float" for kind in kinds) else _ANY_NUMBER


def _kind_of_cast(to: Any) -> Kind | None:
    if to.this.name != "DECIMAL":
        return _CASTS.get(to.this.name)
    digits = [int(parameter.name) for parameter in to.expressions if parameter.name.isdigit()]
    precision, scale = (*digits, *(10, 0)[len(digits) :])
    return Kind("decimal", whole=precision - scale, scale=scale)


def _moved(moment: Kind | None, interval: Any) -> Kind | None:
    """The kind of a moment plus an interval: a timestamp stays one, a date does when it moves by whole days."""
    if moment is None or moment.family not in ("date", "timestamp"):
        return None
    unit = interval.args.get("unit")
    whole_days = isinstance(unit, exp.Var) and unit.name.upper().removesuffix("S") in _FIXED_UNITS
    return moment if moment.family == "timestamp" or whole_days else None


def _is_null(node: Any) -> bool:
    return isinstance(node.unnest(), exp.Null)


def branches_of(node: Any) -> list[Any]:
    """The values of a choice without NULL, which fits any kind."""
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return [part for part in (node.this, *node.expressions) if not _is_null(part)]
    conditions = node.args["ifs"] if isinstance(node, exp.Case) else [node]
    otherwise = node.args.get("default") or node.args.get("false")
    branches = [*(branch.args["true"] for branch in conditions), *([otherwise] if otherwise is not None else [])]
    return [branch for branch in branches if not _is_null(branch)]


def is_quoted(node: Any) -> bool:
    """True for a text literal."""
    node = node.unnest()
    return isinstance(node, exp.Literal) and bool(node.is_string)


def moment_among(kinds: Iterable[Kind | None]) -> Kind | None:
    """The date or timestamp among the kinds, which Spark casts a text literal to; None without one."""
    found = {kind.family: kind for kind in kinds if kind is not None}
    return found.get("timestamp") or found.get("date")


def _kinds_of_branches(node: Any, columns: dict[int, Kind | None]) -> list[Kind | None]:
    """The kinds of a choice's values; a text literal beside a date or timestamp counts as one."""
    branches = branches_of(node)
    kinds = [_kind(branch, columns) for branch in branches]
    moment = moment_among(kinds)
    return [moment if moment and is_quoted(branch) else kind for branch, kind in zip(branches, kinds, strict=True)]


def _common(kinds: list[Kind | None]) -> Kind | None:
    """The kind that all have, or the number that Spark casts several kinds of numbers to."""
    known = [kind for kind in kinds if kind is not None]
    if not known or len(known) < len(kinds):
        return None
    if all(kind.family == known[0].family for kind in known):
        widest = Kind(known[0].family, max(kind.whole for kind in known), max(kind.scale for kind in known))
        return widest if known[0].numeric else known[0]
    return _number_of(set(known)) if all(kind.numeric for kind in known) else None
