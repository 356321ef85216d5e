"""Checkpoints on DynamoDB: a run goes on from wherever its process died, and reads only what is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.types import Command

from agent.errors import ConflictError, UnavailableError
from graph.checkpoints.dynamodb import AtomicSaver
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.fakes.wire import answered
from tests.graph.checkpoints.scene import (
    WRITES,
    ProcessDied,
    asking,
    atomic,
    chain,
    cut_after,
    requests_of,
    stock,
)
from tools.aws.lease import DynamoLease
from tools.aws.table import Table
from tools.fakes import FakeClock

HERE: RunnableConfig = {"configurable": {"thread_id": "r1-g1", "checkpoint_ns": ""}}


def run_cut_off(saver: Any, run: RunnableConfig, writes: int) -> bool:
    """Run until the store is cut off; False when the run ended before."""
    with cut_after(saver.client, writes) as seen:
        try:
            chain(saver).invoke({"done": []}, run, durability="sync")
        except (ProcessDied, UnavailableError):
            return True
    return len(seen) > writes


def resumed(saver: Any, run: RunnableConfig) -> list[str]:
    """Resume from the checkpoint, or from the start where there is none, with a graph that knows nothing else."""
    graph = chain(saver)
    known = saver.get_tuple(run) is not None
    result = graph.invoke(None if known else {"done": []}, run, durability="sync")
    return [*result["done"], *graph.get_state(run).next]


def outcomes(saver: Any) -> Iterator[list[str]]:
    """A run that died after 0, 1, 2 … writes: the steps done, and those that are still open."""
    for writes in range(100):
        run: RunnableConfig = {"configurable": {"thread_id": f"r{writes}"}}
        if not run_cut_off(saver, run, writes):
            return
        yield resumed(saver, run)
    raise AssertionError("the run does not end")


def test_a_run_that_died_anywhere_goes_on(aws: Aws) -> None:
    """After whichever write: every step's result is there once."""
    with atomic() as saver:
        found = list(outcomes(saver))
    assert len(found) > 6
    assert found == [["a", "b", "c"]] * len(found)


def test_the_stock_saver_still_loses_runs(aws: Aws) -> None:
    """Once it does not, the subclass has done its service."""
    with stock() as saver:
        assert any(done != ["a", "b", "c"] for done in outcomes(saver))


def test_a_task_s_writes_are_one_request(aws: Aws) -> None:
    """And a checkpoint is one, so that no reader sees a part."""
    with atomic() as saver:
        sent = requests_of(saver.client)
        chain(saver).invoke({"done": []}, HERE, durability="sync")
    written = [body["TransactItems"] for operation, body in sent if operation in WRITES]
    assert {operation for operation, _ in sent if operation in WRITES} == {"TransactWriteItems"}
    assert all(len({put["Put"]["Item"]["PK"]["S"] for put in puts}) > 1 for puts in written)


def test_every_read_is_consistent(aws: Aws) -> None:
    """Reads of checkpoints, of writes, and of items to delete."""
    with atomic() as saver:
        sent = requests_of(saver.client)
        chain(saver).invoke({"done": []}, HERE, durability="sync")
        list(saver.list(HERE))
        saver.get_tuple({"configurable": {**HERE["configurable"], "checkpoint_id": "none"}})
        saver.delete_thread("r1-g1")
    reads = [(operation, body) for operation, body in sent if operation not in WRITES]
    assert {operation for operation, _ in reads} == {"GetItem", "Query", "BatchGetItem"}
    for operation, body in reads:
        wanted = body["RequestItems"].values() if operation == "BatchGetItem" else [body]
        assert all(part["ConsistentRead"] is True for part in wanted), operation


def test_an_interrupted_node_gets_its_answers(aws: Aws) -> None:
    """Each in a process of its own; what was answered before is kept."""
    with atomic() as saver:
        asking(saver).invoke({"done": []}, HERE, durability="sync")
    for answer in ("yes", "no"):
        with atomic() as saver:
            result = asking(saver).invoke(Command(resume=answer), HERE, durability="sync")
    assert result["done"] == ["yes", "no", "c"]


def test_the_first_of_two_results_of_a_task_counts(aws: Aws) -> None:
    """A task that runs twice does not mix them; an interrupt is replaced."""
    with atomic() as saver:
        at = saver.put(HERE, empty_checkpoint(), {}, {})
        saver.put_writes(at, [("done", ["one"]), ("last", "one")], "t1")
        saver.put_writes(at, [("done", ["two"]), ("last", "two"), ("count", 2)], "t1")
        saver.put_writes(at, [("__interrupt__", "one")], "t2")
        saver.put_writes(at, [("__interrupt__", "two")], "t2")
        found = saver.get_tuple(at)
    assert found is not None
    assert sorted(found.pending_writes or []) == [
        ("t1", "done", ["one"]),
        ("t1", "last", "one"),
        ("t2", "__interrupt__", "two"),
    ]


@pytest.mark.parametrize(("writes", "characters"), [(80, 10), (12, 380_000)])
def test_writes_that_no_transaction_takes_become_visible_at_once(aws: Aws, writes: int, characters: int) -> None:
    """The values are stored first, and what points at them in one request; then they all come back."""
    given = [(f"channel{number:03}", f"{number:03}" * (characters // 3)) for number in range(writes)]
    with atomic() as saver:
        at = saver.put(HERE, empty_checkpoint(), {}, {})
        with cut_after(saver.client, writes) as seen, pytest.raises(ProcessDied):
            saver.put_writes(at, given, "t1")
        assert seen[-1] == "TransactWriteItems"
    with atomic() as saver:
        assert saver.get_tuple(at).pending_writes == []  # type: ignore[union-attr]
        saver.put_writes(at, given, "t1")
        saver.put_writes(at, [(channel, "other") for channel, _ in given * 2][:80], "t1")
        assert sorted(saver.get_tuple(at).pending_writes or []) == [("t1", *write) for write in given]  # type: ignore[union-attr]


def test_more_writes_than_can_be_stored_at_once_are_refused(aws: Aws) -> None:
    """Rather than stored in parts."""
    with atomic() as saver:
        at = saver.put(HERE, empty_checkpoint(), {}, {})
        with pytest.raises(ValueError, match="100 writes; at most 99"):
            saver.put_writes(at, [(f"c{number}", 1) for number in range(100)], "t1")


@pytest.mark.parametrize(("times", "stored"), [(2, True), (3, False)])
def test_a_transaction_that_meets_another_one_is_tried_again(aws: Aws, times: int, stored: bool) -> None:
    """As one of a process that died a moment ago, or the renewal of the lease; not for ever."""
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    conflict = json.dumps({"__type": "TransactionCanceledException", "CancellationReasons": reasons})
    with atomic() as saver, lease_of(aws, FakeClock()).hold("r1") as owner:
        with answered(saver.client, "TransactWriteItems", 400, conflict, times):
            expected = nullcontext() if stored else pytest.raises(UnavailableError, match="another process writes")
            with expected:
                saver.held_by("r1", owner).put(HERE, empty_checkpoint(), {}, {})
        assert (saver.get_tuple(HERE) is not None) == stored


Storing = Callable[[AtomicSaver, RunnableConfig], object]
LARGE = [(f"channel{number:03}", "x" * 380_000) for number in range(12)]
STORING: dict[str, Storing] = {
    "a checkpoint": lambda saver, at: saver.put(at, empty_checkpoint(), {}, {}),
    "a task's writes": lambda saver, at: saver.put_writes(at, [("done", ["late"])], "t1"),
    "large writes": lambda saver, at: saver.put_writes(at, LARGE, "t1"),
}


def lease_of(aws: Aws, clock: FakeClock) -> DynamoLease:
    """A lease that lasts a minute of this clock."""
    return DynamoLease(aws.clients, DEFAULTS.ledger_table, lambda: 60.0, clock)


@pytest.mark.parametrize("storing", STORING)
def test_a_hold_that_is_over_stores_nothing(aws: Aws, storing: str) -> None:
    """Neither while another holds the run, nor when that one has let go of it."""
    clock, store = FakeClock(), STORING[storing]
    with atomic() as saver, lease_of(aws, clock).hold("r1") as owner:
        held = saver.held_by("r1", owner)
        at = held.put(HERE, empty_checkpoint(), {}, {})
        clock.sleep(61)
        busy = pytest.raises(ConflictError, match="run r1 is being worked on by another process")
        with lease_of(aws, clock).hold("r1"), busy:
            store(held, at)
        with pytest.raises(ConflictError):
            store(held, at)
        with pytest.raises(ConflictError):
            held.demand_held()
        found = saver.get_tuple(HERE)
        assert found is not None
        assert (found.config, found.pending_writes) == (at, [])


@pytest.mark.parametrize("storing", STORING)
def test_a_hold_that_nobody_took_stores(aws: Aws, storing: str) -> None:
    """Also past its time, and again what is stored already."""
    clock = FakeClock()
    with atomic() as saver, lease_of(aws, clock).hold("r1") as owner:
        held = saver.held_by("r1", owner)
        at = held.put(HERE, empty_checkpoint(), {}, {})
        clock.sleep(61)
        for _ in range(2):
            STORING[storing](held, at)
        held.demand_held()


def test_two_threads_of_a_hold_do_not_meet_at_its_lease(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph stores a checkpoint and the writes of its tasks side by side; DynamoDB would cancel one of them."""
    at_once, most = 0, 0

    def slow(*_: object) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        return True

    monkeypatch.setattr(Table, "transact", slow)
    with atomic() as saver, lease_of(aws, FakeClock()).hold("r1") as owner, ThreadPoolExecutor(4) as threads:
        held = saver.held_by("r1", owner)
        list(threads.map(lambda _: held.put(HERE, empty_checkpoint(), {}, {}), range(8)))
    assert most == 1


def test_checkpoints_expire(aws: Aws) -> None:
    """Every item of a run carries the time at which DynamoDB may forget it, under the name that the table looks at."""
    with atomic() as saver:
        chain(saver).invoke({"done": []}, HERE, durability="sync")
        at = saver.put(HERE, empty_checkpoint(), {}, {})
        saver.put_writes(at, [(f"c{number}", "x" * 60_000) for number in range(80)], "t1")
    dynamodb = aws.clients.get("dynamodb")
    table = dynamodb.describe_time_to_live(TableName=DEFAULTS.checkpoints_table)["TimeToLiveDescription"]
    pages = dynamodb.get_paginator("scan").paginate(TableName=DEFAULTS.checkpoints_table)
    ends = [int(item[table["AttributeName"]]["N"]) for page in pages for item in page["Items"]]
    assert len(ends) > 160
    assert {round((end - time.time()) / 86_400) for end in ends} == {DEFAULTS.retention_days}


def test_a_missing_table_is_told_by_name(aws: Aws) -> None:
    """With what to create or to set."""
    aws.clients.get("dynamodb").delete_table(TableName=DEFAULTS.checkpoints_table)
    with atomic() as saver:
        with pytest.raises(UnavailableError, match="create the table .* DATAMORPH_CHECKPOINTS_TABLE") as read:
            saver.get_tuple(HERE)
        with pytest.raises(UnavailableError, match="table datamorph-checkpoints"):
            saver.put(HERE, empty_checkpoint(), {}, {})
        with pytest.raises(UnavailableError, match="table datamorph-checkpoints"):
            list(saver.list(HERE))
        with pytest.raises(UnavailableError, match="table datamorph-checkpoints"):
            saver.delete_thread("r1-g1")
    assert read.value.service == "checkpoints"


DOORS = {
    "DynamoDB": (
        "from agent.settings import load_settings\nfrom graph.checkpoints.dynamodb import dynamodb_checkpoints\n"
        "from tools.aws.clients import AwsClients\n"
        "dynamodb_checkpoints(load_settings({}, {}), AwsClients('us-east-1'))\n"
    ),
    "SQLite": (
        "import tempfile\nfrom pathlib import Path\nfrom graph.checkpoints.sqlite import sqlite_checkpoints\n"
        "with tempfile.TemporaryDirectory() as folder, sqlite_checkpoints(Path(folder) / 'c.sqlite'):\n    pass\n"
    ),
}
"""Programs that open each store."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("", "", "must be set before langgraph is imported"),
        ("", "true", "langgraph was imported before"),
        ("true", "true", "strict"),
    ],
)
@pytest.mark.parametrize("door", DOORS)
def test_checkpoints_that_run_code_are_refused(door: str, before: str, after: str, words: str) -> None:
    """Whether the variable is missing, or was set too late; at either door."""
    program = (
        f"import os\nos.environ['LANGGRAPH_STRICT_MSGPACK'] = {before!r}\nimport langgraph.checkpoint.serde.jsonplus\n"
        f"os.environ['LANGGRAPH_STRICT_MSGPACK'] = {after!r}\n{DOORS[door]}print('strict')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=os.environ)
    assert words in done.stdout + done.stderr
