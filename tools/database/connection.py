"""Connections to PostgreSQL: the set-up of every session, and refusals in words without the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from agent.errors import InvalidRequestError, UnavailableError
from agent.redaction import redact
from tools.database.database_url import (
    checked_url,
    completed,
    database_name,
    given_parameters,
    hosts,
    location,
    passwords,
)
from tools.database.tls import advice

__all__ = ["Connection", "Connector", "UnreachableError", "checked_url", "location", "server_version"]

_REMEDY = "start it, or check host, port, user and password and that this machine may connect"

Connection = psycopg.Connection[tuple[Any, ...]]


class UnreachableError(UnavailableError):
    """No session could be opened."""


@dataclass(frozen=True)
class Connector:
    """Opens sessions on one database."""

    url: str
    connect_timeout: int = 10
    """Seconds until a connection attempt fails."""
    statement_timeout: int = 600
    """Seconds until PostgreSQL cancels a statement."""
    lock_timeout: int = 5
    """Seconds until PostgreSQL gives up waiting for a lock."""

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Open an autocommit session in UTC, at READ COMMITTED; the caller opens its transactions.

        Raises UnreachableError.
        """
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read-only transaction that sees one state of the database. Raises UnavailableError, also midway."""
        with self.session() as connection, self.translated():
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                yield connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise UnavailableError for a refusal by PostgreSQL, a lost connection or a time-out."""
        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            raise self.denied(error) from error
        except (psycopg.OperationalError, psycopg.errors.InFailedSqlTransaction) as error:
            raise UnavailableError("database", f"{self.place()} broke off: {self._words(error)}; try again") from error
        except psycopg.Error as error:
            raise UnavailableError("database", f"{self.place()} refused: {self._words(error)}") from error

    def denied(self, error: psycopg.Error) -> UnavailableError:
        """Name the missing right and the role to grant it to."""
        user = completed(self._given()).get("user")
        who = f"role {user!r}" if user else "the role"
        return UnavailableError("database", f"{self.place()}: {self._words(error)}; grant it to {who}")

    def place(self) -> str:
        """Name the database as `database 'shop' at db.example.org:5432`, without user or password."""
        given = self._given()
        if service := given.get("service"):
            return f"the database of service {service!r}"
        parameters = completed(given)
        return f"database {database_name(parameters)!r} at {hosts(parameters)}"

    def _connect(self) -> Connection:
        place = self.place()
        try:
            connection = psycopg.connect(
                self.url,
                autocommit=True,
                connect_timeout=self.connect_timeout,
                application_name="datamorph",
                client_encoding="utf8",
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
            )
            # Behind a lock a session must see what was committed meanwhile; a snapshot would be older.
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            self._set_up(connection)
        except psycopg.Error as error:
            words = self._words(error)
            remedy = advice(words) or _REMEDY
            raise UnreachableError("database", f"{place} cannot be reached: {words}; {remedy}") from error
        return connection

    def _set_up(self, connection: Connection) -> None:
        # SET, because connection poolers refuse start-up options.
        settings = {
            "TimeZone": "UTC",
            "DateStyle": "ISO, YMD",
            "lock_timeout": f"{self.lock_timeout}s",
            "statement_timeout": f"{self.statement_timeout}s",
            "default_transaction_isolation": "read committed",
        }
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET lc_messages TO 'C'")

    def _given(self) -> dict[str, str]:
        try:
            return given_parameters(self.url)
        except InvalidRequestError as error:
            raise UnavailableError("database", error.problems[0].message) from None

    def _words(self, error: psycopg.Error) -> str:
        return redact(" ".join((error.diag.message_primary or str(error)).split()), passwords(self.url))


def server_version(url: str) -> str:
    """The server's version and place: `PostgreSQL 18.1 (database 'shop' at …:5432)`. Raises UnavailableError."""
    connector = Connector(url)
    with connector.session() as connection, connector.translated():
        row = connection.execute("SHOW server_version").fetchone()
    return f"PostgreSQL {row[0] if row else '?'} ({connector.place()})"
