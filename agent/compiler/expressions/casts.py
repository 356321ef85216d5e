"""Casts: the types of both dialects, and PostgreSQL's rounding where a fraction becomes a whole number."""

from __future__ import annotations

import re

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import fitted
from agent.compiler.expressions.remarks import Remarks, refuse_two_readings
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import ConstantValue, SqlForm, TypedValue, computed, is_null
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.nearest import did_you_mean

_INTEGERS = {
    "smallint": ("smallint", 5), "int2": ("smallint", 5), "short": ("smallint", 5), "tinyint": ("tinyint", 5),
    "integer": ("int", 10), "int": ("int", 10), "int4": ("int", 10),
    "bigint": ("bigint", 20), "int8": ("bigint", 20), "long": ("bigint", 20),
}  # fmt: skip
_OTHERS = {
    "double precision": ("double", Kind("float")), "double": ("double", Kind("float")),
    "float8": ("double", Kind("float")), "real": ("float", Kind("float")), "float4": ("float", Kind("float")),
    "text": ("string", Kind("string")), "string": ("string", Kind("string")), "varchar": ("string", Kind("string")),
    "character varying": ("string", Kind("string")), "boolean": ("boolean", Kind("boolean")),
    "bool": ("boolean", Kind("boolean")), "date": ("date", Kind("date")),
    "timestamp": ("timestamp", Kind("timestamp")), "timestamp without time zone": ("timestamp", Kind("timestamp")),
    "timestamp with time zone": ("timestamp", Kind("timestamp", zoned=True)),
    "timestamptz": ("timestamp", Kind("timestamp", zoned=True)),
}  # fmt: skip
_POSTGRES_NAMES = {
    "tinyint": "smallint", "double": "double precision", "float": "real", "string": "text",
}  # fmt: skip
_DECIMAL = re.compile(r"(?:decimal|numeric|dec)(?:\((\d+)(?:,(\d+))?\))?", re.ASCII)
_SIZED = re.compile(r"(varchar|character varying|timestamp|timestamptz)\((\d+)\)", re.ASCII)
KNOWN_TYPES = tuple(sorted({*_INTEGERS, *_OTHERS, "decimal", "numeric", "float"}))
CAST_FUNCTIONS = (
    "bigint", "boolean", "date", "decimal", "double", "float", "int", "smallint", "string", "timestamp", "tinyint",
)  # fmt: skip
"""Types that are functions too: `date(ts)`."""
_WIDEST = 40
"""Characters that hold any number, date or timestamp as text."""
_AS_TEXT = ("string", "integer", "decimal", "boolean", "date", "timestamp", "uuid", "enum", "json")
_CASTABLE = {
    "boolean": {"boolean", "integer", "string"}, "date": {"date", "timestamp", "string"},
    "timestamp": {"date", "timestamp", "string"}, "float": {"integer", "decimal", "float", "string"},
    "decimal": {"integer", "decimal", "float", "string"}, 
    "integer": {"integer", "decimal", "float", "string", "boolean"},
}  # fmt: skip
"""Families that can be cast to a family in PostgreSQL."""


class CastReader:
    """Reads casts in one dialect."""

    def __init__(self, dialect: DialectChoice, remarks: Remarks) -> None:
        self._dialect, self._remarks = dialect, remarks

    def read(self, text: str, value: TypedValue, type_name: str, tries: bool) -> TypedValue:
        """The cast of a value. `text` is the whole cast, for messages."""
        ddl, kind = self._target(text, value, type_name)
        if isinstance(value, ConstantValue) and value.is_text and kind.family in ("date", "timestamp") and not tries:
            return fitted(value, kind)
        self._check(text, value, kind)
        word = "try_cast" if tries else "CAST"
        name = _POSTGRES_NAMES.get(ddl, "timestamp with time zone" if kind.zoned else ddl.replace("decimal", "numeric"))
        inner, oracle = self._inner(text, value, kind)
        form = SqlForm(f"{word}({inner} AS {ddl})", f"CAST({oracle} AS {name})")
        return computed(form, value, kind=kind, name=f"cast {ddl}", nullable=value.nullable or tries)

    def _target(self, text: str, value: TypedValue, type_name: str) -> tuple[str, Kind]:
        """The type's name in Spark, and its kind."""
        if type_name in _INTEGERS:
            ddl, whole = _INTEGERS[type_name]
            return ddl, Kind("integer", whole=whole)
        if type_name in _OTHERS:
            return _OTHERS[type_name]
        if type_name == "float":
            if self._dialect == "auto":
                self._remarks.add(f"{text} gives double precision", "Spark's float of four bytes; write real for it")
            return _OTHERS["real" if self._dialect == "spark" else "double"]
        decimal = _DECIMAL.fullmatch(type_name)
        if decimal is not None:
            return self._decimal(text, value, decimal[1], decimal[2])
        sized = _SIZED.fullmatch(type_name)
        if sized is not None:
            return self._sized(text, value, sized[1], int(sized[2]))
        return self._unknown(type_name)

    def _decimal(self, text: str, value: TypedValue, precision: str | None, scale: str | None) -> tuple[str, Kind]:
        if precision is not None:
            digits, decimals = int(precision), int(scale or 0)
            if digits > 38 or decimals > digits:
                refuse(f"{text}: a numeric has at most 38 digits, and not more decimals than digits")
            return f"decimal({digits},{decimals})", Kind("decimal", whole=digits - decimals, scale=decimals)
        kind = value.kind
        if self._dialect == "spark":
            return "decimal(10,0)", Kind("decimal", whole=10)
        if kind is not None and kind.family == "integer":
            return f"decimal({kind.whole},0)", Kind("decimal", whole=kind.whole)
        if self._dialect == "auto":
            self._remarks.add(f"{text} keeps fractions", "Spark's decimal(10,0), which rounds to whole numbers")
        if kind is not None and kind.family == "decimal" and kind.whole + kind.scale:
            return f"decimal({kind.whole + kind.scale},{kind.scale})", kind
        return "decimal(38,18)", Kind("decimal", whole=20, scale=18)

    def _sized(self, text: str, value: TypedValue, name: str, size: int) -> tuple[str, Kind]:
        if name.startswith("timestamp"):
            if size < 6:
                cannot(f"{text} rounds to {size} decimals of a second; {USE_A_MODEL}, or write date_trunc('second', …)")
            return _OTHERS[name]
        kind = value.kind
        fits = size >= _WIDEST and kind is not None and kind.family != "string"
        if not fits and self._dialect == "auto":
            cut = f"left(…, {size})"
            refuse_two_readings(text, f"the first {size} characters", "the whole text", f"CAST(… AS text) or {cut}")
        if not fits and self._dialect == "postgres":
            refuse(f"{text} cuts the text; write left(CAST(… AS text), {size})")
        return _OTHERS["text"]

    def _unknown(self, type_name: str) -> tuple[str, Kind]:
        word = type_name.split("(")[0]
        if word in ("character", "char", "bpchar", "uuid", "json", "jsonb", "time", "interval", "bytea", "binary"):
            cannot(f"a cast to {type_name} cannot be expressed by the compiler; {USE_A_MODEL}")
        if type_name.endswith("[]"):
            cannot(f"a cast to an array cannot be expressed by the compiler; {USE_A_MODEL}")
        refuse(f"unknown type {type_name!r} in a cast{did_you_mean(word, KNOWN_TYPES, listed=True)}")

    def _check(self, text: str, value: TypedValue, kind: Kind) -> None:
        given = value.kind
        if given is None or is_null(value):
            return
        if kind.family == "string":
            self._check_as_text(text, given)
        elif given.family not in _CASTABLE[kind.family]:
            refuse(f"{text}: PostgreSQL does not cast {given.named or given.family} to {kind.family}")

    def _check_as_text(self, text: str, given: Kind) -> None:
        if given.family == "time":
            refuse(f"{text}: a time of day is a timestamp to Spark; write hour(…), minute(…) or second(…)")
        if given.family == "float" and self._dialect != "spark":
            shown = "as 10000000 and 0.5"
            if self._dialect == "auto":
                refuse_two_readings(text, f"digits {shown}", "digits as 1.0E7 and 0.5", "a cast to numeric(…) first")
            cannot(f"{text}: Spark writes a double as 1.0E7; cast it to numeric(p,s) first, or {USE_A_MODEL}")
        if given.zoned and self._dialect != "spark":
            refuse(f"{text}: PostgreSQL adds the zone; write to_char(…, 'YYYY-MM-DD HH24:MI:SS')")
        if given.family not in (*_AS_TEXT, "float"):
            cannot(f"{text}: {given.named or given.family} has no text that is alike in both; {USE_A_MODEL}")

    def _inner(self, text: str, value: TypedValue, kind: Kind) -> tuple[str, str]:
        """The value as Spark and as PostgreSQL cast it: PostgreSQL rounds where Spark cuts a fraction off."""
        given = value.kind
        fraction = kind.family == "integer" and given is not None and _may_have_fraction(given)
        if not fraction or given is None or _is_whole(value):
            return "{0}", "{0}"
        if self._dialect == "spark":
            return "{0}", "trunc({0})"
        if self._dialect == "auto":
            self._remarks.add(f"{text} rounds, as PostgreSQL does", "Spark cuts the fraction off; write floor or trunc")
        return "rint({0})" if given.family == "float" else "round({0})", "{0}"


def _may_have_fraction(kind: Kind) -> bool:
    exact = kind.family == "decimal" and kind.scale == 0 and kind.whole > 0
    return kind.family == "float" or (kind.family == "decimal" and not exact)


def _is_whole(value: TypedValue) -> bool:
    return isinstance(value, ConstantValue) and isinstance(value.value, str) and "." not in value.value
