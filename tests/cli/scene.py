"""One home with an embedded server, and the command as users run it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.cli import warm
from tools.local.postgres import EmbeddedServer

PROJECT = Path(__file__).parents[2]


EXAMPLE = PROJECT / "examples" / "carrier_delays.json"


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def response(self) -> dict[str, Any]:
        """Standard output, which holds the JSON answer alone."""
        return dict(json.loads(self.out))

    @property
    def body(self) -> dict[str, Any]:
        """The response's body."""
        return dict(self.response["body"])


@dataclass(frozen=True)
class Home:
    """One `--home` and its database."""

    folder: Path
    server: EmbeddedServer

    def command(self, *arguments: str) -> list[str]:
        """Give the command line, for a new interpreter."""
        return [sys.executable, "-m", "cli.main", *arguments, "--home", str(self.folder)]

    def datamorph(self, *arguments: str, stdin: str = "") -> Answer:
        """Run a command to its end."""
        done = warm.run("cli.main", (*arguments, "--home", str(self.folder)), environment(), PROJECT, stdin=stdin)
        return Answer(done.returncode, done.stdout, done.stderr)

    def sql(
        self, statement: str, parameters: Sequence[object] = (), *, superuser: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run a statement as the database's owner, or as superuser."""
        url = self.server.url_of("postgres") if superuser else self.server.url
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def executions(self, run_id: str) -> int:
        """How many times the engine really ran something for a run."""
        return len(list(self.folder.glob(f"jobs/datamorph-job-{run_id}-*/runs/jr_*")))


def environment() -> dict[str, str]:
    """Without settings of the machine that the tests run on."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DATAMORPH_", "AWS_"))}


@contextmanager
def small_specification(home: Home) -> Iterator[Path]:
    """Make a small table `orders`, no table `totals`, and a specification from one to the other."""
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
