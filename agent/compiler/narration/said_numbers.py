"""Numbers of a description: digits and number words with their magnitude, percent sign and unit of time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from agent.compiler.narration.word_tokens import LETTERS, WordToken, word_list, word_set

_UNITS = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = word_list("twenty thirty forty fifty sixty seventy eighty ninety")
_WORDS = {word: Decimal(value) for value, word in enumerate(_UNITS)} | {
    word: Decimal(20 + 10 * value) for value, word in enumerate(_TENS)
}
_ALONE = {"dozen": Decimal(12), "hundred": Decimal(100), "thousand": Decimal(1000), "million": Decimal(10**6)}
_MAGNITUDES = {
    "hundred": 100, "thousand": 1000, "k": 1000, "million": 10**6, "millions": 10**6, "mn": 10**6, "mio": 10**6,
    "m": 10**6, "billion": 10**9, "bn": 10**9, "b": 10**9, "dozen": 12,
}  # fmt: skip
_GLUED = {"k", "m", "b", "mn", "bn"}
"""Magnitudes that stand directly behind the digits."""
_TIMES: dict[str, tuple[Decimal, ...]] = {
    name: tuple(Decimal(factor) for factor in factors)
    for names, factors in (
        ("second seconds sec secs", ("1", "1000")),
        ("minute minutes min mins", ("1", "60")),
        ("hour hours hr hrs h", ("1", "60", "3600")),
        ("day days", ("1", "24", "1440", "86400")),
        ("week weeks", ("1", "7")),
        ("month months", ("1",)),
        ("year years", ("1", "12", "365")),
    )
    for name in names.split()
}
_PERCENT = ("%", "percent", "pct", "percentage")
_ORDINALS = {
    word: number
    for number, word in enumerate(["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"], 1)
}
_LABELS = word_set(
    "step phase version query iso rfc sha utf section rule ticket page level type layer tier stage v chapter item "
    "requirement table figure issue task port part tpc-h tpch python spark code group"
)
"""Words whose number is a label: `step 2`."""
_COUNTED = word_set(
    "table tables source sources column columns field fields dataset datasets metric metrics category categories class "
    "classes bucket buckets level levels step steps character-long "
    "flag flags relation relations way ways input inputs branches attributes dimensions part parts measures"
)
"""Nouns whose number describes the shape of the work."""
_ABOUT = word_set("about around approximately approx roughly circa ~ some")
_ROWS = word_set("row rows record records entries")
"""Behind a rough number: the size of a table."""
ALTERNATIVES = word_set(
    "profiles combinations bands cases conditions criteria alternatives variants tiers brackets options "
    "statuses joins filters aggregations rates figures totals states kinds types segments scenarios categories "
    "classes buckets levels groups rules"
)
"""Nouns whose number counts the parts of a condition, of a list or of a CASE."""


@dataclass(frozen=True)
class Said:
    """A number that is said, with the values that a field may hold for it."""

    first: int
    last: int
    """Positions of its first and last token, unit included."""
    value: Decimal
    values: tuple[Decimal, ...]
    unit: str = ""
    """`decimals`, `time`, `percent`, `ordinal`, or empty."""


def ordinal(word: str) -> int | None:
    """The number of an ordinal word."""
    return _ORDINALS.get(word)


def said_at(tokens: list[WordToken], position: int, after_comparison: bool = False) -> Said | None:
    """The number that begins at a position; None where there is none, or where it is no value."""
    value, last = _number(tokens, position, after_comparison)
    if value is None or _is_label(tokens, position, last, after_comparison):
        return None
    following = _text(tokens, last + 1)
    if following == "-" and _text(tokens, last + 2) in {*_TIMES, "day"}:
        last, following = last + 1, _text(tokens, last + 2)
    if following in _PERCENT or (following in ("-", "–", "to", "and") and _percent_range(tokens, last + 1)):
        last += following in _PERCENT
        share = value / 100
        return Said(position, last, value, (value, share, 1 - share, 1 + share), "percent")
    if following in ("decimal", "decimals", "decimal-place") or (following == "fractional"):
        return Said(position, last + 1, value, (), "decimals")
    if following in ("am", "pm"):
        values = tuple(Decimal(factor) * (value + late) for factor in (1, 100) for late in (0, 12))
        return Said(position, last + 1, value, values, "time")
    if following in _TIMES:
        values = tuple(dict.fromkeys(value * factor for factor in _TIMES[following]))
        return Said(position, last + 1, value, values, "time")
    return Said(position, last, value, (value,))


def _number(tokens: list[WordToken], position: int, after_comparison: bool) -> tuple[Decimal | None, int]:
    """The number at a position with its magnitude, and the position of its last token."""
    token = tokens[position]
    if token.kind == "number":
        value = Decimal(token.text.replace(",", ""))
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if following is None or following.text not in _MAGNITUDES:
            suffix = (
                following is not None and following.start == token.end and following.text in ("st", "nd", "rd", "th")
            )
            return value, position + suffix
        glued = following.start == token.end
        if following.text in _GLUED and not glued:
            return value, position
        return value * _MAGNITUDES[following.text], position + 1
    return _spelled(tokens, position, after_comparison)


def _spelled(tokens: list[WordToken], position: int, after_comparison: bool) -> tuple[Decimal | None, int]:
    """A number in words: `twenty-five`, `four hundred million`."""
    total, last = Decimal(0), position - 1
    for place in range(position, min(position + 8, len(tokens))):
        parts = tokens[place].text.split("-")
        if all(part in _WORDS for part in parts):
            total += sum(_WORDS[part] for part in parts)
        elif tokens[place].text in _MAGNITUDES and total and tokens[place].text not in _GLUED:
            total *= _MAGNITUDES[tokens[place].text]
        else:
            break
        last = place
    if last >= position:
        alone = tokens[position].text == "one" and last == position and not after_comparison
        return (None if alone else total), last
    article = tokens[position].text in ("a", "an") and after_comparison
    if article and _text(tokens, position + 1) in {*_TIMES, *_ALONE}:
        return _ALONE.get(_text(tokens, position + 1), Decimal(1)), position + (_text(tokens, position + 1) in _ALONE)
    return None, position


def _is_label(tokens: list[WordToken], first: int, last: int, after_comparison: bool) -> bool:
    """True for a number that names or counts something outside the rows."""
    before, after = _text(tokens, first - 1), _text(tokens, last + 1)
    if last + 1 < len(tokens) and tokens[last + 1].start == tokens[last].end and _is_glued(tokens[last + 1]):
        return True
    if before in _ABOUT and after in _ROWS:
        return True
    if before in _LABELS or (before in ("-", "#") and first > 1 and tokens[first - 2].written.isupper()):
        return True
    if after == "-" and _text(tokens, last + 2) in {*_COUNTED, *LETTERS, "day-old", "hour", "way"}:
        return _text(tokens, last + 2) != "hour" or not after_comparison
    if after in (".", ")", ":") and _text(tokens, first - 1) in ("", "(", ".", ";") and tokens[first].kind == "number":
        return first == 0 or _text(tokens, first - 1) == "(" and first == 1 or _starts_line(tokens, first)
    if after in (":", "/") and _text(tokens, last + 2) in ("1", "n", "m"):
        return True
    return after in _COUNTED and not after_comparison and _text(tokens, last + 2) not in ALTERNATIVES


def _is_glued(following: WordToken) -> bool:
    """True for letters directly behind the digits that are no unit: `5xx`."""
    return following.kind in ("word", "name") and following.text not in {
        *_TIMES,
        *_MAGNITUDES,
        *_PERCENT,
        "am",
        "pm",
        "x",
    }


def _starts_line(tokens: list[WordToken], first: int) -> bool:
    return first > 0 and tokens[first - 1].text in (".", ";") and tokens[first].start > tokens[first - 1].end


def _percent_range(tokens: list[WordToken], joint: int) -> bool:
    """True when `-`, `to` or `and` leads to a second number in percent."""
    return joint + 2 < len(tokens) and tokens[joint + 1].kind == "number" and tokens[joint + 2].text in _PERCENT


def _text(tokens: list[WordToken], position: int) -> str:
    return tokens[position].text if 0 <= position < len(tokens) else ""
