"""Values of a specification as constants: a value must fit its column exactly; a refusal says which value would."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NoReturn
from uuid import UUID

from agent.compiler.expressions.column_kinds import MAX_DIGITS, Kind, fits_one_decimal
from agent.compiler.expressions.references import Constant
from agent.compiler.problems import refuse
from agent.nearest import did_you_mean

_INT_LIMIT = 2**63


_EXACT_IN_DOUBLE = 2**53


# Whole values: Spark's own casts accept more forms, as 2024-1-5, and give NULL for unreadable texts. They are ASCII,
# because `\d` alone matches digits of other scripts.
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)


_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


_WHOLE = re.compile(r"-?\d+", re.ASCII)


_FRACTION = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)


_DIGITS_IN_DOUBLE = 15
"""Significant decimal digits that survive a double, which JSON parsers read numbers into."""


_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
"""The words that PostgreSQL reads as a boolean."""


_MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0{1,6})?)?Z?", re.ASCII)


def exact_value(value: object, kind: Kind | None) -> Constant:
    """The value as a constant for a column of that kind. Refuses a value that does not fit exactly."""
    if value is None:
        refuse("NULL equals nothing, so the filter would keep no row; use IS NULL or IS NOT NULL")
    if isinstance(value, float) and not math.isfinite(value):
        refuse(f"{value} is not a number that can be compared")
    if kind is None:
        refuse(
            "the column's type is not certain, so Spark might convert in silence; derive it with CAST(... AS type)",
        )
    match kind.family:
        case "boolean":
            written = str(value).lower() if isinstance(value, str) or value in (0, 1) else ""
            truth = _TRUTHS.get(written, value)
            return Constant(truth) if isinstance(truth, bool) else _misfit(value, "true or false", kind)
        case "string":
            text = value.rstrip(" ") if isinstance(value, str) and kind.padded else value
            return Constant(text) if isinstance(text, str) else _misfit(value, "a text", kind)
        case _:
            return _READERS.get(kind.family, _number)(value, kind)


def _misfit(value: object, wanted: str, kind: Kind) -> NoReturn:
    refuse(f"{value!r} does not fit a {kind.family} column; give {wanted}")


def _bare(wanted: str, value: object) -> str:
    """The wanted form; a text instead of it needs the hint that quotes are wrong."""
    return f"{wanted} without quotes" if isinstance(value, str) else wanted


def _label(value: object, kind: Kind) -> Constant:
    if not isinstance(value, str):
        return _misfit(value, "one of its values", kind)
    if kind.labels and value not in kind.labels:
        refuse(f"{value!r} is no value of {kind.named}{did_you_mean(value, kind.labels, listed=True)}")
    return Constant(value)


def _uuid(value: object, kind: Kind) -> Constant:
    """The uuid as Spark reads it: a text in small letters, with hyphens."""
    try:
        return Constant(str(UUID(value))) if isinstance(value, str) else _misfit(value, "a text", kind)
    except ValueError:
        return _misfit(value, "one as a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", kind)


def _time(value: object, kind: Kind) -> Constant:
    """The time as Spark reads it: a timestamp on 1 January 1970."""
    wanted = "a time as 08:30:00"
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return _misfit(value, wanted, kind)
    try:
        return Constant(f"1970-01-01 {time.fromisoformat(value).isoformat()}", "timestamp")
    except ValueError:
        return _misfit(value, wanted, kind)


def _number(value: object, kind: Kind) -> Constant:
    if kind.family == "float":
        return _double(value, kind)
    text = _plain_number(value, kind)
    digits = digits_of(text)
    whole_number = "." not in text
    if whole_number and not isinstance(value, str) or kind.family == "integer":
        number = int(text) if whole_number else None
        if number is not None and not -_INT_LIMIT <= number < _INT_LIMIT:
            hint = "" if kind.family == "integer" else f'; write it as text: "{text}"'
            refuse(f"{text} is beyond 64-bit integers{hint}")
        width = Kind("integer", whole=10 if number is not None and -(2**31) <= number < 2**31 else 20)
        _check_common_type(text, kind, digits if number is None else width)
        return Constant(number) if number is not None else _decimal(text, digits)
    if digits.whole + digits.scale > MAX_DIGITS:
        refuse(f"{text} has more than {MAX_DIGITS} digits")
    _check_common_type(text, kind, digits)
    return _decimal(text, digits)


def _double(value: object, kind: Kind) -> Constant:
    if isinstance(value, str) and _FRACTION.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _misfit(value, _number_meant(value) or _bare("a number", value), kind)
    if isinstance(value, int) and abs(value) > _EXACT_IN_DOUBLE:
        refuse(f"{value} has no exact floating-point value")
    return Constant(float(value))


def _number_meant(value: object) -> str:
    """The number that a text may mean: `1,000` and `5%`; empty for any other."""
    if not isinstance(value, str):
        return ""
    if _THOUSANDS.fullmatch(value):
        return f"a number, as {value.replace(',', '')}"
    if value.endswith("%") and _FRACTION.fullmatch(value[:-1].rstrip()):
        share = Decimal(value[:-1]) / 100
        return f"a number: {value[:-1].rstrip()} where the column holds percent, {share:f} where it holds shares"
    return ""


def _plain_number(value: object, kind: Kind) -> str:
    """The number without exponent and without a zero fraction. A text must be exactly a number."""
    if isinstance(value, str):
        shape = _WHOLE if kind.family == "integer" else _FRACTION
        if not shape.fullmatch(value):
            _misfit(value, _number_meant(value) or "a number", kind)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        _misfit(value, "a number", kind)
    number = Decimal(repr(value))
    if isinstance(value, float) and len(number.normalize().as_tuple().digits) > _DIGITS_IN_DOUBLE:
        example = '"12345678901234567.89"'
        refuse(f'{value!r} has more digits than a JSON number keeps; write it as text: "…", as {example}')
    return format(number, "f").removesuffix(".0")


def digits_of(text: str) -> Kind:
    """The digits of a number that is written without an exponent."""
    whole, _, fraction = text.lstrip("-").partition(".")
    return Kind("decimal", whole=len(whole.lstrip("0")), scale=len(fraction))


def _decimal(text: str, digits: Kind) -> Constant:
    return Constant(text, f"decimal({max(digits.whole + digits.scale, 1)},{digits.scale})")


def _check_common_type(text: str, kind: Kind, width: Kind) -> None:
    fits = kind.family == width.family == "integer" or fits_one_decimal(kind, width)
    if not fits:
        refuse(f"{text} and the column have no common decimal type that holds both in full")


def _date(value: object, kind: Kind) -> Constant:
    wanted = "a date as 2024-01-31"
    if isinstance(value, str) and _MIDNIGHT.fullmatch(value[10:]):
        value = value[:10]
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return _misfit(value, wanted, kind)
    try:
        date.fromisoformat(value)
    except ValueError:
        return _misfit(value, wanted, kind)
    return Constant(value, "date")


def _timestamp(value: object, kind: Kind) -> Constant:
    wanted = "a timestamp as 2024-01-31 08:30:00"
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return _misfit(value, wanted, kind)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _misfit(value, wanted, kind)
    if moment.tzinfo is not None and not kind.zoned:
        refuse(f"{value!r} names a time zone, but the column has none; leave the zone out")
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            refuse(f"{value!r} lies outside the years 1 to 9999 in UTC")
    return Constant(moment.isoformat(sep=" "), "timestamp")


_READERS: dict[str, Callable[[object, Kind], Constant]] = {
    "date": _date, "timestamp": _timestamp, "time": _time, "uuid": _uuid, "enum": _label,
}  # fmt: skip
