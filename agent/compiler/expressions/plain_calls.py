"""Calls of Spark's functions that the closed table does not have: as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import check_operand
from agent.compiler.expressions.remarks import refuse_two_readings
from agent.compiler.expressions.sql_words import DATE_UNITS, WEEKDAYS
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import ConstantValue, SqlForm, TypedValue, computed
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.nearest import did_you_mean
from agent.sanitizing.spark_names import ROW_FUNCTIONS, words

_KINDS = {
    Kind("integer", whole=10): words("hash size levenshtein"),
    Kind("integer", whole=20): words("xxhash64 crc32 factorial"),
    Kind("decimal"): words("bround"),
    Kind("float"): words("nanvl"),
    Kind("date"): words("to_date trunc next_day current_date"),
    Kind("timestamp"): words("to_timestamp now current_timestamp"),
    Kind("string"): words("""
        date_format array_join md5 sha1 sha2 base64 unbase64 soundex regexp_extract regexp_replace format_number
        format_string
        """),
    Kind("array", named="array"): words("split regexp_extract_all"),
    Kind("boolean"): words("isnull isnotnull array_contains regexp_like"),
}
PLAIN_KINDS = {name: kind for kind, names in _KINDS.items() for name in names}
"""Functions of Spark that are taken as they are written, with the types of their values."""
_IN_POSTGRES = {
    "isnull": "({0} IS NULL)",
    "isnotnull": "({0} IS NOT NULL)",
    "md5": "md5({0})",
    "to_date": "CAST({0} AS date)",
}
"""PostgreSQL's form; every other function here is Spark's alone."""
_ON_MOMENTS = words("date_format trunc next_day")
_ON_BYTES = words("md5 sha1 sha2 base64 unbase64 crc32 soundex")
"""Functions of bytes: Spark would take those of a number, and not those of its text."""
_IN_BOTH = {
    "regexp_replace": ("the text with the first match replaced", "it with all of them replaced"),
}
"""Functions of both dialects that differ, and their readings: PostgreSQL's, Spark's."""
_TRAPS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("date_format",), re.compile(r".*D.*"), "D is the day of the year to Spark; write d for the day of the month"),
    (("date_format",), re.compile(r".*Y.*"), "Spark 3 has no year Y; write yyyy"),
    (("date_format",), re.compile(r"[^Hhk]*m[^s]*"), "m are minutes to Spark; write M for the month"),
    (("split",), re.compile(r"[|.*+?^$]"), "split() takes a regular expression, to which this is no plain sign; put "
     "it in brackets, as '[|]'"),
    (("regexp_like", "regexp_extract", "regexp_extract_all", "regexp_replace"), re.compile(r".*\[\[:.*", re.DOTALL),
     "Spark knows no class like [:space:]; write the characters, as [A-Za-z0-9 ]"),
)  # fmt: skip
"""Functions, constants that mean something else to Spark than it looks, and the form to write."""
_UNITS = {"trunc": (1, DATE_UNITS), "next_day": (1, WEEKDAYS)}
_BARE = ("current_date", "current_timestamp")


def plain_call(text: str, name: str, arguments: Sequence[TypedValue], dialect: DialectChoice) -> TypedValue | None:
    """The call as it is written; None for a function that is on no list."""
    if name not in ROW_FUNCTIONS:
        return None
    if name in _IN_BOTH and len(arguments) > 1:
        _check_dialect(text, name, dialect)
    if len(arguments) > 1:
        _check_trap(text, name, arguments[1])
    if name in _ON_MOMENTS and arguments:
        check_operand(text, arguments[0], "a date or timestamp")
    kind = arguments[0].kind if arguments else None
    if name in _ON_BYTES and kind is not None and kind.family != "string":
        refuse(f"{text} takes {kind.family} for a text; write a cast to text")
    if name in _UNITS:
        _check_unit(name, arguments)
    template = name if name in _BARE and not arguments else f"{name}({{*}})"
    form = SqlForm(template, _IN_POSTGRES.get(name))
    return computed(form, *arguments, kind=PLAIN_KINDS.get(name), name=name, nullable=True)


def _check_trap(text: str, name: str, constant: TypedValue) -> None:
    """Refuse a constant that Spark takes without an error, and otherwise than it looks."""
    if name == "element_at" and (not isinstance(constant, ConstantValue) or constant.value is None):
        cannot(f"{text} is the last element where its place is NULL in ANSI mode; {USE_A_MODEL}")
    if not isinstance(constant, ConstantValue) or not isinstance(constant.value, str):
        return
    for names, pattern, told in _TRAPS:
        if name in names and pattern.fullmatch(constant.value):
            cannot(f"{text}: {told}")


def _check_dialect(text: str, name: str, dialect: DialectChoice) -> None:
    if dialect == "auto":
        refuse_two_readings(text, *_IN_BOTH[name])
    if dialect == "postgres":
        cannot(f"{text} cannot be expressed by the compiler; {USE_A_MODEL}")


def _check_unit(name: str, arguments: Sequence[TypedValue]) -> None:
    place, known = _UNITS[name]
    unit = arguments[place] if len(arguments) > place else None
    if not isinstance(unit, ConstantValue) or not isinstance(unit.value, str):
        refuse(f"{name}() needs its unit as a text in quotes")
    if unit.value.lower() not in known:
        near = did_you_mean(unit.value.lower(), known, listed=True)
        refuse(f"{unit.value.lower()!r} is not a unit of {name}(){near}")
