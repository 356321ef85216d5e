"""Dates and timestamps: moved by an interval, and the time between two of them."""

from __future__ import annotations

from dataclasses import replace

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import aligned, check_operand
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import (
    PRODUCT,
    SUM,
    ComputedValue,
    ConstantValue,
    LengthOfTime,
    SqlForm,
    TypedValue,
    alike,
    computed,
)
from agent.compiler.problems import USE_A_MODEL, cannot, refuse

INTERVAL = Kind("interval")
_DAYS = SqlForm("datediff({0}, {1})", "{0} - {1}", postgres_strength=SUM)
_MOVED = {"+": alike("{0} + {1}", SUM), "-": alike("{0} - {1}", SUM)}
_PRODUCT = alike("{0} * {1}", PRODUCT)
_TO_LOCAL = SqlForm("from_utc_timestamp({0}, {1})", "{0} AT TIME ZONE {1}", PRODUCT)
_TO_UTC = SqlForm("to_utc_timestamp({0}, {1})", "{0} AT TIME ZONE {1}", PRODUCT)
_FIXED_ZONES = ("UTC", "GMT", "Z")


def is_moment(value: TypedValue) -> bool:
    """True for a date or a timestamp."""
    return value.kind is not None and value.kind.family in ("date", "timestamp")


def moved_or_measured(
    text: str, operator: str, left: TypedValue, right: TypedValue, dialect: DialectChoice
) -> TypedValue:
    """A moment plus or minus a length of time, or the time between two moments."""
    if operator == "+" and (is_moment(right) or _is_interval(left)) and not is_moment(left):
        left, right = right, left
    if isinstance(right, LengthOfTime):
        return _moved(text, operator, left, right)
    if _is_interval(right):
        if not _is_interval(left):
            check_operand(text, left, "a date or timestamp")
        return computed(_MOVED[operator], left, right, kind=left.kind, name=operator)
    if operator == "-":
        left, right = aligned((left, right))
    if operator == "-" and is_moment(left) and is_moment(right):
        return _between(left, right, dialect)
    if is_moment(left) and right.kind is not None and right.kind.family == "integer":
        return _by_days(text, operator, left, right)
    check_operand(text, right, "a date or timestamp" if operator == "-" and is_moment(left) else "a number")
    check_operand(text, left, "a date or timestamp")
    return cannot(f"{text} cannot be expressed by the compiler; {USE_A_MODEL}")


def _by_days(text: str, operator: str, left: TypedValue, right: TypedValue) -> TypedValue:
    if left.kind is not None and left.kind.family == "timestamp":
        refuse(f"{text} adds a number to a timestamp; write INTERVAL '1 day'")
    return computed(_MOVED[operator], left, right, kind=left.kind, name=operator)


def _moved(text: str, operator: str, moment: TypedValue, length: LengthOfTime) -> TypedValue:
    """Months, days and the rest are added one after the other, as PostgreSQL does."""
    if _is_interval(moment):
        cannot(f"{text} cannot be expressed by the compiler; {USE_A_MODEL}")
    check_operand(text, moment, "a date or timestamp")
    value, kind = moment, moment.kind
    if isinstance(moment, ConstantValue) and moment.is_text:
        refuse(f"{text} takes a text for a date; write DATE or TIMESTAMP before it")
    for part in single_lengths(length):
        if part.microseconds and kind is not None:
            kind = replace(kind, family="timestamp")
        value = computed(_MOVED[operator], value, part, kind=kind, name=operator)
    return value


def single_lengths(length: LengthOfTime) -> list[LengthOfTime]:
    """The months, the days and the rest, each as an interval of its own."""
    parts = [
        LengthOfTime(length.months, 0, 0), LengthOfTime(0, length.days, 0), LengthOfTime(0, 0, length.microseconds),
    ]  # fmt: skip
    return [part for part in parts if part.months or part.days or part.microseconds] or [LengthOfTime(0, 0, 0)]


def _between(left: TypedValue, right: TypedValue, dialect: DialectChoice) -> TypedValue:
    dates = all(value.kind is not None and value.kind.family == "date" for value in (left, right))
    if dates and dialect != "spark":
        return computed(_DAYS, left, right, kind=Kind("integer", whole=10), name="datediff")
    return computed(_MOVED["-"], left, right, kind=INTERVAL, name="interval")


def scaled_interval(text: str, left: TypedValue, right: TypedValue) -> TypedValue:
    """An interval times a whole number."""
    length, number = (left, right) if isinstance(left, LengthOfTime) else (right, left)
    whole = number.kind is not None and number.kind.family == "integer"
    if not isinstance(length, LengthOfTime) or len(single_lengths(length)) != 1 or not whole:
        cannot(f"{text} cannot be expressed by the compiler; {USE_A_MODEL}")
    return computed(_PRODUCT, length, number, kind=INTERVAL, name="*")


def at_time_zone(text: str, moment: TypedValue, zone: TypedValue) -> TypedValue:
    """`AT TIME ZONE`: a timestamp with a zone as that zone's clock shows it, or a clock's reading as a moment."""
    check_operand(text, moment, "a date or timestamp")
    if not isinstance(zone, ConstantValue) or not isinstance(zone.value, str) or moment.kind is None:
        cannot(f"{text}: the zone must be a text in quotes; {USE_A_MODEL}")
    if moment.kind.zoned:
        return computed(_TO_LOCAL, moment, zone, kind=Kind("timestamp"), name="at time zone")
    if zone.value.upper() not in _FIXED_ZONES:
        cannot(f"{text}: in the hour that autumn repeats, Spark and PostgreSQL take different ones; {USE_A_MODEL}")
    return computed(_TO_UTC, moment, zone, kind=Kind("timestamp", zoned=True), name="at time zone")


def _is_interval(value: TypedValue) -> bool:
    return value.kind is not None and value.kind.family == "interval"


def refuse_interval(text: str, value: TypedValue, shown: dict[int, str]) -> None:
    """Refuse an interval as the value of an expression: no column holds it."""
    if not _is_interval(value):
        return
    ends = value.operands if isinstance(value, ComputedValue) and value.name == "interval" else ()
    if not ends:
        refuse(f"{text} is an interval, which no column holds; add it to a date or timestamp")
    seconds = " - ".join(_seconds(end, shown) for end in ends)
    refuse(f"{text} is an interval, which no column holds; write {seconds} for the seconds between them")


def _seconds(value: TypedValue, shown: dict[int, str]) -> str:
    text = shown.get(id(value), "…")
    plain = value.kind is None or value.kind.family == "timestamp"
    return f"unix_seconds({text})" if plain else f"unix_seconds(CAST({text} AS timestamp))"
