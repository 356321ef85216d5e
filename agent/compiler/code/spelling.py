"""The spelling of names, texts and literals in generated code."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap

from sqlglot.dialects.spark import Spark

from agent.compiler.expressions.references import Constant, MergedColumn, NamedColumn, Reference, SourceColumn
from agent.compiler.expressions.sql_words import SYNTAX_BEFORE_PARENTHESIS
from agent.compiler.plan.steps import Plan, PlannedSource

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Names that Spark reads without backquotes."""
_SQL_WORDS = frozenset(word.casefold() for word in Spark.tokenizer_class.KEYWORDS) | SYNTAX_BEFORE_PARENTHESIS | {"if"}
_TAKEN = frozenset(
    {
        "sources",
        "transform",
        "joined",
        "derived",
        "kept",
        "grouped",
        "completed",
        "having",
        "windowed",
        "chosen",
        "ranked",
        "chosen_groups",
    }
)
_MAX_DESCRIPTION = 400


def python_text(text: str) -> str:
    """A Python string literal in double quotes."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def spark_name(part: str) -> str:
    """One part of a name as `F.col` reads it: in backquotes unless it is plain."""
    return part if _PLAIN.fullmatch(part) else "`" + part.replace("`", "``") + "`"


def sql_name(part: str) -> str:
    """One part of a name as SQL text reads it: in backquotes when it is odd or a word of SQL."""
    return "`" + part.replace("`", "``") + "`" if part.casefold() in _SQL_WORDS else spark_name(part)


def sql_column(reference: Reference) -> str:
    """A column in SQL text, as `o.amount`."""
    match reference:
        case SourceColumn(source, name):
            return f"{sql_name(source)}.{sql_name(name)}"
        case MergedColumn(_, members):
            return f"coalesce({', '.join(sql_column(member) for member in members)})"
        case NamedColumn(name):
            return sql_name(name)


def python_column(reference: Reference) -> str:
    """A column in Python, as `F.col("o.amount")`."""
    match reference:
        case SourceColumn(source, name):
            return f"F.col({python_text(f'{spark_name(source)}.{spark_name(name)}')})"
        case MergedColumn(_, members):
            return f"F.coalesce({', '.join(python_column(member) for member in members)})"
        case NamedColumn(name):
            return f"F.col({python_text(spark_name(name))})"


def python_literal(value: Constant) -> str:
    """The bare Python literal of a value."""
    return python_text(value.value) if isinstance(value.value, str) else repr(value.value)


def python_value(value: Constant) -> str:
    """A value as a column, as `F.lit("2024-01-31").cast("date")`."""
    literal = f"F.lit({python_literal(value)})"
    return literal if value.cast is None else f'{literal}.cast("{value.cast}")'


def variables(planned: tuple[PlannedSource, ...]) -> dict[str, str]:
    """A variable for each source's key: its table's name where that is free and plain, else its key, else a number."""
    tables = [_variable(source.table.rpartition(".")[2]) for source in planned]
    found: dict[str, str] = {}
    for position, (source, table) in enumerate(zip(planned, tables, strict=True)):
        candidates = [table if tables.count(table) == 1 else "", _variable(source.key), f"source_{position + 1}"]
        found[source.key] = next(name for name in candidates if name and name not in found.values())
    return found


def union_variables(plan: Plan) -> list[str]:
    """A variable for each union: its key where that is free and plain, else a number."""
    taken = set(variables(plan.sources).values())
    found: list[str] = []
    for position, union in enumerate(plan.unions):
        plain = _variable(union.key)
        found.append(plain if plain and plain not in taken else f"union_{position + 1}")
        taken.add(found[-1])
    return found


def _variable(name: str) -> str:
    """The name as a Python variable; empty when it cannot be one."""
    name = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    free = not keyword.iskeyword(name) and not keyword.issoftkeyword(name) and not hasattr(builtins, name)
    return (
        name
        if _PLAIN.fullmatch(name)
        and free
        and name not in _TAKEN
        and not name.startswith(("source_", "union_", "window"))
        else ""
    )


def docstring(description: str, target: str) -> list[str]:
    """The lines of a docstring, without characters that could end it or that are invisible."""
    kept = "".join(c if c.isprintable() else " " for c in description.strip() or f"The rows of {target}")
    plain = " ".join(kept.replace("\\", "/").replace('"', "'").split())
    if len(plain) > _MAX_DESCRIPTION:
        plain = plain[:_MAX_DESCRIPTION].rpartition(" ")[0] + " ..."
    plain = plain if plain.endswith((".", "!", "?")) else f"{plain}."
    lines = textwrap.wrap(plain, 90, break_long_words=True)
    return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']
