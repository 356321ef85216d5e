"""Kinds: a value's type, as far as exact comparisons need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.compiler.expressions import decimals
from agent.compiler.expressions.decimals import Digits, average
from agent.types import Family, canonical, family, spark_type

_WHOLE_DIGITS = {"smallint": 5, "int": 10, "bigint": 20}
"""Digits of the decimal that Spark casts an integer to beside a decimal."""

MAX_DIGITS = decimals.MAX_DIGITS
_SUMMED_DIGITS = 10
"""Digits that Spark adds before the point for a sum."""
ValueFamily = Family | Literal["interval"]
"""Family of a value; no column holds an interval."""
DISGUISED: frozenset[ValueFamily] = frozenset({"time", "uuid", "json", "enum", "binary", "array"})
"""Families that Spark stores as another type, or compares otherwise than PostgreSQL."""
_NAMED = ("array", "enum", "json")


@dataclass(frozen=True)
class Kind:
    """A type: its family and its digits, and the oddities of PostgreSQL's types."""

    family: ValueFamily
    whole: int = 0
    """Digits before the decimal point; integers and decimals only."""
    scale: int = 0
    """Digits after the decimal point; decimals only."""
    padded: int = 0
    """n for `character(n)`: Spark keeps the padding with spaces, PostgreSQL ignores it."""
    zoned: bool = False
    """True for `timestamp with time zone`."""
    named: str = ""
    """The type's own name for arrays, enums, json and jsonb, whose family does not say enough."""
    labels: tuple[str, ...] = ()
    """The values of an enum; empty when they are not known."""
    held: Digits | None = None
    """The digits that the values of a wider decimal have; None when they are not known."""

    @property
    def numeric(self) -> bool:
        """True for integers, decimals and floats."""
        return self.family in ("integer", "decimal", "float")


def kind_of(type_name: str, column: str | None = None, labels: tuple[str, ...] = (), held: str = "") -> Kind:
    """The kind of a column of that PostgreSQL type, whose values are `held` by a narrower one.

    Raises UnsupportedTypeError, naming `column`.
    """
    ddl, name = spark_type(type_name, column), canonical(type_name)
    if ddl.startswith("decimal"):
        digits = _digits_of_type(ddl)
        narrow = _digits_of_type(spark_type(held)) if held else None
        return Kind("decimal", whole=digits.whole, scale=digits.scale, held=narrow)
    if ddl in _WHOLE_DIGITS:
        return Kind("integer", whole=_WHOLE_DIGITS[ddl])
    if name.startswith("character") and not name.startswith("character varying"):
        return Kind("string", padded=int(name[10:-1]) if name.endswith(")") else 1)
    return Kind(
        family(name),
        zoned=name == "timestamp with time zone",
        named=name if family(name) in _NAMED else "",
        labels=labels,
    )


def _digits_of_type(ddl: str) -> Digits:
    precision, scale = (int(part) for part in ddl[len("decimal(") : -1].split(","))
    return Digits(precision - scale, scale)


def kind_of_aggregate(function: str, kind: Kind | None) -> Kind | None:
    """The kind of an aggregate over a value of that kind; None when it is not certain."""
    if function in ("count", "count_distinct"):
        return Kind("integer", whole=20)
    if kind is None or function in ("min", "max"):
        return kind
    if function == "sum" and wraps(kind):
        return Kind("decimal", whole=30)
    if function == "sum" and kind.family == "integer":
        return Kind("integer", whole=20)
    if function == "avg" and kind.family in ("integer", "decimal"):
        found = average(digits_of_kind(kind) or Digits(0, 0))
        return Kind("decimal", whole=found.whole, scale=found.scale)
    if function == "sum" and kind.family == "decimal" and digits_of_kind(kind) is not None:
        whole = min(kind.whole + _SUMMED_DIGITS, MAX_DIGITS - kind.scale)
        return Kind("decimal", whole=whole, scale=kind.scale, held=kind.held and grown(kind.held))
    return kind if kind.family == "decimal" else Kind("float")


def grown(held: Digits) -> Digits:
    """The digits of a sum of such values."""
    return Digits(min(held.whole + _SUMMED_DIGITS, MAX_DIGITS - held.scale), held.scale)


def digits_of_kind(kind: Kind | None) -> Digits | None:
    """The digits of the decimal type that Spark computes with; None where they are not known."""
    if kind is None or kind.family not in ("integer", "decimal") or not kind.whole + kind.scale:
        return None
    return Digits(kind.whole, kind.scale)


def wraps(kind: Kind | None) -> bool:
    """True for 64-bit integers. Their sum overflows silently in Spark, so they are summed as decimal(20,0)."""
    return kind is not None and kind.family == "integer" and kind.whole > 10


def fits_one_decimal(left: Kind, right: Kind) -> bool:
    """True when Spark's common type of two exact numbers holds both of them in full."""
    return max(left.whole, right.whole) + max(left.scale, right.scale) <= MAX_DIGITS


def mismatch(left: Kind, right: Kind) -> str:
    """The reason why an equality of the two kinds is not certain; empty when it is."""
    exact = {"integer", "decimal"}
    if left.family == right.family == "string" and left.padded != right.padded:
        return "one side is character(n), which Spark sees padded with spaces"
    if left.zoned != right.zoned and left.family == right.family == "timestamp":
        return "one side has a time zone and the other has none"
    if left.family in exact and right.family in exact:
        return "" if fits_one_decimal(left, right) else "Spark has no decimal type that holds both in full"
    if left.family != right.family:
        return f"{left.family} and {right.family} would be converted in silence"
    if left.named != right.named:
        return f"one side is {left.named} and the other {right.named}"
    return unequal(left)


def unequal(kind: Kind | None) -> str:
    """The reason why equality within the kind is not certain; empty when it is."""
    if kind is not None and kind.named.startswith("json"):
        return f"{kind.named} is text to Spark, where 1 and 1.0 differ and order and blanks count"
    return ""


def unordered(kind: Kind | None) -> str:
    """The reason why an order within the kind is not certain; empty when it is."""
    if kind is not None and kind.family == "enum":
        return f"PostgreSQL orders {kind.named} as it was declared, and Spark by its letters"
    if kind is not None and kind.family == "array":
        return f"PostgreSQL and Spark order the NULLs of {kind.named} differently"
    return unequal(kind)
