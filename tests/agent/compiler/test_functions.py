"""Calls of functions are read by a closed table, in the dialect that they are written in."""

from __future__ import annotations

from itertools import product

import pytest

from agent.compiler.expressions.functions import MEANINGS, SPELLINGS, difference, read_call
from agent.compiler.expressions.meanings import DIALECTS, GROUPS, Dialect, FunctionArgument
from agent.sanitizing.policy import check_policy

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


def test_units_are_part_of_the_name() -> None:
    """`extract(dow FROM day)` counts from 0 in PostgreSQL and from 1 in Spark."""
    day, dow = FunctionArgument("date"), FunctionArgument("string", "DOW")
    assert spark_text("postgres", "extract", dow, day) == "(dayofweek(b) - 1)"
    assert spark_text("spark", "extract", dow, day) == "dayofweek(b)"
    assert spark_text("spark", "trunc", day, FunctionArgument("string", "MM")) == "trunc(a, 'month')"


def test_constants_decide_where_the_dialects_agree() -> None:
    """`left(x, 3)` is one function to both, `left(x, n)` is two."""
    three, some = FunctionArgument("integer", 3), FunctionArgument("integer")
    assert read_call("spark", "left", [TEXT, three]) == read_call("postgres", "left", [TEXT, three])
    assert read_call("spark", "left", [TEXT, some]) != read_call("postgres", "left", [TEXT, some])


GIVEN = [FunctionArgument(family) for family in sorted(GROUPS["scalar"])] + [FunctionArgument("integer", -1)]


def _differ(name: str, count: int) -> bool:
    """True when some arguments give two readings."""
    for arguments in product(GIVEN, repeat=count):
        one, other = (read_call(dialect, name, arguments) for dialect in DIALECTS)
        if one and other and (one.meaning, one.order) != (other.meaning, other.order):
            return True
    return False


@pytest.mark.parametrize("name", sorted({one.name for one in SPELLINGS}))
def test_a_name_with_two_meanings_has_an_example(name: str) -> None:
    """Where both dialects have the name, the messages need both answers."""
    for count in range(4):
        assert _differ(name, count) == (difference(name, count) is not None), count


def test_every_spark_text_passes_the_policy() -> None:
    """Generated code holds only functions that every supported Spark has."""
    for meaning in MEANINGS.values():
        text = meaning.text("spark", [f"c{place}" for place in range(len(meaning.parameters))])
        assert check_policy(f"def transform(sources):\n    return sources['t'].select(F.expr({text!r}))\n") == [], text
