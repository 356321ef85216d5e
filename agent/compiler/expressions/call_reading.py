"""Calls of functions: read as one meaning of the closed table, by dialect and by the kinds of the arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from agent.compiler.expressions.arithmetic import calculated, guarded
from agent.compiler.expressions.choice_calls import choice
from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.date_patterns import with_pattern
from agent.compiler.expressions.function_tables.time_units import UNIT_PLACES
from agent.compiler.expressions.functions import SPELLINGS, arities, difference, read_call, spellings_of
from agent.compiler.expressions.meanings import DIALECTS, Dialect, Difference, FunctionArgument, FunctionCall, Meaning
from agent.compiler.expressions.moment_parts import part_of_interval, unit_named
from agent.compiler.expressions.operands import check_operand, chosen, fitted, trimmed
from agent.compiler.expressions.patterns import replaced_everywhere
from agent.compiler.expressions.plain_calls import plain_call
from agent.compiler.expressions.remarks import Remarks, refuse_two_readings
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import (
    ATOM,
    OR,
    ConstantValue,
    SqlForm,
    TypedValue,
    computed,
    is_null,
)
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.nearest import did_you_mean
from agent.sanitizing.spark_names import AGGREGATE_FUNCTIONS, IDENTITY_NAMES, SQL_FUNCTIONS, UNSTABLE_FUNCTIONS

_BY_RUN = UNSTABLE_FUNCTIONS | IDENTITY_NAMES | {"unix_timestamp", "random", "gen_random_uuid", "clock_timestamp"}
"""Functions whose answer depends on the run: on chance, on the user, on the clock, or on how the data is cut up."""
_WHOLE_CALL = re.compile(r"\w*\(.*\)|CASE .* END", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TO_TEXT = SqlForm("CAST({0} AS string)", "CAST({0} AS text)")
_OF_TIME = ("hour", "minute", "second", "extract", "date_part")
_ON_BYTES = ("md5", "sha", "sha1", "sha2", "base64", "unbase64", "crc32", "encode", "soundex", "hex")
"""Functions of bytes: Spark would take those of the number, and not those of its text."""
_TRIMS = ("trim", "rtrim", "btrim", "trim both", "trim trailing")
_PADDING_SHOWS = ("concat", "concat_ws", "format", "format_string", "octet_length", "bit_length")
_GIVEN: dict[str, Kind] = {
    "integer": Kind("integer", whole=10), "bigint": Kind("integer", whole=20), "decimal": Kind("decimal"),
    "float": Kind("float"), "boolean": Kind("boolean"), "date": Kind("date"), "timestamp": Kind("timestamp"),
    "timestamptz": Kind("timestamp", zoned=True), "string": Kind("string"), "array": Kind("array", named="array"),
}  # fmt: skip
_Readings = dict[Dialect, FunctionCall]


class CallReader:
    """Reads calls in one dialect."""

    def __init__(self, dialect: DialectChoice, remarks: Remarks) -> None:
        self._dialect, self._remarks = dialect, remarks

    def read(self, text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue:
        """The call of a function. `text` is the whole call, for messages."""
        if (special := part_of_interval(name, arguments)) is not None:
            return special
        padded = any(one is not trimmed(one) for one in arguments)
        if padded and name in _PADDING_SHOWS and self._dialect != "spark":
            cannot(f"{text} keeps the padding of a character(n) column in PostgreSQL; write rtrim(…) around it")
        if name not in _TRIMS or len(arguments) > 1:
            arguments = [trimmed(argument) for argument in arguments]
        if (special := choice(text, name, arguments)) is not None:
            return special
        _check_run(name)
        if (special := self._special(text, name, arguments)) is not None:
            return special
        if not _has_spelling(name):
            return self._plain(text, name, arguments)
        for tried in _tries(name, arguments):
            readings = self._readings(name, tried)
            if readings:
                return self._chosen(text, name, tried, readings)
        found = (
            plain_call(text, name, [_quoted_moment(argument) for argument in arguments], self._dialect)
            if name in ("trunc", "to_timestamp")
            else None
        )
        return found if found is not None else _refuse_arguments(text, name, arguments)

    def _special(self, text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue | None:
        """A remainder, a pattern of dates, or a replacement of all matches; None for another call."""
        if name == "mod" and len(arguments) == 2:
            for argument in arguments:
                check_operand(text, argument, "a number")
            return calculated(text, "%", arguments[0], arguments[1], self._dialect, self._remarks)
        shown = with_pattern(text, name, arguments, self._dialect)
        return shown if shown is not None else replaced_everywhere(name, arguments)

    def _plain(self, text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue:
        found = plain_call(text, name, [_quoted_moment(argument) for argument in arguments], self._dialect)
        return found if found is not None else _refuse_name(name)

    def _readings(self, name: str, arguments: Sequence[TypedValue]) -> _Readings:
        given = [_argument(name, argument) for argument in arguments]
        dialects = DIALECTS if self._dialect == "auto" else _first(self._dialect)
        found: _Readings = {}
        for dialect in dialects:
            call = read_call(dialect, name, given)
            if call is not None:
                found[dialect] = call
            if found and self._dialect != "auto":
                break
        return found

    def _chosen(self, text: str, name: str, arguments: Sequence[TypedValue], readings: _Readings) -> TypedValue:
        postgres, spark = readings.get("postgres"), readings.get("spark")
        call = postgres or spark
        if call is None:
            refuse(f"{text} has no meaning that is known")
        if postgres is not None and spark is not None and not _same(postgres, spark):
            self._decide(text, name, arguments)
        return _call_value(text, name, call, arguments)

    def _decide(self, text: str, name: str, arguments: Sequence[TypedValue]) -> None:
        """Take PostgreSQL's reading where the arguments show no difference, or where it is usual; else refuse."""
        found = difference(_with_unit(name, arguments), 1 if unit_named(name, arguments) else len(arguments))
        if found is None:
            refuse(f'{text} has two readings; set `options.expression_dialect` to "postgres" or "spark"')
        if not _shows(found, arguments):
            return
        if found.auto == "refuse":
            refuse_two_readings(found.spark_call, _shown(found.postgres), _shown(found.spark))
        self._remarks.add(
            f"{text} is PostgreSQL's: {found.postgres_call or found.spark_call} is {_shown(found.postgres)}",
            f"Spark's, which gives {_shown(found.spark)}",
        )


def _first(dialect: str) -> tuple[Dialect, ...]:
    """The dialect, then the other one: its names are taken where the first has none."""
    return ("postgres", "spark") if dialect == "postgres" else ("spark", "postgres")


def _with_unit(name: str, arguments: Sequence[TypedValue]) -> str:
    unit = unit_named(name, arguments)
    return f"{name} {unit}" if unit else name


def _shown(value: str) -> str:
    """The answer in a message; an empty text in quotes."""
    return value or "''"


def _check_run(name: str) -> None:
    if name in IDENTITY_NAMES:
        cannot(f"the answer of {name} depends on who runs the job; {USE_A_MODEL}")
    if name in _BY_RUN:
        cannot(f"{name}() gives another answer on each run; {USE_A_MODEL}")


def _has_spelling(name: str) -> bool:
    return any(spellings_of(dialect, name) or (dialect, name) in UNIT_PLACES for dialect in DIALECTS)


def _refuse_name(name: str) -> NoReturn:
    if name in SQL_FUNCTIONS | AGGREGATE_FUNCTIONS:
        cannot(f"function {name}() cannot be expressed by the compiler; {USE_A_MODEL}")
    cannot(f"function {name}() is not one that the compiler knows{did_you_mean(name, SQL_FUNCTIONS)}")


def _argument(name: str, value: TypedValue) -> FunctionArgument:
    kind = value.kind
    if is_null(value):
        return FunctionArgument("null")
    family = "" if kind is None else kind.family
    if family == "time" and name in _OF_TIME:
        family = "timestamp"
    if not isinstance(value, ConstantValue):
        return FunctionArgument(family)
    whole = family == "integer" and isinstance(value.value, str)
    return FunctionArgument(family, int(value.value) if whole and isinstance(value.value, str) else value.value)


def _tries(name: str, arguments: Sequence[TypedValue]) -> list[list[TypedValue]]:
    """The arguments as they are; with quoted dates as dates; with numbers as texts."""
    tries = [list(arguments)]
    changes = (_quoted_moment,) if name in _ON_BYTES else (_quoted_moment, _as_text)
    for change in changes:
        changed = [change(argument) for argument in arguments]
        if any(one is not other for one, other in zip(changed, arguments, strict=True)):
            tries.append(changed)
    return tries


def _quoted_moment(value: TypedValue) -> TypedValue:
    if not (isinstance(value, ConstantValue) and value.is_text and isinstance(value.value, str)):
        return value
    if not _DATE.match(value.value):
        return value
    return fitted(value, Kind("date" if _DATE.fullmatch(value.value) else "timestamp"))


def _as_text(value: TypedValue) -> TypedValue:
    """A number or a date as a text, as functions of texts take them in Spark."""
    if value.kind is not None and value.kind.family in ("integer", "decimal", "date", "boolean"):
        if isinstance(value, ConstantValue):
            return value
        return computed(_TO_TEXT, value, kind=Kind("string"), name="cast string")
    return value


def _same(one: FunctionCall, other: FunctionCall) -> bool:
    return (one.meaning.spark, one.order) == (other.meaning.spark, other.order)


def _shows(difference: Difference, arguments: Sequence[TypedValue]) -> bool:
    """True where the arguments may hold what the two readings differ in."""
    if difference.shows == "null":
        return any(argument.nullable for argument in arguments)
    if difference.shows in ("half", "fraction"):
        return any(argument.kind is None or _has_fraction(argument.kind) for argument in arguments)
    return True


def _has_fraction(kind: Kind) -> bool:
    exact = kind.family == "decimal" and kind.whole > 0 and kind.scale == 0
    return kind.family in ("decimal", "float") and not exact


def _call_value(text: str, name: str, call: FunctionCall, arguments: Sequence[TypedValue]) -> TypedValue:
    meaning = call.meaning
    operands: list[TypedValue] = [
        ConstantValue(place, Kind("string")) if isinstance(place, str) else arguments[place] for place in call.order
    ]
    kind: Kind | None = _GIVEN.get(call.gives)
    if call.gives in ("decimal", "float") and meaning.gives in ("integer", "bigint"):
        kind = Kind("decimal", whole=10 if meaning.gives == "integer" else 20)  # numbers without a fraction
    if meaning.alike or call.gives == "common":
        operands, kind_of_all = chosen(text, operands)
        kind = kind_of_all if call.gives == "common" else kind
    if call.gives == "first":
        kind = operands[0].kind
    nullable = {"never": False, "any": True}.get(meaning.nulls)
    form = _form(meaning)
    if len(operands) > 1 and guarded(operands[1]) is operands[1]:
        form = replace(form, spark=form.spark.replace("nullif({1}, 0)", "{1}"))
    return computed(form, *operands, kind=kind, name=name, nullable=nullable)


def _form(meaning: Meaning) -> SqlForm:
    spark, postgres = _bare(meaning.spark), _bare(meaning.postgres)
    return SqlForm(spark, postgres, _strength(spark), postgres_strength=_strength(postgres))


def _bare(template: str) -> str:
    """The text without parentheses around all of it: they are written where they are needed."""
    if not template.startswith("("):
        return template
    depth = 0
    for place, sign in enumerate(template):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return template[1:-1] if place == len(template) - 1 else template
    return template


def _strength(template: str) -> int:
    return ATOM if _WHOLE_CALL.fullmatch(template) or template.isidentifier() else OR


def _refuse_arguments(text: str, name: str, arguments: Sequence[TypedValue]) -> TypedValue:
    if (unit := unit_named(name, arguments)) and not any(
        spellings_of(dialect, f"{name} {unit}") for dialect in DIALECTS
    ):
        units = {one.name.removeprefix(f"{name} ") for one in SPELLINGS if one.name.startswith(f"{name} ")}
        refuse(f"{unit!r} is not a unit of {name}(){did_you_mean(unit, units, listed=True)}")
    if any((dialect, name) in UNIT_PLACES for dialect in DIALECTS) and not unit:
        refuse(f"{name}() takes a unit as a text in quotes and a date or timestamp")
    if any((dialect, name) in UNIT_PLACES for dialect in DIALECTS):
        given = " and ".join(_told(argument) for argument in arguments)
        refuse(f"{text} takes {given}, which is not certain for {name}(); write CAST(… AS type)")
    counts = sorted({count for dialect in DIALECTS for count in arities(dialect, name)})
    if not any(least <= len(arguments) <= most for least, most in counts):
        wanted = " or ".join(str(least) if least == most else f"{least} or more" for least, most in counts)
        refuse(f"{name}() takes {wanted} arguments, not {len(arguments)}")
    given = ", ".join(_told(argument) for argument in arguments)
    return refuse(f"{text} takes {given}, which is not certain for {name}(); write CAST(… AS type)")


def _told(value: TypedValue) -> str:
    if value.kind is None:
        return "NULL" if is_null(value) else "a value without a certain type"
    return value.kind.named or value.kind.family
