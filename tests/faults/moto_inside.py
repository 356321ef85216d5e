"""Moto's server read from its own memory: quicker than by requests, and in no sweep's way."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import EventsBackend
from moto.s3.models import s3_backends

from tests.fakes.moto_server import DEFAULTS, REGION
from tools.aws.announcer import REFUSED

ACCOUNT = "123456789012"


class Inside:
    """The stores of the account, and the events that its bus was given."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.events: list[dict[str, Any]] = []
        """Details of completion events."""
        self.refusals: list[dict[str, Any]] = []
        """Details of the events that tell of refused starts."""
        put = EventsBackend.put_events

        def put_events(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
            for event in events:
                kept = self.refusals if event["DetailType"] == REFUSED else self.events
                kept.append(json.loads(event["Detail"]))
            return put(backend, events)

        patch.setattr(EventsBackend, "put_events", put_events)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, in DynamoDB's own JSON."""
        found = dynamodb_backends[ACCOUNT][REGION].tables[table].all_items()
        return [item.to_json()["Attributes"] for item in found]

    def leases(self) -> list[str]:
        """The runs on which a lease lies."""
        return [item["pk"]["S"] for item in self.items(DEFAULTS.ledger_table) if item["sk"]["S"] == "LEASE"]

    def texts(self) -> list[tuple[str, str]]:
        """Everything in the tables and the bucket, with where it lies."""
        told = [
            (f"table {table}", _text(item))
            for table in (DEFAULTS.ledger_table, DEFAULTS.checkpoints_table)
            for item in self.items(table)
        ]
        keys = s3_backends[ACCOUNT]["aws"].buckets[DEFAULTS.bucket].keys.values()
        return told + [(f"object {key.name}", key.value.decode()) for key in keys]


def _text(item: dict[str, Any]) -> str:
    """An item with its binary values unpacked."""
    told = [repr(item)]
    for data in [value["B"] for value in item.values() if "B" in value]:
        told.append((gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode(errors="replace"))
    return "\n".join(told)
