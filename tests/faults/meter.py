"""Cost of invocations: AWS requests as they are sent, DynamoDB's units and bytes, sessions on PostgreSQL.

Counted at botocore's own events, so that no stand-in's speed or bookkeeping matters.
"""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from tools.database.connection import Connector

WRITTEN, READ = "DynamoDB bytes written", "DynamoDB bytes read"
WRITE_UNITS, READ_UNITS = "DynamoDB write request units", "DynamoDB read request units"
NEWEST_UNITS = "DynamoDB write request units of the index newest"
"""Counted among the others too: all runs lie in one partition of it."""
STORED = "S3 bytes stored"
PROMPT = "Bedrock bytes asked"
SESSIONS = "PostgreSQL sessions"
_WRITE_UNIT, _READ_UNIT = 1024, 4096
_WEIGHED = {"UpdateItem": "ALL_NEW", "DeleteItem": "ALL_OLD"}
"""Writes whose answer is asked to hold the item: it is the item that is billed."""

_FREE = ("CreateTable", "UpdateTimeToLive")

Item = Mapping[str, Mapping[str, Any]]


@dataclass
class Meter:
    """The counts of this process; clients made after `install` are watched, with every try that boto3 makes."""

    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Watch every client and every session that is opened from now on."""
        made, connected = boto3.session.Session.client, Connector._connect

        def connect(connector: Connector) -> Any:
            self.add(SESSIONS, 1)
            return connected(connector)

        patch.setattr(boto3.session.Session, "client", lambda *given, **more: self.watch(made(*given, **more)))
        patch.setattr(Connector, "_connect", connect)

    def watch(self, client: Any) -> Any:
        """Watch a client; gives it back."""
        client.meta.events.register("before-parameter-build", _asked)
        client.meta.events.register("before-send", self._sent)
        client.meta.events.register("after-call", self._answered)
        return client

    def add(self, name: str, number: float) -> None:
        """Count; several threads ask at once."""
        with self._lock:
            self.counts[name] += number  # type: ignore[assignment]  # half a unit is a unit of an index read

    def taken(self) -> Mapping[str, float]:
        """Counts since the last time."""
        with self._lock:
            taken = dict(self.counts)
            self.counts.clear()
        return taken

    def _sent(self, event_name: str, **_: object) -> None:
        self.add(event_name.removeprefix("before-send."), 1)

    def _answered(self, http_response: Any, parsed: dict[str, Any], model: Any, context: Any, **_: object) -> None:
        asked = context.get("asked", {})
        if http_response.status_code >= 300:
            return
        if model.service_model.service_name == "dynamodb":
            for name, number in dynamodb_cost(model.name, asked, parsed):
                self.add(name, number)
        if model.name == "PutObject":
            self.add(STORED, _length(asked["Body"]))
        if model.name == "InvokeModel":
            self.add(PROMPT, _length(asked["body"]))


def _length(body: str | bytes | io.BytesIO) -> int:
    """Bytes of a body as it was given, or as boto3 has wrapped it."""
    return body.getbuffer().nbytes if isinstance(body, io.BytesIO) else len(body)


def _asked(params: dict[str, Any], model: Any, context: Any, **_: object) -> None:
    if model.service_model.service_name == "dynamodb" and model.name in _WEIGHED:
        params.setdefault("ReturnValues", _WEIGHED[model.name])
    context["asked"] = params


def dynamodb_cost(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Bytes and request units of a call, by DynamoDB's rules: a write is of whole KB, a consistent read of 4 KB.

    A transaction counts twice, and what an index holds of an item once more.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    if operation == "TransactWriteItems":
        for action in asked["TransactItems"]:
            # A look at a lease, which is smaller than a KB, is billed as if it wrote that.
            yield from _write(action["Put"]["Item"], 2) if "Put" in action else [(WRITE_UNITS, 2)]
    elif operation == "PutItem":
        yield from _write(asked["Item"], 1)
        yield from _indexes(asked["Item"], "open" in asked["Item"])
    elif operation == "UpdateItem":
        yield from _write(answer["Attributes"], 1)
        # The index of open runs holds keys alone: it is written when a run leaves it.
        yield from _indexes(answer["Attributes"], "open" not in answer["Attributes"])
    elif operation == "DeleteItem":
        gone = answer.get("Attributes", {})
        yield from _write(gone, 1)
        yield from _indexes(gone, "open" in gone)
    elif operation in ("GetItem", "Query", "BatchGetItem"):
        yield from _read(list(_items(answer)), 0.5 if "IndexName" in asked else 1)
    elif operation not in _FREE:
        raise AssertionError(f"no rule for {operation}")


def _write(item: Item, factor: int) -> Iterator[tuple[str, float]]:
    yield WRITTEN, size(item)
    yield WRITE_UNITS, factor * _whole(size(item), _WRITE_UNIT)


def _indexes(item: Item, moved: bool) -> Iterator[tuple[str, float]]:
    """Units of the ledger's indexes: `newest` holds a run's item whole, `open_runs` its keys and those of a lease."""
    if "listed" in item:
        yield NEWEST_UNITS, _whole(size(item), _WRITE_UNIT)
        yield WRITE_UNITS, _whole(size(item), _WRITE_UNIT)
    if moved and "given_at" in item:
        yield WRITE_UNITS, 1


def _read(items: list[Item], factor: float) -> Iterator[tuple[str, float]]:
    total = sum(map(size, items))
    yield READ, total
    yield READ_UNITS, factor * _whole(total, _READ_UNIT)


def _items(answer: Mapping[str, Any]) -> Iterable[Item]:
    if "Item" in answer:
        yield answer["Item"]
    yield from answer.get("Items", [])
    for items in answer.get("Responses", {}).values():
        yield from items


def _whole(number: int, unit: int) -> int:
    return max(1, -(-number // unit))


def size(item: Item) -> int:
    """An item's bytes as DynamoDB counts them: names and values; a number takes half a byte a digit, and one more."""
    return sum(len(name.encode()) + sum(map(_value, value.items())) for name, value in item.items())


def _value(typed: tuple[str, Any]) -> int:
    kind, value = typed
    if kind == "B":
        return len(value)
    if kind == "N":
        return (len(value) + 1) // 2 + 1
    return len((value if kind == "S" else json.dumps(value)).encode())
