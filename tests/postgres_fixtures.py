"""Fixtures with a real, embedded PostgreSQL: one server a test session, one fresh database a test."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tools.local.postgres import EmbeddedServer, embedded_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """Run the embedded server of this test session."""
    # Not below pytest's own directory: as root, the server runs as another user, and every pytest that starts
    # closes that directory to other users.
    with tempfile.TemporaryDirectory(prefix="datamorph-pg-") as directory, embedded_server(Path(directory)) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: EmbeddedServer) -> Iterator[str]:
    """Make an empty database that is this test's own, and give its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield postgres_server.url_of(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
