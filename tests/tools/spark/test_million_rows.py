"""A million rows through a read and a write of the embedded engine."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.tools.spark.scene import Bench, script

pytestmark = [pytest.mark.spark, pytest.mark.postgres, pytest.mark.slow]

ROWS = 1_000_000
MEGABYTES_OF_ROWS = 480
MEGABYTES_ALLOWED = 240


def test_a_million_rows_stream_through(
    bench: Bench, postgres_url: str, record_property: Callable[[str, object], None]
) -> None:
    """All arrive, and the script's Python process grows by less than half of what the rows alone would take."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE many AS SELECT n AS id, (n % 1000)::numeric(9,2) AS amount, now() AS made,"
            " repeat(md5(n::text), 14) AS note, ARRAY[n, NULL, n] AS ids"
            f" FROM generate_series(1, {ROWS}) AS n"
        )
        run = bench.run(
            "million",
            script(
                """
                def peak():
                    # Not getrusage, which also counts what this process was before it became Python.
                    with open("/proc/self/status") as status:
                        line, = (line for line in status if line.startswith("VmHWM"))
                    return int(line.split()[1]) // 1024


                before = peak()
                frame = read("many")
                after_read = peak()
                write(frame, "public.copy")
                report(frame.count(), [str(before), str(after_read), str(peak())])
                """
            ),
        )
        assert run.state == "SUCCEEDED", run.error
        report = bench.runner.report("million", run.job_run_id)
        assert report is not None and report.rows == ROWS
        before, after_read, after_write = (int(figure) for figure in report.columns)
        figures = f"{before} MB before, {after_read} MB after the read, {after_write} MB after the write"
        record_property("figures", f"a million rows, Python's peak: {figures}")
        same = "SELECT count(*), sum(id), sum(amount), min(made) = max(made), sum(length(note)), sum(ids[3]) FROM {}"
        there = connection.execute(same.format("many").encode()).fetchone()
        assert connection.execute(same.format("copy").encode()).fetchone() == there
        size = connection.execute("SELECT sum(pg_column_size(m.*)) / 1048576 FROM many AS m").fetchone()
    assert size is not None and size[0] > MEGABYTES_OF_ROWS
    assert after_write - before < MEGABYTES_ALLOWED
