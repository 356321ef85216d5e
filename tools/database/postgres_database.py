"""The port `Database` on a real PostgreSQL."""

from __future__ import annotations

from agent.errors import InvalidRequestError, Problem
from agent.names import RunKey
from agent.request import Request
from agent.snapshot import Row, Snapshot
from tools.database import catalog, grants, staging_schema
from tools.database.connection import Connection, Connector
from tools.database.publish_transaction import Publishing
from tools.database.row_values import first_rows
from tools.database.snapshot_query import take_snapshot
from tools.records import Published, PublishOrder, Withdrawal


class PostgresDatabase:
    """The PostgreSQL that a URL names; sessions are opened for each call and none stays open.

    `job_role` is the role of the jobs, where they have one of their own; the URL's is the publisher's.
    """

    def __init__(
        self,
        url: str,
        connect_timeout: int = 10,
        statement_timeout: int = 600,
        lock_timeout: int = 5,
        job_role: str | None = None,
    ) -> None:
        self._job_role = job_role
        self._connector = Connector(url, connect_timeout, statement_timeout, lock_timeout)

    def snapshot(self, request: Request, sample_rows: int) -> Snapshot:
        """Describe a request's tables. Raises UnavailableError, or InvalidRequestError for unfit tables."""
        with self._connector.reading() as connection:
            return take_snapshot(connection, request, sample_rows, self._job_role)

    def prepare_staging(self) -> None:
        """Create schema `datamorph_staging` and its publish ledger when missing, and let the jobs' role in.

        Raises UnavailableError.
        """
        with self._connector.session() as connection, self._connector.translated():
            staging_schema.prepare(connection)
            if self._job_role is not None:
                grants.admit(connection, self._job_role)

    def publish(self, order: PublishOrder, snapshot: Snapshot) -> Published:
        """Audit staging and move its rows into the target in one transaction. Raises PublishError, UnavailableError."""
        return Publishing(self._connector, order, snapshot, self._job_role).publish()

    def withdraw(self, key: RunKey, why: Withdrawal) -> bool:
        """Forbid every later publish of this run and generation; False when it is published already.

        Raises UnavailableError, also while a publish of it is under way for longer than the lock time-out.
        """
        with self._connector.session() as connection, self._connector.translated():
            return staging_schema.withdraw(connection, key, why)

    def drop_staging(self, prefix: str) -> int:
        """Drop every staging table whose name begins with `prefix`; returns their number.

        Raises ValueError for a prefix that could name other tables, UnavailableError for a table that is in use or that
        a view depends on.
        """
        staging_schema.check_prefix(prefix)
        with self._connector.session() as connection, self._connector.translated():
            return staging_schema.drop(connection, prefix)

    def staging_tables(self) -> list[str]:
        """Return the names of all staging tables. Raises UnavailableError."""
        with self._connector.reading() as connection:
            return staging_schema.tables(connection)

    def head(self, table: str, rows: int) -> list[Row]:
        """Return the first rows of a table, in the table's own order. Raises InvalidRequestError when it is missing."""
        with self._connector.reading() as connection:
            relation = _demanded(connection, table)
            return list(first_rows(connection, relation.sql, catalog.columns(connection, relation.oid), rows))


def quoted(connection: Connection, name: str) -> str:
    """Return an existing table for SQL, qualified and quoted: `public."Order Lines"`. Raises InvalidRequestError."""
    return _demanded(connection, name).sql


def _demanded(connection: Connection, name: str) -> catalog.Relation:
    relation = catalog.resolve(connection, name)
    if relation is None:
        near = catalog.nearest_table(connection, name)
        raise InvalidRequestError([Problem("table", f"there is no table {name!r} in the database{near}")])
    return relation
