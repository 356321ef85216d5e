"""Parts of moments: the unit that a call names, and parts of the time between two moments."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.function_tables.time_units import UNIT_PLACES, unit_of
from agent.compiler.expressions.meanings import DIALECTS
from agent.compiler.expressions.moments import INTERVAL
from agent.compiler.expressions.typed_values import (
    ATOM,
    PRODUCT,
    ComputedValue,
    ConstantValue,
    SqlForm,
    TypedValue,
    alike,
    computed,
)

_SECONDS = SqlForm(
    "CAST(unix_micros({0}) - unix_micros({1}) AS decimal(20,0)) / 1000000", "extract(epoch FROM {0} - {1})",
    PRODUCT, postgres_strength=ATOM,
)  # fmt: skip
_AS_TIMESTAMP = SqlForm("CAST({0} AS timestamp)", "CAST({0} AS timestamp)")


def unit_named(name: str, arguments: Sequence[TypedValue]) -> str:
    """The unit of time that the call names, as `year`; empty for another call."""
    place = next((UNIT_PLACES[dialect, name] for dialect in DIALECTS if (dialect, name) in UNIT_PLACES), None)
    if place is None or len(arguments) != 2:
        return ""
    unit = arguments[place]
    quoted = isinstance(unit, ConstantValue) and unit.is_text and isinstance(unit.value, str)
    return unit_of(str(unit.value)) if isinstance(unit, ConstantValue) and quoted else ""


def part_of_interval(name: str, arguments: Sequence[TypedValue]) -> TypedValue | None:
    """A part of the time between two moments; None for another call."""
    if name not in ("extract", "date_part") or len(arguments) != 2 or not isinstance(arguments[1], ComputedValue):
        return None
    between, part = arguments[1], unit_named(name, arguments)
    if between.name == "datediff" and part == "day":
        return between
    if between.name not in ("interval", "datediff"):
        return None
    if part == "epoch":
        ends = [_timestamp(end) for end in between.operands]
        return computed(_SECONDS, *ends, kind=Kind("decimal"), name="seconds")
    if between.kind == INTERVAL and part in ("day", "hour", "minute"):
        form = alike(f"extract({part.upper()} FROM {{0}})")
        return computed(form, between, kind=Kind("integer", whole=10), name=name)
    return None


def _timestamp(value: TypedValue) -> TypedValue:
    if value.kind is not None and value.kind.family == "date":
        return computed(_AS_TIMESTAMP, value, kind=Kind("timestamp"), name="cast timestamp")
    return value
