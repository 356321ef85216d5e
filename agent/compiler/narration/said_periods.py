"""Periods of a description: the days that a date, a month, a quarter, a half, a year or a decade names."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from agent.compiler.narration.evidence import as_date
from agent.compiler.narration.said_numbers import ordinal, said_at
from agent.compiler.narration.word_tokens import WordToken, word_list, word_set

MONTHS = word_list("january february march april may june july august september october november december")
_SHORT = {month[:3]: number for number, month in enumerate(MONTHS, 1)} | {"sept": 9}
MONTH_NUMBERS = {month: number for number, month in enumerate(MONTHS, 1)} | _SHORT
_AMOUNTS = word_set("least most $ over above below under exceeding exceeds > < >= <=")
_THAN_AMOUNTS = [
    [word, "than"] for word in ["more", "less", "fewer", "greater", "larger", "smaller", "higher", "lower"]
]
"""Words before a number of four digits that is no year."""
_DECADES = {
    f"{name}ies": 1900 + 10 * place
    for place, name in enumerate(["twent", "thirt", "fort", "fift", "sixt", "sevent", "eight", "ninet"], 2)
}
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """The days from `low` to `high`, both included, that tokens from `first` to `last` name."""

    first: int
    last: int
    low: dt.date
    high: dt.date

    @property
    def of_years(self) -> bool:
        """True for whole years."""
        return (self.low.month, self.low.day, self.high.month, self.high.day) == (1, 1, 12, 31)


def period_at(tokens: list[WordToken], position: int) -> Period | None:
    """The days that a date, a quarter of a year, a month of a year or a year names."""
    token = tokens[position]
    if token.kind == "date":
        day = as_date(token.text)
        return Period(position, position, day, day) if day else None
    if token.kind == "month":
        year, month = (int(part) for part in token.text.split("-"))
        return _months(position, position, year, month, month) if 1 <= month <= 12 else None
    return (
        _half(tokens, position)
        or _first_months(tokens, position)
        or _written_date(tokens, position)
        or _quarter_of_year(tokens, position)
        or _decade(tokens, position)
        or _year(tokens, position)
    )


def _half(tokens: list[WordToken], position: int) -> Period | None:
    """`H1 2011`, `2011 H1`, `first half of 2011`, `second half of September 1995`."""
    texts = [token.text for token in tokens[position : position + 3]] + [""] * 3
    if _is_year(texts[0]) and texts[1] in ("h1", "h2"):
        return _months(position, position + 1, int(texts[0]), *_HALVES[int(texts[1][1])])
    half, start = (int(texts[0][1]), 1) if texts[0] in ("h1", "h2") else (ordinal(texts[0]), 2)
    if half not in _HALVES or (start == 2 and texts[1] != "half"):
        return None
    start += texts[start] in ("of", "in")
    whole = period_at(tokens, position + start) if position + start < len(tokens) else None
    if whole is None:
        return None
    if whole.of_years and whole.low.year == whole.high.year:
        return _months(position, whole.last, whole.low.year, *_HALVES[half])
    middle = whole.low + dt.timedelta(days=14)
    if half == 1:
        return Period(position, whole.last, whole.low, middle)
    return Period(position, whole.last, middle + _ONE_DAY, whole.high)


def _first_months(tokens: list[WordToken], position: int) -> Period | None:
    """`first six months of 2023`."""
    texts = [token.text for token in tokens[position : position + 5]]
    if len(texts) < 5 or texts[0] not in ("first", "last") or texts[2:4] != ["months", "of"] or not _is_year(texts[4]):
        return None
    said = said_at(tokens, position + 1, True)
    count = int(said.value) if said and 1 <= said.value <= 12 else 0
    if not count:
        return None
    low, high = (1, count) if texts[0] == "first" else (13 - count, 12)
    return _months(position, position + 4, int(texts[4]), low, high)


_HALVES = {1: (1, 6), 2: (7, 12)}
"""First and last month of the halves of a year."""


def _decade(tokens: list[WordToken], position: int) -> Period | None:
    """`nineties`, `1990s`."""
    text, last = tokens[position].text, position
    if {"their", "his", "her"} & {token.text for token in tokens[max(0, position - 3) : position]}:
        return None  # an age
    start = _DECADES.get(text)
    if start is None and _is_year(text) and text.endswith("0") and position + 1 < len(tokens):
        following = tokens[position + 1]
        glued = following.text in ("s", "'s") and following.start == tokens[position].end
        start, last = (int(text), position + 1) if glued else (None, last)
    return Period(position, last, dt.date(start, 1, 1), dt.date(start + 9, 12, 31)) if start else None


def _written_date(tokens: list[WordToken], position: int) -> Period | None:
    """`2 September 1998`, `September 2, 1998` or `September 1998`."""
    ahead = [one for one in tokens[position : position + 6] if one.text not in (",", "of", "st", "nd", "rd", "th")]
    words = [MONTH_NUMBERS.get(one.text, one.text) if one.kind == "word" else one.text for one in ahead[:3]]
    months = [place for place, one in enumerate(ahead[:2]) if one.kind == "word" and one.text in MONTH_NUMBERS]
    if not months or ahead[months[0]].text in ("may", "march") and not ahead[months[0]].written[0].isupper():
        return None
    month = int(words[months[0]])
    rest = [place for place, one in enumerate(ahead[:3]) if place != months[0] and one.kind == "number"]
    years = [place for place in rest if _is_year(ahead[place].text)]
    if not years or years[0] != len(rest) or (months[0] == 1 and len(rest) < 2):
        return None
    last = position + next(at for at, one in enumerate(tokens[position:]) if one is ahead[years[0]])
    year = int(ahead[years[0]].text)
    if len(rest) == 1:
        return _months(position, last, year, month, month)
    day = as_date(f"{year}-{month}-{ahead[rest[0]].text}")
    return Period(position, last, day, day) if day else None


def _quarter_of_year(tokens: list[WordToken], position: int) -> Period | None:
    """`Q4 1993`, `Q4 of 1993`, `1993 Q4`, `fourth quarter of 1993`."""
    texts = [token.text for token in tokens[position : position + 4]] + [""] * 4
    quarter = quarter_of(texts[0])
    last = position + 1
    if quarter is None and texts[1] == "quarter" and (ordinal(texts[0]) or texts[0] in ("last", "final")):
        quarter, texts, last = ordinal(texts[0]) or 4, texts[1:], position + 2
    if quarter is None and _is_year(texts[0]) and quarter_of(texts[1]):
        return _months(
            position, position + 1, int(texts[0]), 3 * (quarter_of(texts[1]) or 1) - 2, 3 * (quarter_of(texts[1]) or 1)
        )
    if quarter is None or quarter > 4:
        return None
    if texts[1] in ("of", "in"):
        texts, last = texts[1:], last + 1
    return _months(position, last, int(texts[1]), 3 * quarter - 2, 3 * quarter) if _is_year(texts[1]) else None


def quarter_of(text: str) -> int | None:
    """The number of `q1` to `q4`."""
    return int(text[1]) if len(text) == 2 and text[0] == "q" and text[1] in "1234" else None


def _year(tokens: list[WordToken], position: int) -> Period | None:
    token = tokens[position]
    if token.kind != "number" or not _is_year(token.text):
        return None
    before = [one.text for one in tokens[max(0, position - 2) : position]]
    if before[-1:] and before[-1] in _AMOUNTS or before in _THAN_AMOUNTS:
        return None
    return _months(position, position, int(token.text), 1, 12)


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and 1900 <= int(text) <= 2100


def _months(first: int, last: int, year: int, low: int, high: int) -> Period:
    following = dt.date(year + high // 12, high % 12 + 1, 1)
    return Period(first, last, dt.date(year, low, 1), following - _ONE_DAY)
