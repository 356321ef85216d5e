"""Spark and PostgreSQL give the same values for every meaning of the table of functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agent.compiler.expressions.function_tables.differences import DIFFERENCES
from agent.compiler.expressions.functions import MEANINGS
from agent.compiler.expressions.meanings import Difference
from tests.agent.compiler.function_arguments import CHOSEN
from tests.agent.compiler.function_runs import ATTEMPT, Call, ask_postgres, ask_spark, calls, differences
from tests.agent.compiler.scene import collected
from tools.local.postgres import EmbeddedServer

pytestmark = [pytest.mark.spark, pytest.mark.postgres]


@pytest.fixture(scope="module")
def database(postgres_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A database that knows the capitals of all letters, as a database for data does."""
    name = f"functions_{uuid.uuid4().hex[:12]}"
    locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 {locale}')
        try:
            with psycopg.connect(postgres_server.url_of(name), autocommit=True) as connection:
                connection.execute(ATTEMPT)
                yield connection
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def answered(spark: Any, database: psycopg.Connection) -> Iterator[list[Call]]:
    """Every meaning over its values, with the answers of PostgreSQL, and of Spark with ANSI mode on and off."""
    found = [call for name, meaning in MEANINGS.items() for call in calls(meaning, CHOSEN.get(name, {}))]
    ask_postgres(database, found)
    ask_spark(spark, found, ansi=True)
    ask_spark(spark, found, ansi=False)
    spark.conf.unset("spark.sql.ansi.enabled")
    yield found


def test_the_engines_agree_on_every_function(answered: list[Call]) -> None:
    """Values, NULLs and errors are the same; an error stands in the table."""
    found = [text for call in answered for text in differences(call)]
    assert found == []


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.name)
def test_an_example_shows_the_difference(ansi_spark: Any, database: psycopg.Connection, one: Difference) -> None:
    """A message quotes both answers, which are the engines' own."""
    in_spark = collected(ansi_spark.sql(f"SELECT CAST({one.spark_call} AS string)"))[0][0]
    row = database.execute(f"SELECT ({one.postgres_call or one.spark_call})::text").fetchone()
    assert row is not None
    assert (_shown(in_spark), _shown(row[0])) == (one.spark, one.postgres)


def _shown(answer: str | None) -> str:
    return "NULL" if answer is None else answer
