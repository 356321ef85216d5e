"""Constant lengths of time: `1 day`, `2 hours 30 minutes`, as months, days and microseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.nearest import did_you_mean

_SECOND = 1_000_000
_MONTHS = {"month": 1, "mon": 1, "quarter": 3, "year": 12, "yr": 12, "y": 12, "decade": 120, "century": 1200}
_DAYS = {"day": 1, "d": 1, "week": 7, "w": 7}
_MICROSECONDS = {
    "microsecond": 1, "millisecond": 1000, "second": _SECOND, "sec": _SECOND, "s": _SECOND, "minute": 60 * _SECOND,
    "min": 60 * _SECOND, "m": 60 * _SECOND, "hour": 3600 * _SECOND, "hr": 3600 * _SECOND, "h": 3600 * _SECOND,
}  # fmt: skip
_KNOWN = {**_MONTHS, **_DAYS, **_MICROSECONDS}
UNITS = frozenset({*_KNOWN, *(f"{unit}s" for unit in _KNOWN)})
"""Units of time in an interval."""
_AMOUNT = re.compile(r"\s*([-+]?[0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)\s*")
_CLOCK = re.compile(r"\s*([-+]?)(\d+):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?\s*", re.ASCII)


def interval_of(amounts: Sequence[tuple[str, str]], text: str) -> tuple[int, int, int]:
    """Months, days and microseconds of amounts with units, or of a text as `1 day 2 hours`."""
    found = list(amounts) or _read(text)
    months, days, microseconds = 0, 0, 0
    for amount, unit in found:
        word = unit.lower() if unit.lower() in _KNOWN else unit.lower().removesuffix("s")
        number = _number(amount)
        months += _whole(number * _MONTHS.get(word, 0), unit)
        days += _whole(number * _DAYS.get(word, 0), unit)
        microseconds += _whole(number * _MICROSECONDS.get(word, 0), unit)
    return months, days, microseconds


def _number(amount: str) -> Decimal:
    try:
        return Decimal(amount.strip())
    except ArithmeticError:
        refuse(f"{amount!r} is not an amount of time; write INTERVAL '1 day'")


def _whole(amount: Decimal, unit: str) -> int:
    if amount != int(amount):
        refuse(f"an interval of a part of a {unit} is not certain; write it in smaller units")
    return int(amount)


def _read(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        amount, clock = _AMOUNT.match(text, place), _CLOCK.match(text, place)
        if clock is not None:
            sign, hours, minutes, seconds = clock.groups()
            found += [(sign + hours, "hour"), (sign + minutes, "minute"), (sign + (seconds or "0"), "second")]
            place = clock.end()
        elif amount is not None and amount[2].lower() in UNITS:
            found.append((amount[1], amount[2]))
            place = amount.end()
        elif amount is not None and amount[2].lower() not in ("ago",):
            refuse(f"{amount[2]!r} is not a unit of time{did_you_mean(amount[2].lower(), UNITS)}")
        else:
            cannot(f"INTERVAL {text!r} cannot be expressed by the compiler; write INTERVAL '1 day', or {USE_A_MODEL}")
    if not found:
        refuse("an interval needs an amount and a unit, as INTERVAL '1 day'")
    return found
