"""The rows of a checkpointer as JSON, out of its store and into another one."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver

from graph.checkpoints.dynamodb import dynamodb_checkpoints
from graph.checkpoints.sqlite import sqlite_checkpoints
from tests.fakes.moto_server import DEFAULTS
from tools.aws.clients import AwsClients

Row = dict[str, Any]


class Store(Protocol):
    """Where checkpoints lie."""

    @contextmanager
    def saver(self) -> Iterator[BaseCheckpointSaver[Any]]:
        """Open the checkpointer."""
        ...

    def rows(self) -> list[Row]:
        """Everything that a resume needs."""
        ...

    def fill(self, rows: list[Row]) -> None:
        """Put rows into the empty store."""
        ...


class SqliteStore:
    """The file of this machine's runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def saver(self) -> Iterator[BaseCheckpointSaver[Any]]:
        """Open the checkpointer."""
        with sqlite_checkpoints(self._path) as opened:
            yield opened

    def rows(self) -> list[Row]:
        """The newest checkpoint of each namespace with its writes."""
        newest = "(SELECT max(checkpoint_id) FROM checkpoints c WHERE c.checkpoint_ns = {0}.checkpoint_ns)"
        with closing(sqlite3.connect(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            return [
                {"table": table, **{key: _packed(row[key]) for key in row.keys()}}  # noqa: SIM118
                for table in ("checkpoints", "writes")
                for row in connection.execute(
                    f"SELECT * FROM {table} WHERE checkpoint_id = {newest.format(table)} ORDER BY 1, 2, 3"
                )
            ]

    def fill(self, rows: list[Row]) -> None:
        """Put rows into the empty tables."""
        with sqlite_checkpoints(self._path) as opened:
            opened.setup()
        with closing(sqlite3.connect(self._path)) as connection, connection:
            for row in rows:
                values = {key: _unpacked(value) for key, value in row.items() if key != "table"}
                names, marks = ", ".join(values), ", ".join("?" for _ in values)
                connection.execute(f"INSERT INTO {row['table']} ({names}) VALUES ({marks})", tuple(values.values()))


class DynamoStore:
    """The table of the function's runs."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    @contextmanager
    def saver(self) -> Iterator[BaseCheckpointSaver[Any]]:
        """Open the checkpointer."""
        yield dynamodb_checkpoints(DEFAULTS, self._clients)

    def rows(self) -> list[Row]:
        """The newest checkpoint of each namespace with its payload and writes."""
        pages = self._clients.get("dynamodb").get_paginator("scan").paginate(TableName=DEFAULTS.checkpoints_table)
        items = [item for page in pages for item in page["Items"]]
        pointers = [item for item in items if item["PK"]["S"].startswith("CHECKPOINT_")]
        newest = {item["ns"]["S"]: item["id"]["S"] for item in sorted(pointers, key=lambda item: str(item["id"]["S"]))}
        kept = [item for item in items if any(id_ in item["PK"]["S"] + item["SK"]["S"] for id_ in newest.values())]
        return [{key: _of_item(value) for key, value in item.items() if key != "ttl"} for item in kept]

    def fill(self, rows: list[Row]) -> None:
        """Put rows into the empty table."""
        for row in rows:
            item = {key: _to_item(value) for key, value in row.items()}
            self._clients.get("dynamodb").put_item(TableName=DEFAULTS.checkpoints_table, Item=item)


def _packed(value: Any) -> Any:
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value


def _of_item(value: Row) -> Row:
    return {kind: _packed(content) for kind, content in value.items()}


def _to_item(value: Row) -> Row:
    return {kind: _unpacked(content) for kind, content in value.items()}
