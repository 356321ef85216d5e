"""A condition as other tools write it, as SQL: leading WHERE, trailing `;`, and the signs of pandas and of C."""

from __future__ import annotations

import re
from itertools import pairwise

from agent.compiler.problems import refuse
from agent.compiler.spec.sql_texts import Token, tokens

_COMPARING = frozenset(("=", "==", "!=", "<>", "<", "<=", ">", ">=", "<=>", "LIKE", "ILIKE", "IN", "BETWEEN", "IS"))
_CONNECTING = ("AND", "OR", "&", "|", "||")
_ENDING = (",", "WHEN", "THEN", "ELSE")
_OPENED = re.compile(r"(?is)\s*(?:(?:where|having|and)\b\s*)+")


def condition_text(text: str) -> str:
    """The condition in SQL's words. Signs between two conditions connect them; others keep their meaning."""
    opened = _OPENED.match(text)
    text = (text[opened.end() :] if opened else text).strip().rstrip(";").rstrip()
    found, edits = tokens(text), list[tuple[int, int, str]]()
    for place, token in enumerate(found):
        before = found[place - 1] if place else None
        after = found[place + 1] if place + 1 < len(found) else None
        if after is not None and token.word == after.word == "&" and token.end == after.start:
            edits.append((token.start, after.end, " AND "))
        elif token.word in ("&", "|") and _between_conditions(found, place) and (not before or before.word != "&"):
            edits.append((token.start, token.end, " AND " if token.word == "&" else " OR "))
        elif token.word in ("~", "!") and _is_prefix(before) and after is not None and after.word != "~":
            edits.append((token.start, token.end, "NOT "))
        elif token.word == "[" and before is not None and before.word == "IN":
            closing = next(one for one in found[place:] if one.word == "]" and one.depth == token.depth)
            edits += [(token.start, token.end, "("), (closing.start, closing.end, ")")]
    for start, end, written in sorted(edits, reverse=True):
        text = text[:start] + written + text[end:]
    return text.strip()


def refuse_open_words(text: str) -> None:
    """Refuse `||` between conditions, which joins texts in SQL, and a condition that lacks a side."""
    found = tokens(text)
    if any(one.word == "||" and _between_conditions(found, place) for place, one in enumerate(found)):
        refuse("`||` joins texts in SQL; write OR between conditions")
    twice = any(one.word in ("AND", "OR") and two.word in ("AND", "OR") for one, two in pairwise(found))
    if twice:
        refuse(f"{text!r} has two connecting words side by side; write one")
    ends = [one.word for one in (found[:1] + found[-1:])]
    if ends and (ends[0] in ("AND", "OR") or ends[-1] in ("AND", "OR", "NOT")):
        refuse(f"{text!r} lacks a condition beside {ends[0] if ends[0] in ('AND', 'OR') else ends[-1]}; write both")


def _is_prefix(before: Token | None) -> bool:
    return before is None or before.word in ("(", "NOT", *_CONNECTING)


def _between_conditions(found: list[Token], place: int) -> bool:
    return _compares(found[:place][::-1], found[place].depth) and _compares(found[place + 1 :], found[place].depth)


def _compares(side: list[Token], depth: int) -> bool:
    """True where the operand next to a sign holds a comparison."""
    for token in side:
        if token.depth < depth or (token.depth == depth and token.word in (*_CONNECTING, *_ENDING)):
            return False
        if token.word in _COMPARING:
            return True
    return False
