"""Limits on SQL text: parsing takes few steps, and real expressions are within the limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlglot import parse_one
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser

from agent.compiler.spec.entries import elements_of
from agent.sampling.join_keys import key_classes
from agent.sql_limits import HINT, MAX_CHARACTERS, MAX_LEVELS, MAX_WORK, excess
from tests.agent.compiler.expression_scene import in_spark
from tests.agent.compiler.scene import aliased, request_for, snapshot_for

_MOST_STEPS = 5 * MAX_WORK
_NESTINGS = [
    ("(", ")"), ("a + (", ")"), ("not (", ")"), ("[", "]"), ("x[", "]"), ("{", "}"), ("array[", "]"), ("array(", ")"),
    ("array(1, ", ")"), ("struct(", ")"), ("struct(1, ", ")"), ("struct[", "]"), ("map[", "]"), ("map(1, ", ")"),
    ("map{", "}"), ("int[", "]"), ("int(", ")"), ("date(", ")"), ("string(", ")"), ("decimal(", ")"), ("f(", ")"),
    ("array[(", ")]"), ("array[struct(", ")]"), ("struct(array(", "))"), ("cast(array[", "] as int)"),
    ("decimal(1)[", "]"), ("array<int>(", ")"), ("int[1][", "]"), ("timestamp with time zone [", "]"),
    ("(x)(", ")"), ("cast(", " as int)"), ("cast(x as array<", ">)"), ("array<", ">"), ("struct<a: ", ">"),
    ("cast(x as `array[", "]`)"), ("case when ", " then 1 end"), ("case when x then int[", "] end"),
    ("case when x then 1 else ", " end"), ("transform(x, y -> ", ")"), ("transform(x, y -> array[", "])"),
    ("y -> ", ""), ("interval ", " day"), ("not ", ""), ("- ", ""), ("", "::int"), ("a.", ""), ("x in (", ")"),
    ("x between ", " and 2"), ("x between (", ") and 2"), ("exists(select ", ")"), ("(select 1 from ", ")"),
    ("extract(year from ", ")"), ("sum(x) over (partition by ", ")"), ("if(x, ", ", 1)"),
]  # fmt: skip
_REAL = {
    "replacements": "replace(" * 30 + "name" + ", 'a', 'b')" * 30,
    "a ladder of cases": "case when a = 1 then 2 else " * 30 + "3" + " end" * 30,
    "coalesced": "coalesce(nvl(" * 12 + "a" + ", b), c)" * 12,
    "many terms": " + ".join(["amount"] * 500),
    "many conditions": " OR ".join(f"(a = {n} AND b > {n})" for n in range(500)),
    "a long list": f"country IN ({', '.join(repr(str(n)) for n in range(5000))})",
    "a long case": f"case code {' '.join(f'when {n} then {n + 1}' for n in range(2000))} end",
    "records in lists": "array(struct(1, array(struct(2, array(struct(3, date(string(d))))))))",
    "lists in brackets": "array[array[array[array[array[array[1]]]]]]",
    "places in lists": "parts[size(split(names[0], ',')[1]) - 1][0]",
    "an odd name": "`Price (EUR) [net, array[of] struct(s` * 2",
}


class _TooManyStepsError(BaseException):
    """The parser took more steps than it may."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts the parser's steps in its one element; it is stopped where they are too many."""
    taken, advance = [0], Parser._advance

    def counted(parser: Parser, times: int = 1) -> None:
        taken[0] += 1
        if taken[0] > _MOST_STEPS:
            raise _TooManyStepsError
        advance(parser, times)

    monkeypatch.setattr(Parser, "_advance", counted)
    yield taken


def _parse(text: str) -> None:
    with suppress(SqlglotError, RecursionError, TypeError, ValueError):
        parse_one(f"({text}\n)", dialect="spark")


@pytest.mark.slow
@pytest.mark.parametrize(("opening", "closing"), _NESTINGS)
@pytest.mark.parametrize("inside", ["x", f"f({', '.join('x' * 200)})"], ids=["short", "long"])
def test_what_is_nested_takes_few_steps_or_is_told(opening: str, closing: str, inside: str, steps: list[int]) -> None:
    """A text of any nesting and depth is either told to be too much, or parsed in a bounded number of steps."""
    for depth in (1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 25, 30, 100, 1000):
        text = opening * depth + inside + closing * depth
        if excess(text) is None:
            steps[0] = 0
            _parse(text)


@pytest.mark.parametrize("text", _REAL.values(), ids=_REAL.keys())
def test_real_expressions_are_within_the_limits(text: str, steps: list[int]) -> None:
    """An expression as people and generators write it is within the limits, and parsed."""
    assert excess(text) is None
    parse_one(f"({text}\n)", dialect="spark")


def test_nested_divisors_take_no_more_steps_of_the_parser(steps: list[int]) -> None:
    """The compiler renders a long text in nested divisors without parsing it again."""
    text = "n / (" * 20 + f"coalesce({', '.join(['id'] * 2000)})" + ")" * 20
    assert in_spark(text).count("nullif(") == 20
    assert steps[0] == 0


def test_a_join_condition_is_weighed_before_sample_rows_are_aligned_by_it(steps: list[int]) -> None:
    """A condition that only a model reads is parsed for the samples' keys, in few steps or not at all."""
    condition = "array[" * 30 + "1" + "]" * 30
    join = {"left_table": "o", "right_table": "c", "condition": condition}
    request = request_for([aliased("orders", "o"), aliased("customers", "c")], join_conditions=[join])
    assert key_classes(elements_of(request.specs), snapshot_for(request)) == []
    assert steps[0] == 0


def test_nesting_that_is_read_twice_is_told_with_its_place() -> None:
    """The message says how deep, where and what is meant; the hint says what to write."""
    text = "array[" * 16 + "1" + "]" * 16
    found = excess(text)
    assert found is not None
    assert found.message.startswith("nests lists, structs and calls named as types 13 deep at character 79, ")
    assert "`array[`" in found.message
    assert found.hint == HINT


@pytest.mark.parametrize("text", ["(" * 50_000, "(" * 33 + "x" + ")" * 33, "x = (" * 40, "`int (`" + "(" * 33])
def test_deep_brackets_are_told(text: str) -> None:
    """More levels than the parser's recursion bears are told, closed or not."""
    found = excess(text)
    assert found is not None
    assert f"at most {MAX_LEVELS} levels" in found.message


@pytest.mark.parametrize("text", [" AND ".join(["a"] * 10_001), "1," * 10_001])
def test_a_long_text_is_told(text: str) -> None:
    """A text of more tokens than `MAX_WORK` is told to be too long."""
    found = excess(text)
    assert found is not None
    assert "is too long at character" in found.message


def test_a_text_of_too_many_characters_is_not_even_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of characters is checked first."""
    monkeypatch.setattr("agent.sql_weight.Spark", None)
    found = excess("'" + "a" * MAX_CHARACTERS + "'")
    assert found is not None
    assert found.message == "is 200,002 characters long; at most 200,000 are read"


@pytest.mark.parametrize("text", ["'it", "/* ", "show array[" * 3, ""])
def test_a_text_without_tokens_has_no_excess(text: str) -> None:
    """A text that the tokenizer refuses is left to the parser's caller."""
    assert excess(text) is None


def test_a_command_does_not_hide_what_follows() -> None:
    """A word that begins a command is weighed as a word."""
    assert excess("show " + "array[" * 20) is not None
