"""Reads that may lag behind, and do: DynamoDB's without ConsistentRead, and what Glue lists and looks up.

Both services are in the test's own process, so that whatever asks, in whichever process, reads an older answer.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from tests.fakes.glue_account import Account
from tests.fakes.glue_reading import Reading
from tests.fakes.moto_server import REGION
from tests.faults.moto_inside import ACCOUNT

PROBABILITY = 0.3
_BEHIND = 3
"""So many writes a read of a table lags behind at most."""
_IN_A_ROW = 2
"""So often in a row one question to Glue is answered with the past: what was done shows within seconds."""
_WRITES = ("put_item", "delete_item", "transact_write_items")

Body = dict[str, Any]
Method = Callable[[DynamoHandler], Any]


@dataclass
class Stale:
    """Draws which reads are answered with the past."""

    on: bool = False
    reads: int = 0
    """Reads that may lag behind."""
    late: int = 0
    """Those that did."""
    _random: random.Random = field(default_factory=lambda: random.Random(0))
    _past: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=_BEHIND)))
    """Items of each table before its last writes."""
    _told: dict[str, Body] = field(default_factory=dict)
    """Glue's last answer to each question."""
    _row: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def begin(self, seed: int) -> None:
        """Draw anew."""
        self._random, self.on = random.Random(seed), True

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand before moto's tables and before the Glue endpoint."""
        for name in _WRITES:
            patch.setattr(DynamoHandler, name, self._written(getattr(DynamoHandler, name), _shared))
        # An update changes the item that is there.
        patch.setattr(DynamoHandler, "update_item", self._written(DynamoHandler.update_item, copy.deepcopy))
        patch.setattr(DynamoHandler, "create_table", self._made(DynamoHandler.create_table))
        for name in ("get_item", "query"):
            patch.setattr(DynamoHandler, name, self._read(getattr(DynamoHandler, name)))
        for holder, name in ((Reading, "get_job_runs"), (Reading, "list_jobs"), (Account, "get_job_run")):
            patch.setattr(holder, name, self._listed(name, getattr(holder, name)))

    def _strikes(self) -> bool:
        self.reads += 1
        struck = self.on and self._random.random() < PROBABILITY
        self.late += struck
        return struck

    def _made(self, method: Method) -> Method:
        """Forget what there was in a table of the same name, and in the account around it."""

        def made(handler: DynamoHandler) -> Any:
            for kept in (self._past, self._told, self._row):
                kept.clear()
            return method(handler)

        return made

    def _written(self, method: Method, copied: Callable[[Any], Any]) -> Method:
        """Keep what a table held."""

        def written(handler: DynamoHandler) -> Any:
            for name in _tables(handler.body):
                self._past[name].append(copied(_table(name).items))
            return method(handler)

        return written

    def _read(self, method: Method) -> Method:
        """Read a table, or what it held."""

        def read(handler: DynamoHandler) -> Any:
            name = handler.body["TableName"]
            if handler.body.get("ConsistentRead") or not self._past[name] or not self._strikes():
                return method(handler)
            with _as_it_was(name, self._random.choice(self._past[name])):
                return method(handler)

        return read

    def _listed(self, name: str, method: Callable[[Any, Body], Body]) -> Callable[[Any, Body], Body]:
        """Answer as Glue would, or would have before."""

        def listed(holder: Any, request: Body) -> Body:
            question = f"{name} {request}"
            now = method(holder, request)
            before = self._before(name, now, self._told.get(question))
            self._told[question] = now
            if before == now or self._row[question] == _IN_A_ROW or not self._strikes():
                self._row[question] = 0
                return now
            self._row[question] += 1
            return before

        return listed

    def _before(self, name: str, now: Body, told: Body | None) -> Body:
        """The answer without the newest run; else the last one, and of definitions none."""
        if name == "get_job_runs":
            return {**now, "JobRuns": now["JobRuns"][1:]}
        return told or ({"JobNames": []} if name == "list_jobs" else now)


def _shared(items: Any) -> Any:
    """A copy for writes that replace items."""
    return defaultdict(dict, {key: dict(found) for key, found in items.items()})


def _tables(body: Body) -> set[str]:
    """The tables that a write is for."""
    if "TableName" in body:
        return {body["TableName"]}
    return {action["TableName"] for item in body["TransactItems"] for action in item.values()}


def _table(name: str) -> Any:
    return dynamodb_backends[ACCOUNT][REGION].tables[name]


@contextmanager
def _as_it_was(name: str, items: Any) -> Iterator[None]:
    table = _table(name)
    now, table.items = table.items, items
    try:
        yield
    finally:
        table.items = now
