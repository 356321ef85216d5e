"""Columns of every common type that tests of expressions bind and render."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from agent.compiler.code.spelling import sql_name
from agent.compiler.expressions.binding import bind_expression
from agent.compiler.expressions.column_kinds import kind_of
from agent.compiler.expressions.references import Reference, SourceColumn
from agent.compiler.expressions.rendering import postgres_sql, spark_sql
from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import BoundExpression

TYPES = {
    "id": "integer", "big": "bigint", "n": "numeric(10,2)", "d": "double precision", "t": "text", "t2": "text",
    "day": "date", "ts": "timestamp without time zone", "sent": "timestamp with time zone", "b": "boolean",
    "code": "character(3)", "u": "uuid", "st": "enum status", "tags": "text[]", "j": "jsonb", "tm": "time",
    "First Name": "text",
}  # fmt: skip
LABELS = ("open", "paid")


def bound(text: str, dialect: DialectChoice = "auto", present: Collection[str] = ()) -> BoundExpression:
    """The expression over the columns; those in `present` are never NULL."""
    expression = parse_expression(text, dialect)
    references = [_column(mention.name, present) for mention in expression.mentions]
    return bind_expression(expression, references)


def _column(name: str, present: Collection[str]) -> Reference | None:
    if name not in TYPES:
        return None
    kind = kind_of(TYPES[name], name, LABELS if name == "st" else ())
    return replace(SourceColumn("x", name, kind), nullable=name not in present)


def in_spark(text: str, dialect: DialectChoice = "auto", present: Collection[str] = ()) -> str:
    """The text of the job."""
    return spark_sql(bound(text, dialect, present).value, lambda reference: sql_name(reference.name))


def in_postgres(text: str, dialect: DialectChoice = "auto", present: Collection[str] = ()) -> str:
    """The text of the oracle."""
    return postgres_sql(bound(text, dialect, present).value, lambda reference: f'"{reference.name}"')
