"""The ledger on DynamoDB: accepted runs, and every launch of the engine with the state it reached."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from agent.errors import UnavailableError
from agent.names import LaunchKey, RunKey
from agent.run_status import RunEvent, allowed_from, is_open, target
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import (
    NEWEST_INDEX,
    OPEN_INDEX,
    compressed,
    launch_item,
    launch_key,
    launch_of,
    launches_prefix,
    newest_key,
    run_id_of,
    run_item,
    run_key,
    run_of,
    values,
)
from tools.aws.table import Item, Table
from tools.ledger_refusals import check_step, restarted_meanwhile
from tools.records import Change, Launch, RunRecord

_TRIES = 5
"""Optimistic-locking tries of a launch's write; a run has one worker, so a second try is rare."""
_SECONDS_A_DAY = 86_400


class DynamoLedger:
    """A Ledger in one table, with consistent reads and optimistic locking: each write is conditional on the item read.

    `runs` and `due` read indexes, which lag behind by up to a second.
    """

    def __init__(self, clients: AwsClients, table: str, retention_days: int) -> None:
        self._table = Table(clients, table, "ledger", "DATAMORPH_LEDGER_TABLE")
        self._retention_days = retention_days

    def accept(self, record: RunRecord) -> RunRecord:
        """Record a run unless its run_id is known; returns the recorded run."""
        item = run_item(record, _token(), self._expires_at())
        # First write wins: an item with this key exists exactly when the run_id is known.
        self._table.write("put_item", Item=item, ConditionExpression="attribute_not_exists(pk)")
        return run_of(self._recorded(record.run_id))

    def new_generation(self, superseded: RunRecord, record: RunRecord) -> RunRecord:
        """Replace the `superseded` generation by `record` as the next one; returns the recorded run."""
        token, following = _token(), replace(record, generation=superseded.generation + 1)
        put = self._table.write(
            "put_item",
            Item=run_item(following, token, self._expires_at()),
            # Of two restarts at once one wins: the other finds the generation raised.
            **_allowed(superseded.key, "restart"),
        )
        # boto3 repeats a request whose answer was lost, and the repeated one fails on the first one's write.
        if not put and self._recorded(record.run_id)["token"]["S"] != token:
            raise restarted_meanwhile(record)
        return following

    def run(self, run_id: str) -> RunRecord | None:
        """The run's newest generation."""
        item = self._table.get(run_key(run_id))
        return run_of(item) if item else None

    def runs(self, limit: int = 20, after: RunRecord | None = None) -> list[RunRecord]:
        """Runs, newest first; `after` is the last run of the page before."""
        items = self._table.query(
            limit,
            **({"ExclusiveStartKey": newest_key(after)} if after else {}),
            IndexName=NEWEST_INDEX,
            KeyConditionExpression="listed = :run",
            ExpressionAttributeValues=values(run="run"),
            ScanIndexForward=False,
        )
        return [run_of(item) for item in items]

    def change(self, key: RunKey, change: Change) -> bool:
        """Record an event; False when the run's status refuses it, or a newer invocation works on the run.

        False also when boto3 repeated a request whose answer was lost and the first one recorded the end.
        """
        status = target(change.event)
        sets = {"status": {"S": status}, "expires_at": {"N": str(self._expires_at())}}
        if change.response is not None:
            sets["response"] = {"B": compressed(change.response)}
        if change.ended_at is not None:
            sets["ended_at"] = {"S": change.ended_at}
        if is_open(status):
            sets["open"] = {"S": "open"}
        request = _allowed(key, change.event, sets)
        if change.hops is not None:
            request["ConditionExpression"] += " AND hops = :hops"
            request["ExpressionAttributeValues"][":hops"] = {"N": str(change.hops)}
        if not is_open(status):
            # OPEN_INDEX is sparse: without its key `open` the run leaves the index.
            request["UpdateExpression"] += " REMOVE #open"
            request["ExpressionAttributeNames"]["#open"] = "open"
        return self._table.write("update_item", Key=run_key(key.run_id), **request)

    def hop(self, key: RunKey, deadline: str = "") -> RunRecord:
        """Count an invocation as lost until it settles; returns the recorded run."""
        token = _token()
        sets = {
            "status": {"S": target("drive")},
            "open": {"S": "open"},
            "expires_at": {"N": str(self._expires_at())},
            "hop_token": {"S": token},
        }
        if deadline:
            sets["deadline"] = {"S": deadline}
        request = _allowed(key, "drive", sets)
        request["UpdateExpression"] += " ADD hops :one, lost :one"
        request["ExpressionAttributeValues"][":one"] = {"N": "1"}
        # ADD is not idempotent: boto3 repeats a request whose answer was lost, and the token makes it count once.
        request["ConditionExpression"] += " AND (attribute_not_exists(hop_token) OR hop_token <> :set_hop_token)"
        item = self._table.update(run_key(key.run_id), **request)
        return run_of(item or self._recorded(key.run_id))

    def settle(self, key: RunKey) -> None:
        """Reset the count of lost invocations after progress, unless the run's status refuses that."""
        self._table.write("update_item", Key=run_key(key.run_id), **_allowed(key, "settle", {"lost": {"N": "0"}}))

    def due(self, limit: int = 50) -> list[str]:
        """run_ids of open runs, least recently returned first; each is marked as returned now."""
        items = self._table.query(
            limit,
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :open",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=values(open="open"),
        )
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        return [run_id_of(item) for item in items if self._mark_returned(item, now)]

    def launch(self, key: LaunchKey) -> Launch | None:
        """The recorded launch; None when there is none."""
        item = self._table.get(launch_key(key))
        return launch_of(item) if item else None

    def advance(self, launch: Launch) -> None:
        """Record a launch's next state. Raises ValueError on a step back or on another job_run_id."""
        for _ in range(_TRIES):
            known = self.launch(launch.key)
            check_step(known, launch)
            if self._replace(known, launch):
                return
        raise self._contended(f"launch {launch.key}")

    def launches(self, key: RunKey) -> list[Launch]:
        """All launches of a generation in order."""
        partition, prefix = run_key(key.run_id)["pk"]["S"], launches_prefix(key.generation)
        items = self._table.query(
            KeyConditionExpression="pk = :run AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=values(run=partition, prefix=prefix),
            ConsistentRead=True,
        )
        return [launch_of(item) for item in items]

    def _recorded(self, run_id: str) -> Item:
        item = self._table.get(run_key(run_id))
        if item is None:
            raise LookupError(f"run {run_id} was never accepted")
        return item

    def _mark_returned(self, item: Item, now: str) -> bool:
        """Mark an open run as returned by `due`; False when it ended meanwhile, or another sweep was faster."""
        return self._table.write(
            "update_item",
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="SET given_at = :now, expires_at = :expires",
            # The index may lag: compare-and-set on `given_at` gives each run to one of several sweeps.
            ConditionExpression="#open = :open AND given_at = :seen",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={
                **values(open="open", now=now, seen=item["given_at"]["S"]),
                ":expires": {"N": str(self._expires_at())},
            },
        )

    def _replace(self, known: Launch | None, launch: Launch) -> bool:
        """Put the launch if the recorded one is still `known`; False when another process was faster."""
        item = launch_item(launch, self._expires_at())
        if known is None:
            return self._table.write("put_item", Item=item, ConditionExpression="attribute_not_exists(pk)")
        return self._table.write(
            "put_item",
            Item=item,
            # Compare-and-set on the two attributes that change. `state` is a reserved word.
            ConditionExpression="#state = :state AND job_run_id = :job_run_id",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=values(state=known.state, job_run_id=known.job_run_id),
        )

    def _expires_at(self) -> int:
        return int(time.time()) + self._retention_days * _SECONDS_A_DAY

    def _contended(self, what: str) -> UnavailableError:
        message = f"table {self._table.name}: {what} is being changed by other processes; ask again"
        return UnavailableError("ledger", message)


def _allowed(key: RunKey, event: RunEvent, sets: Item | None = None) -> Item:
    """A conditional request: it succeeds while the generation is current and its status allows the event.

    `sets` are the attributes to set. Every name has a placeholder, because `status`, `open` and `response` are reserved
    words of DynamoDB.
    """
    # Compare-and-set on the state machine: `agent/run_status.py` says which statuses allow the event.
    statuses = values(**{f"in_{status}": status for status in allowed_from(event)})
    request: Item = {
        "ConditionExpression": f"generation = :generation AND #status IN ({', '.join(statuses)})",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":generation": {"N": str(key.generation)}, **statuses},
    }
    if sets:
        request["UpdateExpression"] = "SET " + ", ".join(f"#{name} = :set_{name}" for name in sets)
        request["ExpressionAttributeNames"] |= {f"#{name}": name for name in sets}
        request["ExpressionAttributeValues"] |= {f":set_{name}": value for name, value in sets.items()}
    return request


def _token() -> str:
    return uuid.uuid4().hex
