"""Runs of one meaning on both engines over the same arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from agent.compiler.expressions.meanings import Meaning
from tests.agent.compiler.function_values import Literal, rows, shapes
from tests.agent.compiler.scene import collected

ERROR = "an error"
ATTEMPT = """
    CREATE FUNCTION attempt(query text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE answer text;
    BEGIN
        EXECUTE query INTO answer;
        RETURN answer;
    EXCEPTION WHEN OTHERS THEN RETURN 'an error';
    END $$
    """
"""A function of PostgreSQL that gives a query's value, or the text of `ERROR`."""


@dataclass
class Case:
    """A meaning with one row of arguments, and the answers."""

    meaning: Meaning
    shape: tuple[str, ...]
    arguments: tuple[Literal, ...]
    postgres: str | None = None
    spark: dict[bool, str | None] = field(default_factory=dict)
    """By ANSI mode."""

    @property
    def call(self) -> str:
        """The call in Spark, for messages."""
        return self.meaning.text("spark", [one.spark for one in self.arguments])


def cases(meaning: Meaning, chosen: dict[int, list[Literal]]) -> list[Case]:
    """A meaning over all shapes of its arguments; a repeated parameter stands three times."""
    parameters = list(meaning.parameters)
    if parameters and parameters[-1].repeated:
        parameters += [parameters[-1]] * 2
    families = [parameter.families for parameter in parameters]
    return [Case(meaning, shape, row) for shape in shapes(families, meaning.alike) for row in rows(shape, chosen)]


def ask_postgres(connection: psycopg.Connection, found: Sequence[Case]) -> None:
    """Note the answers of PostgreSQL, each call by itself."""
    queries = []
    for case in found:
        call = case.meaning.text("postgres", [one.postgres for one in case.arguments])
        queries.append(f"SELECT to_json({call})::text" if case.meaning.gives == "array" else f"SELECT ({call})::text")
    answers = connection.execute("SELECT attempt(query) FROM unnest(%s::text[]) AS query", [queries]).fetchall()
    for case, (answer,) in zip(found, answers, strict=True):
        case.postgres = answer


def ask_spark(spark: Any, found: Sequence[Case], ansi: bool) -> None:
    """Note the answers of Spark: all calls in one query, and each by itself where that one fails."""
    if not found:
        return
    try:
        answers = [row[0] for row in collected(spark.sql(_query(found)))]
    except Exception:
        if len(found) == 1:
            answers = [ERROR]
        else:
            half = len(found) // 2
            ask_spark(spark, found[:half], ansi)
            ask_spark(spark, found[half:], ansi)
            return
    for case, answer in zip(found, answers, strict=True):
        case.spark[ansi] = answer


def _query(found: Sequence[Case]) -> str:
    return f"SELECT explode(array({', '.join(map(_in_spark, found))}))"


def _in_spark(case: Case) -> str:
    return f"to_json({case.call})" if case.meaning.gives == "array" else f"CAST({case.call} AS string)"


def same(meaning: Meaning, one: str | None, other: str | None) -> bool:
    """True for two texts of one value."""
    if one is None or other is None or one == other:
        return one == other
    try:
        left, right = Decimal(one), Decimal(other)
    except ArithmeticError:
        return False
    if meaning.gives == "string":
        return False
    if not (left.is_finite() and right.is_finite()):
        return str(left) == str(right)
    return left == right or (meaning.gives == "float" and math.isclose(float(left), float(right), rel_tol=1e-12))
