"""Units of time, which extract(), date_part(), date_trunc() and trunc() take as a constant."""

from __future__ import annotations

from agent.compiler.expressions.meanings import Dialect

UNIT_PLACES: dict[tuple[Dialect, str], int] = {
    ("spark", "extract"): 0, ("spark", "date_part"): 0, ("spark", "datepart"): 0, ("spark", "date_trunc"): 0,
    ("spark", "trunc"): 1,
    ("postgres", "extract"): 0, ("postgres", "date_part"): 0, ("postgres", "date_trunc"): 0,
}  # fmt: skip
"""Place of the unit, by dialect and function."""

_SYNONYMS = {
    "year": "years yr yrs y yyyy yy",
    "quarter": "quarters qtr q",
    "month": "months mon mons mm",
    "week": "weeks w",
    "day": "days d dd",
    "hour": "hours hr hrs h",
    "minute": "minutes min mins m",
    "second": "seconds sec secs s",
    "millisecond": "milliseconds",
    "microsecond": "microseconds",
    "dow": "dayofweek",
    "isodow": "dow_iso dayofweek_iso",
    "isoyear": "yearofweek",
}
_UNITS = {word: unit for unit, words in _SYNONYMS.items() for word in words.split()}


def unit_of(word: str) -> str:
    """The unit's first name, in small letters; the word itself where it is none."""
    return _UNITS.get(word.lower(), word.lower())
