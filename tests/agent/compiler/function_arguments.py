"""Arguments that single functions need: a pad's length, a part's number, a month."""

from __future__ import annotations

from tests.agent.compiler.function_values import Literal, integers

COUNTS = integers("0 1 2 3 5 40 -1 -3")
PLACES = integers("0 1 2 3 7 -1 -2 -50")
STEPS = integers("0 1 -1 3 11 12 13 31 365 -366 40000")
ALL_COUNTS = {1: COUNTS}

CHOSEN: dict[str, dict[int, list[Literal]]] = {
    "pad_left": {1: COUNTS},
    "pad_right": {1: COUNTS},
    "repeat_text": {1: COUNTS},
    "blanks": {0: COUNTS},
    **dict.fromkeys(("left_or_empty", "right_or_empty", "left_but", "right_but"), ALL_COUNTS),
    **dict.fromkeys(("characters_from_end", "characters_from_place"), {1: PLACES}),
    **dict.fromkeys(("characters_counted_from_end", "characters_counted_from_place"), {1: PLACES, 2: COUNTS}),
    **dict.fromkeys(
        ("date_plus_days", "date_minus_days", "day_plus_days", "day_minus_days", "date_plus_months", "day_plus_months",
         "date_plus_whole_days", "timestamp_plus_months", "timestamp_plus_days", "moment_plus_seconds"),
        {1: STEPS},
    ),
    "date_of_parts": {0: integers("2024 2023 0 9999"), 1: integers("1 2 12 13"), 2: integers("0 28 29 31")},
    "timestamp_of_parts": {
        0: integers("2024"), 1: integers("2 13"), 2: integers("28 29"), 3: integers("0 23"), 4: integers("0 59"),
    },
    "date_of_days_since_1970": {0: STEPS},
    "timestamp_of_seconds": {0: integers("0 1 -1 86399 1700000000 -1700000000")},
}  # fmt: skip
"""Name of a meaning to the values at a place."""
