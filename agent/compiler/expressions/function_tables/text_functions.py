"""Functions of whole texts."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, Nulls, both, entry, postgres, spark

_STRING: tuple[str, str, Nulls] = ("string", "string", "strict")
_TWO: tuple[str, str, Nulls] = ("string string", "string", "strict")

TABLE: FunctionTable = (
    entry(Meaning("upper", *_STRING, "upper({0})", "upper({0})"), both("upper"), spark("ucase")),
    entry(Meaning("lower", *_STRING, "lower({0})", "lower({0})"), both("lower"), spark("lcase")),
    entry(
        Meaning("capitalize_after_blanks", *_STRING, "initcap({0})",
                "coalesce((SELECT string_agg(upper(left(word, 1)) || lower(substr(word, 2)), ' ' ORDER BY place) "
                "FROM unnest(string_to_array({0}, ' ')) WITH ORDINALITY AS words(word, place)), {0})"),
        spark("initcap"),
    ),
    entry(
        Meaning("capitalize_words", *_STRING,
                "array_join(transform(split({0}, '(?<=[^\\\\p{L}\\\\p{N}])'), word -> initcap(word)), '')",
                "initcap({0})"),
        postgres("initcap"),
    ),
    entry(
        Meaning("length", "string", "integer", "strict", "char_length({0})", "char_length({0})"),
        both("length, char_length, character_length"),
        spark("len"),
    ),
    entry(
        Meaning("octet_length", "string", "integer", "strict", "octet_length({0})", "octet_length({0})"),
        both("octet_length"),
    ),
    entry(
        Meaning("bit_length", "string", "integer", "strict", "bit_length({0})", "bit_length({0})"),
        both("bit_length"),
    ),
    entry(Meaning("trim_spaces", *_STRING, "trim({0})", "btrim({0})"), both("trim, btrim, trim both")),
    entry(Meaning("trim_spaces_left", *_STRING, "ltrim({0})", "ltrim({0})"), both("ltrim, trim leading")),
    entry(Meaning("trim_spaces_right", *_STRING, "rtrim({0})", "rtrim({0})"), both("rtrim, trim trailing")),
    entry(
        Meaning("trim_characters", *_TWO, "btrim({0}, {1})", "btrim({0}, {1})"),
        both("btrim, trim both"),
        spark("trim", 1, 0),
        postgres("trim"),
    ),
    entry(
        Meaning("trim_characters_left", *_TWO, "ltrim({1}, {0})", "ltrim({0}, {1})"),
        both("trim leading"),
        spark("ltrim", 1, 0),
        postgres("ltrim"),
    ),
    entry(
        Meaning("trim_characters_right", *_TWO, "rtrim({1}, {0})", "rtrim({0}, {1})"),
        both("trim trailing"),
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
        Meaning("concat_with_separator", "string string...", "string", "any", "concat_ws({*})", "concat_ws({*})"),
        both("concat_ws"),
    ),
    entry(
        Meaning("replace_text", "string string string", "string", "strict", "replace({0}, {1}, {2})",
                "replace({0}, {1}, {2})"),
        both("replace"),
        spark("replace", 0, 1, "''"),
    ),
    entry(
        Meaning("translate_characters", "string string string", "string", "strict", "translate({0}, {1}, {2})",
                "translate({0}, {1}, {2})"),
        both("translate"),
    ),
    entry(
        Meaning("pad_left", "string integer string", "string", "strict", "lpad({0}, {1}, {2})", "lpad({0}, {1}, {2})"),
        both("lpad"),
        both("lpad", 0, 1, "' '"),
    ),
    entry(
        Meaning("pad_right", "string integer string", "string", "strict", "rpad({0}, {1}, {2})",
                "rpad({0}, {1}, {2})"),
        both("rpad"),
        both("rpad", 0, 1, "' '"),
    ),
    entry(
        Meaning("repeat_text", "string integer", "string", "strict", "repeat({0}, {1})", "repeat({0}, {1})"),
        both("repeat"),
    ),
    entry(Meaning("blanks", "integer", "string", "strict", "space({0})", "repeat(' ', {0})"), spark("space")),
    entry(Meaning("reverse_text", *_STRING, "reverse({0})", "reverse({0})"), both("reverse")),
    entry(Meaning("md5", *_STRING, "md5({0})", "md5({0})"), both("md5")),
    entry(
        Meaning("base64", *_STRING, "regexp_replace(base64({0}), '[\\r\\n]', '')",
                "replace(encode(convert_to({0}, 'UTF8'), 'base64'), E'\\n', '')"),
        spark("base64"),
    ),
    entry(Meaning("first_code_point", "string", "integer", "strict", "ascii({0})", "ascii({0})"), both("ascii")),
    entry(
        Meaning("character_of_code_point", "integer", "string", "strict",
                "CASE WHEN {0} NOT BETWEEN 1 AND 255 THEN CAST(CAST('no character' AS int) AS string) "
                "ELSE chr({0}) END", "chr({0}::int)", outside="a number below 1 or over 255"),
        both("chr"),
        spark("char"),
    ),
)  # fmt: skip
