"""Operators over resolved operands: comparisons, conditions, texts and choices, each checked for silent casts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.compiler.expressions.arithmetic import calculated, negative
from agent.compiler.expressions.array_elements import element
from agent.compiler.expressions.column_kinds import Kind, unordered
from agent.compiler.expressions.moments import at_time_zone, is_moment, moved_or_measured, scaled_interval
from agent.compiler.expressions.operands import aligned, check_compared, check_operand, trimmed
from agent.compiler.expressions.patterns import MATCHES, matched
from agent.compiler.expressions.remarks import Remarks, refuse_two_readings
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import (
    AND,
    COMPARED,
    IS,
    NOT,
    OR,
    OTHER,
    SUM,
    ConstantValue,
    LengthOfTime,
    SqlForm,
    TypedValue,
    alike,
    computed,
)
from agent.compiler.problems import USE_A_MODEL, cannot, refuse

BOOLEAN = Kind("boolean")
_COMPARED = ("=", "!=", "<", "<=", ">", ">=")
_ORDERED = ("<", "<=", ">", ">=", "between", "not between", "between symmetric", "not between symmetric")
_TESTS = {
    "is null": alike("{0} IS NULL", IS),
    "is not null": alike("{0} IS NOT NULL", IS),
}
_TRUTHS = {
    f"is {negated}{word}": alike(f"{{0}} IS {negated.upper()}{word.upper()}", IS)
    for negated in ("", "not ")
    for word in ("true", "false")
}
_DISTINCT = {
    "is distinct from": alike("{0} IS DISTINCT FROM {1}", COMPARED),
    "is not distinct from": alike("{0} IS NOT DISTINCT FROM {1}", COMPARED),
}
_LIKE = {
    f"{negated}{word}": alike(f"{{0}} {negated.upper()}{word.upper()} {{1}}", COMPARED)
    for negated in ("", "not ")
    for word in ("like", "ilike")
}
_BETWEEN = {
    f"{negated}between": alike(f"{{0}} {negated.upper()}BETWEEN {{1}} AND {{2}}", COMPARED) for negated in ("", "not ")
}
_SYMMETRIC = alike("{0} BETWEEN {1} AND {2} OR {0} BETWEEN {2} AND {1}", OR)
_AND = alike("{0} AND {1}", AND, same=True)
_OR = alike("{0} OR {1}", OR, same=True)
_NOT = alike("NOT {0}", NOT)
_JOINED = SqlForm("{0} || {1}", "{0} || {1}", SUM, same=True, postgres_strength=OTHER)
_POWER = alike("power({0}, {1})")
_BITS = {sign: alike(f"{{0}} {sign} {{1}}", COMPARED) for sign in ("&", "|")}
_XOR = SqlForm("{0} ^ {1}", "{0} # {1}", COMPARED)
_WELL_ESCAPED = re.compile(r"(?:[^\\]|\\[\\%_])*", re.DOTALL)
"""A LIKE pattern whose backslashes all escape something: Spark fails at any other one, PostgreSQL ignores it."""


@dataclass(frozen=True)
class OperatorReader:
    """Reads operators in one dialect. `text` of a method is the operator with its operands, for messages."""

    dialect: DialectChoice
    remarks: Remarks

    def read(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        """The operator over its operands."""
        plain = operator.removeprefix("not ")
        if operator in _TESTS:
            return computed(_TESTS[operator], operands[0], kind=BOOLEAN, name=operator, nullable=False)
        if operator in _COMPARED or operator in _DISTINCT:
            return self._compared(text, operator, operands)
        if operator in _ORDERED or plain == "in":
            return self._ranged(text, operator, operands)
        if plain in ("like", "ilike"):
            return self._like(text, operator, operands)
        return self._by_kind(text, operator, operands)

    def _by_kind(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        handlers: dict[str, Callable[[str, str, Sequence[TypedValue]], TypedValue]] = {
            "and": self._condition, "or": self._condition, "not": self._condition, "||": self._joined,
            "^": self._power, "&": self._bits, "|": self._bits, "at time zone": self._zoned,
            "+": self._arithmetic, "-": self._arithmetic, "*": self._arithmetic, "/": self._arithmetic,
            "%": self._arithmetic, "div": self._arithmetic,
        }  # fmt: skip
        if operator in _TRUTHS:
            check_operand(text, operands[0], "true or false")
            return computed(_TRUTHS[operator], operands[0], kind=BOOLEAN, name=operator, nullable=False)
        if operator in handlers:
            return handlers[operator](text, operator, operands)
        if operator in MATCHES:
            return matched(text, operator, operands, self.dialect)
        if operator == "[]":
            return element(text, operands[0], operands[1], self.dialect)
        return cannot(f"{text} cannot be expressed by the compiler; {USE_A_MODEL}")

    def _compared(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        left, right = aligned(operands)
        check_compared(text, left, right)
        self._check_order(text, operator, (left, right))
        if operator in _DISTINCT:
            return computed(_DISTINCT[operator], left, right, kind=BOOLEAN, name=operator, nullable=False)
        return computed(comparison_form(operator), left, right, kind=BOOLEAN, name=operator)

    def _check_order(self, text: str, operator: str, operands: Sequence[TypedValue]) -> None:
        reasons = [unordered(one.kind) for one in operands] if operator in _ORDERED else []
        reason = next((one for one in reasons if one), "")
        if reason:
            refuse(f"{text} is not certain: {reason}")

    def _ranged(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        """BETWEEN and IN."""
        found = aligned(operands)
        for member in found[1:]:
            check_compared(text, found[0], member)
        self._check_order(text, operator, found)
        if operator in _BETWEEN:
            return computed(_BETWEEN[operator], *found, kind=BOOLEAN, name=operator)
        if operator.endswith("symmetric"):
            either = computed(_SYMMETRIC, *found, kind=BOOLEAN, name="or")
            return computed(_NOT, either, kind=BOOLEAN, name="not") if operator.startswith("not") else either
        places = ", ".join(f"{{{place}}}" for place in range(1, len(found)))
        template = f"{{0}} {operator.upper()} ({places})"
        return computed(alike(template, COMPARED), *found, kind=BOOLEAN, name=operator)

    def _like(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        value, pattern = operands[:2]
        if value.kind is not None and value.kind.padded:
            refuse(f"{text} sees the padding of character({value.kind.padded}); write rtrim(…) around the column")
        for operand in operands:
            check_operand(text, operand, "a text")
        if len(operands) == 3:
            return self._escaped(operator, operands)
        known = pattern.value if isinstance(pattern, ConstantValue) else ""
        if isinstance(known, str) and not _WELL_ESCAPED.fullmatch(known):
            refuse(f"{text}: a backslash in a pattern may only stand before %, _ or another backslash")
        return computed(_LIKE[operator], value, pattern, kind=BOOLEAN, name=operator)

    def _escaped(self, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        form = _LIKE[operator]
        template = f"{form.spark} ESCAPE {{2}}"
        return computed(alike(template, COMPARED), *operands, kind=BOOLEAN, name=operator)

    def _condition(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        for operand in operands:
            check_operand(text, operand, "true or false")
        form = {"and": _AND, "or": _OR, "not": _NOT}[operator]
        return computed(form, *operands, kind=BOOLEAN, name=operator)

    def _joined(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        for operand in operands:
            if operand.kind is not None and operand.kind.family not in ("string", "integer", "decimal", "date"):
                self._check_as_text(text, operand.kind)
        return computed(_JOINED, *map(trimmed, operands), kind=Kind("string"), name=operator)

    def _check_as_text(self, text: str, kind: Kind) -> None:
        if kind.family in ("uuid", "enum", "boolean") or (kind.family == "timestamp" and not kind.zoned):
            return
        refuse(f"{text} turns {kind.named or kind.family} into a text, which Spark and PostgreSQL do differently")

    def _power(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        for operand in operands:
            check_operand(text, operand, "a number")
        whole = all(operand.kind is not None and operand.kind.family == "integer" for operand in operands)
        if self.dialect == "spark":
            return computed(_XOR, *operands, kind=Kind("integer", whole=20), name=operator)
        if self.dialect == "auto" and whole:
            refuse_two_readings(text, "a power (2 ^ 3 is 8)", "the bits that differ (2 ^ 3 is 1)", "power(…, …)")
        return computed(_POWER, *operands, kind=Kind("float"), name="power")

    def _bits(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        for operand in operands:
            if operand.kind is None or operand.kind.family != "integer":
                refuse(f"{text} takes whole numbers")
        return computed(_BITS[operator], *operands, kind=Kind("integer", whole=20), name=operator)

    def _zoned(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        return at_time_zone(text, operands[0], operands[1])

    def _arithmetic(self, text: str, operator: str, operands: Sequence[TypedValue]) -> TypedValue:
        if len(operands) == 1:
            check_operand(text, operands[0], "a number")
            return negative(operands[0])
        left, right = operands
        intervals = any(isinstance(one, LengthOfTime) or _family(one) == "interval" for one in operands)
        if operator == "*" and intervals:
            return scaled_interval(text, left, right)
        if operator in ("+", "-") and (intervals or is_moment(left) or is_moment(right)):
            return moved_or_measured(text, operator, left, right, self.dialect)
        for operand in operands:
            check_operand(text, operand, "a number")
        return calculated(text, operator, left, right, self.dialect, self.remarks)


def comparison_form(operator: str) -> SqlForm:
    """The form of `=`, `!=` and the like."""
    return SqlForm(f"{{0}} {operator} {{1}}", f"{{0}} {operator.replace('!=', '<>')} {{1}}", COMPARED)


def _family(value: TypedValue) -> str:
    return value.kind.family if value.kind is not None else ""
