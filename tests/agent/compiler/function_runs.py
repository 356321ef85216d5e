"""Runs of meanings on both engines: calls over one table of arguments are columns of one query."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import psycopg

from agent.compiler.expressions.meanings import Dialect, Meaning, Parameter
from tests.agent.compiler.function_values import CONSTANTS, ZONES, Literal, rows, shapes
from tests.agent.compiler.scene import collected

ERROR = "an error"
ATTEMPT = """
    CREATE OR REPLACE FUNCTION attempt(query text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE answer text;
    BEGIN
        EXECUTE query INTO answer;
        RETURN answer;
    EXCEPTION WHEN OTHERS THEN RETURN 'an error';
    END $$
    """
"""A function of PostgreSQL that gives a query's value, or the text of `ERROR`."""
Answers = list[str | None]
ArgumentTable = tuple[tuple[Literal, ...], ...]


@dataclass
class Call:
    """A meaning over one table of arguments, and the answers of the engines, row by row."""

    meaning: Meaning
    arguments: tuple[Literal | int, ...]
    """Constants, and places in the rows."""
    table: ArgumentTable
    postgres: Answers = field(default_factory=list)
    spark: dict[bool, Answers] = field(default_factory=dict)
    """By ANSI mode; only rows that PostgreSQL has a value for, and a few others."""

    def text(self, dialect: Dialect, row: tuple[Literal, ...] | None = None) -> str:
        """The call as text, over the columns c0, c1 … or over a row's literals."""
        texts = [
            getattr(one, dialect)
            if isinstance(one, Literal)
            else f"c{one}"
            if row is None
            else getattr(row[one], dialect)
            for one in self.arguments
        ]
        call = self.meaning.text(dialect, texts)
        if self.meaning.gives == "array":
            return f"to_json({call})" if dialect == "spark" else f"to_json({call})::text"
        return f"CAST({call} AS string)" if dialect == "spark" else f"({call})::text"


def calls(meaning: Meaning, chosen: dict[int, list[Literal]]) -> Iterator[Call]:
    """A meaning over all shapes of its arguments, and all constants; a repeated parameter stands three times."""
    parameters = list(meaning.parameters)
    if parameters and parameters[-1].repeated:
        parameters += [parameters[-1]] * 2
    open_places = [place for place, each in enumerate(parameters) if not each.constant]
    fixed = [_constants(each, chosen.get(place)) for place, each in enumerate(parameters) if each.constant]
    for shape in shapes([parameters[place].families for place in open_places], meaning.alike):
        table = tuple(rows(shape, {at: chosen[place] for at, place in enumerate(open_places) if place in chosen}))
        for constants in product(*fixed):
            given, column = iter(constants), iter(range(len(open_places)))
            arguments = tuple(next(given) if each.constant else next(column) for each in parameters)
            yield Call(meaning, arguments, table)


def _constants(parameter: Parameter, chosen: list[Literal] | None) -> list[Literal]:
    return chosen or (ZONES if parameter.zone else CONSTANTS[parameter.least])


def ask_postgres(connection: psycopg.Connection, found: Iterable[Call]) -> None:
    """Note the answers of PostgreSQL: a query for each call, and each row by itself where it fails."""
    for call in found:
        names = ", ".join(["row", *(f"c{place}" for place in range(len(call.table[0])))])
        lines = ", ".join(
            f"({', '.join([str(at), *(one.postgres for one in row)])})" for at, row in enumerate(call.table)
        )
        try:
            answers = connection.execute(
                f"SELECT {call.text('postgres')} FROM (VALUES {lines}) AS a({names}) ORDER BY row"
            )
        except psycopg.Error:
            queries = [f"SELECT {call.text('postgres', row)}" for row in call.table]
            answers = connection.execute("SELECT attempt(query) FROM unnest(%s::text[]) AS query", [queries])
        call.postgres = [answer for (answer,) in answers.fetchall()]


def ask_spark(spark: Any, found: Iterable[Call], ansi: bool) -> None:
    """Note the answers of Spark for the rows that PostgreSQL has a value for: one query for each table."""
    spark.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
    by_table = defaultdict[ArgumentTable, list[Call]](list)
    for call in found:
        by_table[call.table].append(call)
    for table, group in by_table.items():
        for start in range(0, len(group), 40):
            some = group[start : start + 40]
            for call, answers in zip(some, _answers(spark, table, some), strict=True):
                call.spark[ansi] = answers
    if ansi:
        _ask_for_errors(spark, found)


def _answers(spark: Any, table: ArgumentTable, group: Sequence[Call]) -> list[Answers]:
    names = ", ".join(["row", *(f"c{place}" for place in range(len(table[0])))])
    lines = ", ".join(f"({', '.join([str(at), *(one.spark for one in row)])})" for at, row in enumerate(table))
    chosen = ", ".join(["row", *map(_where_postgres_has_a_value, group)])
    try:
        found = collected(spark.sql(f"SELECT {chosen} FROM VALUES {lines} AS a({names})"))
    except Exception:
        if len(group) > 1:
            return [_answers(spark, table, [call])[0] for call in group]
        if len(table) > 1:
            return [_one_by_one(spark, group[0])]
        return [[ERROR]]
    ordered = sorted(found)
    return [[row[place] for row in ordered] for place in range(1, len(group) + 1)]


def _where_postgres_has_a_value(call: Call) -> str:
    failed = [str(at) for at, answer in enumerate(call.postgres) if answer == ERROR]
    return f"CASE WHEN row NOT IN ({', '.join(failed)}) THEN {call.text('spark')} END" if failed else call.text("spark")


def _one_by_one(spark: Any, call: Call) -> Answers:
    return [
        None
        if answer == ERROR
        else _answers(spark, (row,), [Call(call.meaning, call.arguments, (row,), [answer])])[0][0]
        for row, answer in zip(call.table, call.postgres, strict=True)
    ]


def _ask_for_errors(spark: Any, found: Iterable[Call]) -> None:
    """Note Spark's answers for a few rows of each meaning that PostgreSQL raises an error for."""
    seen = defaultdict[str, int](int)
    for call in found:
        for at, answer in enumerate(call.postgres):
            if answer == ERROR and seen[call.meaning.name] < 3:
                seen[call.meaning.name] += 1
                single = Call(call.meaning, call.arguments, (call.table[at],), [None])
                call.spark[True][at] = _answers(spark, single.table, [single])[0][0]


def differences(call: Call) -> Iterator[str]:
    """Descriptions of the rows where the engines differ, or where the meaning says otherwise."""
    meaning = call.meaning
    for at, row in enumerate(call.table):
        wanted = call.postgres[at]
        for ansi, answers in call.spark.items():
            got = answers[at]
            raises = wanted == ERROR or call.spark[True][at] == ERROR
            if not (_may_raise(meaning, wanted, got, ansi) if raises else same(meaning, wanted, got)):
                yield f"{call.text('spark', row)}, ANSI {ansi}: Spark {got!r}, PostgreSQL {wanted!r}"
        holds_null = any("NULL" in one.postgres for one in row)
        if wanted != ERROR and _breaks(meaning, wanted is None, holds_null):
            yield f"{call.text('postgres', row)} is {wanted!r}, but NULLs are {meaning.nulls}"


def _may_raise(meaning: Meaning, wanted: str | None, got: str | None, ansi: bool) -> bool:
    """An error must be declared; in ANSI mode, Spark has no value where PostgreSQL raises one."""
    return bool(meaning.outside) and (not ansi or got == ERROR or (wanted == ERROR and got is None))


def _breaks(meaning: Meaning, null: bool, holds_null: bool) -> bool:
    return null if meaning.nulls == "never" else meaning.nulls == "strict" and null != holds_null


def same(meaning: Meaning, one: str | None, other: str | None) -> bool:
    """True for two texts of one value."""
    if one is None or other is None or one == other or meaning.gives == "string":
        return one == other
    try:
        left, right = Decimal(one), Decimal(other)
    except ArithmeticError:
        return False
    if not (left.is_finite() and right.is_finite()):
        return str(left) == str(right)
    return left == right or (meaning.gives == "float" and math.isclose(float(left), float(right), rel_tol=1e-12))
