"""Functions of numbers: rounding, remainders, comparisons."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, both, entry, postgres, spark

_ZERO = "a divisor of 0"
_WHOLE = "CASE WHEN abs({0}) >= 9e18 THEN CAST('too large to be a whole number' AS double) ELSE {0} END"
"""The number, or an error for what is beyond 64-bit integers."""
_LARGE = "a number beyond 64-bit integers"

TABLE: FunctionTable = (
    entry(Meaning("absolute", "number", "first", "strict", "abs({0})", "abs({0})",
                  outside="the least integer"), both("abs"), postgres("@")),
    entry(Meaning("negative", "number", "first", "strict", "(- {0})", "(- {0})", outside="the least integer"),
          spark("negative")),
    entry(Meaning("positive", "number", "first", "strict", "(+ {0})", "(+ {0})"), spark("positive")),
    entry(Meaning("sign", "number", "float", "strict", "sign({0})", "sign({0}::float8)"),
          both("sign"), spark("signum")),
    entry(Meaning("ceiling", "exact", "first", "strict", "ceil({0})", "ceil({0}::numeric)"),
          both("ceil, ceiling")),
    entry(Meaning("ceiling_of_double", "float", "bigint", "strict", f"ceil({_WHOLE})", "ceil({0})", outside=_LARGE),
          spark("ceil, ceiling"), postgres("ceil, ceiling", gives="float")),
    entry(Meaning("floor", "exact", "first", "strict", "floor({0})", "floor({0}::numeric)"), both("floor")),
    entry(Meaning("floor_of_double", "float", "bigint", "strict", f"floor({_WHOLE})", "floor({0})", outside=_LARGE),
          spark("floor"), postgres("floor", gives="float")),
    entry(Meaning("round_half_up", "exact", "first", "strict", "round({0})", "round({0}::numeric)"),
          both("round")),
    entry(Meaning("round_to_digits", "exact integer!", "first", "strict", "round({0}, {1})",
                  "round({0}::numeric, {1})", outside="a result beyond the type"), both("round")),
    entry(Meaning("round_double_half_up", "float", "float", "strict", "round({0})",
                  "round({0}::text::numeric)::float8"), spark("round")),
    entry(Meaning("round_double_half_even", "float", "float", "strict", "rint({0})", "round({0})"),
          postgres("round"), spark("rint")),
    entry(Meaning("round_double_to_digits", "float integer!", "float", "strict", "round({0}, {1})",
                  "round({0}::text::numeric, {1})::float8"), both("round")),
    entry(Meaning("truncate", "exact", "first", "strict",
                  "CASE WHEN {0} < 0 THEN ceil({0}) ELSE floor({0}) END", "trunc({0}::numeric)"),
          postgres("trunc, truncate")),
    entry(Meaning("truncate_double", "float", "bigint", "strict",
                  f"CASE WHEN {{0}} < 0 THEN ceil({_WHOLE}) ELSE floor({_WHOLE}) END", "trunc({0})", outside=_LARGE),
          postgres("trunc", gives="float")),
    entry(Meaning("truncate_to_digits", "decimal integer!", "first", "strict",
                  "CASE WHEN {0} < 0 THEN ceil({0}, {1}) ELSE floor({0}, {1}) END", "trunc({0}, {1})"),
          postgres("trunc")),
    entry(Meaning("remainder", "exact exact", "common", "any", "({0} % nullif({1}, 0))", "({0} % {1})", outside=_ZERO,
                  note="the sign is that of the dividend"), both("%, mod")),
    entry(Meaning("positive_remainder", "integer integer", "common", "any", "pmod({0}, nullif({1}, 0))",
                  "CASE WHEN {0} % {1} < 0 THEN ({0} % {1} + {1}) % {1} ELSE {0} % {1} END", outside=_ZERO),
          spark("pmod")),
    entry(Meaning("whole_quotient", "integer integer", "bigint", "any", "({0} div nullif({1}, 0))", "({0} / {1})",
                  outside=_ZERO), spark("div"), postgres("/, div")),
    entry(Meaning("quotient_of_integers", "integer integer", "float", "any", "({0} / nullif({1}, 0))",
                  "({0}::float8 / {1})", outside=_ZERO), spark("/, try_divide")),
    entry(Meaning("quotient_of_doubles", "float number", "float", "any", "({0} / nullif({1}, 0))",
                  "({0} / {1}::float8)", outside=_ZERO), both("/"), spark("try_divide")),
    entry(Meaning("quotient_by_a_double", "number float", "float", "any", "({0} / nullif({1}, 0))",
                  "({0}::float8 / {1})", outside=_ZERO), both("/"), spark("try_divide")),
    entry(Meaning("greatest", "scalar...", "common", "any", "greatest({*})", "greatest({*})", alike=True,
                  note="skips NULLs"), both("greatest")),
    entry(Meaning("least", "scalar...", "common", "any", "least({*})", "least({*})", alike=True, note="skips NULLs"),
          both("least")),
    entry(Meaning("bucket", "float float float positive!", "bigint", "any", "width_bucket({0}, {1}, {2}, {3})",
                  "width_bucket({0}, {1}, {2}, {3})", outside="equal bounds"), both("width_bucket")),
    entry(Meaning("is_nan", "float", "boolean", "never", "isnan({0})", "coalesce({0} = 'NaN', false)"),
          spark("isnan")),
)  # fmt: skip
