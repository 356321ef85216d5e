"""Digits of numeric columns, as the values have them."""

from __future__ import annotations

import pytest

from agent.request import Request
from tests.tools.database.scene import Sql, request
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres

_SUMMED = [{"function": "sum", "column": name, "alias": f"{name}_sum"} for name in ("a", "b", "c", "d", "e", "f")]


def held(database: PostgresDatabase, computing: bool = True) -> dict[str, str]:
    """Return the columns of which the digits are known."""
    found = database.snapshot(wanted(computing), 0).source("orders").columns
    return {column.name: column.held for column in found if column.held}


def wanted(computing: bool) -> Request:
    asked = request()
    return asked.model_copy(update={"specs": asked.specs.model_copy(update={"aggregations": _SUMMED[: 6 * computing]})})


def test_numbers_are_held_by_the_digits_that_they_have(sql: Sql, database: PostgresDatabase) -> None:
    """With room for two further digits before the point; trailing zeros, NaN and infinity do not count."""
    sql("CREATE TABLE orders (a numeric, b numeric, c numeric(30,10), d numeric(10,2), e numeric, f integer)")
    sql("INSERT INTO orders VALUES (-1234.5, 0.000340, 99.12345, 1, 'NaN', 1), (2.500, NULL, NULL, 2, NULL, 2)")
    assert held(database) == {"a": "numeric(8,2)", "b": "numeric(8,5)", "c": "numeric(9,5)"}


def test_no_column_is_looked_at_that_nothing_computes(sql: Sql, database: PostgresDatabase) -> None:
    """The query reads the whole table."""
    sql("CREATE TABLE orders (a numeric); INSERT INTO orders VALUES (1)")
    assert held(database, computing=False) == {}


def test_a_failed_look_leaves_the_columns_wide_and_is_told(sql: Sql, database: PostgresDatabase) -> None:
    """A view that fails, as one that takes too long, is no reason to refuse."""
    sql("CREATE VIEW orders AS SELECT 1::numeric / 0 AS a")
    assert held(database) == {}
    [told] = database.snapshot(wanted(True), 0).source("orders").cautions
    assert told.startswith("public.orders: the digits of the values in 'a' are not known")


def test_values_that_spark_reads_rounded_are_told(sql: Sql, database: PostgresDatabase) -> None:
    """It reads 18 decimals of a numeric without precision."""
    sql("CREATE TABLE orders (a numeric); INSERT INTO orders VALUES (0.1234567890123456789)")
    source = database.snapshot(wanted(True), 0).source("orders")
    assert source.cautions == ("public.orders: 'a' has values of more than 18 decimals, which are rounded",)
