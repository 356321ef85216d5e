"""Processes that die between two writes to DynamoDB."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt
from langgraph_checkpoint_aws import DynamoDBSaver  # type: ignore[import-untyped]
from typing_extensions import TypedDict

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


class Steps(TypedDict, total=False):
    """State of the test graph."""

    done: Annotated[list[str], operator.add]
    last: str
    count: int


def chain(saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Steps, None, Steps, Steps]:
    """Three nodes, one after the other."""
    builder = StateGraph(Steps)
    for name in ("a", "b", "c"):
        builder.add_node(name, lambda state, name=name: {"done": [name], "last": name, "count": len(state["done"])})
    for start, end in ((START, "a"), ("a", "b"), ("b", "c"), ("c", END)):
        builder.add_edge(start, end)
    return builder.compile(checkpointer=saver)


def asking(saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Steps, None, Steps, Steps]:
    """A node that is interrupted twice, and one after it."""

    def ask(state: Steps) -> Steps:
        return {"done": [interrupt("first"), interrupt("second")], "last": "ask"}

    builder = StateGraph(Steps)
    builder.add_node("ask", ask)
    builder.add_node("c", lambda state: {"done": ["c"], "last": "c"})
    for start, end in ((START, "ask"), ("ask", "c"), ("c", END)):
        builder.add_edge(start, end)
    return builder.compile(checkpointer=saver)


def requests_of(client: Any) -> list[tuple[str, Any]]:
    """The operation and body of each request that is sent from now on."""
    seen: list[tuple[str, Any]] = []

    def before_send(request: Any, **_: object) -> None:
        seen.append((request.headers["X-Amz-Target"].decode().rpartition(".")[2], json.loads(request.body)))

    client.meta.events.register("before-send.dynamodb", before_send)
    return seen
