"""Redaction takes linear time, however a text is made: steps are counted, not seconds."""

from __future__ import annotations

import re

import pytest

from agent.redaction import _secret_pattern
from agent.redaction.pattern import Pattern
from agent.redaction.row_patterns import ROW_VALUES
from agent.redaction.secret_patterns import SECRETS
from tests.agent.redaction.regex_steps import NotLinearError, steps_of

TABLE = (*SECRETS, *ROW_VALUES)
STEPS = 15_000
"""At one place of a text, at most; nearly every place ends with the first of them."""
STEPS_EACH = 250
"""For each character of a value."""


@pytest.mark.parametrize("pattern", TABLE, ids=lambda pattern: pattern.name)
def test_a_pattern_takes_a_bounded_number_of_steps_at_each_place(pattern: Pattern) -> None:
    """It gives up within a bound, or has matched, and never looks again at what it has passed."""
    found = steps_of(pattern.regex)
    assert found.steps <= STEPS
    assert found.each <= STEPS_EACH


@pytest.mark.parametrize(
    "secret", ["Hunter2", "Hunter'2 se/crét+?\"x", "\\\\a\\b\\é\\\\\\", "p@ss%3A", "x" * 200, "日本語のパスワード"]
)
def test_a_known_secret_is_looked_for_in_linear_time(secret: str) -> None:
    """In each of its forms."""
    found = steps_of(_secret_pattern(secret))
    assert found.steps <= 100_000
    assert found.each <= STEPS_EACH


@pytest.mark.parametrize(
    "regex",
    [
        r"a*b",
        r"a++b",
        r"(?:a|aa)+",
        r"(?:a*+)*+",
        r"INSERT INTO [^\n]*?VALUES",
        r"(?=[\w]*x)y",
        r"(?:key .*\)|x)=",
        r"x(?:y+z)?",
    ],
)
def test_expressions_that_go_back_are_noticed(regex: str) -> None:
    """The count does not let pass what is quadratic or worse."""
    with pytest.raises(NotLinearError):
        steps_of(re.compile(regex))


def test_each_pattern_has_a_name_of_its_own() -> None:
    """By which a test names it."""
    assert len({pattern.name for pattern in TABLE}) == len(TABLE)


@pytest.mark.parametrize("pattern", TABLE, ids=lambda pattern: pattern.name)
def test_what_is_decided_of_a_match_is_decided_once(pattern: Pattern) -> None:
    """The matches of a pattern do not overlap: together they are no longer than the text."""
    text = "".join(f"{other.name} INSERT INTO t VALUES (1, 'x') key (a)=(1) The value 'x' pass=" for other in TABLE)
    assert sum(len(match[0]) for match in pattern.regex.finditer(text * 3)) <= 3 * len(text)
