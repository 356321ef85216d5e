"""Calls of functions are read by a closed table, in the dialect that they are written in."""

from __future__ import annotations

from agent.compiler.expressions.functions import read_call
from agent.compiler.expressions.meanings import Dialect, FunctionArgument

TEXT = FunctionArgument("string")


def spark_text(dialect: Dialect, name: str, *arguments: FunctionArgument) -> str:
    """The call `name(a, b, …)` of that dialect, as Spark gets it."""
    call = read_call(dialect, name, arguments)
    assert call is not None
    return call.meaning.text("spark", ["abcdefgh"[place] if isinstance(place, int) else place for place in call.order])


def test_trimmed_characters_stand_first_in_spark_and_last_in_postgres() -> None:
    """`ltrim('00120', '0')` trims zeros in PostgreSQL only."""
    assert spark_text("spark", "ltrim", TEXT, TEXT) == "ltrim(a, b)"
    assert spark_text("postgres", "ltrim", TEXT, TEXT) == "ltrim(b, a)"


def test_concat_skips_nulls_in_postgres() -> None:
    """PostgreSQL's `||` is Spark's concat."""
    assert spark_text("postgres", "concat", TEXT, TEXT, TEXT) == "concat_ws('', a, b, c)"
    assert spark_text("postgres", "||", TEXT, TEXT) == spark_text("spark", "concat", TEXT, TEXT) == "concat(a, b)"


def test_other_names_kinds_and_counts_are_no_calls() -> None:
    """The table is closed."""
    assert read_call("postgres", "now_and_then", [TEXT]) is None
    assert read_call("postgres", "upper", [FunctionArgument("integer")]) is None
    assert read_call("postgres", "upper", [TEXT, TEXT]) is None
