"""The policy for SQL text inside a transform: one expression with allowed functions, and nothing hidden."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from sqlglot import Token, TokenType, exp, parse_one
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

from agent.diagnosis.findings import Finding
from agent.sanitizing.allowed_names import SQL_FUNCTIONS, UNSTABLE_FUNCTIONS, words

_STATEMENT_WORDS = words("alter create delete drop grant insert lateral merge revoke select truncate union update with")
_BEFORE_PARENTHESIS = words("""
    all and as between by case cast decimal dec numeric varchar char distinct div else escape from ignore in interval is
    like ilike not or order over partition range rlike rows then try_cast when
    """)
_QUOTED = {TokenType.IDENTIFIER, TokenType.STRING}
_PREFIXED_STRINGS = {
    TokenType.RAW_STRING, TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.BYTE_STRING, TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING, TokenType.HEREDOC_STRING,
}  # fmt: skip


_EXPRESSIONS = (
    exp.Condition, exp.Alias, exp.Aliases, exp.Star, exp.Filter, exp.Interval, exp.Lambda, exp.AtTimeZone,
    exp.FromTimeZone,
)  # fmt: skip


def check_sql(text: str, line: int) -> list[Finding]:
    """What the policy holds against SQL text that stands on `line`; at most one finding."""
    for message, hint in _objections(text):
        return [Finding(rule="sql", message=message, line=line, hint=hint)]
    return []


def _objections(text: str) -> Iterator[tuple[str, str]]:
    try:
        tokens = Spark().tokenize(text)
    except SqlglotError as error:
        yield f"the SQL text cannot be read: {_first_line(error)}", _WRITE_F
        return
    yield from _hidden_text(text, tokens)
    yield from _token_objections(tokens)
    yield from _shape(text)


_WRITE_F = "write the expression with F functions and Column methods"


def _hidden_text(text: str, tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Text between tokens is what this reader skips and Spark may not: only blanks may stand there."""
    end = 0
    for token in tokens:
        if text[end : token.start].strip():
            yield "SQL text holds a comment or a hidden part", "leave comments out of SQL text"
        end = token.end + 1
    if text[end:].strip() or any(token.comments for token in tokens):
        yield "SQL text holds a comment or a hidden part", "leave comments out of SQL text"


def _token_objections(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        called = index + 1 < len(tokens) and tokens[index + 1].token_type is TokenType.L_PAREN
        word = token.text.lower()
        if token.token_type in _PREFIXED_STRINGS:
            yield "SQL text holds a string with a prefix, which Spark versions read differently", "use a plain string"
        elif token.token_type is TokenType.SEMICOLON:
            yield "SQL text holds more than one statement", "write one expression"
        elif token.token_type is TokenType.DCOLON:
            yield "Spark 3.3 has no `::`", "write CAST(x AS type)"
        elif called and token.token_type is not TokenType.STRING:
            yield from _call(word, token, before)
        elif token.token_type not in _QUOTED and word in _STATEMENT_WORDS and not _is_name(before):
            yield f"SQL text holds {token.text.upper()}: only an expression is allowed, no query", _WRITE_F


def _is_name(before: Token | None) -> bool:
    """After a dot a word is a column's name, and after AS an alias, whatever it means elsewhere."""
    return before is not None and before.token_type in (TokenType.DOT, TokenType.ALIAS)


def _call(word: str, token: Token, before: Token | None) -> Iterator[tuple[str, str]]:
    if not (word[:1].isalpha() or word[:1] == "_" or token.token_type is TokenType.IDENTIFIER):
        return
    if before is not None and before.token_type is TokenType.DOT:
        yield f"SQL text calls the qualified function {word!r}", "call built-in functions by their plain name"
    elif word in UNSTABLE_FUNCTIONS:
        yield f"{word}() gives another value when Spark retries a task", "derive the value from the row's own columns"
    elif word not in SQL_FUNCTIONS and (token.token_type is TokenType.IDENTIFIER or word not in _BEFORE_PARENTHESIS):
        near = difflib.get_close_matches(word, SQL_FUNCTIONS, 1)
        yield f"the SQL function {word!r} is not allowed", f"did you mean {near[0]}()?" if near else _WRITE_F


def _shape(text: str) -> Iterator[tuple[str, str]]:
    try:
        tree = parse_one(text, dialect="spark")
    except SqlglotError as error:
        yield f"the SQL text is not a Spark SQL expression: {_first_line(error)}", _WRITE_F
        return
    except RecursionError:
        yield "the SQL text is nested too deeply", _WRITE_F
        return
    if not isinstance(tree, _EXPRESSIONS) or tree.find(exp.Query, exp.Table, exp.Command):
        yield "only an expression is allowed in SQL text, no query and no statement", _WRITE_F


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].split(". Line")[0][:200]
