"""The page of functions, made from their tables. `python -m agent.compiler.expressions.function_page` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from agent.compiler.expressions.date_patterns import PATTERN_PARTS
from agent.compiler.expressions.function_tables.differences import DIFFERENCES
from agent.compiler.expressions.functions import TABLES, spellings_of
from agent.compiler.expressions.meanings import MANY, Dialect, Difference, Meaning, Spelling
from agent.compiler.expressions.plain_calls import PLAIN_KINDS

_HEAD = """# Functions in expressions

<!-- Made by `python -m agent.compiler.expressions.function_page`; a test compares. -->

An expression may be PostgreSQL's SQL or Spark's ([specification.md](specification.md#two-dialects)). A row of these
tables is one meaning, with the names that each dialect has for it. A test runs each on Spark, with ANSI mode on and
off, and on PostgreSQL, over generated values, and compares them. Casts, CASE, COALESCE, NULLIF, GREATEST, LEAST and
operators are read in both dialects as well.
"""
_DIFFERENT = """## Read differently

Both dialects have these names, with other values. `options.expression_dialect` decides. `auto` takes the reading of the
last column, with a note, or refuses, wherever the columns can show the difference.

| example | PostgreSQL | Spark | shows with | `auto` |
|---|---|---|---|---|"""
_ALONE = """## As Spark computes them

These are taken as they are written. No test compares them with PostgreSQL, which lacks most of them.
"""
_PATTERNS = """## Patterns of dates

`to_char`, `to_date`, `to_timestamp` and `date_format` take these parts, with signs between them.

| PostgreSQL | Spark |
|---|---|"""
_SHOWS = {
    "always": "any value",
    "null": "NULL",
    "half": "a half of a double",
    "fraction": "a fraction",
    "values": "some values",
}
_AUTO = {"refuse": "refused with both", "postgres": "PostgreSQL's", "spark": "Spark's"}
_NULLS = {"strict": "NULL where an argument is", "never": "never NULL", "any": "may be NULL"}


def function_page() -> str:
    """The page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for topic, table in TABLES.items():
        yield f"## {topic}\n\n| PostgreSQL | Spark | in Spark | NULL |\n|---|---|---|---|"
        yield from sorted(_row(meaning, forms) for meaning, forms in table)
        yield ""
    yield _DIFFERENT
    yield from (_difference(one) for one in DIFFERENCES)
    yield f"\n{_ALONE}"
    yield ", ".join(f"`{name}`" for name in sorted(PLAIN_KINDS) if not spellings_of("spark", name))
    yield f"\n{_PATTERNS}\n" + "\n".join(_cells(_code(own), _code(spark)) for own, spark in PATTERN_PARTS.items())


def _row(meaning: Meaning, forms: tuple[Spelling, ...]) -> str:
    outside = f"an error for {meaning.outside}" if meaning.outside else ""
    facts = "; ".join(text for text in (_NULLS[meaning.nulls], outside, meaning.note) if text)
    return _cells(_calls(forms, "postgres"), _calls(forms, "spark"), _code(meaning.spark), facts)


def _calls(forms: Iterable[Spelling], dialect: Dialect) -> str:
    found = dict.fromkeys(_call(one) for one in forms if one.dialect == dialect)
    return ", ".join(found)


def _call(one: Spelling) -> str:
    if not one.name.replace("_", "").isalnum():
        return _code(one.name)
    places = ["…"] if one.most == MANY else [f"{{{place}}}" for place in range(one.most)]
    return _code(f"{one.name}({', '.join(places)})")


def _difference(one: Difference) -> str:
    example = _code(one.spark_call) + (f", {_code(one.postgres_call)}" if one.postgres_call else "")
    return _cells(example, _value(one.postgres), _value(one.spark), _SHOWS[one.shows], _AUTO[one.auto])


def _value(text: str) -> str:
    return _code(text or "''")


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Code in a cell of a table; `{0}` becomes the letter of the argument."""
    for place, letter in enumerate("abcdefg"):
        text = text.replace(f"{{{place}}}", letter)
    text = text.replace("{*}", "a, b, …").replace("{|}", "a || b || …")
    return f"`{' '.join(text.split())}`".replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(function_page())
