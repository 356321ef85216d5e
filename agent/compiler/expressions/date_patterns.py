"""Patterns of dates: `YYYY-MM-DD HH24:MI` of PostgreSQL and `yyyy-MM-dd HH:mm` of Spark, a closed table of parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import check_operand, trimmed
from agent.compiler.expressions.remarks import refuse_two_readings
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import ConstantValue, SqlForm, TypedValue, computed
from agent.compiler.problems import USE_A_MODEL, cannot

PATTERN_PARTS = {"YYYY": "yyyy", "MM": "MM", "DD": "dd", "HH24": "HH", "MI": "mm", "SS": "ss"}
"""PostgreSQL's part, which any case spells, to Spark's."""
_POSTGRES = re.compile(r"(YYYY|HH24|MM|DD|MI|SS)|([-/.:, ]+)", re.IGNORECASE)
_SPARK = re.compile(r"(yyyy|MM|dd|HH|mm|ss)|([-/.:, ]+)")
_SPARK_PARTS = {spark: postgres for postgres, spark in PATTERN_PARTS.items()}
_TEXTS = {
    "to_date": (SqlForm("to_date({0}, {1})", "to_date({0}, {2})"), Kind("date")),
    "to_timestamp": (SqlForm("to_timestamp({0}, {1})", "to_timestamp({0}, {2})"), Kind("timestamp", zoned=True)),
}
_SHOWN = SqlForm("date_format({0}, {1})", "to_char({0}, {2})")
_TEXT = Kind("string")


def with_pattern(text: str, name: str, arguments: Sequence[TypedValue], dialect: DialectChoice) -> TypedValue | None:
    """to_char() of a moment, to_date() or to_timestamp() with a constant pattern; None for another call."""
    if name not in ("to_char", "date_format", *_TEXTS) or len(arguments) != 2:
        return None
    value, pattern = trimmed(arguments[0]), arguments[1]
    if not isinstance(pattern, ConstantValue) or not isinstance(pattern.value, str):
        cannot(f"{text} needs its pattern as a text in quotes; {USE_A_MODEL}")
    if name == "date_format" and (_pieces(_SPARK, pattern.value) is None or _minutes_alone(pattern.value)):
        return None
    form, kind = _TEXTS.get(name, (_SHOWN, _TEXT))
    check_operand(text, value, "a text" if name in _TEXTS else "a date or timestamp")
    own: DialectChoice = {"to_char": "postgres", "date_format": "spark"}.get(name, dialect)  # type: ignore[assignment]
    spark = _spark_pattern(text, pattern.value, own)
    postgres = "".join(_SPARK_PARTS.get(part, part) for part in _pieces(_SPARK, spark) or ())
    shown = (ConstantValue(spark, _TEXT), ConstantValue(postgres, _TEXT))
    return computed(form, value, *shown, kind=kind, name=name, nullable=value.nullable)


def _minutes_alone(pattern: str) -> bool:
    """True for minutes without hours, as in `yyyy-mm-dd`: a month was meant."""
    return "mm" in pattern and "HH" not in pattern


def _spark_pattern(text: str, pattern: str, dialect: DialectChoice) -> str:
    """The pattern as Spark writes it. Refuses parts that are not in the table."""
    pieces = _pieces(_POSTGRES, pattern)
    postgres = None if pieces is None else "".join(PATTERN_PARTS.get(part.upper(), part) for part in pieces)
    spark = pattern if _pieces(_SPARK, pattern) is not None else None
    found = {"postgres": [postgres], "spark": [spark], "auto": [postgres, spark]}[dialect]
    known = list(dict.fromkeys(one for one in found if one is not None))
    if not known:
        cannot(f"{text}: the parts of a pattern are {', '.join(PATTERN_PARTS)}, with signs between them; {USE_A_MODEL}")
    if len(known) > 1:
        refuse_two_readings(text, f"the pattern {known[0]} of Spark", f"its own {known[1]}")
    return known[0]


def _pieces(shape: re.Pattern[str], pattern: str) -> list[str] | None:
    """The parts of a pattern; None where it holds anything else."""
    found, place = [], 0
    while place < len(pattern):
        match = shape.match(pattern, place)
        if match is None:
            return None
        found.append(match[0])
        place = match.end()
    return found
