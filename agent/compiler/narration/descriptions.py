"""Descriptions: the words of a text that could change rows and that no structured field carries."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from agent.compiler.narration.evidence import Evidence, as_date
from agent.compiler.narration.kept_values import unsaid_values
from agent.compiler.narration.quantities import untold_quantities
from agent.compiler.narration.said_days import untold_days
from agent.compiler.narration.said_periods import MONTH_NUMBERS
from agent.compiler.narration.untold_words import untold
from agent.compiler.narration.word_tokens import WordToken, tokens_of, word_set

_PICKING = word_set(
    "top first latest highest lowest largest smallest best worst most newest oldest earliest last bottom longest"
)
_EACH = ("per", "each", "every", "within")
_GROUPING = (*_EACH, "by")
_CAPITALS = word_set(
    "NULL NULLS ID IDS SQL UTC USD EUR GBP AND OR NOT IN IS JOIN INNER LEFT RIGHT OUTER FULL ON KPI ETL "
    "ISO US UK NYC PK FK CSV JSON API HHMM TPC VAT AM PM BY WHERE AS TO THE FOR OF WITH FROM LIKE BETWEEN "
    "ONLY ALL ANY MAX MIN AVG SUM COUNT GROUP ORDER HAVING SELECT DISTINCT CASE WHEN THEN ELSE END TRUE "
    "ICD HR CRM ERP IP HTTP HTTPS SKU IATA ICAO GDP H1 H2 Q1 Q2 Q3 Q4 FY "
    "FALSE DESC ASC YTD MTD DATE ROW RANK URL VIP SLA"
)
"""Words in capitals that are no values of a filter."""
_GROUPED = frozenset(("target", "aggregate", "window", "deduplicate", "limit"))
_OF_ROWS = frozenset(("window", "deduplicate"))
"""Kinds of steps whose keys are their own: a filter does not carry `per year`."""
_REACH = 4
"""Words after `per` that may name a column, and after each `and`."""
_ENDS = word_set("for in with of from where to as including excluding based ordered sorted that who which")
_FILTERS = frozenset(("filter", "having"))


@dataclass(frozen=True)
class NamesInPassing:
    """NamesInPassing that a description may say in passing: tables, aliases, columns."""

    tables: Collection[str] = ()
    columns: frozenset[str] = frozenset()
    """Columns of the sources, in lower case."""
    lower: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Fold the names once."""
        object.__setattr__(self, "lower", frozenset(name.lower().rpartition(".")[2] for name in self.tables))


def unsaid_words(text: str, evidence: Evidence, names: NamesInPassing, step: str = "") -> list[str]:
    """The words of a text that nothing carries, in its order. `step` is the kind of the step that the text narrates."""
    tokens = tokens_of(text)
    taken = _examples(tokens, step) | _whole_values(text, tokens, evidence)
    found = list(_unsaid_names(tokens, evidence, names, step, taken))
    spans = [*untold_days(tokens, evidence, taken, step in _FILTERS), *untold_quantities(tokens, evidence, taken)]
    found += [(first, text[tokens[first].start : tokens[last].end]) for first, last in spans]
    found += untold(tokens, evidence, step, taken)
    found += _unsaid_measures(tokens, evidence, names)
    if step in _FILTERS:
        found += _unsaid_members(tokens, evidence)
    if step != "target":
        found += [(_at(tokens, first), text[first:end]) for first, end in unsaid_values(text, evidence)]
    found += _unsaid_places(tokens, evidence, names)
    found += _uneven_order(tokens, evidence)
    if step != "aggregate":
        found += _unsaid_group(text, tokens, evidence)
    if step in _GROUPED:
        own = evidence.keys if step in _OF_ROWS else evidence.words
        found += _unsaid_keys(tokens, own, names)
    return list(dict.fromkeys(words for _, words in sorted(found)))


def _at(tokens: list[WordToken], start: int) -> int:
    """The position of the token at a place of the text."""
    return sum(token.end <= start for token in tokens)


_RUN = re.compile(r"(?<!\w)\w++(?:[-/.:#]\w++)+")
_EXAMPLES = frozenset(("e.g", "eg", "example", "instance", "i.e"))
_LIKE = frozenset(("like", "as", "formatted"))
"""Words before an example that is a number, a date or a quoted text, outside of filters."""
_SCHEDULE = frozenset(("refreshed", "refreshes", "scheduled", "reloaded", "rerun"))
"""Words that begin what is told of the times of a run."""


def _examples(tokens: list[WordToken], step: str) -> set[int]:
    """Positions of what examples and schedules give, to the end of the bracket or the sentence."""
    found: set[int] = set()
    begun = -1
    for position, token in enumerate(tokens):
        if token.text in _EXAMPLES or token.text in _SCHEDULE or _is_like(tokens, position, step):
            begun = position
        elif (
            token.text in (")", ";")
            or (token.text == "," and tokens[begun].text in _LIKE)
            or (token.text == "." and position > begun + 1)
        ):
            begun = -1
        if begun >= 0:
            found.add(position)
    return found


def _is_like(tokens: list[WordToken], position: int, step: str) -> bool:
    """True before `2024-03` in `a label, like 2024-03`."""
    if step in _FILTERS or step == "target" or tokens[position].text not in _LIKE or position + 1 == len(tokens):
        return False
    apart = position > 0 and tokens[position - 1].text in (",", "(")
    kinds = ("number", "date", "month", "time")
    return tokens[position + 1].kind in kinds and (apart or tokens[position].text != "as")


def _whole_values(text: str, tokens: list[WordToken], evidence: Evidence) -> set[int]:
    """Positions of the tokens of values that are written as a field has them, as `2023-1`."""
    texts = {*evidence.texts}
    starts = {run.start(): run.end() for run in _RUN.finditer(text) if run[0].lower() in texts and not as_date(run[0])}
    found, end = set(), -1
    for position, token in enumerate(tokens):
        end = max(end, starts.get(token.start, -1))
        if token.end <= end:
            found.add(position)
    return found


def _unsaid_names(
    tokens: list[WordToken], evidence: Evidence, names: NamesInPassing, step: str, taken: set[int]
) -> Iterator[tuple[int, str]]:
    """Quoted texts, names of columns, and in filters words in capitals, that no field holds."""
    for position, token in enumerate(tokens):
        before = tokens[position - 1].text if position else ""
        if position in taken:
            continue
        if token.kind == "quoted":
            taken.add(position)
            if not _is_held(token.text, evidence, names):
                yield position, token.written
        elif token.kind == "name":
            taken.add(position)
            known = token.text.rpartition(".")[2] in names.columns or (
                step not in ("", "target") and "." not in token.text
            )
            if known and not _is_held(token.text.strip("`"), evidence, names):
                yield position, token.written
        elif token.kind == "time":
            taken.add(position)
            if not _is_held(token.text, evidence, names) and not _as_clock(token.text, evidence):
                yield position, token.written
        elif step in _FILTERS and _is_capital(token, before) and not _is_held(token.text, evidence, names):
            yield position, token.written


def _as_clock(text: str, evidence: Evidence) -> bool:
    digits = text.replace(":", "").lstrip("0") or "0"
    return any(str(number) == digits for number in evidence.numbers)


def _is_capital(token: WordToken, before: str) -> bool:
    written = token.written
    if not written.isalnum() or not written[0].isalpha() or not written.isupper() or written in _CAPITALS:
        return False
    return len(written) > 1 or (
        written not in "AI" and before in ("or", "and", ",", "(", "flag", "status", "type", "code")
    )


def _is_held(text: str, evidence: Evidence, names: NamesInPassing) -> bool:
    """True when a field holds the text as a name, a value, or a part of a value."""
    bare = text.strip().rpartition(".")[2]
    if {text, bare} & evidence.names or {text, bare} & names.lower or text in evidence.words:
        return True
    words = re.findall(r"\w+", text)
    inside = len(text) > 3 and any(text in value for value in evidence.texts)
    return bool(words) and (inside or " " in text and {*words} <= evidence.words)


_MEASURING = word_set(
    "highest lowest largest smallest longest shortest biggest maximum minimum average mean median total"
)


def _unsaid_measures(tokens: list[WordToken], evidence: Evidence, names: NamesInPassing) -> Iterator[tuple[int, str]]:
    """`the highest amount` and `grade A` where no element uses the column."""
    for position, (token, following) in enumerate(pairwise(tokens)):
        if token.text in _MEASURING and following.kind == "word":
            known = {following.text, following.text.removesuffix("s")} & names.columns
            if known and evidence.words.isdisjoint({*known, following.text}):
                yield position, f"{token.written} {following.written}"
        unused = token.text in names.columns and token.text not in evidence.words
        if unused and token.kind == following.kind == "word" and following.written.isupper():
            yield position, f"{token.written} {following.written}"


_PLACES = word_set("country nation city state region territory market continent")
"""Words in the names of columns that hold places."""


def _unsaid_places(tokens: list[WordToken], evidence: Evidence, names: NamesInPassing) -> Iterator[tuple[int, str]]:
    """`in Germany` where no element uses the column of the country."""
    columns = {word for name in names.columns for word in name.split("_")} & _PLACES
    if columns <= evidence.words:
        return
    for position, (token, following) in enumerate(pairwise(tokens)):
        proper = following.kind == "word" and following.written[0].isupper() and not following.written.isupper()
        known = following.text in evidence.words or following.text in names.lower or following.text in MONTH_NUMBERS
        if token.text in ("in", "from") and token.written.islower() and proper and not known:
            yield position, f"{token.written} {following.written}"


_JOINTS = word_set("and or nor , the / &")


def _unsaid_members(tokens: list[WordToken], evidence: Evidence) -> Iterator[tuple[int, str]]:
    """`France or Germany` beside a filter on France alone: names in a row of names, of which a value holds others."""
    values = {word for text in evidence.texts for word in re.findall(r"[^\W\d_]+", text)}
    if _begins_row(tokens, values) and tokens[0].text not in evidence.words:
        yield 0, tokens[0].written
    listed, apart = False, True
    for position, token in enumerate(tokens):
        if token.text in _JOINTS:
            apart = apart or token.text != "the"
            continue
        name = position > 0 and token.kind == "word" and token.written[0].isupper() and not token.written.isupper()
        if name and listed and apart and token.text not in evidence.words and token.text not in MONTH_NUMBERS:
            yield position, token.written
        listed = token.kind == "word" and token.written[0].isupper() and token.text in values
        apart = False


def _begins_row(tokens: list[WordToken], values: set[str]) -> bool:
    """True for a word that begins a text and a row of names: `Comfort and Business`."""
    if len(tokens) < 3 or tokens[0].kind != "word" or tokens[1].text not in ("and", "or"):
        return False
    return tokens[2].written[0].isupper() and tokens[2].text in values


def _uneven_order(tokens: list[WordToken], evidence: Evidence) -> Iterator[tuple[int, str]]:
    """A direction that no order has, where an order decides which rows stay."""
    if not evidence.any_of(("limit", "rank", "dedup")) or "order" not in evidence.facts:
        return
    for position, token in enumerate(tokens):
        for words, fact in ((("descending", "desc"), "desc"), (("ascending", "asc"), "asc")):
            if token.text in words and fact not in evidence.facts:
                yield position, token.written


def _unsaid_group(text: str, tokens: list[WordToken], evidence: Evidence) -> Iterator[tuple[int, str]]:
    """`top 3 customers per segment` beside a limit alone, which picks from all rows."""
    if "limit" not in evidence.facts or evidence.any_of(("partition",)) or len(evidence.group_by) == 1:
        return
    pick = next((position for position, token in enumerate(tokens) if token.text in _PICKING), len(tokens))
    for position in range(pick + 1, min(pick + 12, len(tokens) - 1)):
        if tokens[position].text in (",", ".", ";", "by", "with"):
            break
        if tokens[position].text in _EACH:
            yield position, text[tokens[position].start : tokens[position + 1].end]
            break


def _unsaid_keys(tokens: list[WordToken], own: set[str], names: NamesInPassing) -> Iterator[tuple[int, str]]:
    """`per day and page` beside groups of days: columns after `per`, `by` or `each` that no field uses."""
    left = 0
    for position, token in enumerate(tokens):
        if token.text in _GROUPING or (token.text in (",", "and") and left > 0):
            left = _REACH
        elif token.text in _ENDS or token.kind == "sign":
            left = 0
        else:
            left -= 1
        known = {token.text, token.text.removesuffix("s"), f"{token.text}_id"} & names.columns
        spelled = token.kind == "name" and not {*token.text.split("_")} <= own
        if (
            left >= 0
            and known
            and (
                spelled
                or (
                    token.kind == "word"
                    and own.isdisjoint({*known, token.text, token.text.removesuffix("s"), f"{token.text}s"})
                )
            )
        ):
            yield position, token.written
