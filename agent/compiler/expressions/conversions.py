"""Implicit casts of Spark, and units that give NULL: refused, so that the expression says CAST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

from agent.compiler.expressions.column_kinds import DISGUISED, Kind, mismatch
from agent.compiler.expressions.inference import branches_of, is_quoted, kinds_in, moment_among
from agent.compiler.expressions.literals import exact_value
from agent.compiler.expressions.references import BoundExpression
from agent.compiler.expressions.sql_words import DATE_UNITS, PARTS, TIMESTAMP_UNITS, WEEKDAYS
from agent.compiler.problems import refuse
from agent.nearest import did_you_mean

_Kinds = Callable[[Any], Kind | None]
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif)
_CHOICES = (exp.Case, exp.If, exp.Nvl2, exp.Coalesce, exp.Greatest, exp.Least)
_ON_NUMBERS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.SafeDivide, exp.Neg, exp.Abs, exp.Round, exp.Sqrt,
    exp.Cbrt, exp.Pow, exp.Ceil, exp.Floor, exp.Sign, exp.Exp, exp.Ln, exp.Log,
)  # fmt: skip
_ON_MOMENTS = (
    exp.Year, exp.Month, exp.Day, exp.DayOfMonth, exp.DayOfWeek, exp.DayOfYear, exp.WeekOfYear, exp.Quarter, exp.Hour,
    exp.Minute, exp.Second, exp.DateDiff, exp.TsOrDsAdd, exp.AddMonths, exp.LastDay, exp.NextDay, exp.MonthsBetween,
    exp.DateTrunc, exp.TimestampTrunc, exp.TimeToStr, exp.AtTimeZone, exp.FromTimeZone, exp.UnixDate, exp.UnixSeconds,
)  # fmt: skip
_NAMED_ON_NUMBERS = frozenset({"bround", "negative", "positive", "pmod"})
_TWO_MOMENTS = (exp.DateDiff, exp.MonthsBetween)
_KEEPS_INTERVAL = (*_CHOICES, exp.Paren, exp.Neg, exp.Abs, exp.Mul, exp.Div)
_MEETS_INTERVAL = (*_COMPARED, exp.Between, exp.Add, exp.Sub)
_ON_TEXTS = (exp.Like, exp.ILike, exp.RegexpLike)
_ON_BYTES = (exp.MD5, exp.SHA, exp.SHA2, exp.ToBase64, exp.FromBase64, exp.Soundex)
_ON_TRUTHS = (exp.And, exp.Or, exp.Not, exp.If)
_GROUPS = {"integer": "number", "decimal": "number", "float": "number", "date": "moment", "timestamp": "moment"}
_MISFITS = {
    "a number": {"string", "boolean"},
    "a date or timestamp": {"string"},
    "true or false": {"string", "number"},
    "a text": {"number", "moment", "boolean"},
    "a text as it is": {"number", "moment", "boolean", "time"},
}
"""The kind that an operator needs, and the kinds that Spark would cast to it."""
_UNITS: tuple[tuple[type[Any], str, str, frozenset[str]], ...] = (
    (exp.TimestampTrunc, "unit", "date_trunc", TIMESTAMP_UNITS),
    (exp.DateTrunc, "unit", "trunc", DATE_UNITS),
    (exp.Extract, "this", "extract", PARTS),
    (exp.NextDay, "expression", "next_day", WEEKDAYS),
)


def refuse_silent_casts(bound: BoundExpression) -> None:
    """Refuse implicit casts, as of a text that is compared with a number or computed with as a date."""
    kinds = kinds_in(bound)
    for node in bound.expression.tree.walk():
        if isinstance(node, exp.Sub) and _is_interval(node, kinds):
            _check_interval(node, kinds)
        for left, right in _pairs(node):
            _check_pair(node, left, right, kinds)
        if isinstance(node, _CHOICES):
            _check_choice(node, kinds)
        for part, wanted in _operands(node):
            _check_operand(node, part, wanted, kinds)
        _check_unit(node, kinds)


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    """The pairs of operands that the node compares."""
    match node:
        case exp.In():
            return [(node.this, one) for one in node.expressions]
        case exp.Between():
            return [(node.this, node.args["low"]), (node.this, node.args["high"])]
        case exp.Case() if node.this is not None:
            return [(node.this, one.this) for one in node.args["ifs"]]
        case _ if isinstance(node, _COMPARED):
            return [(node.this, node.expression)]
    return []


def _check_pair(node: Any, left: Any, right: Any, kinds: _Kinds) -> None:
    one, other = kinds(left), kinds(right)
    if one is None or other is None:
        return
    if {one.family, other.family} & DISGUISED and (reason := mismatch(one, other)):
        refuse(f"{_text(node)} is not certain: {reason}")
    if _group(one) == _group(other) or _is_moment(left, other) or _is_moment(right, one):
        return
    pair = sorted((one.family, other.family), key=lambda family: family != "string")
    hint = _literal_hint(left, other) or _literal_hint(right, one) or "write CAST"
    refuse(f"{_text(node)} compares {pair[0]} with {pair[1]}, which Spark converts; {hint}")


def _is_moment(node: Any, other: Kind) -> bool:
    """True for a quoted date beside a date or timestamp. Refuses a quoted text that is none."""
    if not (is_quoted(node) and _group(other) == "moment"):
        return False
    exact_value(node.unnest().this, other)
    return True


def _literal_hint(node: Any, other: Kind) -> str:
    """The form of a literal that fits the other operand; empty when the node is no literal."""
    node = node.unnest()
    if not isinstance(node, exp.Literal):
        return ""
    if other.family == "string":
        return f"write '{node.this}'"
    return f"write {node.this}" if other.numeric and node.this.replace(".", "", 1).isdigit() else ""


def _check_choice(node: Any, kinds: _Kinds) -> None:
    """Refuse a choice between values of several kinds, as in CASE. A quoted date beside a date is a date."""
    found = [(branch, kind) for branch in branches_of(node) if (kind := kinds(branch)) is not None]
    moment = moment_among(kind for _, kind in found)
    quoted = [branch for branch, _ in found if moment is not None and _is_moment(branch, moment)]
    if moment is not None and quoted and isinstance(node, exp.Greatest | exp.Least):
        refuse(f"{_text(node)} takes no text; write {moment.family.upper()} {_text(quoted[0].unnest())}")
    found = [(branch, kind) for branch, kind in found if branch not in quoted]
    families = list(dict.fromkeys(kind.family for _, kind in found))
    if len({_group(kind) for _, kind in found}) > 1:
        refuse(f"{_text(node)} gives {' or '.join(families)}, which Spark converts; write CAST")


def _operands(node: Any) -> Iterator[tuple[Any, str]]:
    """The operands of the node, each with the kind that it must have."""
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        yield node.this, "a date or timestamp"
    elif isinstance(node, _ON_NUMBERS):
        yield from ((part, "a number") for part in (node.this, node.args.get("expression")) if part is not None)
    elif isinstance(node, exp.Anonymous):
        yield from _operands_of_named(node)
    elif isinstance(node, exp.Extract):
        yield node.expression, "a date or timestamp"
    elif isinstance(node, _ON_MOMENTS):
        yield _asked(node.this), "a date or timestamp"
        if isinstance(node, _TWO_MOMENTS):
            yield _asked(node.expression), "a date or timestamp"
    elif isinstance(node, _ON_TEXTS):
        yield node.this, "a text"
    elif isinstance(node, _ON_BYTES):
        yield node.this, "a text as it is"
    elif isinstance(node, _ON_TRUTHS) and not (isinstance(node.parent, exp.Case) and node.parent.this is not None):
        yield from ((part, "true or false") for part in (node.this, node.args.get("expression")) if part is not None)


def _operands_of_named(node: Any) -> Iterator[tuple[Any, str]]:
    name = node.name.lower()
    if name in _NAMED_ON_NUMBERS:
        yield from ((part, "a number") for part in node.expressions)
    elif name == "crc32":
        yield from ((part, "a text as it is") for part in node.expressions)
    elif name == "weekday":
        yield from ((part, "a date or timestamp") for part in node.expressions)
    elif name == "date_part":
        yield from ((part, "a date or timestamp") for part in node.expressions[1:])


def _is_interval(node: Any, kinds: _Kinds) -> bool:
    """True for one date or timestamp minus another. Spark casts a text beside one."""
    groups = {_group(kind) if (kind := kinds(end)) else "" for end in (node.this, node.expression)}
    return "moment" in groups and groups <= {"moment", "string"}


def _check_interval(node: Any, kinds: _Kinds) -> None:
    """Refuse an interval as the expression's value or beside a number: Spark would fail only when the job runs."""
    top = node
    while isinstance(top.parent, _KEEPS_INTERVAL):
        top = top.parent
    around = top.parent
    others = [part for part in around.iter_expressions() if part is not top] if around is not None else []
    number = isinstance(around, _MEETS_INTERVAL) and any((kind := kinds(part)) and kind.numeric for part in others)
    if around is not None and not number:
        return
    ends = (node.this, node.expression)
    if any((kind := kinds(end)) and kind.family == "timestamp" for end in ends):
        wanted = f"{_seconds(node, kinds)} for the seconds between them"
    else:
        wanted = f"datediff({', '.join(_day(end, kinds) for end in ends)}) for the days between them"
    refuse(f"{_text(node)} is an interval, which no column holds; write {wanted}")


def _seconds(node: Any, kinds: _Kinds) -> str:
    """A moment as seconds since 1970, or the seconds between two."""
    if isinstance(between := node.unnest(), exp.Sub) and _is_interval(between, kinds):
        return f"({_seconds(between.this, kinds)} - {_seconds(between.expression, kinds)})"
    kind = kinds(node)
    plain = kind is None or kind.family == "timestamp"
    return f"unix_seconds({_text(node)})" if plain else f"unix_seconds(CAST({_text(node)} AS timestamp))"


def _day(node: Any, kinds: _Kinds) -> str:
    """The operand as datediff() takes it."""
    text = (kind := kinds(node)) is not None and kind.family == "string" and not is_quoted(node)
    return f"CAST({_text(node)} AS date)" if text else _text(node)


def _asked(node: Any) -> Any:
    """The operand as it was written: sqlglot wraps it in a cast of its own, as in `year(x)`."""
    implied = isinstance(node, exp.TimeStrToTime) or (isinstance(node, exp.TsOrDsToDate) and "safe" not in node.args)
    zoned = isinstance(node.parent, exp.AtTimeZone | exp.FromTimeZone) and isinstance(node, exp.Cast)
    return node.this if implied or zoned else node


def _check_operand(node: Any, part: Any, wanted: str, kinds: _Kinds) -> None:
    kind = kinds(part)
    if kind is None or _group(kind) not in _MISFITS[wanted]:
        return
    if wanted == "a date or timestamp" and _is_moment(part, Kind("timestamp")):
        return
    if wanted == "a text as it is":
        refuse(f"{_text(node)} takes {kind.family} for a text; write CAST({_text(part)} AS string)")
    refuse(f"{_text(node)} takes {kind.family} for {wanted}, which Spark converts; write CAST")


def _check_unit(node: Any, kinds: _Kinds) -> None:
    """Refuse a unit that Spark does not know: the result would be NULL in every row."""
    if isinstance(node, exp.DateDiff) and node.args.get("unit") is not None:
        ends = ", ".join(_text(_asked(end)) for end in (node.this, node.expression))
        refuse(f"datediff() takes two dates and gives days; write datediff({ends})")
    part = _part_of_moment(node)
    if part is not None and part[0].name.lower() == "epoch":
        refuse(f"'epoch' is not a unit to Spark; write {_seconds(part[1], kinds)}")
    for kind, key, function, known in _UNITS:
        if isinstance(node, kind):
            _known_unit(node.args.get(key), function, known)
    if part is not None and isinstance(node, exp.Anonymous):
        _known_unit(part[0], "date_part", PARTS)


def _part_of_moment(node: Any) -> tuple[Any, Any] | None:
    """The part and the moment of extract() or date_part(); None for another node."""
    if isinstance(node, exp.Extract):
        return node.this, node.expression
    if isinstance(node, exp.Anonymous) and node.name.lower() == "date_part" and len(node.expressions) == 2:
        return node.expressions[0], node.expressions[1]
    return None


def _known_unit(unit: Any, function: str, known: frozenset[str]) -> None:
    if not isinstance(unit, exp.Var | exp.Literal):
        refuse(f"{function}() needs its unit as a text in quotes")
    word = unit.name.lower()
    if word not in known:
        refuse(f"{word!r} is not a unit of {function}(){did_you_mean(word, known, listed=True)}")


def _group(kind: Kind) -> str:
    return _GROUPS.get(kind.family, kind.family)


def _text(node: Any) -> str:
    return str(node.sql(dialect="spark"))
