"""The ledger on DynamoDB: accepted runs, and every launch of the engine with the state it reached."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from agent.errors import UnavailableError
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import (
    NEWEST_INDEX,
    OPEN_INDEX,
    launch_item,
    launch_key,
    launch_of,
    launches_prefix,
    newest_key,
    packed,
    run_id_of,
    run_item,
    run_key,
    run_of,
    values,
)
from tools.aws.table import Item, Table
from tools.launch_steps import check_step, next_generation, restarted_meanwhile
from tools.records import ANNOUNCING, ENDED_STATUSES, ENDING_STATUSES, OPEN_STATUSES, Launch, LaunchKey, RunRecord

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
        return run_of(self._known(record.run_id))

    def new_generation(self, superseded: RunRecord, record: RunRecord) -> RunRecord:
        """Replace the `superseded` generation by `record` as the next one; returns the recorded run."""
        token, following = _token(), next_generation(superseded, record)
        put = self._table.write(
            "put_item",
            Item=run_item(following, token, self._expires_at()),
            # Of two restarts at once one wins: the other finds the number raised.
            ConditionExpression="generation = :superseded",
            ExpressionAttributeValues={":superseded": {"N": str(superseded.generation)}},
        )
        # boto3 repeats a request whose answer was lost, and the repeated one fails on the first one's write.
        if not put and self._known(record.run_id)["token"]["S"] != token:
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

    def finish(
        self,
        run_id: str,
        generation: int,
        status: str,
        response: str,
        *,
        stopping: bool = False,
        ended_at: str = "",
        hops: int | None = None,
    ) -> bool:
        """Record the run's status; False when it has ended, another worker stops it, or a newer one works on it.

        False also when boto3 repeated a request whose answer was lost and the first one recorded the end.
        """
        # `open` stays in open runs alone, see run_item. `status`, `response` and `open` are reserved words.
        kept = (*ENDED_STATUSES, ANNOUNCING) if stopping else (*ENDED_STATUSES, ANNOUNCING, *ENDING_STATUSES)
        opened = ", #open = :open" if status in OPEN_STATUSES else " REMOVE #open"
        given = values(status=status, ended=ended_at, **{word: word for word in kept})
        given |= values(open="open") if status in OPEN_STATUSES else {}
        given |= {":hops": {"N": str(hops)}} if hops is not None else {}
        newest = " AND hops = :hops" if hops is not None else ""
        sets = "#status = :status, #response = :response, ended_at = :ended, expires_at = :expires"
        return self._table.write(
            "update_item",
            Key=run_key(run_id),
            UpdateExpression=f"SET {sets}{opened}",
            # A superseded generation, a final status and, with `hops`, a newer invocation's run are left alone.
            ConditionExpression=f"generation = :generation AND NOT #status IN ({_placeholders(kept)}){newest}",
            ExpressionAttributeNames={"#status": "status", "#response": "response", "#open": "open"},
            ExpressionAttributeValues=given
            | {
                ":response": {"B": packed(response)},
                ":generation": {"N": str(generation)},
                ":expires": {"N": str(self._expires_at())},
            },
        )

    def announced(self, run_id: str, generation: int, status: str) -> None:
        """Record that the end was announced: the run gets its final status and leaves the open runs."""
        self._table.write(
            "update_item",
            Key=run_key(run_id),
            UpdateExpression="SET #status = :status REMOVE #open",
            # Only from `announcing`: a restarted run, or one announced already, stays as it is.
            ConditionExpression="generation = :generation AND #status = :announcing",
            ExpressionAttributeNames={"#status": "status", "#open": "open"},
            ExpressionAttributeValues={
                **values(status=status, announcing=ANNOUNCING),
                ":generation": {"N": str(generation)},
            },
        )

    def hop(self, run_id: str, generation: int, deadline: str = "") -> RunRecord:
        """Count an invocation as lost until it settles; returns the recorded run."""
        words = (*ENDED_STATUSES, *ENDING_STATUSES, ANNOUNCING)
        given = {"running": "running", "open": "open"} | ({"deadline": deadline} if deadline else {})
        sets = "#status = :running, #open = :open, expires_at = :expires, hop_token = :token"
        sets += ", deadline = :deadline" if deadline else ""
        item = self._table.update(
            run_key(run_id),
            UpdateExpression=f"SET {sets} ADD hops :one, lost :one",
            # ADD is not idempotent: boto3 repeats a request whose answer was lost, and the token makes it count once.
            ConditionExpression=f"generation = :generation AND NOT #status IN ({_placeholders(words)}) "
            "AND (attribute_not_exists(hop_token) OR hop_token <> :token)",
            ExpressionAttributeNames={"#status": "status", "#open": "open"},
            ExpressionAttributeValues={
                **values(token=_token(), **given, **{word: word for word in words}),
                ":one": {"N": "1"},
                ":generation": {"N": str(generation)},
                ":expires": {"N": str(self._expires_at())},
            },
        )
        return run_of(item or self._known(run_id))

    def settle(self, run_id: str, generation: int) -> None:
        """Reset the count of lost invocations after progress, unless the run is being stopped."""
        self._table.write(
            "update_item",
            Key=run_key(run_id),
            UpdateExpression="SET lost = :none",
            # A run that is being stopped stays as it is, whatever a worker reports that does not know of it yet.
            ConditionExpression=f"generation = :generation AND NOT #status IN ({_placeholders(ENDING_STATUSES)})",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                **values(**{word: word for word in ENDING_STATUSES}),
                ":none": {"N": "0"},
                ":generation": {"N": str(generation)},
            },
        )

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

    def launches(self, run_id: str, generation: int) -> list[Launch]:
        """All launches of a generation in order."""
        items = self._table.query(
            KeyConditionExpression="pk = :run AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=values(run=run_key(run_id)["pk"]["S"], prefix=launches_prefix(generation)),
            ConsistentRead=True,
        )
        return [launch_of(item) for item in items]

    def _known(self, run_id: str) -> Item:
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


def _placeholders(statuses: tuple[str, ...]) -> str:
    """The names under which `values` gives these statuses to an expression."""
    return ", ".join(f":{status}" for status in statuses)


def _token() -> str:
    return uuid.uuid4().hex
