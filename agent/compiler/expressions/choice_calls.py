"""Functions that choose one of their arguments: COALESCE, NULLIF, IF and their other names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.compiler.expressions.arithmetic import NULLIF
from agent.compiler.expressions.column_kinds import unordered
from agent.compiler.expressions.operands import aligned, check_compared, check_operand, chosen
from agent.compiler.expressions.typed_values import SqlForm, TypedValue, alike, computed
from agent.compiler.problems import refuse

_COALESCE = alike("coalesce({*})")
_GREATEST, _LEAST = alike("greatest({*})"), alike("least({*})")
_IF = SqlForm("if({0}, {1}, {2})", "CASE WHEN {0} THEN {1} ELSE {2} END")
_NVL2 = SqlForm("nvl2({0}, {1}, {2})", "CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END")


def _first_known(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    values, kind = chosen(text, arguments)
    return computed(_COALESCE, *values, kind=kind, name="coalesce", nullable=all(one.nullable for one in values))


def _largest(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    return _extreme(_GREATEST, text, arguments)


def _smallest(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    return _extreme(_LEAST, text, arguments)


def _extreme(form: SqlForm, text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    """The largest or smallest; NULLs are skipped."""
    values, kind = chosen(text, arguments)
    if reason := unordered(kind):
        refuse(f"{text} is not certain: {reason}")
    return computed(form, *values, kind=kind, name="extreme", nullable=all(one.nullable for one in values))


def _unless_equal(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    value, other = aligned(arguments)
    check_compared(text, value, other)
    return computed(NULLIF, value, other, kind=value.kind, name="nullif", nullable=True)


def _either(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    check_operand(text, arguments[0], "true or false")
    return _chosen_by(_IF, text, arguments)


def _by_presence(text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    return _chosen_by(_NVL2, text, arguments)


def _chosen_by(form: SqlForm, text: str, arguments: Sequence[TypedValue]) -> TypedValue:
    values, kind = chosen(text, arguments[1:])
    nullable = any(value.nullable for value in values)
    return computed(form, arguments[0], *values, kind=kind, name="case", nullable=nullable)


_MANY = 20_000
_CHOICES: dict[str, tuple[range, Callable[[str, Sequence[TypedValue]], TypedValue]]] = {
    "coalesce": (range(1, _MANY), _first_known), "ifnull": (range(2, 3), _first_known),
    "greatest": (range(2, _MANY), _largest), "least": (range(2, _MANY), _smallest),
    "nvl": (range(2, 3), _first_known), "nullif": (range(2, 3), _unless_equal), "if": (range(3, 4), _either),
    "iff": (range(3, 4), _either), "nvl2": (range(3, 4), _by_presence),
}  # fmt: skip


def choice(text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue | None:
    """The choice; None for another function."""
    if name not in _CHOICES:
        return None
    counts, read = _CHOICES[name]
    if len(arguments) not in counts:
        refuse(f"{name}() takes {counts.start} arguments, not {len(arguments)}")
    return read(text, arguments)
