"""Functions that find or cut out parts of texts."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, both, entry, postgres, spark

TABLE: FunctionTable = (
    entry(
        Meaning("contains", "string string", "boolean", "strict", "contains({0}, {1})", "(strpos({0}, {1}) > 0)"),
        spark("contains"),
    ),
    entry(
        Meaning("starts_with", "string string", "boolean", "strict", "startswith({0}, {1})",
                "starts_with({0}, {1})"),
        spark("startswith"),
        postgres("starts_with, ^@"),
    ),
    entry(
        Meaning("ends_with", "string string", "boolean", "strict", "endswith({0}, {1})",
                "(right({0}, length({1})) = {1})"),
        spark("endswith"),
    ),
    entry(
        Meaning("place_of_text", "string string", "integer", "strict", "instr({0}, {1})", "strpos({0}, {1})"),
        spark("instr"),
        spark("locate, charindex", 1, 0),
        both("position", 1, 0),
        postgres("strpos"),
    ),
    entry(
        Meaning("place_of_text_from", "string string positive!", "integer", "strict", "locate({1}, {0}, {2})",
                "CASE strpos(substr({0}, {2}), {1}) WHEN 0 THEN 0 ELSE "
                "CASE {1} WHEN '' THEN length({0}) * 0 + 1 ELSE strpos(substr({0}, {2}), {1}) + {2} - 1 END END"),
        spark("locate, position", 1, 0, 2),
    ),
    entry(
        Meaning("left_characters", "string natural!", "string", "strict", "left({0}, {1})", "left({0}, {1})"),
        both("left"),
    ),
    entry(
        Meaning("right_characters", "string natural!", "string", "strict", "right({0}, {1})", "right({0}, {1})"),
        both("right"),
    ),
    entry(
        Meaning("left_or_empty", "string integer", "string", "strict", "left({0}, {1})",
                "left({0}, CASE WHEN {1} < 0 THEN 0 ELSE {1} END::int)"),
        spark("left"),
    ),
    entry(
        Meaning("right_or_empty", "string integer", "string", "strict", "right({0}, {1})",
                "right({0}, CASE WHEN {1} < 0 THEN 0 ELSE {1} END::int)"),
        spark("right"),
    ),
    entry(
        Meaning("left_but", "string integer", "string", "strict",
                "left({0}, CASE WHEN {1} < 0 THEN char_length({0}) + {1} ELSE {1} END)", "left({0}, {1}::int)"),
        postgres("left"),
    ),
    entry(
        Meaning("right_but", "string integer", "string", "strict",
                "right({0}, CASE WHEN {1} < 0 THEN char_length({0}) + {1} ELSE {1} END)", "right({0}, {1}::int)"),
        postgres("right"),
    ),
    entry(
        Meaning("characters_from", "string positive!", "string", "strict", "substring({0}, {1})", "substr({0}, {1})"),
        both("substring, substr"),
    ),
    entry(
        Meaning("characters", "string positive! natural!", "string", "strict", "substring({0}, {1}, {2})",
                "substr({0}, {1}, {2})"),
        both("substring, substr"),
    ),
    entry(
        Meaning("characters_from_end", "string integer", "string", "strict", "substring({0}, {1})",
                "substr({0}, CASE WHEN {1} < 0 THEN greatest(length({0}) + {1}::int + 1, 1) ELSE {1}::int END)"),
        spark("substring, substr"),
    ),
    entry(
        Meaning("characters_from_place", "string integer", "string", "strict",
                "substring({0}, CASE WHEN {1} < 1 THEN 1 ELSE {1} END)", "substr({0}, {1}::int)"),
        postgres("substring, substr"),
    ),
    entry(
        Meaning("characters_counted_from_end", "string integer integer", "string", "strict",
                "substring({0}, {1}, {2})",
                "substr({0}, CASE WHEN {1} < 0 THEN length({0}) + {1}::int + 1 WHEN {1} = 0 THEN 1 ELSE {1}::int END, "
                "CASE WHEN {2} < 0 THEN 0 ELSE {2}::int END)"),
        spark("substring, substr"),
    ),
    entry(
        Meaning("characters_counted_from_place", "string integer integer", "string", "strict",
                "CASE WHEN {2} < 0 THEN NULL WHEN {1} < 1 THEN substring({0}, 1, {1} + {2} - 1) "
                "ELSE substring({0}, {1}, {2}) END", "substr({0}, {1}::int, {2}::int)", outside="a negative length"),
        postgres("substring, substr"),
    ),
    entry(
        Meaning("overlay_characters", "string string positive!", "string", "strict", "overlay({0}, {1}, {2})",
                "overlay({0}, {1}, {2})"),
        both("overlay"),
    ),
    entry(
        Meaning("overlay_counted_characters", "string string positive! natural!", "string", "strict",
                "overlay({0}, {1}, {2}, {3})", "overlay({0}, {1}, {2}, {3})"),
        both("overlay"),
    ),
    entry(
        Meaning("split_part", "string string integer!", "string", "strict", "split_part({0}, {1}, {2})",
                "split_part({0}, {1}, {2})", outside="part 0"),
        both("split_part"),
    ),
    entry(
        Meaning("text_before_nth", "string string positive!", "string", "strict", "substring_index({0}, {1}, {2})",
                "CASE WHEN {1} = '' THEN left({0}, 0) ELSE "
                "array_to_string((string_to_array({0}, {1}))[1:{2}], {1}) END"),
        spark("substring_index"),
    ),
    entry(
        Meaning("text_after_nth_last", "string string integer!", "string", "strict",
                "substring_index({0}, {1}, {2})",
                "CASE WHEN {1} = '' OR {2} = 0 THEN left({0}, length({1}) * 0) WHEN {2} > 0 THEN "
                "array_to_string((string_to_array({0}, {1}))[1:{2}], {1}) ELSE array_to_string((string_to_array("
                "{0}, {1}))[greatest(cardinality(string_to_array({0}, {1})) + {2} + 1, 1):], {1}) END"),
        spark("substring_index"),
    ),
)  # fmt: skip
