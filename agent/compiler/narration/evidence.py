"""Evidence: numbers, dates, texts, names and functions that the structured elements of a specification carry.

The words of a description are compared with it (`agent.compiler.narration.unread`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

_SQL = re.compile(
    r"'(?P<text>(?:[^']|'')*)'|\"(?P<quoted>[^\"]*)\"|`(?P<ticked>[^`]*)`"
    r"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w]))|(?P<name>[^\W\d]\w*)|(?P<sign><>|!=|<=|>=|::|\|\||\S)"
)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_REFERS = re.compile(r"['(\"`]|^\s*[^\W\d]\w*(?:\.[^\W\d]\w*)*\s*$")
"""A value that may be SQL: a list in brackets, or the name of a column."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIDES = {">": "after", "<=": "after", ">=": "before", "<": "before"}
"""Where a comparison cuts the numbers: just after its value, or just before it."""
_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_SIGN_FACTS = {"!=": "negation", "<>": "negation", "/": "division", "-": "minus", "||": "concat", "*": "product"}
_WORD_FACTS = {
    "not": "negation", "exists": "exists", "case": "case", "when": "case", "distinct": "distinct", "over": "window",
    "partition": "partition", "like": "like", "ilike": "like", "rlike": "like", "in": "in", "null": "null",
    "interval": "interval", "desc": "desc", "or": "or", "rows": "frame", "filter": "case", "if": "case",
    "coalesce": "coalesce", "nvl": "coalesce", "ifnull": "coalesce", "decode": "case", "iff": "case",
}  # fmt: skip


class NumberCut(NamedTuple):
    """A place between the numbers, or the days, where a comparison divides them: `after` or `before` a value."""

    side: str
    value: Decimal | dt.date


class WrittenComparison(NamedTuple):
    """A comparison of a filter, as it was written."""

    operator: str
    value: Decimal | dt.date


@dataclass
class Evidence:
    """Everything that the structured elements carry, whatever its place."""

    numbers: set[Decimal] = field(default_factory=set)
    dates: set[dt.date] = field(default_factory=set)
    cuts: set[NumberCut] = field(default_factory=set)
    orders: set[WrittenComparison] = field(default_factory=set)
    """Comparisons of filters alone: those of a CASE also say their opposite."""
    facts: set[str] = field(default_factory=set)
    """Kinds of elements and of SQL that occur, as `filter`, `negation`, and functions as `f:sum`."""
    names: set[str] = field(default_factory=set)
    """Identifiers and texts in lower case."""
    words: set[str] = field(default_factory=set)
    """The words that identifiers and texts are made of, in lower case."""
    keys: set[str] = field(default_factory=set)
    """The words of all elements but joins, filters and selected columns."""
    texts: list[str] = field(default_factory=list)
    """Literal texts in lower case."""
    group_by: set[str] = field(default_factory=set)
    """NamesInPassing of the columns that rows are grouped by, in lower case and without table."""
    rounding: set[Decimal] = field(default_factory=set)
    """Numbers of decimals that values are rounded to."""
    counts: set[int] = field(default_factory=set)
    """Numbers of alternatives: parts of an OR, values of an IN, results of a CASE, columns of a group."""
    windows: set[str] = field(default_factory=set)
    """NamesInPassing of columns that look at other rows."""
    filtered: set[str] = field(default_factory=set)
    """NamesInPassing that filters compare."""

    def any_of(self, facts: Iterable[str]) -> bool:
        """True when one of the facts holds."""
        return not self.facts.isdisjoint(facts)

    def add_value(self, value: object) -> None:
        """Add a value of a filter or a parameter of a step."""
        if isinstance(value, bool) or value is None:
            self.words.add(str(value).lower())
        elif isinstance(value, int | float | Decimal):
            self.numbers.add(Decimal(str(value)))
        elif isinstance(value, str):
            self._add_text(value)
            if _REFERS.search(value):
                self.add_sql(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.add_name(str(key))
                self.add_value(item)
        elif isinstance(value, list | tuple):
            self.counts.add(len(value))
            for item in value:
                self.add_value(item)

    def add_name(self, name: str) -> None:
        """Add the name of a column or a table."""
        lower = name.strip().lower()
        self.names |= {lower, lower.rpartition(".")[2].strip('`"')}
        self.words |= set(_PARTS.findall(_CAMEL.sub(" ", name).lower()))

    def compare(self, operator: str, value: object, of_filter: bool = False) -> None:
        """Add the comparison of something with a value."""
        for bound, sign in _bounds(operator, value):
            found = as_date(bound) or as_number(bound)
            if found is None:
                continue
            sides = [_SIDES[sign]] if sign in _SIDES else ["before", "after"]
            self.cuts |= {NumberCut(side, found) for side in sides}
            if of_filter:
                self.orders.add(WrittenComparison(sign, found))

    def add_sql(self, text: str, of_filter: bool = False) -> None:
        """Add the names, values and functions of an expression."""
        tokens = [_Token(*item) for item in sql_tokens(text)]
        for position, token in enumerate(tokens):
            following = tokens[position + 1 : position + 3]
            if token.text == "*" and (position == 0 or tokens[position - 1].text in ("(", ".", ",")):
                continue
            self._add_token(token, following)
            if token.kind == "sign" and token.text in _SIDES and following:
                self._add_comparison(tokens, position, of_filter)
        self._add_ranges(tokens, of_filter)
        self._add_counts([token.text.lower() for token in tokens if token.kind in ("name", "sign")])

    def _add_token(self, token: _Token, following: list[_Token]) -> None:
        if token.kind == "text":
            self._add_text(token.text)
        elif token.kind == "number":
            self.numbers.add(Decimal(token.text))
        elif token.kind == "sign":
            self.facts.add(_SIGN_FACTS.get(token.text, token.text))
        else:
            self.add_name(token.text)
            word = token.text.lower()
            if word in _WORD_FACTS and token.kind == "name":
                self.facts.add(_WORD_FACTS[word])
            if following and following[0].text == "(" or word.startswith("current_"):
                self.facts.add(f"f:{word}")
                if word == "count" and len(following) > 1 and following[1].text.lower() == "distinct":
                    self.facts.add("count_distinct")

    def _add_comparison(self, tokens: list[_Token], position: int, of_filter: bool) -> None:
        """Add `column > 3`, and `3 > column` turned round."""
        sign, right = tokens[position].text, tokens[position + 1]
        left = tokens[position - 1] if position else None
        minus = right.text == "-" and len(tokens) > position + 2
        value = f"-{tokens[position + 2].text}" if minus else right.text
        if right.kind in ("number", "text") or minus:
            self.compare(sign, _moved(tokens, position + 1) if right.kind == "text" else value, of_filter)
        elif right.text.lower() in ("date", "timestamp") and len(tokens) > position + 2:
            self.compare(sign, _moved(tokens, position + 2), of_filter)
        elif left is not None and left.kind in ("number", "text"):
            self.compare(_TURNED[sign], left.text, of_filter)
        else:
            self.facts.add("level")
        self.facts.add({">": "gt", ">=": "ge", "<": "lt", "<=": "le"}[sign])

    def _add_ranges(self, tokens: list[_Token], of_filter: bool) -> None:
        """Add the bounds of BETWEEN, the values of `=` and IN, and the decimals of ROUND."""
        for position, token in enumerate(tokens):
            word = token.text.lower() if token.kind == "name" else token.text
            if word == "between":
                values = [one.text for one in tokens[position + 1 : position + 7] if one.kind in ("number", "text")]
                self.compare("BETWEEN", values[:2], of_filter)
                self.facts |= {"between", "ge", "le"}
            elif token.kind == "sign" and word == "=" and position + 1 < len(tokens):
                self.compare("=", tokens[position + 1].text, of_filter)
                self.facts.add("eq")
            elif token.kind == "name" and word in ("least", "greatest"):
                for one in tokens[position + 1 : position + 40]:
                    self.compare("=", one.text)
            elif token.kind == "name" and word in ("round", "trunc", "truncate", "bround"):
                self.rounding |= _decimals(tokens, position + 1)

    def _add_counts(self, words: list[str]) -> None:
        """Add how many alternatives stand side by side, in whatever bracket."""
        results = words.count("when")
        self.counts |= {words.count("or") + 1, results, results + words.count("else")}
        listed = words.index("in") if "in" in words else len(words)
        self.counts.add(words[listed:].count(",") + 1)

    def _add_text(self, text: str) -> None:
        lower = text.strip().lower()
        self.texts.append(lower)
        self.names.add(lower)
        self.words |= set(_PARTS.findall(_DATE.sub(" ", lower)))
        for found in _DATE.findall(lower):
            self.dates |= {day for day in [_day(*found)] if day}
        if _NUMBER.fullmatch(lower):
            self.numbers.add(Decimal(lower))


class _Token(NamedTuple):
    kind: str
    text: str


def add_interval(day: dt.date, sign: str, count: Decimal, unit: str) -> dt.date | None:
    """A day moved by days, weeks, months or years; None for other units, fractions and days that do not exist."""
    amount = int(count) * (-1 if sign == "-" else 1)
    unit = unit.lower().rstrip("s")
    try:
        if unit in ("day", "week"):
            return day + dt.timedelta(days=amount * (7 if unit == "week" else 1))
        months = day.year * 12 + day.month - 1 + amount * {"month": 1, "quarter": 3, "year": 12}[unit]
        return day.replace(year=months // 12, month=months % 12 + 1)
    except (KeyError, ValueError, OverflowError):
        return None


def _moved(tokens: list[_Token], position: int) -> str:
    """The day at a position, after the interval that is added or subtracted behind it."""
    written = tokens[position].text
    behind = [one.text for one in tokens[position + 1 : position + 12] if one.text not in ("(", ":", "::")]
    if behind[:1] == ["date"]:
        behind = behind[1:]
    day = as_date(written)
    if day is None or len(behind) < 3 or behind[0] not in ("+", "-"):
        return written
    parts = " ".join(behind[2:4]).replace("'", " ").split() if behind[1].lower() == "interval" else [behind[1], "day"]
    count = as_number(parts[0]) if len(parts) > 1 else None
    moved = add_interval(day, behind[0], count, parts[1]) if count is not None else None
    return moved.isoformat() if moved else written


def sql_tokens(text: str) -> Iterator[tuple[str, str]]:
    """The tokens of SQL text, each with its kind: text, quoted, ticked, number, name or sign."""
    for found in _SQL.finditer(text):
        yield str(found.lastgroup), found[found.lastgroup or 0]


def _decimals(tokens: list[_Token], opening: int) -> set[Decimal]:
    """The number after the last comma of the call that opens there; 0 when there is one argument."""
    depth, last = 0, Decimal(0)
    for position in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position].text, 0)
        if depth == 0:
            break
        if depth == 1 and tokens[position].text == "," and position + 1 < len(tokens):
            last = as_number(tokens[position + 1].text) or Decimal(0)
    return {last}


def _bounds(operator: str, value: object) -> list[tuple[object, str]]:
    """The values of a comparison, each with its own operator."""
    if "BETWEEN" in operator and isinstance(value, list | tuple) and len(value) == 2:
        return [(value[0], ">="), (value[1], "<=")]
    values = value if isinstance(value, list | tuple) else [value]
    return [(one, operator) for one in values]


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def as_date(value: object) -> dt.date | None:
    """The day that a text begins with."""
    found = _DATE.match(value.strip()) if isinstance(value, str) else None
    return _day(*found.groups()) if found else None


def as_number(value: object) -> Decimal | None:
    """The number in a value or in its text."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def plain(element: object) -> object:
    """An element as plain data: dictionaries, lists and values."""
    if dataclasses.is_dataclass(element) and not isinstance(element, type):
        return {one.name: plain(getattr(element, one.name)) for one in dataclasses.fields(element)}
    if isinstance(element, tuple) and hasattr(element, "_asdict"):
        return {key: plain(value) for key, value in element._asdict().items()}
    return [plain(one) for one in element] if isinstance(element, list | tuple) else element
