"""Checkpoints on DynamoDB: stored in one transaction, read consistently, and fenced by the run's lease.

LangGraph counts a task with any stored write as done. The stock saver stores a task's writes item by item: a process
that dies in between loses the rest of them without an error. The stock saver also reads without ConsistentRead, and
does not check the lease: a late checkpoint of a worker that lost the run would become the newest of the thread.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph_checkpoint_aws import DynamoDBSaver  # type: ignore[import-untyped]
from langgraph_checkpoint_aws.checkpoint.dynamodb.storage_strategy import StorageStrategy  # type: ignore[import-untyped]
from langgraph_checkpoint_aws.checkpoint.dynamodb.unified_repository import (  # type: ignore[import-untyped]
    UnifiedRepository,
)

from agent.settings import Settings
from graph.checkpoints.strict import require_strict
from tools.aws.clients import AwsClients
from tools.aws.lease import Hold, busy, leases_in
from tools.aws.table import CheckFailedError, Table

Put = dict[str, Any]

_ACTIONS = 99
"""Puts in one transaction: DynamoDB takes 100 actions, and one of them checks the lease."""
_BYTES = 3_500_000
"""Payload in one transaction: DynamoDB takes 4 MB, and the rest is for keys."""
_SECONDS_A_DAY = 86_400


def checkpoints_table(name: str) -> dict[str, Any]:
    """CreateTable's parameters; the TTL attribute is `ttl`."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in ("PK", "SK")],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    }


def dynamodb_checkpoints(settings: Settings, clients: AwsClients) -> AtomicSaver:
    """The saver of the configured table. Raises RuntimeError unless checkpoints are data only."""
    table = Table(clients, settings.checkpoints_table, "checkpoints", "DATAMORPH_CHECKPOINTS_TABLE")
    leases = leases_in(clients, settings.ledger_table)
    saver = AtomicSaver(table, settings.retention_days * _SECONDS_A_DAY, leases)
    require_strict(saver.serde)
    return saver


class AtomicSaver(DynamoDBSaver):  # type: ignore[misc]
    """The stock saver with consistent reads, and with one transaction for a checkpoint and for a task's writes.

    Raises UnavailableError for a refusal of DynamoDB, ConflictError for a write after the hold of the run is over.
    """

    def __init__(self, table: Table, ttl_seconds: int, leases: Table) -> None:
        self._table = table
        self._ttl_seconds = ttl_seconds
        self._leases = leases
        self._hold: Hold | None = None
        super().__init__(table.name, session=cast(Any, _Session(table)), ttl_seconds=ttl_seconds)
        for operation in ("GetItem", "Query", "BatchGetItem"):
            self.client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _read_consistently)

    def held_by(self, run_id: str, owner: str) -> AtomicSaver:
        """The saver for one hold on the same client: it writes only while the owner has the run's lease."""
        held = copy.copy(self)
        held._hold = Hold(self._leases, run_id, owner)
        return held

    def demand_held(self) -> None:
        """Raise ConflictError when the saver's hold is over."""
        if self._hold is not None:
            self._hold.demand()

    def _transact(self, puts: Sequence[Put]) -> None:
        """Put all items or none. Raises ConflictError when the hold is over."""
        if self._hold is None:
            self._table.transact(puts)
            return
        try:
            with self._hold.turn:
                self._table.transact(puts, self._hold.check())
        except CheckFailedError as error:
            raise busy(self._hold.run_id) from error

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that the config names, else the newest of the thread."""
        with self._table.asked():
            return cast("CheckpointTuple | None", super().get_tuple(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """The thread's checkpoints, newest first."""
        with self._table.asked():
            yield from super().list(config, filter=filter, before=before, limit=limit)

    def delete_thread(self, thread_id: str) -> None:
        """Delete all of a thread's checkpoints and writes."""
        with self._table.asked():
            super().delete_thread(thread_id)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint: its pointer and its payload in one transaction."""
        puts = _Puts()
        recorder = _recorder(self, puts)
        configurable = config["configurable"]
        stored = recorder.put_checkpoint(
            thread_id=configurable["thread_id"],
            checkpoint_ns=configurable.get("checkpoint_ns", ""),
            checkpoint=checkpoint,
            metadata=cast(CheckpointMetadata, {**metadata, **(config.get("metadata") or {})}),
            parent_checkpoint_id=configurable.get("checkpoint_id"),
        )
        self._transact(puts.made)
        return {"configurable": stored}

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store all writes of a task, or none; writes that a task has already are kept.

        Raises ValueError for a task with more than 99 writes: no transaction takes them.
        """
        puts = _Puts()
        configurable = config["configurable"]
        _recorder(self, puts).put_writes(
            thread_id=configurable["thread_id"],
            checkpoint_ns=configurable.get("checkpoint_ns", ""),
            checkpoint_id=configurable["checkpoint_id"],
            writes=writes,
            task_id=task_id,
            task_path=task_path,
        )
        pointers, payloads = _split(puts.made)
        if len(pointers) > _ACTIONS:
            raise ValueError(f"task {task_id} has {len(pointers)} writes; at most {_ACTIONS} can be stored at once")
        if len(pointers) + len(payloads) > _ACTIONS or _size(payloads) > _BYTES:
            # The payloads do not fit, so they go before the transaction, under keys of this try: only its pointers name
            # them, so that a try that dies here leaves payloads that nobody reads.
            _rename(pointers, payloads)
            for payload in payloads:
                self._table.write("put_item", **payload)
            payloads = []
        self._transact([*pointers, *payloads])


class _Puts:
    """A DynamoDB client that records puts: the parameters of a PutItem are those of a transaction's `Put`."""

    def __init__(self) -> None:
        self.made: list[Put] = []

    def put_item(self, **put: Any) -> None:
        """Record a put."""
        self.made.append(put)


class _Session:
    """A boto3 session that gives the stock saver the client of the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def client(self, service: str, **_: object) -> Any:
        """The client of the table."""
        return self._table.client


def _recorder(saver: AtomicSaver, puts: _Puts) -> UnifiedRepository:
    """The stock repository, which writes into `puts`."""
    client, ttl = cast(Any, puts), saver._ttl_seconds
    storage = StorageStrategy(client, saver.table_name, ttl_seconds=ttl)
    return UnifiedRepository(client, saver.table_name, saver.serializer, storage, ttl)


def _split(puts: Sequence[Put]) -> tuple[list[Put], list[Put]]:
    """Pointers and payloads, each item once; the pointer of a plain write is stored unless the task has it already."""
    last = {(put["Item"]["PK"]["S"], put["Item"]["SK"]["S"]): put for put in puts}
    pointers, payloads = [], []
    for put in last.values():
        plain = {"TableName": put["TableName"], "Item": put["Item"]}
        if "payload" in put["Item"]:
            payloads.append(plain)
        # LangGraph numbers an error, an interrupt and a resume value below 0: the newest of them replaces the last.
        elif int(put["Item"]["idx"]["N"]) < 0:
            pointers.append(plain)
        else:
            pointers.append(plain | {"ConditionExpression": "attribute_not_exists(PK)"})
    return pointers, payloads


def _rename(pointers: Sequence[Put], payloads: Sequence[Put]) -> None:
    """Give the payloads keys of their own, which the pointers name."""
    own = f"#{uuid.uuid4().hex}"
    for pointer in pointers:
        pointer["Item"]["ref_key"]["S"] += own
    for payload in payloads:
        payload["Item"]["PK"]["S"] += own


def _size(payloads: Sequence[Put]) -> int:
    return sum(len(put["Item"]["payload"]["B"]) for put in payloads)


def _read_consistently(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """The parameters of a read with ConsistentRead: BatchGetItem takes it for each table, a read of an index never."""
    if "IndexName" in params:
        return params
    if "RequestItems" in params:
        tables = {table: {**wanted, "ConsistentRead": True} for table, wanted in params["RequestItems"].items()}
        return {**params, "RequestItems": tables}
    return {**params, "ConsistentRead": True}
