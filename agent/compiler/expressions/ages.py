"""The completed years between two dates, as in `EXTRACT(YEAR FROM AGE(a, b))`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.syntax_tree import LiteralValue, NamedCall
from agent.compiler.expressions.typed_values import SqlForm, TypedValue, alike, computed
from agent.compiler.problems import USE_A_MODEL, cannot

_YEARS = "year({%d}) - year({%d}) - CASE WHEN date_format({%d}, 'MMdd') < date_format({%d}, 'MMdd') THEN 1 ELSE 0 END"
_AGE = SqlForm(
    f"CASE WHEN {{0}} >= {{1}} THEN {_YEARS % (0, 1, 0, 1)} ELSE -({_YEARS % (1, 0, 1, 0)}) END",
    "extract(year FROM age({0}, {1}))",
)
_TODAY = alike("current_date")


def is_age_in_years(call: NamedCall) -> bool:
    """True for `EXTRACT(YEAR FROM AGE(…))`."""
    if call.name not in ("extract", "date_part") or len(call.arguments) != 2:
        return False
    part, of = call.arguments
    year = isinstance(part, LiteralValue) and part.value in ("year", "years")
    return year and isinstance(of, NamedCall) and of.name == "age"


def age_in_years(text: str, dates: Sequence[TypedValue]) -> TypedValue:
    """The years from the second date to the first one, or from the only one to today."""
    today = computed(_TODAY, kind=Kind("date"), name="current_date")
    later, earlier = dates if len(dates) == 2 else (today, *dates)
    if any(one.kind is None or one.kind.family != "date" for one in (later, earlier)):
        cannot(f"{text} of timestamps cannot be expressed by the compiler; cast both to date, or {USE_A_MODEL}")
    return computed(_AGE, later, earlier, kind=Kind("decimal", whole=10), name="age")
