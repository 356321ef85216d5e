"""Both checkpointers against LangGraph's own conformance suite, and against rows that somebody forged."""

from __future__ import annotations

import asyncio
import builtins
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.sqlite import SqliteSaver

from graph.checkpoints.dynamodb import dynamodb_checkpoints
from graph.checkpoints.sqlite import sqlite_checkpoints
from tests.fakes.moto_server import DEFAULTS, Aws

HERE: RunnableConfig = {"configurable": {"thread_id": "r1:g1", "checkpoint_ns": ""}}
BASE = {"put", "put_writes", "get_tuple", "list", "delete_thread"}


class AskedAsync(SqliteSaver):
    """The saver of this machine, asked by the suite's asynchronous calls."""

    async def aput(self, *given: Any, **more: Any) -> RunnableConfig:
        """Store."""
        return self.put(*given, **more)

    async def aput_writes(self, *given: Any, **more: Any) -> None:
        """Store."""
        self.put_writes(*given, **more)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read."""
        return self.get_tuple(config)

    async def alist(self, config: RunnableConfig | None, **more: Any) -> AsyncIterator[CheckpointTuple]:
        """Read."""
        for found in builtins.list(self.list(config, **more)):
            yield found

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete."""
        self.delete_thread(thread_id)


@pytest.mark.parametrize("kind", ["DynamoDB", "SQLite"])
def test_the_saver_conforms(kind: str, request: pytest.FixtureRequest) -> None:
    """To everything that a checkpointer must do; what is optional we do not have."""
    clients = request.getfixturevalue("aws").clients if kind == "DynamoDB" else None

    @checkpointer_test(name=kind)
    async def checkpointer() -> AsyncGenerator[BaseCheckpointSaver[Any], None]:
        if clients is not None:
            yield dynamodb_checkpoints(DEFAULTS, clients)
            return
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
            yield AskedAsync(connection)

    report = asyncio.run(validate(checkpointer, capabilities=BASE))
    failed = {name: result.failures for name, result in report.results.items() if result.tests_failed}
    assert failed == {}
    assert {name for name, result in report.results.items() if result.passed} == BASE
    assert sum(result.tests_passed for result in report.results.values()) > 40


def forged(tmp_path: Path) -> bytes:
    """A row that runs a command when langgraph's default loads it (see test_strict.py)."""
    call = ormsgpack.packb(("os", "system", f"touch {tmp_path}/owned"))
    return ormsgpack.packb(ormsgpack.Ext(0, call))


def test_a_forged_item_runs_nothing(aws: Aws, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither as a checkpoint nor as a task's write."""
    saver = dynamodb_checkpoints(DEFAULTS, aws.clients)
    at = saver.put(HERE, empty_checkpoint(), {}, {})
    saver.put_writes(at, [("done", "one")], "t1")
    dynamodb = aws.clients.get("dynamodb")
    payloads = [item for item in dynamodb.scan(TableName=DEFAULTS.checkpoints_table)["Items"] if "payload" in item]
    assert len(payloads) == 2
    for item in payloads:
        changed = item | {"payload": {"B": forged(tmp_path)}}
        dynamodb.put_item(TableName=DEFAULTS.checkpoints_table, Item=changed)
        _load(saver, caplog)
        dynamodb.put_item(TableName=DEFAULTS.checkpoints_table, Item=item)
    assert not (tmp_path / "owned").exists()


def test_a_forged_row_runs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same on this machine."""
    path = tmp_path / "c.sqlite"
    with sqlite_checkpoints(path) as saver:
        at = saver.put(HERE, empty_checkpoint(), {}, {})
        saver.put_writes(at, [("done", "one")], "t1")
        for statement in ("UPDATE writes SET value = ?", "UPDATE checkpoints SET checkpoint = ?"):
            with closing(sqlite3.connect(path)) as connection, connection:
                assert connection.execute(statement, (forged(tmp_path),)).rowcount == 1
            _load(saver, caplog)
    assert not (tmp_path / "owned").exists()


def _load(saver: BaseCheckpointSaver[Any], caplog: pytest.LogCaptureFixture) -> None:
    """Read what there is: the command is seen and blocked; a checkpoint that is none may well be an error."""
    caplog.clear()
    jsonplus._warned_blocked_types.clear()  # langgraph tells each class once
    with suppress(TypeError, KeyError, ValueError):
        saver.get_tuple(HERE)
    assert "os.system" in caplog.text
