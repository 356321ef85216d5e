"""A database with the shop's tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.agent.compiler.scene import ROWS, TABLES
from tools.local.postgres import EmbeddedServer


@pytest.fixture(scope="package")
def shop(postgres_server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """A database with the shop's tables; texts are compared by code point, as Spark does."""
    name = f"shop_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        try:
            with psycopg.connect(postgres_server.url_of(name), autocommit=True) as connection:
                _fill(connection)
                yield connection
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _fill(connection: psycopg.Connection) -> None:
    """Create and fill the shop's tables."""
    connection.execute("CREATE SCHEMA sales")
    for table, columns in TABLES.items():
        name = sql.Identifier(*table.split("."))
        shape = sql.SQL(", ").join(sql.SQL("{} " + kind).format(sql.Identifier(c)) for c, kind in columns.items())
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, shape))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        with connection.cursor() as cursor:
            cursor.executemany(sql.SQL("INSERT INTO {} VALUES ({})").format(name, marks), ROWS[table])
