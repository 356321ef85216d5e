"""Fixtures with a real, embedded PostgreSQL: one server a test session, one fresh database a test."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

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
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield postgres_server.url_of(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def as_role(url: str, role: str, password: str | None = None) -> str:
    """Give the same database's URL for another role, whose password is its name unless another one is given."""
    return f"postgresql://{role}:{password or role}@{url.partition('@')[2]}"


@dataclass(frozen=True)
class Users:
    """A database of a test's own, and who may do what there."""

    admin: str
    """A superuser's URL."""
    publisher: str
    """The URL of the database's owner, who is a member of the jobs' role."""
    jobs: str
    """The URL of a role that has no right but to log in."""
    job_role: str


@pytest.fixture
def users(postgres_url: str) -> Iterator[Users]:
    """Make two roles, as an installation has them, in a database of this test's own."""
    name = conninfo_to_dict(postgres_url)["dbname"]
    publisher, jobs = f"{name}_publisher", f"{name}_jobs"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {jobs} LOGIN PASSWORD '{jobs}'")
        connection.execute(f"CREATE ROLE {publisher} LOGIN PASSWORD '{publisher}' IN ROLE {jobs}")
        connection.execute(f"ALTER DATABASE {name} OWNER TO {publisher}")
        try:
            yield Users(postgres_url, as_role(postgres_url, publisher), as_role(postgres_url, jobs), jobs)
        finally:
            connection.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
            connection.execute(f"DROP OWNED BY {publisher}, {jobs} CASCADE; DROP ROLE {publisher}, {jobs}")
