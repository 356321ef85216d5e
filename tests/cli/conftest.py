"""A home with an embedded server and the real flights, made once; and the command as users run it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.load_flights import load
from tests.cli.scene import Home
from tools.local.postgres import embedded_server


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """Make a home with the flights loaded."""
    with tempfile.TemporaryDirectory(prefix="datamorph-") as folder:
        Path(folder).chmod(0o755)
        with embedded_server(Path(folder) / "postgres") as server:
            load(server.url)
            yield Home(Path(folder), server)


@pytest.fixture
def small(home: Home) -> Iterator[Path]:
    """Make a small specification on a small table of its own, `totals` from `orders`."""
    home.sql("DROP TABLE IF EXISTS totals, orders CASCADE")
    if home.sql("SELECT to_regclass('datamorph_staging.publishes')") != [(None,)]:
        home.sql("DELETE FROM datamorph_staging.publishes WHERE target LIKE '%%totals%%'")
    home.sql("CREATE TABLE orders (customer text, amount numeric(10,2))")
    home.sql("INSERT INTO orders VALUES ('a', 1.50), ('a', 2), ('b', 4)")
    specs = {
        "source_tables": [{"table_name": "orders", "alias": "o"}],
        "target_table": {"name": "totals", "columns": ["customer", "total"]},
        "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["customer"]}],
    }
    path = home.folder / "small.json"
    path.write_text(json.dumps({"specs": specs}))
    yield path
    path.unlink()
