"""Checkpoints on DynamoDB, of which none is ever half stored, nor read before it is there, nor written over by others.

LangGraph takes a task with any stored write as done. The stock saver stores a task's writes item by item, so a process
that dies in between loses the rest of them without an error; and it reads without ConsistentRead. Nor does it ask
whether its process still holds the run: a checkpoint that comes late would be the newest of the thread.
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
"""A transaction takes 100; one of them is the look at the lease."""
_BYTES = 3_500_000
"""A transaction takes 4 MB; the rest is for keys."""
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
    """The stock saver, with one transaction a checkpoint and one for a task's writes, and consistent reads.

    What DynamoDB refuses is UnavailableError; what it refuses the saver of a hold that is over, ConflictError.
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
        """The saver for one hold, on the same client: it writes only while the run's lease is the owner's."""
        held = copy.copy(self)
        held._hold = Hold(self._leases, run_id, owner)
        return held

    def demand_held(self) -> None:
        """Raise ConflictError when the hold that this saver is for is over."""
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
        """The checkpoint asked for, or the newest."""
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
        """Delete all of a thread's checkpoints and writes; nothing in the workflow does."""
        with self._table.asked():
            super().delete_thread(thread_id)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint, pointer and payload at once."""
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
        """Store all writes of a task, or none; those of a task that has some are left as they are.

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
            # Under keys of their own, which only these pointers name: what a try leaves that died here is never read.
            _rename(pointers, payloads)
            for payload in payloads:
                self._table.write("put_item", **payload)
            payloads = []
        self._transact([*pointers, *payloads])


class _Puts:
    """A DynamoDB client that keeps what it is asked to put: a PutItem's parameters are a transaction's `Put`."""

    def __init__(self) -> None:
        self.made: list[Put] = []

    def put_item(self, **put: Any) -> None:
        """Keep one."""
        self.made.append(put)


class _Session:
    """A boto3 session as far as the stock saver uses one, so that it takes the client that is there."""

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
    """Pointers and payloads, each item once; a plain write is only stored where the task has none."""
    last = {(put["Item"]["PK"]["S"], put["Item"]["SK"]["S"]): put for put in puts}
    pointers, payloads = [], []
    for put in last.values():
        plain = {"TableName": put["TableName"], "Item": put["Item"]}
        if "payload" in put["Item"]:
            payloads.append(plain)
        elif int(put["Item"]["idx"]["N"]) < 0:  # an error, an interrupt, what resumes it: the last one counts
            pointers.append(plain)
        else:
            pointers.append(plain | {"ConditionExpression": "attribute_not_exists(PK)"})
    return pointers, payloads


def _rename(pointers: Sequence[Put], payloads: Sequence[Put]) -> None:
    own = f"#{uuid.uuid4().hex}"
    for pointer in pointers:
        pointer["Item"]["ref_key"]["S"] += own
    for payload in payloads:
        payload["Item"]["PK"]["S"] += own


def _size(payloads: Sequence[Put]) -> int:
    return sum(len(put["Item"]["payload"]["B"]) for put in payloads)


def _read_consistently(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """The parameters of a read, with ConsistentRead; BatchGetItem wants it for each table, an index takes none."""
    if "IndexName" in params:
        return params
    if "RequestItems" in params:
        tables = {table: {**wanted, "ConsistentRead": True} for table, wanted in params["RequestItems"].items()}
        return {**params, "RequestItems": tables}
    return {**params, "ConsistentRead": True}
