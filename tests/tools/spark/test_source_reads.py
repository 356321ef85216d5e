"""Reads of a whole script: only the columns that its transform can be using, also in parallel."""

from __future__ import annotations

import psycopg
import pytest

from agent.request import parse_request
from agent.script import assemble
from tests.tools.spark.scene import Bench
from tools.database import PostgresDatabase

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

TOTALS = """
def transform(sources):
    \"\"\"Totals by customer.\"\"\"
    orders = sources["o"]
    return orders.groupBy(F.col("o.customer").alias("customer")).agg(F.sum("o.amount").alias("total"))
"""
REQUEST = parse_request(
    {
        "run_id": "r",
        "specs": {
            "source_tables": [{"table_name": "orders", "alias": "o"}],
            "target_table": {"name": "totals", "columns": ["customer", "total"]},
        },
    }
)


@pytest.mark.parametrize("rows_estimate", [3, 2_000_000])
def test_a_column_that_is_not_used_is_not_read(bench: Bench, postgres_url: str, rows_estimate: int) -> None:
    """Its value would stop the job: no number can be made of it. In parallel, Glue's conditions are added."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, customer text, amount int, unread numeric)")
        connection.execute("INSERT INTO orders VALUES (1, 'a', 2, 'NaN'), (2, 'a', 3, 1), (3, 'b', 4, 1)")
        database = PostgresDatabase(postgres_url)
        database.prepare_staging()
        seen = database.snapshot(REQUEST, 0)
        (source,) = seen.sources
        seen = seen.model_copy(update={"sources": (source.model_copy(update={"rows_estimate": rows_estimate}),)})
        text = assemble(TOTALS, REQUEST, seen, "dmdb-connection").text
        run = bench.run("totals", text)
        assert run.state == "SUCCEEDED", run.error
        ((staged,),) = connection.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^s_20260101_0123456789ab_'"
        ).fetchall()
        rows = connection.execute(f"SELECT * FROM datamorph_staging.{staged} ORDER BY 1".encode()).fetchall()
    assert rows == [("a", 5), ("b", 4)]
    assert ("'id'" in text) is (rows_estimate > 1_000_000)
    everything = assemble(TOTALS.replace('"o.amount"', '"o." + "amount"'), REQUEST, seen, "dmdb-connection").text
    assert "unread" in bench.run("all", everything).error


def test_a_time_of_day_is_read_in_full(bench: Bench, postgres_url: str) -> None:
    """With its fraction of a second, and midnight at the end of the day apart from that at its beginning."""
    request = parse_request(
        {
            "run_id": "r",
            "specs": {"source_tables": ["shifts"], "target_table": {"name": "copy", "columns": ["text"]}},
        }
    )
    transform = """
def transform(sources):
    return sources["shifts"].select(F.col("shifts.at").cast("string").alias("text"))
"""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE shifts (at time)")
        connection.execute("INSERT INTO shifts VALUES ('08:30:15.25'), ('00:00'), ('24:00'), (NULL)")
        database = PostgresDatabase(postgres_url)
        database.prepare_staging()
        text = assemble(transform, request, database.snapshot(request, 0), "dmdb-connection").text
        run = bench.run("times", text)
        assert run.state == "SUCCEEDED", run.error
        ((staged,),) = connection.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^s_20260101_0123456789ab_'"
        ).fetchall()
        rows = connection.execute(f"SELECT text FROM datamorph_staging.{staged} ORDER BY 1".encode()).fetchall()
    assert rows == [
        ("1970-01-01 00:00:00",),
        ("1970-01-01 08:30:15.25",),
        ("1970-01-02 00:00:00",),
        (None,),
    ]
