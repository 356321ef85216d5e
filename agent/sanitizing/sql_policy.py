"""The policy for SQL text inside a transform: one expression with listed functions, in unambiguous tokens.

The tokenizer takes only text that Spark and sqlglot cut into the same tokens. If the two disagreed on the end of a
string or comment, text that one reads as a string would be code to the other. Spark's lexer is SqlBaseLexer.g4 of
Spark 3.3 and 3.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from agent.findings import Finding
from agent.nearest import nearest
from agent.sanitizing.runtime import OLDEST, Runtime
from agent.sanitizing.spark_names import (
    IDENTITY_NAMES,
    SQL_FUNCTIONS_SINCE,
    UNSTABLE_FUNCTIONS,
    since,
    sql_functions,
    words,
)
from agent.sql_limits import excess

_QUERY_WORDS = words("from map reduce select table values with")
"""Words that begin a query behind a parenthesis; elsewhere they are names."""
_STATEMENT_WORDS = words("""
    alter create delete drop from grant insert lateral map merge reduce revoke select set table truncate union update
    values with
    """)
"""Words that sqlglot reads as statements and Spark reads as names within an expression."""
_NAME_FOLLOWERS = words("= == <=> < <= > >= <> != ) , . [ / % || & | ^")
"""Tokens that may follow a name, and never a word that begins a query."""
# Keywords that may precede a parenthesis without being a function.
_BEFORE_PARENTHESIS = words("""
    all and as between by case cast decimal dec numeric varchar char distinct div else escape exists from ignore in
    interval is like ilike not or order over partition range rlike rows then try_cast when where within group filter
    """)
# Keywords that may precede a string; behind another word a string would be an alias or a typed literal.
_BEFORE_STRING = words("""
    all and any as between both by case date distinct div else escape from ilike in interval is leading like not or
    placing regexp rlike some then timestamp to trailing trim when
    """)
_EXPRESSIONS = (
    exp.Condition, exp.Alias, exp.Aliases, exp.Star, exp.Filter, exp.Interval, exp.Lambda, exp.AtTimeZone,
    exp.FromTimeZone,
)  # fmt: skip
_WRITE_F = "write the expression with F functions and Column methods"

Objection = tuple[str, str]
"""Message and hint: the fault, and the form to write instead."""


def check_sql(text: str, line: int, runtime: Runtime = OLDEST) -> list[Finding]:
    """The findings against SQL text that stands on `line`; at most one."""
    for message, hint in _objections(text, runtime):
        return [Finding(rule="sql", message=message, line=line, hint=hint)]
    return []


def _objections(text: str, runtime: Runtime) -> Iterator[Objection]:
    if too_much := excess(text):
        yield f"the SQL text {too_much.message}", too_much.hint
        return
    try:
        tokens = sql_tokens(text)
    except SqlTokenError as error:
        yield f"SQL text holds {error.what}", error.hint
        return
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        yield from _token(token, before, after, runtime)
    yield from _check_parsed(tokens)


def _token(token: SqlToken, before: SqlToken | None, after: SqlToken | None, runtime: Runtime) -> Iterator[Objection]:
    called = after is not None and after.text == "("
    name = before is not None and (before.text == "." or before.word == "as")
    if token.text == "(" and before is not None and (before.kind in ("string", "number") or before.text in (")", "]")):
        yield f"SQL text calls {before.text[:40]}", "call built-in functions by their plain name"
    elif token.kind in ("word", "quoted") and called:
        yield from _call(token, before, runtime)
    elif token.kind == "string" and before is not None and before.kind == "word" and before.word not in _BEFORE_STRING:
        yield f"SQL text holds a string behind {before.text}", "use a plain string, and AS before an alias"
    elif token.kind == "word" and token.word in _QUERY_WORDS and before is not None and before.text == "(":
        if after is None or after.text not in _NAME_FOLLOWERS:
            hint = f"only an expression is allowed; put a column of this name in backquotes: `{token.text}`"
            yield f"SQL text holds the query {token.text.upper()} …", hint
    elif token.kind in ("word", "quoted") and not name and _is_identity(token, after, runtime):
        yield f"SQL text holds {token.text}, which is a function", "write the column with its table's alias"


def _is_identity(token: SqlToken, after: SqlToken | None, runtime: Runtime) -> bool:
    """True for a word that Spark reads as a function without parentheses; `user` is one since Spark 3.4."""
    qualifier = after is not None and after.text == "."
    return not qualifier and (token.word in IDENTITY_NAMES or (token.word == "user" and runtime.spark >= (3, 4)))


def _call(token: SqlToken, before: SqlToken | None, runtime: Runtime) -> Iterator[Objection]:
    word, allowed = token.word, sql_functions(runtime.spark)
    if before is not None and before.text == ".":
        yield f"SQL text calls the qualified function {word!r}", "call built-in functions by their plain name"
    elif word in UNSTABLE_FUNCTIONS:
        yield f"{word}() gives another value when Spark retries a task", "derive the value from the row's own columns"
    elif word not in allowed and (token.kind == "quoted" or word not in _BEFORE_PARENTHESIS):
        version = since(word, SQL_FUNCTIONS_SINCE)
        near = nearest(word, allowed)
        hint = f"did you mean {near}()?" if near else _WRITE_F
        if version:
            message = f"{word}() exists only since Spark {version[0]}.{version[1]}"
            yield f"{message}; Glue {runtime.glue} has {runtime.spark_name}", hint
        else:
            yield f"the SQL function {word!r} is not allowed", hint


def _check_parsed(tokens: list[SqlToken]) -> Iterator[Objection]:
    try:
        tree = parse_one(_parser_text(tokens), dialect="spark")
    except (SqlglotError, LookupError, AttributeError, TypeError, ValueError) as error:
        # sqlglot 30 raises errors that are not its own for some texts: IndexError for `map(a)`
        yield f"the SQL text is not a Spark SQL expression: {_first_line(error)}", _WRITE_F
        return
    except RecursionError:
        yield "the SQL text is nested too deeply", _WRITE_F
        return
    if not isinstance(tree, _EXPRESSIONS) or tree.find(exp.Query, exp.Table, exp.Command):
        yield "only an expression is allowed in SQL text, no query and no statement", _WRITE_F


def _parser_text(tokens: list[SqlToken]) -> str:
    """The text for sqlglot: without comments, and with quotes around names that it would read as statements."""
    parts = []
    for index, token in enumerate(tokens):
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        statement = token.kind == "word" and token.word in _STATEMENT_WORDS and not called
        follows = index > 0 and tokens[index - 1].word in ("trim", "extract") or _within_function(tokens, index)
        parts.append(f"`{token.text}`" if statement and not follows else token.text)
    return " ".join(parts)


def _within_function(tokens: list[SqlToken], index: int) -> bool:
    """True for FROM inside a function's parentheses, as in `trim(BOTH ' ' FROM a)` and `IS DISTINCT FROM`."""
    return tokens[index].word == "from" and index > 0 and tokens[index - 1].text not in ("(", ",")


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].split(". Line")[0][:200]


TokenKind = Literal["word", "quoted", "string", "number", "operator"]

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\n]+)
    | (?P<comment>--[^\n\r\\]*(?:\n|\Z)             # Spark goes on after a backslash at the end of the line
      | /\*(?!\+)(?:[^*/\\]|\*(?!/)|/(?!\*))*\*/)   # Spark nests these; the same reading holds without an inner one
    | (?P<string>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:BD|[LSYDF])?(?![A-Za-z0-9_]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><=>|<=|>=|<>|!=|==|\|\||->|-(?!-)|/(?!\*)|\*(?!/)|[+%=<>()\[\],.&|^~])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_UNREADABLE = {
    "$": ("a variable outside a string, which Spark would replace", "write the value itself"),
    ";": ("more than one statement", "write one expression"),
    "::": ("`::`, which Spark 3.3 does not know", "write CAST(x AS type)"),
    ":": ("a parameter or a path with a colon", "write the value itself; for JSON get_json_object(x, '$.name')"),
    "?": ("a parameter", "write the value itself"),
    "{": ("braces", "write the value itself"),
    "\r": ("a carriage return", "end lines with a line feed"),
    "--": ("a comment that ends in a backslash", "leave the comment out"),
    "*/": ("the end of a comment that did not begin", "leave the comment out"),
    "/*": ("a hint, or a comment that holds another one or does not end", "leave the comment out"),
    "'": ("a string that does not end", "close it with a single quote"),
    '"': ("a string that does not end", "close it with a double quote"),
    "`": ("a quoted name that does not end", "close it with a backquote"),
}


class SqlTokenError(ValueError):
    """SQL text that Spark and this tokenizer might read differently: the offending part, and the form to write."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True)
class SqlToken:
    """A token, with its exact text."""

    kind: TokenKind
    text: str

    @property
    def word(self) -> str:
        """A name or word in lower case without its quotes; for other tokens the text."""
        return self.text.strip("`").lower() if self.kind in ("word", "quoted") else self.text


def sql_tokens(text: str) -> list[SqlToken]:
    """The tokens of SQL text, comments left out. Raises SqlTokenError."""
    tokens: list[SqlToken] = []
    start = 0
    for match in _TOKEN.finditer(text):
        if match.start() != start:
            raise _unreadable(text, start)
        kind = match.lastgroup
        # `'it''s'` is one string in standard SQL, and two joined strings without the quote in Spark 3.
        if kind == "string" and start and text[start - 1] == text[start]:
            raise SqlTokenError("a doubled quote, which Spark 3 drops", "write \\' for a quote inside a string")
        if kind in ("word", "quoted", "string", "number", "operator"):
            tokens.append(SqlToken(kind, match.group()))  # type: ignore[arg-type]
        start = match.end()
    if start != len(text):
        raise _unreadable(text, start)
    return tokens


def _unreadable(text: str, start: int) -> SqlTokenError:
    rest = text[start : start + 2]
    what, hint = (
        _UNREADABLE.get(rest) or _UNREADABLE.get(rest[:1]) or (f"the character {rest[:1]!r}", "write plain Spark SQL")
    )
    return SqlTokenError(what, hint)
