"""Quantities of a description: numbers and comparisons with them, compared with the evidence of the fields."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from agent.compiler.narration.evidence import Evidence, NumberCut
from agent.compiler.narration.said_numbers import ALTERNATIVES, Said, said_at
from agent.compiler.narration.word_tokens import LETTERS, WordToken, texts_beside, word_set


def _phrases(lines: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """The phrases of a table, the longest first, each with its operator."""
    found = [(tuple(one.split()), sign) for sign, phrases in lines.items() for one in phrases.split("|")]
    return sorted(found, key=lambda one: -len(one[0]))


_THAN = "|".join(
    f"{word} than" for word in ["more", "greater", "larger", "higher", "longer", "older", "later", "bigger"]
)
_LESS = "|".join(f"{word} than" for word in ["less", "fewer", "lower", "smaller", "shorter", "younger", "earlier"])
_EQUAL = {
    sign: "|".join(f"{one} or equal to" for one in phrases.split("|"))
    for sign, phrases in ((">=", _THAN), ("<=", _LESS))
}
_BEFORE = _phrases({
    ">=": "at least|no less than|no fewer than|not less than|minimum of|minimum|> =|>=|≥|starting at|starting from|"
          f"{_EQUAL['>=']}|greater or equal to|not below|not under",
    "<=": "at most|no more than|not more than|up to|maximum of|<=|≤|not exceeding|up to and including|not above|"
          "not over|less or equal to|no later than|capped at|"
          f"{_EQUAL['<=']}",
    ">": f"{_THAN}|over|above|exceeding|exceeds|exceed|exceeded|>|beyond",
    "<": f"{_LESS}|under|below|<",
    "=": "exactly|precisely",
})  # fmt: skip
_AFTER = _phrases({
    ">=": "or more|or greater|or higher|or above|or over|or older|or longer|or later|and above|and over|and up|"
          "and higher|and older|plus|+|or larger|late or more|or better",
    "<=": "or less|or fewer|or lower|or below|or under|or earlier|and below|and under|or smaller|or shorter|or younger|"
          "and younger|and less|or better",
    "=": "exactly",
})  # fmt: skip
_NEEDS = {">=": ("ge", "lt", "gt"), "<=": ("le", "gt", "lt"), ">": ("gt", "le"), "<": ("lt", "ge"), "=": ("eq",)}
"""Facts of which one must hold where a comparison has no number."""
_NUMBERLESS = frozenset(
    (
        "over",
        "under",
        "above",
        "below",
        "up to",
        "up to and including",
        "minimum",
        "minimum of",
        "maximum of",
        "beyond",
        "plus",
    )
)
"""Phrases that compare only where a number, or one of `_LEVELS`, follows."""
_LEVELS = word_set("average mean median threshold limit target overall their its")
_OPPOSITES = {">=": "<", ">": "<=", "<": ">=", "<=": ">", "=": "!="}
TURNING = word_set(
    "exclude excludes excluding excluded remove removes removing drop drops dropping without ignore ignores ignoring "
    "skip skips not unless except discard discards omit omits other otherwise eliminate filter"
)
"""Words that turn a condition round: `exclude orders below 10` keeps those of 10 or more."""
_COMPARING = word_set("zero negative positive late early future")
_CALENDAR = {
    "hour": "0 23",
    "quarter": "1 4",
    "month": "1 12",
    "day": "1 31",
    "week": "1 53",
    "weekday": "1 7",
    "minute": "0 59",
}
WEEKDAY_PARTS = word_set("dow isodow weekday dayofweek")
"""Parts of a date that number the days of a week."""
_CUTTING = ("f:substring", "f:substr", "f:left", "f:right", "f:split_part", "f:lpad", "f:rpad", "f:regexp_extract")
"""Functions whose numbers count letters."""
_QUARTER_FACTS = frozenset(("f:quarter", "f:date_trunc", "f:date_part"))


def untold_quantities(tokens: list[WordToken], evidence: Evidence, taken: set[int]) -> Iterator[tuple[int, int]]:
    """First and last positions of the quantities that nothing carries. Marks in `taken` what was read as a quantity."""
    turned = any(token.text in TURNING for token in tokens)
    position = 0
    while position < len(tokens):
        if position in taken:
            position += 1
            continue
        sign, length = _phrase_at(tokens, position, _BEFORE)
        said = _number_near(tokens, position + length, bool(sign))
        if said is None:
            if sign and _compares_alone(tokens, position, length):
                taken |= {*range(position, position + length)}
                if not evidence.any_of(_NEEDS[sign]) or not _has_level(tokens, position + length, evidence):
                    yield position, position + length - 1
            position += max(length, 1)
            continue
        after, more = _sign_after(tokens, said) if not sign else ("", 0)
        last = said.last + more
        taken |= {*range(position, last + 1)}
        loose = length == 2 and tokens[position].text == "up" and "case" in evidence.facts
        counted = tokens[position].text == "starting" and said.value == 1 and "rank" in evidence.facts
        if not counted and not _is_carried(said, "" if loose else sign or after, evidence, turned, tokens):
            yield position, last
        position = last + 1


def _phrase_at(tokens: list[WordToken], position: int, phrases: list[tuple[tuple[str, ...], str]]) -> tuple[str, int]:
    """The operator of the phrase at a position, and the phrase's length; empty and 0 where there is none."""
    ahead = tuple(token.text for token in tokens[position : position + 6])
    for words, sign in phrases:
        if ahead[: len(words)] == words:
            return sign, len(words)
    return "", 0


def _number_near(tokens: list[WordToken], position: int, compared: bool) -> Said | None:
    """The number at a position, behind a currency sign or an article."""
    while (
        compared and position < len(tokens) and tokens[position].text in ("$", "€", "£", "usd", "eur", "the", "of", "'")
    ):
        position += 1
    return said_at(tokens, position, compared) if position < len(tokens) else None


def _compares_alone(tokens: list[WordToken], position: int, length: int) -> bool:
    """True when a comparison without a number compares rows: `greater than the average`, not `over all lines`."""
    phrase = " ".join(token.text for token in tokens[position : position + length])
    ahead = [token.text for token in tokens[position + length : position + length + 3]]
    if phrase in ("<", ">", "<=", ">=", "≥", "≤", "+", "> ="):
        return False
    if phrase in _NUMBERLESS:
        return not _LEVELS.isdisjoint(ahead) and ahead[:1] not in (["their"], ["its"])
    return ahead[:1] not in (["once"], ["just"])


def _has_level(tokens: list[WordToken], position: int, evidence: Evidence) -> bool:
    """True unless an average or another level follows, and no field compares with anything but a value."""
    ahead = {token.text for token in tokens[position : position + 4]}
    return ahead.isdisjoint(("average", "mean", "median")) or "level" in evidence.facts


def _sign_after(tokens: list[WordToken], said: Said) -> tuple[str, int]:
    """The operator of a phrase behind a number, with the words between: `120 minutes or more`."""
    for gap in range(3):
        sign, length = _phrase_at(tokens, said.last + 1 + gap, _AFTER)
        if sign:
            plus_sign = tokens[said.last + 1 + gap].text == "+" and gap
            return ("", 0) if plus_sign else (sign, gap + length)
        if said.last + 1 + gap >= len(tokens) or tokens[said.last + 1 + gap].kind != "word":
            break
    return "", 0


def _is_carried(said: Said, sign: str, evidence: Evidence, turned: bool, tokens: list[WordToken]) -> bool:
    if said.unit == "decimals":
        return said.value in evidence.rounding
    if sign:
        return any(_is_compared(value, sign, evidence, turned) for value in said.values)
    minus = said.first > 0 and tokens[said.first - 1].text in ("-", "−", "minus")
    if not evidence.numbers.isdisjoint((*said.values, *(-value for value in said.values if minus))):
        return True
    return (
        _is_near(said, evidence)
        or _is_scale(said, tokens, evidence)
        or _is_of_quarters(said, tokens, evidence)
        or _counts_parts(said, tokens, evidence)
        or _is_best(said, tokens, evidence)
        or _is_day_of_month(said, tokens, evidence)
    )


def _counts_parts(said: Said, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for a number of alternatives, letters aside: `three salary bands` beside a CASE of three results."""
    behind = [token.text for token in tokens[said.last + 1 : said.last + 6]]
    if not LETTERS.isdisjoint(behind[:1]):
        cut = said.first > 0 and tokens[said.first - 1].text in ("first", "last", "leading", "trailing")
        return not cut and not evidence.any_of(_CUTTING)
    return not ALTERNATIVES.isdisjoint(behind) and said.value in evidence.counts


def _is_day_of_month(said: Said, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for `31st` beside a date of that day."""
    ordinal = said.last > said.first and tokens[said.last].text in ("st", "nd", "rd", "th")
    return ordinal and any(day.day == said.value for day in evidence.dates)


def _is_best(said: Said, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for the legend of ranks: `1 = best`."""
    legend = said.last + 2 < len(tokens) and tokens[said.last + 1].text in ("=", ":")
    return legend and said.value == 1 and tokens[said.last + 2].kind == "word" and "rank" in evidence.facts


def _is_compared(value: Decimal, sign: str, evidence: Evidence, turned: bool) -> bool:
    """True when a comparison of the same meaning exists: `more than 5` is `> 5` or, for whole numbers, `>= 6`."""
    if sign == "=":
        both = {NumberCut("before", value), NumberCut("after", value)}
        return both <= evidence.cuts or (value in evidence.numbers and evidence.any_of(("limit", "rank", *_CUTTING)))
    side = "before" if sign in (">=", "<") else "after"
    cuts = {NumberCut(side, value)}
    if value == value.to_integral_value():
        cuts.add(NumberCut("after", value - 1) if side == "before" else NumberCut("before", value + 1))
    if sign == "<=" and value in evidence.numbers and evidence.any_of(("limit", "rank", "f:least")):
        return True
    if evidence.cuts.isdisjoint(cuts):
        return False
    if turned:
        return True
    written = {one.operator for one in evidence.orders if one.value == value}
    return not (_OPPOSITES[sign] in written and sign not in written and "case" not in evidence.facts)


def _is_near(said: Said, evidence: Evidence) -> bool:
    """True for the end of a range whose bound a field writes as the next whole number: `1-2` beside `< 3`."""
    if said.value != said.value.to_integral_value() or said.unit == "decimals":
        return False
    return (
        not evidence.cuts.isdisjoint({NumberCut("before", said.value + 1), NumberCut("after", said.value - 1)})
        and "case" in evidence.facts
    )


def _is_scale(said: Said, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for the ends of a scale, as `0-100`, and of a calendar's part, as `hour (0-23)`."""
    if not evidence.words.isdisjoint(WEEKDAY_PARTS) and texts_beside(tokens, said.first) & {"monday", "sunday"}:
        return 0 <= said.value <= 7
    around = [token.text for token in tokens[max(0, said.first - 2) : said.last + 3]]
    texts = {text.rstrip("s") for text in texts_beside(tokens, said.first)}
    ends = ["0 1", "0 100", *(ends for part, ends in _CALENDAR.items() if part in texts)]
    pairs = {f"{left} {right}" for left, joint, right in zip(around, around[1:], around[2:], strict=False)
             if joint in ("-", "–", "to", "and", "or", "through")}  # fmt: skip
    return any(pair in ends for pair in pairs)


def _is_of_quarters(said: Said, tokens: list[WordToken], evidence: Evidence) -> bool:
    """True for months or numbers of quarters where a field computes the quarter: `1-3 = Q1`."""
    divides = "division" in evidence.facts and Decimal(3) in evidence.numbers
    computed = evidence.any_of(_QUARTER_FACTS) or divides or "quarter" in evidence.words and "case" in evidence.facts
    tells = not texts_beside(tokens, said.first).isdisjoint(("q1", "q4", "quarter"))
    return computed and tells and 1 <= said.value <= 12
