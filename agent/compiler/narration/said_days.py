"""Days of a description: dates, years, quarters, months, days of the week, compared with the evidence of the fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from agent.compiler.narration.evidence import Evidence, NumberCut, as_date
from agent.compiler.narration.said_numbers import ordinal
from agent.compiler.narration.word_tokens import WordToken, texts_beside, word_list, word_set

_MONTHS = word_list("january february march april may june july august september october november december")
_SHORT = {month[:3]: number for number, month in enumerate(_MONTHS, 1)} | {"sept": 9}
_NUMBERS = {month: number for number, month in enumerate(_MONTHS, 1)} | _SHORT
_DAYS = word_list("monday tuesday wednesday thursday friday saturday sunday")
_WEEK = frozenset(_DAYS) | {f"{day}s" for day in _DAYS} | {"weekend", "weekends", "weekday", "weekdays"}
_WEEK_FACTS = ("f:dayofweek", "f:weekday", "f:date_part", "f:day_of_week", "f:to_char", "f:date_format", "f:isodow")
_MONTH_LEADS = word_set("in of for and to from until through during since between or , ( last each early late mid")
_FROM = word_set("from since after starting beginning between")
_UNTIL = word_set("to until through thru and till - – before")
_LEADS: dict[tuple[str, ...], str] = {
    ("on", "or", "before"): "<=", ("up", "to", "and", "including"): "<=", ("no", "later", "than"): "<=",
    ("on", "or", "after"): ">=", ("no", "earlier", "than"): ">=", ("up", "to"): "<=",
    ("before",): "<", ("prior", "to"): "<", ("earlier", "than"): "<", ("<",): "<",
    ("after",): ">", ("later", "than"): ">", (">",): ">",
    ("since",): ">=", ("starting",): ">=", ("starting", "from"): ">=", ("beginning",): ">=", ("> ", "="): ">=",
    (">=",): ">=", ("<=",): "<=", ("through",): "<=", ("thru",): "<=",
}  # fmt: skip
_AMOUNTS = word_set("least most $ over above below under exceeding exceeds > < >= <=")
_THAN_AMOUNTS = [
    [word, "than"] for word in ["more", "less", "fewer", "greater", "larger", "smaller", "higher", "lower"]
]
"""Words before a number of four digits that is no year."""
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class _Span:
    """The days from `low` to `high`, both included, that tokens from `first` to `last` name."""

    first: int
    last: int
    low: dt.date
    high: dt.date


def untold_days(
    tokens: list[WordToken], evidence: Evidence, taken: set[int], strict: bool = False
) -> Iterator[tuple[int, int]]:
    """First and last positions of the days that nothing carries. Marks in `taken` what was read as days.

    With `strict` a quarter must be a value, not the name of a column that holds quarters.
    """
    position = 0
    while position < len(tokens):
        if position in taken:
            position += 1
            continue
        span = _span_at(tokens, position)
        if span is not None:
            sign, first = _lead(tokens, span.first)
            taken |= {*range(first, span.last + 1)}
            if not _is_carried(span, sign, tokens, evidence):
                yield first, span.last
            position = span.last + 1
            continue
        last, carried = _loose_at(tokens, position, evidence, strict)
        if last >= position:
            taken |= {*range(position, last + 1)}
            if not carried:
                yield position, last
            position = last
        position += 1


def _lead(tokens: list[WordToken], first: int) -> tuple[str, int]:
    """The comparison before a day, and the position where it begins."""
    for length in (4, 3, 2, 1):
        words = tuple(token.text for token in tokens[max(0, first - length) : first])
        if words in _LEADS and len(words) == length:
            return _LEADS[words], first - length
    return "", first


def _span_at(tokens: list[WordToken], position: int) -> _Span | None:
    """The days that a date, a quarter of a year, a month of a year or a year names."""
    token = tokens[position]
    if token.kind == "date":
        day = as_date(token.text)
        return _Span(position, position, day, day) if day else None
    if token.kind == "month":
        year, month = (int(part) for part in token.text.split("-"))
        return _months(position, position, year, month, month) if 1 <= month <= 12 else None
    return _written_date(tokens, position) or _quarter_of_year(tokens, position) or _year(tokens, position)


def _written_date(tokens: list[WordToken], position: int) -> _Span | None:
    """`2 September 1998`, `September 2, 1998` or `September 1998`."""
    ahead = [one for one in tokens[position : position + 6] if one.text not in (",", "of", "st", "nd", "rd", "th")]
    words = [_NUMBERS.get(one.text, one.text) if one.kind == "word" else one.text for one in ahead[:3]]
    months = [place for place, one in enumerate(ahead[:2]) if one.kind == "word" and one.text in _NUMBERS]
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
    return _Span(position, last, day, day) if day else None


def _quarter_of_year(tokens: list[WordToken], position: int) -> _Span | None:
    """`Q4 1993`, `Q4 of 1993`, `1993 Q4`, `fourth quarter of 1993`."""
    texts = [token.text for token in tokens[position : position + 4]] + [""] * 4
    quarter = _quarter(texts[0])
    last = position + 1
    if quarter is None and ordinal(texts[0]) and texts[1] == "quarter":
        quarter, texts, last = ordinal(texts[0]), texts[1:], position + 2
    if quarter is None and _is_year(texts[0]) and _quarter(texts[1]):
        return _months(
            position, position + 1, int(texts[0]), 3 * (_quarter(texts[1]) or 1) - 2, 3 * (_quarter(texts[1]) or 1)
        )
    if quarter is None or quarter > 4:
        return None
    if texts[1] in ("of", "in"):
        texts, last = texts[1:], last + 1
    return _months(position, last, int(texts[1]), 3 * quarter - 2, 3 * quarter) if _is_year(texts[1]) else None


def _quarter(text: str) -> int | None:
    return int(text[1]) if len(text) == 2 and text[0] == "q" and text[1] in "1234" else None


def _year(tokens: list[WordToken], position: int) -> _Span | None:
    token = tokens[position]
    if token.kind != "number" or not _is_year(token.text):
        return None
    before = [one.text for one in tokens[max(0, position - 2) : position]]
    if before[-1:] and before[-1] in _AMOUNTS or before in _THAN_AMOUNTS:
        return None
    return _months(position, position, int(token.text), 1, 12)


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and 1900 <= int(text) <= 2100


def _months(first: int, last: int, year: int, low: int, high: int) -> _Span:
    following = dt.date(year + high // 12, high % 12 + 1, 1)
    return _Span(first, last, dt.date(year, low, 1), following - _ONE_DAY)


def _is_carried(span: _Span, sign: str, tokens: list[WordToken], evidence: Evidence) -> bool:
    written = tokens[span.first].text
    if not sign and (written in evidence.words or written in evidence.names or _holds_number(span, tokens, evidence)):
        return True
    low, high = _cuts(span.low - _ONE_DAY, span.low), _cuts(span.high, span.high + _ONE_DAY)
    has_low, has_high = not evidence.cuts.isdisjoint(low), not evidence.cuts.isdisjoint(high)
    if sign in ("<", ">="):
        return has_low or _year_cut(span, "before", evidence)
    if sign in ("<=", ">"):
        return has_high or _year_cut(span, "after", evidence)
    before = tokens[span.first - 1].text if span.first else ""
    after = tokens[span.last + 1].text if span.last + 1 < len(tokens) else ""
    if span.low == span.high:
        return has_low or has_high or span.low in evidence.dates
    if before in _FROM or after in _UNTIL and has_low:
        return has_low
    if before in _UNTIL and has_high:
        return True
    computed = evidence.any_of(("interval", "f:date_add", "f:add_months", "f:make_date"))
    return (has_low and (has_high or computed)) or _is_narrower(span, tokens, evidence)


def _cuts(last: dt.date, following: dt.date) -> set[NumberCut]:
    """The ways to write the place between two days."""
    return {NumberCut("after", last), NumberCut("before", following)}


def _holds_number(span: _Span, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True when the years, or the year and the month, occur as numbers."""
    numbers = {Decimal(int(one.text)) for one in tokens[span.first : span.last + 1] if one.kind == "number"}
    numbers |= {Decimal(span.low.year), Decimal(span.low.month)} if span.low.month == span.high.month else set()
    return bool(numbers) and numbers <= evidence.numbers


def _year_cut(span: _Span, side: str, evidence: Evidence) -> bool:
    """True when a number is compared with the year, as `year >= 2010`."""
    year, step = Decimal(span.low.year), 1 if side == "after" else -1
    other = "before" if side == "after" else "after"
    return not evidence.cuts.isdisjoint({NumberCut(side, year), NumberCut(other, year + step)})


def _is_narrower(span: _Span, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for a year whose months or quarter stand beside it, when the fields hold days of it."""
    beside = texts_beside(tokens, span.first)
    if (span.low.month, span.high.month) != (1, 12):
        return False
    narrower = beside & {"quarter", "half", "month", "summer", "winter", "week", *_MONTHS, "q1", "q2", "q3", "q4"}
    return bool(narrower) and any(span.low <= day <= span.high for day in evidence.dates)


def _loose_at(tokens: list[WordToken], position: int, evidence: Evidence, strict: bool) -> tuple[int, bool]:
    """Last position of a quarter, a month or a day of the week without a year, and whether a field carries it."""
    token, before = tokens[position], tokens[position - 1].text if position else ""
    quarter, last = _quarter(token.text), position
    if (
        quarter is None
        and ordinal(token.text)
        and position + 1 < len(tokens)
        and tokens[position + 1].text == "quarter"
    ):
        quarter, last = ordinal(token.text), position + 1
    if quarter is not None:
        return last, _carries_quarter(quarter, evidence, strict)
    if token.text in _WEEK:
        return position, token.text.rstrip("s") in evidence.words or evidence.any_of(
            _WEEK_FACTS
        ) or "dow" in evidence.words
    month = _NUMBERS.get(token.text)
    if (
        month is None
        or token.written[0].islower()
        or (token.text in ("may", "march", "mar") and before not in _MONTH_LEADS)
    ):
        return position - 1, True
    return position, _carries_month(month, evidence) or _tells_quarters(tokens, position, evidence)


def _carries_quarter(quarter: int, evidence: Evidence, strict: bool) -> bool:
    names = "quarter" in evidence.words or "f:quarter" in evidence.facts
    if f"q{quarter}" in evidence.words or (names and (not strict or Decimal(quarter) in evidence.numbers)):
        return True
    low, high = 3 * quarter - 2, 3 * quarter
    by_days = any(day.month in (low, high, high % 12 + 1) for day in evidence.dates)
    return by_days or {Decimal(low), Decimal(high)} <= evidence.numbers


def _tells_quarters(tokens: list[WordToken], position: int, evidence: Evidence) -> bool:
    """True for the months of a quarter where a field holds quarters: `Q1 = January to March`."""
    tells = any(_quarter(text) or text == "quarter" for text in texts_beside(tokens, position))
    return tells and ("quarter" in evidence.words or "f:quarter" in evidence.facts)


def _carries_month(month: int, evidence: Evidence) -> bool:
    names = {_MONTHS[month - 1], _MONTHS[month - 1][:3]}
    if names & evidence.words:
        return True
    bounds = {Decimal(month + 1), Decimal(month - 1)}
    compared = bool(bounds & evidence.numbers) and evidence.any_of(("gt", "lt"))
    by_number = "month" in evidence.words and (Decimal(month) in evidence.numbers or compared)
    return by_number or any(day.month in (month, month % 12 + 1) for day in evidence.dates)
