"""Digits of decimal arithmetic: Spark's result types, and the digits that they lose without a word.

Rules of Spark 3.5, `DecimalPrecision` with spark.sql.decimalOperations.allowPrecisionLoss, its default:
https://spark.apache.org/docs/3.5.6/sql-ref-ansi-compliance.html
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MAX_DIGITS = 38
_LEAST_SCALE = 6
"""Decimals that Spark keeps of a result that needs more than 38 digits."""
QUOTIENT_SCALE = 16
"""Decimals of a quotient and of an average, as PostgreSQL shows them."""
AVERAGE_WHOLE = MAX_DIGITS - QUOTIENT_SCALE


@dataclass(frozen=True)
class Digits:
    """The digits before and after the decimal point."""

    whole: int
    scale: int

    @property
    def precision(self) -> int:
        """All digits; at least one."""
        return max(self.whole + self.scale, 1)

    @property
    def sql(self) -> str:
        """The decimal type with these digits: `decimal(10,2)`."""
        return f"decimal({self.precision},{self.scale})"

    def covers(self, other: Digits) -> bool:
        """True when a type of these digits holds each number of the other's."""
        return self.whole >= other.whole and self.scale >= other.scale


def digits_of_number(number: Decimal) -> Digits:
    """The digits of a constant, as Spark types it: 0.85 is decimal(2,2), and 100 is decimal(3,0)."""
    _, figures, exponent = number.as_tuple()
    scale = max(-int(exponent), 0)
    return Digits(max(len(figures) + int(exponent), 0), scale)


def exact(operator: str, left: Digits, right: Digits) -> Digits:
    """The digits that hold every result of `+`, `-`, `*` or `%` exactly; of `/`, Spark's type without a limit."""
    if operator in ("+", "-"):
        return Digits(max(left.whole, right.whole) + 1, max(left.scale, right.scale))
    if operator == "*":
        return Digits(left.whole + right.whole + 1, left.scale + right.scale)
    if operator == "%":
        return Digits(min(left.whole, right.whole), max(left.scale, right.scale))
    return Digits(left.whole + right.scale, max(_LEAST_SCALE, left.scale + right.precision + 1))


def kept(wanted: Digits) -> Digits:
    """The digits that Spark keeps of a result: beyond 38 it gives up decimals, and then digits before the point."""
    if wanted.precision <= MAX_DIGITS:
        return wanted
    scale = max(MAX_DIGITS - wanted.whole, min(wanted.scale, _LEAST_SCALE))
    return Digits(MAX_DIGITS - scale, scale)


def result(operator: str, left: Digits, right: Digits) -> Digits:
    """Spark's type of an operation on two decimals."""
    return kept(exact(operator, left, right))


def common(one: Digits, other: Digits) -> Digits:
    """The type that Spark gives a choice between two decimals."""
    # Beyond 38 digits a choice keeps its decimals, and gives up digits before the point.
    whole, scale = max(one.whole, other.whole), max(one.scale, other.scale)
    return Digits(min(whole, MAX_DIGITS - scale), scale)


def dividend(left: Digits, right: Digits) -> Digits:
    """The type of a dividend for which the quotient has as many decimals as PostgreSQL shows, where 38 digits do.

    It is the dividend's own type when its quotient has them anyway.
    """
    natural = result("/", left, right)
    if natural.scale >= QUOTIENT_SCALE or natural.scale < exact("/", left, right).scale:
        return left
    scale = QUOTIENT_SCALE - right.precision - 1
    wider = Digits(left.whole, max(scale, left.scale))
    fits = wider.precision <= MAX_DIGITS
    return wider if fits and result("/", wider, right).scale > natural.scale else left


def average_sum(summed: Digits) -> Digits:
    """The type of a sum whose quotient by a number of rows has 16 decimals and 22 digits before the point."""
    if summed.scale > QUOTIENT_SCALE:
        return Digits(MAX_DIGITS - summed.scale, summed.scale)
    return Digits(AVERAGE_WHOLE, summed.scale)


def average(summed: Digits) -> Digits:
    """The type of an average: numeric(38,16); with more decimals than 16, those of the values."""
    scale = max(QUOTIENT_SCALE, summed.scale)
    return Digits(MAX_DIGITS - scale, scale)
