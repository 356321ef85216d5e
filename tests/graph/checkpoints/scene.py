"""Processes that die between two writes to DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from langgraph_checkpoint_aws import DynamoDBSaver  # type: ignore[import-untyped]

from graph.checkpoints.dynamodb import AtomicSaver, dynamodb_checkpoints
from tests.fakes.moto_server import DEFAULTS, REGION
from tools.aws.clients import AwsClients

WRITES = {"PutItem", "TransactWriteItems", "BatchWriteItem"}


class ProcessDied(Exception):
    """Nothing reaches the store any more."""


@contextmanager
def cut_after(client: Any, writes: int) -> Iterator[list[str]]:
    """Let so many writes through and nothing after them, as when the process dies; gives the writes seen."""
    seen: list[str] = []

    def before_send(request: Any, **_: object) -> None:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if len(seen) > writes or (len(seen) == writes and operation in WRITES):
            seen.extend([operation] * (len(seen) == writes))
            raise ProcessDied
        if operation in WRITES:
            seen.append(operation)

    client.meta.events.register("before-send.dynamodb", before_send)
    try:
        yield seen
    finally:
        client.meta.events.unregister("before-send.dynamodb", before_send)


@contextmanager
def stock() -> Iterator[Any]:
    """Open the saver as it comes."""
    saver = DynamoDBSaver(DEFAULTS.checkpoints_table, region_name=REGION)
    with closing(saver.client):
        yield saver


@contextmanager
def atomic() -> Iterator[AtomicSaver]:
    """Open the saver of this project."""
    with closing(AwsClients(REGION)) as clients:
        yield dynamodb_checkpoints(DEFAULTS, clients)
