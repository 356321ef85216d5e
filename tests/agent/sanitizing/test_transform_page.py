"""docs/transform.md says what the policy does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.sanitizing.policy import check_policy

PAGE = Path(__file__).parents[3] / "docs" / "transform.md"
ROWS = re.findall(
    r"^\| `+(return.+?|n = .+?|sources\[.+?|options = .+?)`+ \| `+(.+?)`+ \|$", PAGE.read_text("utf-8"), re.M
)


def source(body: str) -> str:
    return "def transform(sources):\n    " + body + "\n"


def test_the_table_is_read_whole() -> None:
    """No row of the page is passed over."""
    assert len(ROWS) == PAGE.read_text("utf-8").count("\n| ") - 1


@pytest.mark.parametrize(("refused", "instead"), ROWS)
def test_what_the_page_refuses_is_refused_and_what_it_offers_passes(refused: str, instead: str) -> None:
    """Both columns of the table are code that the policy looks at."""
    assert check_policy(source(refused)) != []
    assert check_policy(source(instead)) == []
