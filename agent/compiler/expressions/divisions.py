"""Divisors: a division by zero gives NULL, in Spark's ANSI mode too, where it would raise an error."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_OPERATORS = frozenset({"/", "%", "div"})
_FUNCTIONS = frozenset({"mod", "pmod"})
_DEPTHS = {"(": 1, "[": 1, "case": 1, ")": -1, "]": -1, "end": -1}
_DIGITS = re.compile(r"(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII)
"""A number as tokens in small letters spell it: `2`, `2.`, `.5`, `1e3`."""
_Tokens = Sequence[tuple[str, int]]
"""Each token's text in small letters, and its offset."""


def with_safe_divisors(text: str) -> str:
    """The expression with each divisor that may be zero as `nullif(divisor, 0)`; the rest stays as written."""
    tokens = [
        (text[one.start - 1 : one.end].lower(), one.start - 1)
        for one in sqlglot.tokenize(f"({text}\n)", dialect="spark")[1:-1]
    ]
    found = [
        (begin, end) for begin, end in _divisors(tokens) if not _never_zero([word for word, _ in tokens[begin:end]])
    ]
    spans = [(tokens[begin][1], tokens[end - 1][1] + len(tokens[end - 1][0])) for begin, end in found]
    begins, ends = Counter(start for start, _ in spans), Counter(end for _, end in spans)
    parts = [", 0)" * ends[place] + "nullif(" * begins[place] + text[place] for place in range(len(text))]
    return "".join(parts) + ", 0)" * ends[len(text)]


def divisors_are_placed(text: str, tree: Any) -> bool:
    """True when the text with safe divisors parses to the tree with its divisors replaced, and no other change."""
    try:
        return bool(_without_parentheses(_read(with_safe_divisors(text))) == _without_parentheses(_guarded(tree)))
    except SqlglotError:
        return False


def _read(text: str) -> Any:
    whole = sqlglot.parse_one(f"({text}\n)", dialect="spark")
    return whole.this if isinstance(whole, exp.Paren) else whole


def _divisors(tokens: _Tokens) -> Iterator[tuple[int, int]]:
    """The index of each divisor's first token, and the one behind its last."""
    for position, (word, _) in enumerate(tokens):
        if word in _OPERATORS:
            yield position + 1, _after_operand(tokens, position + 1)
        elif word in _FUNCTIONS and _word_at(tokens, position + 1) == "(":
            close = _closing(tokens, position + 1)
            yield _comma(tokens, position + 1) + 1, close


def _after_operand(tokens: _Tokens, position: int) -> int:
    """The index behind one value, with its sign and what is attached to it: `-f(x)[0]`, `o.amount`, `.5`."""
    while _word_at(tokens, position) in ("-", "+", "."):
        position += 1
    grouped = _word_at(tokens, position) in ("(", "case")
    position = (_closing(tokens, position) if grouped else position) + 1
    while (word := _word_at(tokens, position)) in (".", "(", "[") or word.startswith(("'", '"')):
        position = position + 2 if word == "." else (_closing(tokens, position) if word in "([" else position) + 1
    return min(position, len(tokens))


def _word_at(tokens: _Tokens, position: int) -> str:
    return tokens[position][0] if position < len(tokens) else ""


def _closing(tokens: _Tokens, opening: int) -> int:
    """The index of what closes the parenthesis, bracket or CASE at `opening`."""
    depth = 0
    for position in range(opening, len(tokens)):
        depth += _DEPTHS.get(tokens[position][0], 0)
        if depth == 0:
            return position
    return len(tokens) - 1


def _comma(tokens: _Tokens, opening: int) -> int:
    """The index of the first comma within the parentheses at `opening`."""
    depth = 0
    for position in range(opening, len(tokens)):
        depth += _DEPTHS.get(tokens[position][0], 0)
        if depth == 1 and tokens[position][0] == ",":
            return position
        if depth == 0:
            break
    return opening


def _never_zero(words: Sequence[str]) -> bool:
    """`not _may_be_zero`, found on tokens: to parse each of nested divisors would take quadratic time."""
    tokens = [(word, 0) for word in words]
    while tokens and (tokens[0][0] in ("-", "+") or (tokens[0][0] == "(" and _closing(tokens, 0) == len(tokens) - 1)):
        tokens = tokens[1:-1] if tokens[0][0] == "(" else tokens[1:]
    if [word for word, _ in tokens[:2]] == ["nullif", "("] and _closing(tokens, 1) == len(tokens) - 1:
        return _number(tokens[_comma(tokens, 1) + 1 : -1]) == 0
    return bool(_number(tokens))


def _number(tokens: _Tokens) -> Decimal | None:
    """The number that the tokens are; None for anything else."""
    text = "".join(word for word, _ in tokens)
    return Decimal(text) if _DIGITS.fullmatch(text) else None


def _may_be_zero(divisor: Any) -> bool:
    """False for a number that is not zero, and for a NULLIF that gives NULL instead of zero."""
    while isinstance(divisor, exp.Paren | exp.Neg):
        divisor = divisor.this
    if isinstance(divisor, exp.Nullif):
        return not _is_zero(divisor.expression)
    return not (isinstance(divisor, exp.Literal) and not divisor.is_string and not _is_zero(divisor))


def _is_zero(node: Any) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and Decimal(node.this) == 0


def _guarded(tree: Any) -> Any:
    """A copy of the tree, where each divisor that may be zero is replaced."""
    tree = tree.copy()
    for node in list(tree.walk()):
        divides = isinstance(node, exp.Div | exp.IntDiv | exp.Mod)
        if divides and _may_be_zero(node.expression):
            node.set("expression", _null_for_zero(node.expression))
        elif isinstance(node, exp.Anonymous) and node.name.lower() in _FUNCTIONS and len(node.expressions) > 1:
            dividend, divisor, *rest = node.expressions
            if _may_be_zero(divisor):
                node.set("expressions", [dividend, _null_for_zero(divisor), *rest])
    return tree


def _null_for_zero(divisor: Any) -> Any:
    return exp.Nullif(this=divisor, expression=exp.Literal.number(0))


def _without_parentheses(tree: Any) -> Any:
    """The tree without parentheses: its shape says which divisor is meant."""
    holder = exp.Paren(this=tree)
    for node in list(holder.find_all(exp.Paren)):
        if node is not holder:
            node.replace(node.this)
    return holder.this
