"""PostgreSQL's JDBC driver, where it is to be found, and a way for it to the server's unix socket."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_VARIABLE = "DATAMORPH_TEST_JDBC_JAR"
_UNPACKED = Path(__file__).parents[3] / ".jdbc" / "usr" / "share" / "java" / "postgresql.jar"
_CHUNK = 65_536


def driver_jar() -> Path:
    """The driver's jar; skips the test where there is none."""
    jar = Path(os.environ.get(_VARIABLE, _UNPACKED))
    if not jar.exists():
        pytest.skip(f"no JDBC driver at {jar}: .ci/jdbc unpacks Debian's there, or name one in {_VARIABLE}")
    return jar


@contextmanager
def loopback(url: str) -> Iterator[str]:
    """A JDBC URL of the database, through a port on loopback: Java's driver knows no unix sockets."""
    parts = urlsplit(url)
    path = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, path), daemon=True)
        thread.start()
        try:
            port = server.getsockname()[1]
            yield f"jdbc:postgresql://127.0.0.1:{port}{parts.path}?user={parts.username}&password={parts.password}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(server: socket.socket, path: str) -> None:
    """Join each connection to one of the unix socket, until the server is closed."""
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        there = socket.socket(socket.AF_UNIX)
        there.connect(path)
        pumps = [threading.Thread(target=_pump, args=ends, daemon=True) for ends in ((client, there), (there, client))]
        for pump in pumps:
            pump.start()
        threading.Thread(target=_close, args=(pumps, (client, there)), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _close(pumps: list[threading.Thread], ends: tuple[socket.socket, socket.socket]) -> None:
    for pump in pumps:
        pump.join()
    for end in ends:
        end.close()


class Jdbc:
    """Spark's own JDBC source and sink on one database."""

    def __init__(self, spark: SparkSession, url: str) -> None:
        self._spark = spark
        self._options = {"url": url, "driver": "org.postgresql.Driver"}

    def read(self, table: str) -> DataFrame:
        """The rows of a table."""
        return self._spark.read.format("jdbc").options(**self._options, dbtable=table).load()

    def write(self, frame: DataFrame, table: str) -> None:
        """Append rows to a table, which is created where it is missing."""
        frame.write.format("jdbc").options(**self._options, dbtable=table).mode("append").save()
