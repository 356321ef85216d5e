"""Days of a description: dates, years, quarters, months, days of the week, compared with the evidence of the fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from agent.compiler.narration.evidence import Evidence, NumberCut, add_interval
from agent.compiler.narration.quantities import TURNING, WEEKDAY_PARTS
from agent.compiler.narration.said_numbers import ordinal, said_at
from agent.compiler.narration.said_periods import MONTH_NUMBERS, MONTHS, Period, period_at, quarter_of
from agent.compiler.narration.word_tokens import WordToken, texts_beside, word_list, word_set

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
_ONE_DAY = dt.timedelta(days=1)


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
        span = period_at(tokens, position)
        if span is not None:
            first, last, carried = _told(span, tokens, evidence)
            taken |= {*range(first, last + 1)}
            if not carried:
                yield first, last
            position = last + 1
            continue
        last, carried = _loose_at(tokens, position, evidence, strict)
        if last >= position:
            taken |= {*range(position, last + 1)}
            if not carried:
                yield position, last
            position = last
        position += 1


def _told(span: Period, tokens: list[WordToken], evidence: Evidence) -> tuple[int, int, bool]:
    """First and last position of a period with the comparison beside it, and whether a field carries it."""
    shifted = _shifted(span, tokens, evidence)
    if shifted is not None:
        return shifted[0], span.last, shifted[1]
    sign, first = _lead(tokens, span.first)
    behind = tuple(token.text for token in tokens[span.last + 1 : span.last + 3])
    more = next((length for length in (2, 1) if behind[:length] in _TRAILS), 0) if not sign else 0
    sign = _TRAILS[behind[:more]] if more else sign
    carried = _is_carried(span, sign, tokens, evidence) and not _is_opposed(span, sign, tokens, evidence)
    return first, span.last + more, carried


_OPPOSED = {"<": (">", ">="), "<=": (">", ">="), ">": ("<", "<="), ">=": ("<", "<=")}


def _is_opposed(span: Period, sign: str, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True where filters keep the days on the other side alone: `before 2020` beside `>= 2020-01-01`."""
    if not sign or any(token.text in TURNING for token in tokens):
        return False
    edges = (span.low, span.low - _ONE_DAY, span.high, span.high + _ONE_DAY)
    written = {one.operator for one in evidence.orders if one.value in edges}
    return bool(written) and written <= {*_OPPOSED[sign]}


_TRAILS: dict[tuple[str, ...], str] = {
    ("or", "later"): ">=", ("or", "newer"): ">=", ("and", "later"): ">=", ("or", "after"): ">=", ("onwards",): ">=",
    ("onward",): ">=", ("and", "after"): ">=", ("or", "earlier"): "<=", ("and", "earlier"): "<=",
    ("or", "before"): "<=", ("or", "older"): "<=",
}  # fmt: skip
"""Comparisons behind a day or a year."""
_SHIFTS = {
    ("before",): "before", ("prior", "to"): "before", ("ahead", "of"): "before", ("earlier", "than"): "before",
    ("after",): "after", ("later", "than"): "after", ("past",): "after",
}  # fmt: skip
_LIMITS = {
    ("at", "least"): "far", ("more", "than"): "far", ("no", "less", "than"): "far", ("at", "most"): "near",
    ("within",): "near", ("less", "than"): "near", ("no", "more", "than"): "near", ("up", "to"): "near",
}  # fmt: skip


def _shifted(span: Period, tokens: list[WordToken], evidence: Evidence) -> tuple[int, bool] | None:
    """First position of `at least 90 days before 1998-12-01`, and whether a field computes or compares that day."""
    for length in (2, 1):
        shift = _SHIFTS.get(tuple(token.text for token in tokens[max(0, span.first - length) : span.first]))
        start = span.first - length - 2
        said = said_at(tokens, start, True) if shift and start >= 0 else None
        if said is None or said.unit != "time" or said.last != start + 1 or span.low != span.high:
            continue
        first, limit = start, ""
        for words in _LIMITS:
            if tuple(token.text for token in tokens[max(0, start - len(words)) : start]) == words:
                first, limit = start - len(words), _LIMITS[words]
        moved = add_interval(span.low, "-" if shift == "before" else "+", said.value, tokens[start + 1].text)
        apart = span.low in evidence.dates and said.value in evidence.numbers
        if moved is None or (apart and evidence.any_of(("f:date_sub", "f:date_add", "f:add_months", "f:dateadd"))):
            return first, apart
        until, since = _cuts(moved - _ONE_DAY, moved), _cuts(moved, moved + _ONE_DAY)
        wanted = {*until, *since}
        if limit:
            wanted = since if (limit == "far") == (shift == "before") else until
        return first, not evidence.cuts.isdisjoint(wanted)
    return None


def _lead(tokens: list[WordToken], first: int) -> tuple[str, int]:
    """The comparison before a day, and the position where it begins."""
    start = [token.text for token in tokens[max(0, first - 3) : first]]
    if start[-2:] in (["start", "of"], ["beginning", "of"]):
        first -= 3 if start[0] == "the" else 2
    for length in (4, 3, 2, 1):
        words = tuple(token.text for token in tokens[max(0, first - length) : first])
        if words in _LEADS and len(words) == length:
            return _LEADS[words], first - length
    return "", first


def _is_carried(span: Period, sign: str, tokens: list[WordToken], evidence: Evidence) -> bool:
    written = tokens[span.first].text
    if not sign and (written in evidence.words or written in evidence.names or _holds_number(span, tokens, evidence)):
        return True
    low, high = _cuts(span.low - _ONE_DAY, span.low), _cuts(span.high, span.high + _ONE_DAY)
    has_low, has_high = not evidence.cuts.isdisjoint(low), not evidence.cuts.isdisjoint(high)
    if span.of_years and not sign:
        has_low = has_low or _year_cut(span.low.year, "before", evidence)
        has_high = has_high or _year_cut(span.high.year, "after", evidence)
    if sign in ("<", ">="):
        return has_low or _year_cut(span.low.year, "before", evidence)
    if sign in ("<=", ">"):
        return has_high or _year_cut(span.high.year, "after", evidence)
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


def _holds_number(span: Period, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True when the years, or the year and the month, occur as numbers."""
    numbers = {Decimal(int(one.text)) for one in tokens[span.first : span.last + 1] if one.kind == "number"}
    numbers |= {Decimal(span.low.year), Decimal(span.low.month)} if span.low.month == span.high.month else set()
    return bool(numbers) and numbers <= evidence.numbers


def _year_cut(named: int, side: str, evidence: Evidence) -> bool:
    """True when a number is compared with the year, as `year >= 2010`."""
    year, step = Decimal(named), 1 if side == "after" else -1
    other = "before" if side == "after" else "after"
    return not evidence.cuts.isdisjoint({NumberCut(side, year), NumberCut(other, year + step)})


def _is_narrower(span: Period, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for a year whose months or quarter stand beside it, when the fields hold days of it."""
    beside = texts_beside(tokens, span.first)
    if (span.low.month, span.high.month) != (1, 12):
        return False
    narrower = beside & {"quarter", "half", "month", "summer", "winter", "week", *MONTHS, "q1", "q2", "q3", "q4"}
    return bool(narrower) and any(span.low <= day <= span.high for day in evidence.dates)


def _loose_at(tokens: list[WordToken], position: int, evidence: Evidence, strict: bool) -> tuple[int, bool]:
    """Last position of a quarter, a month or a day of the week without a year, and whether a field carries it."""
    token, before = tokens[position], tokens[position - 1].text if position else ""
    quarter, last = quarter_of(token.text), position
    if (
        quarter is None
        and ordinal(token.text)
        and position + 1 < len(tokens)
        and tokens[position + 1].text == "quarter"
    ):
        quarter, last = ordinal(token.text), position + 1
    if quarter is not None:
        return last, _carriesquarter_of(quarter, evidence, strict)
    if token.text in _WEEK:
        held = token.text.rstrip("s") in evidence.words or not evidence.words.isdisjoint(WEEKDAY_PARTS)
        return position, held or evidence.any_of(_WEEK_FACTS)
    month = MONTH_NUMBERS.get(token.text)
    if (
        month is None
        or token.written[0].islower()
        or (token.text in ("may", "march", "mar") and before not in _MONTH_LEADS)
    ):
        return position - 1, True
    return position, _carries_month(month, evidence) or _tells_quarters(tokens, position, evidence)


def _carriesquarter_of(quarter: int, evidence: Evidence, strict: bool) -> bool:
    names = "quarter" in evidence.words or "f:quarter" in evidence.facts
    if f"q{quarter}" in evidence.words or (names and (not strict or Decimal(quarter) in evidence.numbers)):
        return True
    low, high = 3 * quarter - 2, 3 * quarter
    by_days = any(day.month in (low, high, high % 12 + 1) for day in evidence.dates)
    return by_days or {Decimal(low), Decimal(high)} <= evidence.numbers


def _tells_quarters(tokens: list[WordToken], position: int, evidence: Evidence) -> bool:
    """True for the months of a quarter where a field holds quarters: `Q1 = January to March`."""
    tells = any(quarter_of(text) or text == "quarter" for text in texts_beside(tokens, position))
    return tells and ("quarter" in evidence.words or "f:quarter" in evidence.facts)


def _carries_month(month: int, evidence: Evidence) -> bool:
    names = {MONTHS[month - 1], MONTHS[month - 1][:3]}
    if names & evidence.words:
        return True
    bounds = {Decimal(month + 1), Decimal(month - 1)}
    compared = bool(bounds & evidence.numbers) and evidence.any_of(("gt", "lt"))
    by_number = not evidence.words.isdisjoint(("month", "moy", "mon", "mth")) and (
        Decimal(month) in evidence.numbers or compared
    )
    return by_number or any(day.month in (month, month % 12 + 1) for day in evidence.dates)
