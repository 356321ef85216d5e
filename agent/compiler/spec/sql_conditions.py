"""A condition as SQL, cut into comparisons of a column with constants; the rest stays SQL."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from pydantic import JsonValue

from agent.compiler.spec.condition_texts import condition_text
from agent.compiler.spec.fields import normal_key
from agent.compiler.spec.key_spellings import FUNCTIONS
from agent.compiler.spec.sql_texts import Token, call_parts, is_column, tokens
from agent.elements import Comparison, Condition, ConditionGroup, SqlCondition

_COMPARING = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_PREDICATES = ("LIKE", "ILIKE", "IN", "BETWEEN")
_NO_VALUE = object()
_MOST_LEVELS = 60
"""Levels of brackets and NOT that are looked into."""
_CALLED = re.compile(r"[\w\"`]\s*[(\[]")


def sql_condition(text: str) -> Condition:
    """The condition in a text."""
    text = condition_text(text)
    found = tokens(text)
    deep = max((token.depth for token in found), default=0) + sum(token.word == "NOT" for token in found)
    return _any_of(text, found) if found and deep < _MOST_LEVELS else SqlCondition(text.strip())


def is_condition(text: str) -> bool:
    """True for a text that compares something, as `amount > 10`; False for a sentence."""
    read = sql_condition(text)
    leaves = read.parts if isinstance(read, ConditionGroup) else (read,)
    found = tokens(text)
    distinct = any(one.word == "DISTINCT" and two.word == "FROM" for one, two in pairwise(found))
    compared = distinct or any(isinstance(leaf, Comparison | ConditionGroup) for leaf in leaves)
    return compared or _CALLED.search(text) is not None or any(token.word in _COMPARING for token in found)


def _any_of(text: str, found: list[Token]) -> Condition:
    parts = _split(found, "OR")
    read = tuple(_all_of(text, part) for part in parts)
    return read[0] if len(read) == 1 else ConditionGroup("or", read)


def _all_of(text: str, found: list[Token]) -> Condition:
    read = tuple(_negated(text, part) for part in _split(found, "AND"))
    return read[0] if len(read) == 1 else ConditionGroup("and", read)


def _negated(text: str, found: list[Token]) -> Condition:
    if len(found) > 1 and found[0].word == "NOT" and found[1].word != "NULL":
        return ConditionGroup("not", (_negated(text, found[1:]),))
    inner = found[1:-1]
    if inner and found[0].word == "(" and found[-1].word == ")" and all(t.depth > found[0].depth for t in inner):
        return _any_of(text, inner)
    return _compared(found, text) or SqlCondition(_text(text, found))


def _split(found: list[Token], word: str) -> list[list[Token]]:
    """The parts between the words of the outermost level. The AND of a BETWEEN separates nothing."""
    parts: list[list[Token]] = [[]]
    level = min((token.depth for token in found), default=0)
    between = False
    for token in found:
        if token.depth == level and token.word == word and not (word == "AND" and between):
            parts.append([])
        else:
            parts[-1].append(token)
        if token.depth == level and token.word in ("BETWEEN", "AND", "OR"):
            between = token.word == "BETWEEN"
    return parts


def _text(text: str, found: list[Token]) -> str:
    return text[found[0].start : found[-1].end] if found else ""


def _compared(found: list[Token], text: str) -> Comparison | None:
    """The comparison of a column with constants; None for any other."""
    level = min((token.depth for token in found), default=0)
    for position, token in enumerate(found):
        if token.depth != level:
            continue
        left, right = found[:position], found[position + 1 :]
        if token.word in _COMPARING:
            return _ordinary(text, left, _COMPARING[token.word], right)
        if token.word == "IS" and [one.word for one in right] in (["NULL"], ["NOT", "NULL"]):
            return _on_column(text, left, "IS NULL" if len(right) == 1 else "IS NOT NULL", None, False)
        if token.word in _PREDICATES:
            negated = bool(left) and left[-1].word == "NOT"
            operator = f"NOT {token.word}" if negated else token.word
            return _predicate(text, left[:-1] if negated else left, operator, right)
    return None


def _on_column(text: str, left: list[Token], operator: str, value: JsonValue, quoted: bool) -> Comparison | None:
    column = _text(text, left)
    return Comparison(column, operator, value, quoted) if is_column(column) or _is_aggregate(column) else None


def _is_aggregate(text: str) -> bool:
    call = call_parts(text)
    return call is not None and normal_key(call[0]) in FUNCTIONS and not call[2]


def _ordinary(text: str, left: list[Token], operator: str, right: list[Token]) -> Comparison | None:
    value, mirrored = _constant(text, right), _constant(text, left)
    if value is not _NO_VALUE:
        return _on_column(text, left, operator, value, isinstance(value, str))  # type: ignore[arg-type]
    if mirrored is not _NO_VALUE:
        return _on_column(text, right, _MIRRORED[operator], mirrored, isinstance(mirrored, str))  # type: ignore[arg-type]
    return None


def _predicate(text: str, left: list[Token], operator: str, right: list[Token]) -> Comparison | None:
    if operator.endswith("LIKE"):
        pattern = _constant(text, right)
        return _on_column(text, left, operator, pattern, True) if isinstance(pattern, str) else None
    if operator.endswith("IN"):
        if len(right) < 3 or right[0].word != "(" or right[-1].word != ")":
            return None
        inner = right[1:-1]
        parts = _split(inner, ",") if all(token.depth > right[0].depth for token in inner) else []
    else:
        parts = _split_between(right)
    values = [_constant(text, part) for part in parts]
    if not values or _NO_VALUE in values:
        return None
    return _on_column(text, left, operator, values, any(isinstance(value, str) for value in values))  # type: ignore[arg-type]


def _split_between(found: list[Token]) -> list[list[Token]]:
    level = min((token.depth for token in found), default=0)
    places = [i for i, token in enumerate(found) if token.depth == level and token.word == "AND"]
    return [found[: places[0]], found[places[0] + 1 :]] if len(places) == 1 else []


def _constant(text: str, found: list[Token]) -> object:
    """The constant of one or two tokens; `_NO_VALUE` for any other expression."""
    word = "".join(token.word for token in found)
    if not 1 <= len(found) <= 2 or (len(found) == 2 and (found[0].word not in "+-" or not found[1].word[0].isdigit())):
        return _NO_VALUE
    if word[0] == "'":
        # The dialects read backslashes in a quoted text differently.
        return _NO_VALUE if "\\" in word else word[1:-1].replace("''", "'")
    if word in ("TRUE", "FALSE"):
        return word == "TRUE"
    return exact_number(word)


def exact_number(word: str) -> object:
    """The number that a text writes; `_NO_VALUE` where it writes none that JSON keeps exactly."""
    try:
        number = json.loads(word.removeprefix("+"))
    except ValueError:
        return _NO_VALUE
    if isinstance(number, bool) or not isinstance(number, int | float):
        return _NO_VALUE
    exact = isinstance(number, int) or len(word.strip("+-").replace(".", "").lstrip("0")) <= 15
    return number if exact else _NO_VALUE


def is_number(word: str) -> bool:
    """True where `exact_number` finds a number."""
    return exact_number(word) is not _NO_VALUE
