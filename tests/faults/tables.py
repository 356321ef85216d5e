"""The PostgreSQL of a fault sweep: a source, a target with old rows, and a table that references the target."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg

from tests.faults.invariants import Tables
from tests.fixtures.postgres import as_role
from tests.lambda_handler.scene import CANARY, URL_CANARY

STAGED = [("a", "3.50"), ("b", "4.00")]
"""Rows that a job stages: the totals of the source."""
OLD = Tables([("a", Decimal("1.00")), ("old", Decimal("2.00"))], [("a", "kept")])
NEW = Tables([("a", Decimal("3.50")), ("b", Decimal("4.00"))], [("a", "kept")])

# Statistics that arrive at some time would make one snapshot differ from the next.
_SCHEMA = """
DROP SCHEMA IF EXISTS datamorph_staging CASCADE;
DROP TABLE IF EXISTS notes, totals, orders;
DROP SCHEMA IF EXISTS watched CASCADE;
CREATE TABLE orders (customer text, amount numeric(10,2)) WITH (autovacuum_enabled = false);
INSERT INTO orders VALUES ('a', 1.50), ('a', 2), ('b', 4);
CREATE TABLE totals (customer text PRIMARY KEY, total numeric(12,2)) WITH (autovacuum_enabled = false);
CREATE TABLE notes (
    customer text REFERENCES totals DEFERRABLE INITIALLY DEFERRED, note text
) WITH (autovacuum_enabled = false);
INSERT INTO totals VALUES ('a', 1), ('old', 2);
INSERT INTO notes VALUES ('a', 'kept');
CREATE SCHEMA watched;
CREATE TABLE watched.written (customer text);
CREATE FUNCTION watched.written(customer text) RETURNS boolean LANGUAGE sql AS $$
    INSERT INTO watched.written VALUES (customer);
    SELECT true;
$$;
ALTER TABLE totals ADD CONSTRAINT watched CHECK (watched.written(customer)) NOT VALID;
"""
"""The CHECK notes each row that is written, in the transaction that writes it: of a trigger the product would warn."""
_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'canary') THEN
        CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{CANARY}';
    END IF;
END $$
"""


class Sales:
    """One database; the connection is this process's own."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.sql(_ROLE)
        self.url = as_role(url, "canary", URL_CANARY)
        """With a password that must be seen nowhere."""
        assert URL_CANARY in self.url

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run statements."""
        cursor = self._connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []

    def reset(self) -> None:
        """Begin anew: the old rows, and no staging."""
        self.sql(_SCHEMA)

    def tables(self) -> Tables:
        """Rows that a reader sees now."""
        target = self.sql("SELECT customer, total FROM totals ORDER BY 1")
        return Tables(target, self.sql("SELECT customer, note FROM notes ORDER BY 1"))

    def published(self) -> int:
        """How often the target was filled since the beginning: how often its most written row was."""
        times = "SELECT count(*) AS times FROM watched.written GROUP BY customer"
        return int(self.sql(f"SELECT coalesce(max(times), 0) FROM ({times}) AS counted")[0][0])

    def staging(self) -> list[str]:
        """The staging tables that are there."""
        wanted = "schemaname = 'datamorph_staging' AND tablename LIKE 's\\_%'"
        return [name for (name,) in self.sql(f"SELECT tablename FROM pg_tables WHERE {wanted} ORDER BY 1")]
