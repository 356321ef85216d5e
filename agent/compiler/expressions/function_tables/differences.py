"""Names that both dialects have and read differently, each with an example and both answers.

A test runs every example on both engines.
"""

from __future__ import annotations

from agent.compiler.expressions.meanings import Difference

DIFFERENCES: tuple[Difference, ...] = (
    Difference("trim", (2,), "trim('00120', '0')", "", "12"),
    Difference("ltrim", (2,), "ltrim('00120', '0')", "", "120"),
    Difference("rtrim", (2,), "rtrim('00120', '0')", "", "0012"),
    Difference("concat", tuple(range(1, 256)), "concat('a', NULL)", "NULL", "a", shows="null", auto="postgres"),
    Difference("initcap", (1,), "initcap('mary-ann')", "Mary-ann", "Mary-Ann"),
    Difference("left", (2,), "left('abcd', -1)", "", "abc", shows="values"),
    Difference("right", (2,), "right('abcd', -1)", "", "bcd", shows="values"),
    Difference("substring", (2, 3), "substring('abcd', 0, 2)", "ab", "a", shows="values"),
    Difference("substr", (2, 3), "substr('abcd', 0, 2)", "ab", "a", shows="values"),
    Difference("round", (1,), "round(CAST(2.5 AS double))", "3.0", "2", shows="half", auto="postgres",
               postgres_call="round(CAST(2.5 AS double precision))"),
    Difference("/", (2,), "7 / 2", "3.5", "3", shows="fraction", auto="spark"),
    Difference("log", (1,), "log(100)", "4.605170185988092", "2"),
    Difference("^", (2,), "2 ^ 3", "1", "8"),
    Difference("extract dow", (1,), "extract(dow FROM DATE '2024-05-17')", "6", "5"),
    Difference("date_part dow", (1,), "date_part('dow', DATE '2024-05-17')", "6", "5"),
)  # fmt: skip
