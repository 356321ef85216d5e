"""Functions of numbers."""

from __future__ import annotations

from agent.compiler.expressions.meanings import Meaning, FunctionTable, both, entry, postgres, spark

TABLE: FunctionTable = (
    entry(
        Meaning("absolute", "number", "first", "strict", "abs({0})", "abs({0})"),
        both("abs"),
    ),
    entry(
        Meaning("natural_logarithm", "number", "float", "any", "ln({0})", "ln({0}::float8)",
                outside="a number that is not positive"),
        both("ln"),
        spark("log"),
    ),
    entry(
        Meaning("decimal_logarithm", "number", "float", "any", "log10({0})", "log({0}::float8)",
                outside="a number that is not positive"),
        both("log10"),
        postgres("log"),
    ),
)  # fmt: skip
