"""A database, a session to set it up with, and the two together."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.tools.database.scene import Sql, stage
from tools.database import PostgresDatabase


@pytest.fixture
def sql(postgres_url: str) -> Iterator[Sql]:
    """Open an autocommit session of another application on the test's database."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield Sql(connection)


@pytest.fixture
def database(postgres_url: str) -> PostgresDatabase:
    """Make the port on the test's database, with its staging prepared."""
    made = PostgresDatabase(postgres_url, lock_timeout=1)
    made.prepare_staging()
    return made


@pytest.fixture
def scene(sql: Sql, database: PostgresDatabase) -> Sql:
    """Make a source, a target with two old rows and two staged new ones."""
    sql("CREATE TABLE orders (id integer)")
    sql("CREATE TABLE summary (id integer PRIMARY KEY, note text NOT NULL)")
    sql("INSERT INTO summary VALUES (1, 'old'), (2, 'old')")
    stage(sql, "(7, 'new'), (8, 'new')")
    return sql
