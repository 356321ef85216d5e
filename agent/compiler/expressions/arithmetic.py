"""Arithmetic on numbers: the one place where it is rendered. A division by zero gives NULL in both dialects."""

from __future__ import annotations

from decimal import Decimal

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.decimal_operands import exact_operands
from agent.compiler.expressions.remarks import Remarks
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import (
    ATOM,
    PRODUCT,
    SIGN,
    SUM,
    ComputedValue,
    ConstantValue,
    SqlForm,
    TypedValue,
    alike,
    computed,
)

ANY_NUMBER = Kind("decimal")
"""A number whose digits are not known."""
NULLIF = alike("nullif({0}, {1})")
_BIGINT = Kind("integer", whole=20)
_ZERO = ConstantValue("0", Kind("integer", whole=10))
_FORMS = {
    "+": alike("{0} + {1}", SUM),
    "-": alike("{0} - {1}", SUM),
    "*": alike("{0} * {1}", PRODUCT),
    "/": alike("{0} / {1}", PRODUCT),
    "%": alike("{0} % {1}", PRODUCT),
    "div": SqlForm("{0} div {1}", "div({0}, {1})", PRODUCT, postgres_strength=ATOM),
}
_OF_INTEGERS = SqlForm("{0} / {1}", "CAST({0} AS numeric) / {1}", PRODUCT)
_TRUNCATED = SqlForm("{0} div {1}", "{0} / {1}", PRODUCT)
_NEGATIVE = alike("-{0}", SIGN)


def calculated(
    text: str, operator: str, left: TypedValue, right: TypedValue, dialect: DialectChoice, remarks: Remarks
) -> TypedValue:
    """Two numbers added, subtracted, multiplied or divided."""
    if operator not in ("/", "%", "div"):
        kind = _kind(left.kind, right.kind)
        if kind == ANY_NUMBER:
            (left, right), kind = exact_operands(text, operator, left, right, remarks)
        return computed(_FORMS[operator], left, right, kind=kind, name=operator)
    if operator != "div" and _kind(left.kind, right.kind) == ANY_NUMBER:
        (left, right), kind = exact_operands(text, operator, left, right, remarks)
        safe = guarded(right)
        nullable = left.nullable or safe.nullable
        return computed(_FORMS[operator], left, safe, kind=kind, name=operator, nullable=nullable)
    safe = guarded(right)
    nullable = left.nullable or safe.nullable
    whole = _is_whole(left) and _is_whole(right)
    if operator == "/" and whole and dialect == "postgres":
        return computed(_TRUNCATED, left, safe, kind=_BIGINT, name="div", nullable=nullable)
    if operator == "/" and whole and dialect == "auto":
        remarks.add(f"{text} gives a fraction", "a whole number, as PostgreSQL divides integers; write div for it")
    form = _OF_INTEGERS if operator == "/" and whole else _FORMS[operator]
    return computed(form, left, safe, kind=_divided(operator, left.kind, right.kind), name=operator, nullable=nullable)


def negative(value: TypedValue) -> TypedValue:
    """The number with the other sign."""
    kind = value.kind
    return computed(_NEGATIVE, value, kind=kind if kind is not None and kind.numeric else ANY_NUMBER, name="-")


def guarded(divisor: TypedValue) -> TypedValue:
    """The divisor, or NULL where it is zero."""
    if isinstance(divisor, ConstantValue) and _number_of(divisor):
        return divisor
    if isinstance(divisor, ComputedValue) and divisor.name == "-" and len(divisor.operands) == 1:
        inner = guarded(divisor.operands[0])
        if inner is divisor.operands[0]:
            return divisor
    if isinstance(divisor, ComputedValue) and divisor.name == "nullif" and _is_zero(divisor.operands[1]):
        return divisor
    return computed(NULLIF, divisor, _ZERO, kind=divisor.kind, name="nullif", nullable=True)


def _is_zero(value: TypedValue) -> bool:
    return isinstance(value, ConstantValue) and _number_of(value) == 0


def _number_of(value: ConstantValue) -> Decimal | None:
    """The number of a constant; None for another one."""
    number = isinstance(value.value, str) and value.kind is not None and value.kind.numeric
    return Decimal(str(value.value)) if number else None


def _is_whole(value: TypedValue) -> bool:
    return value.kind is not None and value.kind.family == "integer"


def _kind(left: Kind | None, right: Kind | None) -> Kind | None:
    if left is None or right is None or not (left.numeric and right.numeric):
        return None
    if left.family == right.family == "integer":
        return _BIGINT
    return Kind("float") if "float" in (left.family, right.family) else ANY_NUMBER


def _divided(operator: str, left: Kind | None, right: Kind | None) -> Kind:
    if operator == "div":
        return _BIGINT
    if operator == "%" and left is not None and right is not None and left.family == right.family == "integer":
        return _BIGINT
    return Kind("float") if "float" in {kind.family for kind in (left, right) if kind is not None} else ANY_NUMBER
