"""Operands side by side: constants take the type of what they stand beside; any other mixture is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.compiler.expressions.column_kinds import DISGUISED, MAX_DIGITS, Kind, ValueFamily, digits_of_kind, mismatch
from agent.compiler.expressions.literals import digits_of, exact_value
from agent.compiler.expressions.typed_values import ColumnValue, ConstantValue, SqlForm, TypedValue, computed, is_null
from agent.compiler.problems import refuse

_GROUPS = {"integer": "number", "decimal": "number", "float": "number", "date": "moment", "timestamp": "moment"}
_TRUTHS = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}
_RTRIM = SqlForm("rtrim({0})", "rtrim({0})")
_MISFITS = {
    "a number": {"string", "boolean", "moment", "interval"} | DISGUISED,
    "a date or timestamp": {"string", "number", "boolean", "interval"} | DISGUISED,
    "true or false": {"string", "number", "moment", "interval"} | DISGUISED,
    "a text": {"number", "moment", "boolean", "interval"} | DISGUISED,
}
"""The kind that an operator needs, and the kinds that Spark would cast to it."""


def group_of(kind: Kind) -> str:
    """The family; all numbers are one group, and dates and timestamps another."""
    return _GROUPS.get(kind.family, kind.family)


def trimmed(value: TypedValue) -> TypedValue:
    """The value without the padding of `character(n)`, which PostgreSQL ignores and Spark sees."""
    if isinstance(value, ColumnValue) and value.kind is not None and value.kind.padded:
        return computed(_RTRIM, value, kind=Kind("string"), name="trimmed")
    return value


def aligned(values: Sequence[TypedValue]) -> list[TypedValue]:
    """The values, where each text constant has the type of the others: a date beside a date, a number beside one."""
    beside = [value for value in values if not (isinstance(value, ConstantValue) and (value.is_text or is_null(value)))]
    kinds = [value.kind for value in beside if value.kind is not None]
    target = next((kind for kind in kinds if kind.family == "timestamp"), kinds[0] if kinds else None)
    padded = any(kind.padded for kind in kinds)
    if all(isinstance(value, ColumnValue) and value.kind == target for value in values):
        return list(values)
    return [_aligned(value, target, padded) for value in map(trimmed, values)]


def _aligned(value: TypedValue, target: Kind | None, padded: bool) -> TypedValue:
    if not isinstance(value, ConstantValue) or target is None or not isinstance(value.value, str):
        return value
    if not value.is_text:
        return value
    if target.family == "string":
        return replace(value, value=value.value.rstrip(" ")) if padded else value
    return fitted(value, target)


def fitted(value: ConstantValue, target: Kind) -> TypedValue:
    """The text constant as a value of the kind beside it. Refuses a text that is none."""
    text = value.value if isinstance(value.value, str) else ""
    if target.family == "boolean":
        truth = _TRUTHS.get(text.lower())
        return value if truth is None else ConstantValue(truth, Kind("boolean"))
    if target.numeric:
        return _number(value, text)
    if target.family not in ("date", "timestamp", "time", "uuid", "enum"):
        return value
    return ConstantValue(str(exact_value(text, target).value), target)


def _number(value: ConstantValue, text: str) -> TypedValue:
    plain = text.strip().removeprefix("+")
    if not plain.removeprefix("-").replace(".", "", 1).isdigit() or not plain.isascii():
        return value
    return ConstantValue(plain, digits_of(plain) if "." in plain else whole_number(plain))


def whole_number(text: str) -> Kind:
    """The kind of a whole number, as Spark reads it."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        return Kind("decimal", whole=len(text.lstrip("-")))
    return Kind("integer", whole=10 if -(2**31) <= number < 2**31 else 20)


def check_compared(text: str, left: TypedValue, right: TypedValue) -> None:
    """Refuse two operands that Spark would convert to compare them."""
    one, other = left.kind, right.kind
    if one is None or other is None:
        return
    if {one.family, other.family} & DISGUISED and (reason := mismatch(one, other)):
        refuse(f"{text} is not certain: {reason}")
    if group_of(one) == group_of(other):
        return
    pair = sorted((one.family, other.family), key=lambda family: family != "string")
    hint = _literal_hint(left, other) or _literal_hint(right, one) or "write CAST"
    refuse(f"{text} compares {pair[0]} with {pair[1]}, which Spark converts; {hint}")


def _literal_hint(value: TypedValue, other: Kind) -> str:
    """The form of a literal that fits the other operand; empty when the value is no literal."""
    if isinstance(value, ConstantValue) and value.kind is not None and value.kind.numeric and other.family == "string":
        return f"write '{value.value}'"
    return ""


def check_operand(text: str, value: TypedValue, wanted: str) -> None:
    """Refuse an operand that Spark would convert to what the operator takes."""
    kind = value.kind
    if kind is None or group_of(kind) not in _MISFITS[wanted]:
        return
    refuse(f"{text} takes {kind.named or kind.family} for {wanted}, which Spark converts; write CAST")


def chosen(text: str, values: Sequence[TypedValue]) -> tuple[list[TypedValue], Kind | None]:
    """The values of a choice, as of CASE, and their common kind. Refuses values of several kinds."""
    found = [trimmed(value) for value in aligned(values)]
    kinds = [value.kind for value in found if value.kind is not None]
    if len({group_of(kind) for kind in kinds}) > 1 or len({kind.named for kind in kinds}) > 1:
        families = list(dict.fromkeys(kind.named or kind.family for kind in kinds))
        refuse(f"{text} gives {' or '.join(families)}, which Spark converts; write CAST")
    known = [value.kind for value in found if not is_null(value)]
    return found, None if None in known else common([kind for kind in known if kind is not None])


def common(kinds: Sequence[Kind]) -> Kind | None:
    """The kind that holds values of all kinds; None without one."""
    if not kinds:
        return None
    families = {kind.family for kind in kinds}
    if len(families) == 1:
        return _widest(kinds) if kinds[0].numeric else kinds[0]
    if families == {"date", "timestamp"}:
        return next(kind for kind in kinds if kind.family == "timestamp")
    return Kind("float") if "float" in families else _widest(kinds)


def _widest(kinds: Sequence[Kind]) -> Kind:
    """The number type that Spark gives a choice. The digits are not known where those of one are not."""
    families = {kind.family for kind in kinds}
    family: ValueFamily = kinds[0].family if len(families) == 1 else "decimal"
    digits = [digits_of_kind(kind) for kind in kinds]
    known = [one for one in digits if one is not None]
    if len(known) < len(kinds):
        return Kind(family)
    whole, scale = max(one.whole for one in known), max(one.scale for one in known)
    return Kind(family, whole=min(whole, MAX_DIGITS - scale), scale=scale)
