"""Processes that race for one run: `python -m tests.faults.racers`.

The first line of input says where everything is. Each following line holds the inputs of one round: a process is forked
for each, all begin at once, and one line of output holds their answers in the same order. Forked, because thirty-two
interpreters that import everything would take minutes; nothing is open yet when a process is forked.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from agent.settings import Settings, load_settings
from graph.checkpoints.dynamodb import dynamodb_checkpoints
from graph.checkpoints.sqlite import sqlite_checkpoints
from runs.actions import Actions
from runs.dispatch import answer
from runs.service import Service
from tests.runs.scene import REPLY
from tools.aws.artifacts import S3Artifacts
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner
from tools.aws.lease import DynamoLease
from tools.aws.ledger import DynamoLedger
from tools.database import PostgresDatabase
from tools.fakes import FakeModel
from tools.local.clock import SystemClock
from tools.local.journal import LogJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

Kind = Literal["sqlite", "dynamodb"]
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """Where everything is."""

    kind: Kind
    """Where lease, ledger and checkpoints lie."""
    home: str
    """The folder of those that are files."""
    database_url: str


@contextmanager
def service(place: Place, settings: Settings, clients: AwsClients) -> Iterator[Service]:
    """The service of one process, on Glue and PostgreSQL."""
    with ExitStack() as stack:
        artifacts, home = S3Artifacts(clients, settings.bucket), Path(place.home)
        sqlite = place.kind == "sqlite"
        tools = Toolbox(
            model=FakeModel([REPLY] * 9),
            artifacts=artifacts,
            jobs=GlueJobRunner(clients, artifacts, settings),
            dry_run=None,
            database=PostgresDatabase(place.database_url),
            ledger=stack.enter_context(closing(SqliteLedger(home / "ledger.sqlite")))
            if sqlite
            else DynamoLedger(clients, settings.ledger_table, settings.retention_days),
            lease=FileLease(home / "leases")
            if sqlite
            else DynamoLease(clients, settings.ledger_table, lambda: LEASE_SECONDS, SystemClock()),
            journal=LogJournal(),
            clock=SystemClock(),
        )
        saver = stack.enter_context(sqlite_checkpoints(home / "checkpoints.sqlite")) if sqlite else None
        yield Service(tools, settings, saver or dynamodb_checkpoints(settings, clients), "test")


def race(place: Place, settings: Settings, clients: AwsClients, inputs: list[Any]) -> list[Any]:
    """Answer each input in a process of its own, all at once."""
    gate_out, gate_in = os.pipe()
    readers = []
    for given in inputs:
        out, back = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(gate_in)
            os.close(out)
            _run(place, settings, clients, given, gate_out, back)
        os.close(back)
        readers.append((pid, out))
    os.close(gate_out)
    os.close(gate_in)  # opens the gate: every process reads its end
    answers = []
    for pid, out in readers:
        with os.fdopen(out, encoding="utf-8") as answered:
            answers.append(json.loads(answered.read() or '{"died": true}'))
        os.waitpid(pid, 0)
    return answers


def _run(place: Place, settings: Settings, clients: AwsClients, given: Any, gate: int, back: int) -> None:
    """Work of a forked process, which then exits."""
    try:
        with service(place, settings, clients) as made:
            os.read(gate, 1)
            told: Any = answer(Actions(made), given)
    except BaseException:  # a forked process must not go on in its parent's code, whatever happens
        told = {"error": traceback.format_exc()}
    os.write(back, json.dumps(told).encode())
    os._exit(0)


def main() -> None:
    """Race until the input ends."""
    place = Place(**json.loads(sys.stdin.readline()))
    settings = load_settings({"engine": "glue", "poll_seconds": 0.05, "wait_seconds": 30, "model": "fake"}, {})
    clients = AwsClients(settings.region)
    for name in ("s3", "glue", "dynamodb", "logs"):
        clients.get(name)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(race(place, settings, clients, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
