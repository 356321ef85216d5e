"""Calls of Spark's functions that the closed table does not have yet: as they are written."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.expressions.arithmetic import guarded
from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import check_operand
from agent.compiler.expressions.sql_words import DATE_UNITS, PARTS, TIMESTAMP_UNITS, WEEKDAYS
from agent.compiler.expressions.typed_values import ConstantValue, TypedValue, alike, computed
from agent.compiler.problems import refuse
from agent.nearest import did_you_mean
from agent.sanitizing.spark_names import ROW_FUNCTIONS, words

_KINDS = {
    Kind("integer", whole=10): words("""
        year month day dayofmonth dayofweek dayofyear weekofyear quarter hour minute second datediff weekday unix_date
        hash size levenshtein length char_length character_length instr locate position ascii bit_length
        """),
    Kind("integer", whole=20): words("unix_seconds unix_micros unix_millis xxhash64 crc32"),
    Kind("decimal"): words("""
        months_between round bround abs ceil ceiling floor sqrt cbrt pow power exp ln log log2 log10 sign signum
        pmod negative positive rint
        """),
    Kind("date"): words("""
        to_date date_add date_sub trunc last_day add_months next_day make_date date_from_unix_date current_date
        """),
    Kind("timestamp"): words("""
        date_trunc to_timestamp make_timestamp now current_timestamp timestamp_seconds from_utc_timestamp
        to_utc_timestamp
        """),
    Kind("string"): words("""
        date_format concat concat_ws array_join md5 sha1 sha2 base64 soundex regexp_extract regexp_replace substring
        substr substring_index upper lower ucase lcase initcap trim ltrim rtrim btrim lpad rpad left right replace
        reverse repeat translate split_part overlay space format_number format_string char
        """),
    Kind("array", named="array"): words("split regexp_extract_all"),
    Kind("boolean"): words("isnull isnotnull array_contains contains startswith endswith isnan"),
}
_BY_NAME = {name: kind for kind, names in _KINDS.items() for name in names}
_GUARDED = words("pmod")
_ON_NUMBERS = words("round bround abs ceil ceiling floor sqrt cbrt pow power exp ln sign signum mod pmod negative")
_ON_MOMENTS = words("""
    year month day dayofmonth dayofweek dayofyear weekofyear quarter hour minute second weekday unix_date unix_seconds
    date_add date_sub last_day add_months next_day months_between datediff date_format from_utc_timestamp
    to_utc_timestamp trunc
    """)
_ON_BYTES = words("md5 sha1 sha2 base64 unbase64 crc32 soundex")
_UNITS = {"date_trunc": (0, TIMESTAMP_UNITS), "trunc": (1, DATE_UNITS), "next_day": (1, WEEKDAYS)}
_BARE = ("current_date", "current_timestamp")


def plain_call(text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue | None:
    """The call as it is written; None for a function that is on no list."""
    if name.startswith("extract "):
        return _part(text, name.removeprefix("extract "), arguments)
    if name not in ROW_FUNCTIONS:
        return None
    if name in _ON_NUMBERS and arguments:
        check_operand(text, arguments[0], "a number")
    if name in _GUARDED and len(arguments) > 1:
        arguments = [arguments[0], guarded(arguments[1])]
    if name in _ON_MOMENTS and arguments:
        check_operand(text, arguments[0], "a date or timestamp")
    if name in ("datediff", "months_between") and len(arguments) > 1:
        check_operand(text, arguments[1], "a date or timestamp")
    if name == "date_trunc" and len(arguments) > 1:
        check_operand(text, arguments[1], "a date or timestamp")
    if name in _ON_BYTES and (kind := arguments[0].kind) is not None and kind.family != "string":
        refuse(f"{text} takes {kind.family} for a text; write a cast to text")
    if name in _UNITS:
        _check_unit(name, arguments)
    template = name if name in _BARE and not arguments else f"{name}({{*}})"
    return computed(alike(template), *arguments, kind=_BY_NAME.get(name), name=name, nullable=True)


def _part(text: str, part: str, arguments: Sequence[TypedValue]) -> TypedValue:
    if part not in PARTS:
        refuse(f"{part!r} is not a unit of extract(){did_you_mean(part, PARTS, listed=True)}")
    check_operand(text, arguments[0], "a date or timestamp")
    form = alike(f"extract({part.upper()} FROM {{0}})")
    return computed(form, arguments[0], kind=Kind("decimal"), name=f"extract {part}", nullable=True)


def _check_unit(name: str, arguments: Sequence[TypedValue]) -> None:
    place, known = _UNITS[name]
    if len(arguments) <= place:
        refuse(f"{name}() needs its unit as a text in quotes")
    unit = arguments[place]
    if not isinstance(unit, ConstantValue) or not isinstance(unit.value, str):
        refuse(f"{name}() needs its unit as a text in quotes")
    if unit.value.lower() not in known:
        refuse(
            f"{unit.value.lower()!r} is not a unit of {name}(){did_you_mean(unit.value.lower(), known, listed=True)}"
        )
