"""Averages in generated code: a sum divided by a count, so that decimals are rounded once.

Spark's own avg rounds decimals to four more than the values have, and computes integers by way of a double.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.compiler.code.layout import Argument
from agent.compiler.expressions.column_kinds import Kind, digits_of_kind
from agent.compiler.expressions.decimals import AVERAGE_WHOLE, QUOTIENT_SCALE, Digits, average_sum

_WIDTH = 84
"""Characters of an operand on a line of its own."""


def is_exact_average(function: str, kind: Kind | None) -> bool:
    """True for the average of integers or decimals; that of doubles is a double."""
    return function == "avg" and kind is not None and kind.family in ("integer", "decimal")


def average_code(kind: Kind | None, aggregate: Callable[[str], Argument], end: str = "") -> Argument:
    """The average as `(sum / count)` before `end`. `aggregate` gives the code of a function over the values."""
    digits = digits_of_kind(kind) or Digits(AVERAGE_WHOLE, QUOTIENT_SCALE)
    summed, counted = aggregate("sum"), aggregate("count")
    cast = f'.cast("{average_sum(digits).sql}")'
    text = f"({summed.text}{cast} / {counted.text}){end}"
    return Argument(text, ("(", *_operand("", summed, cast), *_operand("/ ", counted, ""), f"){end}"))


def _operand(before: str, value: Argument, after: str) -> list[str]:
    whole = f"{before}{value.text}{after}"
    lines = [whole] if len(whole) <= _WIDTH or not value.broken else _bordered(before, value.broken, after)
    return [f"    {line}" for line in lines]


def _bordered(before: str, lines: tuple[str, ...], after: str) -> list[str]:
    first, *rest = lines
    return [f"{before}{first}", *rest[:-1], f"{rest[-1]}{after}"]
