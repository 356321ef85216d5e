"""Logarithms, powers and angles. The last digits of a double may differ."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, TableEntry, both, entry, postgres, spark

_NOT_POSITIVE = "a number that is not positive"


def _finite(text: str) -> str:
    """NULL for NaN and the infinities, which PostgreSQL raises errors for."""
    return f"CASE WHEN abs({text}) < CAST('Infinity' AS double) THEN {text} END"


def _plain(name: str) -> TableEntry:
    """A function of one double, of the same name and with any argument."""
    return entry(Meaning(name, "number", "float", "strict", f"{name}({{0}})", f"{name}({{0}}::float8)"), both(name))


def _up_to_one(name: str) -> TableEntry:
    """The inverse of a sine or cosine."""
    guarded = f"CASE WHEN {{0}} BETWEEN -1 AND 1 THEN {name}({{0}}) END"
    meaning = Meaning(name, "number", "float", "any", guarded, f"{name}({{0}}::float8)",
                      outside="a number beyond -1 and 1")  # fmt: skip
    return entry(meaning, both(name))


TABLE: FunctionTable = (
    *map(_plain, ("cbrt", "degrees", "radians", "sin", "cos", "tan", "atan", "tanh")),
    *map(_up_to_one, ("asin", "acos")),
    entry(Meaning("pi", "", "float", "never", "pi()", "pi()"), both("pi")),
    entry(Meaning("atan2", "number number", "float", "strict", "atan2({0}, {1})",
                  "atan2({0}::float8, {1}::float8)"), both("atan2")),
    entry(Meaning("square_root", "number", "float", "any", "CASE WHEN {0} >= 0 THEN sqrt({0}) END",
                  "sqrt({0}::float8)", outside="a negative number"), both("sqrt"), postgres("|/")),
    entry(Meaning("exponential", "number", "float", "any", "CASE WHEN {0} BETWEEN -700 AND 700 THEN exp({0}) END",
                  "CASE WHEN {0} BETWEEN -700 AND 700 THEN exp({0}::float8) END",
                  note="NULL for numbers beyond -700 and 700"), both("exp")),
    entry(Meaning("natural_logarithm", "number", "float", "any", "ln({0})", "ln({0}::float8)",
                  outside=_NOT_POSITIVE), both("ln"), spark("log")),
    entry(Meaning("decimal_logarithm", "number", "float", "any", "log10({0})", "log({0}::float8)",
                  outside=_NOT_POSITIVE), both("log10"), postgres("log")),
    entry(Meaning("binary_logarithm", "number", "float", "any", "log2({0})", "(ln({0}::float8) / ln(2::float8))",
                  outside=_NOT_POSITIVE), spark("log2")),
    entry(Meaning("logarithm", "number number", "float", "any", _finite("log({0}, {1})"),
                  "(ln({1}::float8) / ln({0}::float8))", outside=f"{_NOT_POSITIVE}, and base 1"), both("log")),
    entry(Meaning("logarithm_of_one_more", "number", "float", "any", "log1p({0})", "ln(1 + {0}::text::numeric)::float8",
                  outside="a number that is not over -1"), spark("log1p")),
    entry(Meaning("power", "number number", "float", "any", _finite("power({0}, {1})"),
                  "power({0}::float8, {1}::float8)",
                  outside="a fraction as power of a negative number, and what is beyond doubles"),
          both("power, pow"), postgres("^")),
    entry(Meaning("exclusive_or", "integer integer", "common", "strict", "({0} ^ {1})", "({0} # {1})"),
          spark("^"), postgres("#")),
    entry(Meaning("hypotenuse", "number number", "float", "strict", "hypot({0}, {1})",
                  "sqrt({0}::float8 * {0} + {1}::float8 * {1})"), spark("hypot")),
)  # fmt: skip
