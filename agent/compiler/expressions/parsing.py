"""SQL expressions of a specification: checked against closed lists, and rewritten only where a column is named.

sqlglot finds the columns and their offsets, but Spark parses the text itself. A form that the two might read
differently is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from agent.compiler.expressions.divisions import divisors_are_placed
from agent.compiler.expressions.sql_words import BARE_WORDS, CAST_TYPES, SYNTAX_BEFORE_PARENTHESIS, UNITS
from agent.compiler.problems import USE_A_MODEL, refuse
from agent.nearest import did_you_mean
from agent.sanitizing.spark_names import AGGREGATE_FUNCTIONS, IDENTITY_NAMES, ROW_FUNCTIONS, UNSTABLE_FUNCTIONS
from agent.sql_limits import HINT, excess

_PLAIN_NODES: tuple[type[Any], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Not,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor,
    exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Like, exp.ILike,
    exp.RegexpLike, exp.Escape, exp.And, exp.Or,
    exp.Between, exp.In, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Bracket, exp.AtTimeZone,
    exp.FromTimeZone,
)  # fmt: skip
_REFUSED_NODES: dict[type[Any], str] = {
    exp.Query: "a subquery",
    exp.Lambda: "a lambda",
    exp.Alias: "an alias",
    exp.Star: "`*`",
    exp.Dot: "a field access",
    exp.JSONExtract: "a JSON path",
    exp.Collate: "a collation",
    exp.Placeholder: "a placeholder",
    exp.Parameter: "a parameter",
}
_IDENTITIES: tuple[type[Any], ...] = (exp.CurrentUser, exp.CurrentRole, exp.SessionUser)
_BY_RUN = UNSTABLE_FUNCTIONS | IDENTITY_NAMES | {"unix_timestamp"}
"""Functions whose answer depends on the run: on chance, on the user, on the clock, or on how the data is cut up."""
_WORD = re.compile(r"[^\W\d]\w*")
# `_NUMBER` leaves out Spark's suffixes, as in 10L and 1.5BD. `_KNOWN_TOKEN` takes operators, and whatever begins as a
# name, a number or a quoted text; it leaves out `::`, `@`, `?` and other signs.
_NUMBER = re.compile(r"(\d[\d.]*|\.\d+)([eE][-+]?\d+)?")
_KNOWN_TOKEN = re.compile(r"[-+*/%(),.\[\]=<>|&^!]+|[`'\"\d\w.].*", re.ASCII | re.DOTALL)
_BEFORE_UNIT = (["extract", "("], ["datediff", "("])
"""Tokens before a bare unit. `conversions` checks the unit itself."""
_MAX_DEPTH = 120
_TOO_DEEP = (
    f"is nested too deeply: at most {_MAX_DEPTH} operators in a row, as `a + b + …`, and less in brackets; {HINT}"
)


@dataclass(frozen=True)
class Mention:
    """A column named in an expression: its name without quotes, and its offsets (end exclusive)."""

    name: str
    start: int
    end: int
    trimmed: bool
    """True where trailing spaces make no difference: within a trim, or before IS NULL."""
    inside: str = ""
    """The operator around it: `IS NULL`, `AS STRING`, `= COLUMN`, or a function as `HOUR`; empty for any other."""


@dataclass(frozen=True)
class Expression:
    """A checked expression; `tree` is sqlglot's reading of `text`."""

    text: str
    mentions: tuple[Mention, ...]
    tree: Any = field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that it mentions."""
        return tuple(mention.name for mention in self.mentions)

    def rendered(self, spellings: Sequence[str]) -> str:
        """The text with each mention replaced by its spelling, in the order of `mentions`."""
        parts, end = [], 0
        for mention, spelling in zip(self.mentions, spellings, strict=True):
            parts += [self.text[end : mention.start], spelling]
            end = mention.end
        return "".join((*parts, self.text[end:]))


def parse_expression(text: str) -> Expression:
    """Read a Spark SQL expression. Refuses each part that is not certain."""
    text = text.strip()
    too_much = excess(text)
    if too_much:
        refuse(f"{too_much.message}; {too_much.hint}")
    tokens = _tokens(text)
    tree = _tree(text, tokens)
    nodes = list(tree.walk())
    if max(_depths(tree)) > _MAX_DEPTH:
        refuse(_TOO_DEEP)
    for node in nodes:
        _check_refused(node)
    _check_tokens(tokens, text)
    for node in nodes:
        _check_known(node)
    _check_divisors(text, tree)
    mentions = [_mention(column, text) for column in tree.find_all(exp.Column)]
    _check_strays(tokens, mentions)
    return Expression(text, tuple(sorted(mentions, key=lambda mention: mention.start)), tree)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    raw: str
    start: int


def _tokens(text: str) -> list[_Token]:
    """The tokens of the text. It is parsed in parentheses: a word such as `show` at the beginning is a command."""
    try:
        found = sqlglot.tokenize(f"({text}\n)", dialect="spark")
    except SqlglotError as error:
        refuse(f"cannot be read as a Spark SQL expression: {str(error).splitlines()[0]}")
    if any(token.comments for token in found):
        refuse("holds a comment; leave it out")
    return [_Token(t.token_type.name, t.text, text[t.start - 1 : t.end], t.start - 1) for t in found[1:-1]]


def _tree(text: str, tokens: list[_Token]) -> Any:
    """The syntax tree; its identifiers have their offsets in `text`."""
    open_now = 0
    for token in tokens:
        open_now += {"(": 1, ")": -1}.get(token.raw, 0)
        if open_now < 0:
            refuse("cannot be read as a Spark SQL expression: a parenthesis is closed that was not opened")
    try:
        whole = sqlglot.parse_one(f"({text}\n)", dialect="spark")
    except RecursionError:
        refuse(_TOO_DEEP)
    except (SqlglotError, ValueError, TypeError, IndexError, AttributeError) as error:  # sqlglot checks few arguments
        _check_tokens(tokens, text)
        refuse(f"cannot be read as a Spark SQL expression: {(str(error).splitlines() or [''])[0]}")
    for identifier in whole.find_all(exp.Identifier, exp.Star):
        for edge in ("start", "end"):
            if edge in identifier.meta:
                identifier.meta[edge] -= 1
    return whole.this if isinstance(whole, exp.Paren) else whole


def _depths(tree: Any) -> Iterator[int]:
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        yield depth
        stack += [(child, depth + 1) for child in node.iter_expressions()]


def string_literals(expression: Expression) -> list[str]:
    """The contents of double-quoted strings: Spark reads text, PostgreSQL would read a column."""
    return [token.text for token in _tokens(expression.text) if token.raw.startswith('"')]


def _check_tokens(tokens: list[_Token], text: str) -> None:
    for position, token in enumerate(tokens):
        raw = token.raw
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if not (_KNOWN_TOKEN.fullmatch(raw) or _WORD.fullmatch(raw)):
            _refuse_token(raw)
        if token.kind == "NUMBER" and not _NUMBER.fullmatch(raw):
            refuse(f"{raw!r} is a number with a suffix; write CAST({token.text} AS type)")
        if following is None:
            continue
        if token.kind == following.kind == "STRING":
            refuse("two strings side by side are one to Spark; for a quote inside a string write \\'")
        if following.text == "(" and (_WORD.fullmatch(token.text) or raw.startswith("`")):
            _check_function(token.text.lower())
        if token.kind == "ALIAS" and following.text.lower() not in CAST_TYPES:
            near = did_you_mean(following.text, CAST_TYPES, listed=True)
            refuse(f"unknown type {following.text!r} in a cast{near}")


def _check_strays(tokens: list[_Token], mentions: list[Mention]) -> None:
    """Refuse a bare word that sqlglot reads as a unit and Spark as a column, as `u` in `date_trunc(u, ts)`."""
    spans = {position for mention in mentions for position in range(mention.start, mention.end)}
    for position, token in enumerate(tokens):
        word, after = token.raw.lower(), tokens[position + 1 : position + 2]
        if token.start in spans or not (_WORD.fullmatch(word) or word.startswith("`")):
            continue
        opens = any(next_one.raw == "(" or next_one.kind == "STRING" for next_one in after)
        typed = position > 0 and tokens[position - 1].kind == "ALIAS"
        nearby = [one.raw.lower() for one in tokens[max(0, position - 3) : position]]
        unit = (word in UNITS and "interval" in nearby) or (nearby[-2:] in _BEFORE_UNIT and _WORD.fullmatch(word))
        if not (opens or typed or unit or word in BARE_WORDS):
            refuse(f"{token.raw!r} is not a column here; put a unit or a format in quotes")


def _refuse_token(raw: str) -> None:
    if raw == "::":
        refuse("`::` is not Spark 3.3 SQL; write CAST(... AS type)")
    refuse(f"{raw!r} is not a part of an expression that the compiler knows; {USE_A_MODEL}")


def _check_function(name: str) -> None:
    if name in AGGREGATE_FUNCTIONS:
        refuse(f"{name}() is an aggregate; write it as an entry of `aggregations`")
    if name in _BY_RUN:
        refuse(f"{name}() gives another answer on each run; {USE_A_MODEL}")
    if name not in ROW_FUNCTIONS | SYNTAX_BEFORE_PARENTHESIS:
        near = did_you_mean(name, ROW_FUNCTIONS, listed=True)
        refuse(f"function {name}() is not one that the compiler knows{near}")


def _check_refused(node: Any) -> None:
    if isinstance(node, exp.Window):
        refuse("a window function stands in `transformations`, as an entry of type window; name its alias here")
    for kind, word in _REFUSED_NODES.items():
        if isinstance(node, kind):
            refuse(f"{word} cannot be expressed by the compiler; {USE_A_MODEL}")


def _check_known(node: Any) -> None:
    if not isinstance(node, (*_PLAIN_NODES, exp.Func)):
        refuse(f"{type(node).__name__} is not a part of an expression that the compiler knows; {USE_A_MODEL}")
    if isinstance(node, _IDENTITIES):
        refuse(f"the answer of {type(node).__name__} depends on who runs the job; {USE_A_MODEL}")


def _check_divisors(text: str, tree: Any) -> None:
    try:
        placed = divisors_are_placed(text, tree)
    except RecursionError:  # each nullif() adds a level
        refuse(_TOO_DEEP)
    if not placed:
        refuse("what is divided by is not certain; put the divisor in parentheses")


def _mention(column: Any, text: str) -> Mention:
    parts = column.parts
    spans = [(part.meta.get("start"), part.meta.get("end")) for part in parts]
    if any(start is None or end is None for start, end in spans):
        refuse(f"{column.sql(dialect='spark')} cannot be placed in the text; {USE_A_MODEL}")
    for part, (start, end) in zip(parts, spans, strict=True):
        if text[start : end + 1] not in (part.name, f"`{part.name.replace('`', '``')}`"):
            refuse(f"{column.sql(dialect='spark')} cannot be placed in the text; {USE_A_MODEL}")
    name = ".".join(part.name for part in parts)
    return Mention(name, spans[0][0], spans[-1][1] + 1, _padding_is_lost(column), _inside(column))


def _inside(column: Any) -> str:
    parent = column.parent
    if _is_null_check(parent):
        return "IS NULL"
    if isinstance(parent, exp.Cast):
        return "AS STRING" if parent.to.this.name in ("TEXT", "VARCHAR") else ""
    if isinstance(parent, exp.EQ) and isinstance(parent.this, exp.Column) and isinstance(parent.expression, exp.Column):
        return "= COLUMN"
    return parent.key.upper() if isinstance(parent, exp.Func) and column.arg_key == "this" else ""


def _is_null_check(parent: Any) -> bool:
    if isinstance(parent, exp.Is):
        return isinstance(parent.expression, exp.Null)
    return isinstance(parent, exp.Anonymous) and parent.name.lower() in ("isnull", "isnotnull")


def _padding_is_lost(column: Any) -> bool:
    parent = column.parent
    if isinstance(parent, exp.Is | exp.Anonymous):
        return _is_null_check(parent)
    whole = isinstance(parent, exp.Trim) and column.arg_key == "this" and parent.expression is None
    return whole and str(parent.args.get("position") or "BOTH").upper() != "LEADING"
