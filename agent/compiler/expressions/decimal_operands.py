"""Decimal operands: as narrow as their values allow where Spark would lose decimals of the result in silence."""

from __future__ import annotations

from decimal import Decimal

from agent.compiler.expressions.column_kinds import Kind, digits_of_kind
from agent.compiler.expressions.decimals import (
    MAX_DIGITS,
    QUOTIENT_SCALE,
    Digits,
    digits_of_number,
    dividend,
    exact,
    kept,
    result,
)
from agent.compiler.expressions.remarks import Remarks
from agent.compiler.expressions.typed_values import (
    ColumnValue,
    ComputedValue,
    ConstantValue,
    SqlForm,
    TypedValue,
    computed,
)
from agent.compiler.problems import cannot

_ENOUGH = 10
"""Least decimals of a result that is rounded: with fewer, the run is refused."""
_OPEN = Digits(20, 18)
"""A numeric without precision, whose digits nobody knows."""
_LARGEST = 15
"""Digits before the point that every dividend keeps."""
_KEEP_DIGITS = ("abs", "-", "nullif", "+", "*", "/", "%", "case", "coalesce", "greatest", "least", "ifnull", "nvl")
"""Computations whose kind says the digits of their type."""
_Pair = tuple[TypedValue, TypedValue]


def exact_operands(
    text: str, operator: str, left: TypedValue, right: TypedValue, remarks: Remarks
) -> tuple[_Pair, Kind]:
    """The operands of an operation on decimals, and the kind of its result.

    Refuses an operation of which Spark would keep too few decimals, and remarks one that is rounded.
    """
    one, other = digits_of_value(left), digits_of_value(right)
    if one is None or other is None:
        return (left, right), Kind("decimal")
    held = _held(left, one), _held(right, other)
    if operator == "/":
        return _divided(text, (left, right), (one, other), held, remarks)
    wanted = exact(operator, one, other)
    if wanted != kept(wanted):
        (left, one), (right, other) = _narrow(left, one, held[0]), _narrow(right, other, held[1])
        wanted = exact(operator, one, other)
        _check(text, wanted.scale, kept(wanted).scale, _OPEN in (one, other), remarks)
    return (left, right), _kind(kept(wanted), exact(operator, *held))


def _divided(
    text: str, operands: _Pair, types: tuple[Digits, Digits], held: tuple[Digits, Digits], remarks: Remarks
) -> tuple[_Pair, Kind]:
    (left, right), (one, other) = operands, types
    if result("/", one, other).scale < QUOTIENT_SCALE:
        if result("/", dividend(one, other), other).scale < QUOTIENT_SCALE:
            (left, one), (right, other) = _narrow(left, one, held[0]), _narrow(right, other, held[1])
        wider = dividend(one, other)
        left = left if wider == one else _cast(left, wider)
        one = wider
    bounded = Digits(max(MAX_DIGITS - QUOTIENT_SCALE - other.scale, _LARGEST), one.scale)
    if result("/", one, other).scale < _ENOUGH and one.covers(bounded) and _OPEN not in (one, other):
        # a sum has digits before the point that no real sum needs; a value that does not fit is an error
        left, one = _cast(left, bounded), bounded
    found = result("/", one, other)
    _check(text, QUOTIENT_SCALE, found.scale, _OPEN in (one, other), remarks)
    return (left, right), _kind(found, found)


def _check(text: str, wanted: int, left: int, unknown: bool, remarks: Remarks) -> None:
    if left >= min(wanted, QUOTIENT_SCALE):
        return
    if left < _ENOUGH and not unknown:
        cannot(
            f"{text} would be rounded to {left} decimals: Spark computes with 38 digits; "
            "cast the operands to fewer, as CAST(x AS numeric(12,4))"
        )
    remarks.add(f"{text} is rounded to {left} decimals", "all decimals; cast the operands, as CAST(x AS numeric(12,4))")


def digits_of_value(value: TypedValue) -> Digits | None:
    """The digits of the type in which Spark computes with a value; None where they are not certain."""
    if isinstance(value, ConstantValue):
        number = isinstance(value.value, str) and value.kind is not None and value.kind.numeric
        return digits_of_number(Decimal(str(value.value))) if number else None
    if isinstance(value, ComputedValue):
        if value.name == "round":
            return _rounded(value)
        certain = value.name.startswith("cast ") or value.name in _KEEP_DIGITS
        whole = value.kind is not None and value.kind.family == "integer"
        return digits_of_kind(value.kind) if certain or whole else None
    return digits_of_kind(value.kind) if isinstance(value, ColumnValue) else None


def _rounded(value: ComputedValue) -> Digits | None:
    """The digits of round(x, n): a digit more before the point."""
    inner = digits_of_value(value.operands[0])
    places = value.operands[1] if len(value.operands) > 1 else ConstantValue("0", Kind("integer"))
    if inner is None or not isinstance(places, ConstantValue) or not str(places.value).isdigit():
        return None
    scale = min(int(str(places.value)), inner.scale)
    return Digits(min(inner.whole + 1, 38 - scale), scale)


def _held(value: TypedValue, digits: Digits) -> Digits:
    """The digits of the values, which may be fewer than those of their type."""
    held = value.kind.held if value.kind is not None and not isinstance(value, ConstantValue) else None
    if isinstance(value, ComputedValue) and value.name == "round" and held is not None:
        held = Digits(held.whole + 1, min(held.scale, digits.scale))
    return held if held is not None and digits.covers(held) else digits


def _narrow(value: TypedValue, digits: Digits, held: Digits) -> tuple[TypedValue, Digits]:
    return (value, digits) if held == digits else (_cast(value, held), held)


def _cast(value: TypedValue, digits: Digits) -> TypedValue:
    form = SqlForm(f"CAST({{0}} AS {digits.sql})", "CAST({0} AS numeric)")
    kind = Kind("decimal", whole=digits.whole, scale=digits.scale)
    return computed(form, value, kind=kind, name=f"cast {digits.sql}", nullable=value.nullable)


def _kind(digits: Digits, held: Digits) -> Kind:
    narrow = held if digits.covers(held) and held != digits else None
    return Kind("decimal", whole=digits.whole, scale=digits.scale, held=narrow)
