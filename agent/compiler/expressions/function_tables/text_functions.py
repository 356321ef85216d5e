"""Functions of texts."""

from __future__ import annotations

from agent.compiler.expressions.meanings import Meaning, FunctionTable, both, entry, postgres, spark

TABLE: FunctionTable = (
    entry(
        Meaning("upper", "string", "string", "strict", "upper({0})", "upper({0})"),
        both("upper"),
        spark("ucase"),
    ),
    entry(
        Meaning("lower", "string", "string", "strict", "lower({0})", "lower({0})"),
        both("lower"),
        spark("lcase"),
    ),
    entry(
        Meaning("length", "string", "integer", "strict", "char_length({0})", "char_length({0})"),
        both("length, char_length, character_length"),
        spark("len"),
    ),
    entry(
        Meaning("trim_spaces", "string", "string", "strict", "trim({0})", "btrim({0})"),
        both("trim, btrim"),
    ),
    entry(
        Meaning("trim_spaces_left", "string", "string", "strict", "ltrim({0})", "ltrim({0})"),
        both("ltrim"),
    ),
    entry(
        Meaning("trim_spaces_right", "string", "string", "strict", "rtrim({0})", "rtrim({0})"),
        both("rtrim"),
    ),
    entry(
        Meaning("trim_characters", "string string", "string", "strict", "btrim({0}, {1})", "btrim({0}, {1})"),
        both("btrim"),
        spark("trim", 1, 0),
        postgres("trim"),
    ),
    entry(
        Meaning("trim_characters_left", "string string", "string", "strict", "ltrim({1}, {0})", "ltrim({0}, {1})"),
        spark("ltrim", 1, 0),
        postgres("ltrim"),
    ),
    entry(
        Meaning("trim_characters_right", "string string", "string", "strict", "rtrim({1}, {0})", "rtrim({0}, {1})"),
        spark("rtrim", 1, 0),
        postgres("rtrim"),
    ),
    entry(
        Meaning("concat_or_null", "string...", "string", "strict", "concat({*})", "({|})"),
        spark("concat"),
        both("||"),
    ),
    entry(
        Meaning("concat_skipping_nulls", "string...", "string", "never", "concat_ws('', {*})", "concat({*})"),
        postgres("concat"),
    ),
    entry(
        Meaning("replace_text", "string string string", "string", "strict", "replace({0}, {1}, {2})",
                "replace({0}, {1}, {2})"),
        both("replace"),
    ),
)  # fmt: skip
