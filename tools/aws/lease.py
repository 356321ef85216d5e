"""Lease on DynamoDB: one worker per run, by a conditional write of an item that the worker renews while it works."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.errors import ConflictError, UnavailableError
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import LEASED, OPEN_INDEX, TTL_ATTRIBUTE, lease_key, values
from tools.aws.table import Item, Table
from tools.ports import Clock

_log = logging.getLogger("datamorph.lease")

_TTL_AFTER_EXPIRY = 86_400
"""Seconds after the lease's expiry when DynamoDB's TTL deletes an item that nobody cleared."""
_JOIN_SECONDS = 5.0
"""Longest wait for the renewing thread when a lease is released."""


class DynamoLease:
    """A Lease that expires `lifetime()` seconds after its worker last renewed it, every third of that time."""

    def __init__(self, clients: AwsClients, table: str, lifetime: Callable[[], float], clock: Clock) -> None:
        self._table = leases_in(clients, table)
        self._lifetime = lifetime
        self._clock = clock

    @contextmanager
    def hold(self, run_id: str) -> Iterator[str]:
        """Hold the run; the context gives the owner's token. Raises ConflictError when another process holds it."""
        owner = uuid.uuid4().hex
        if not self._acquire(run_id, owner):
            raise busy(run_id)
        done = threading.Event()
        renewer = threading.Thread(target=self._renew, args=(run_id, owner, done), name=f"lease {run_id}", daemon=True)
        renewer.start()
        try:
            yield owner
        finally:
            done.set()
            renewer.join(_JOIN_SECONDS)
            self._release(run_id, owner)

    def clear(self) -> int:
        """Delete the expired leases of workers that died; returns how many."""
        now = self._clock.now()
        items = self._table.query(
            # The index's sort key `given_at` is a lease's expiry as text. `open` is a reserved word, hence the alias.
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :leased AND given_at < :now",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=values(leased=LEASED, now=_sortable(now)),
        )
        return sum(self._delete_expired({"pk": item["pk"], "sk": item["sk"]}, now) for item in items)

    def _delete_expired(self, key: Item, now: float) -> bool:
        """Delete a lease; False when it was taken over or renewed meanwhile."""
        return self._table.write(
            "delete_item",
            Key=key,
            # The index lags behind the table: only the item itself tells that the lease is still expired.
            ConditionExpression="expires < :now",
            ExpressionAttributeValues={":now": _number(now)},
        )

    def _acquire(self, run_id: str, owner: str) -> bool:
        """Take the lease; False when another worker holds it. Raises UnavailableError."""
        expires = self._clock.now() + self._lifetime()
        try:
            return self._table.write(
                "put_item",
                Item=lease_key(run_id) | _attributes(owner, expires),
                # Free, or expired, or ours: boto3 repeats a put whose answer was lost, and the repeated put finds the
                # first one's item. `owner` is a reserved word.
                ConditionExpression="attribute_not_exists(pk) OR expires < :now OR #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":now": _number(self._clock.now()), **values(owner=owner)},
            )
        except UnavailableError:
            self._release(run_id, owner)  # the unanswered put may have been applied
            raise

    def _renew(self, run_id: str, owner: str, done: threading.Event) -> None:
        """Extend the lease until the context ends, or until another process has taken the run."""
        while not done.wait(self._lifetime() / 3):
            try:
                ours = self._extend(run_id, owner)
            except UnavailableError as error:
                _log.warning("lease.renew_failed", extra={"run_id": run_id, "reason": str(error)})
                continue
            if not ours and not done.is_set():
                _log.warning("lease.lost", extra={"run_id": run_id})
                return

    def _extend(self, run_id: str, owner: str) -> bool:
        """Set a new expiry; False when the lease is not this owner's any more."""
        expires = self._clock.now() + self._lifetime()
        return self._table.write(
            "update_item",
            Key=lease_key(run_id),
            UpdateExpression=f"SET expires = :expires, given_at = :sorted, {TTL_ATTRIBUTE} = :forget",
            # It fails without an item too: the update must not recreate a lease that was taken over and released.
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={
                ":expires": _number(expires),
                ":forget": _number(int(expires) + _TTL_AFTER_EXPIRY),
                **values(owner=owner, sorted=_sortable(expires)),
            },
        )

    def _release(self, run_id: str, owner: str) -> None:
        """Delete the lease if it is still this owner's; a lease that cannot be deleted expires."""
        try:
            self._table.write(
                "delete_item",
                Key=lease_key(run_id),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=values(owner=owner),
            )
        except UnavailableError as error:
            _log.warning("lease.release_failed", extra={"run_id": run_id, "reason": str(error)})


def leases_in(clients: AwsClients, table: str) -> Table:
    """The table that holds the leases: the ledger's own."""
    return Table(clients, table, "ledger", "DATAMORPH_LEDGER_TABLE")


def busy(run_id: str) -> ConflictError:
    """The error for a process that does not hold the run, or does not hold it any more."""
    return ConflictError(run_id, f"run {run_id} is being worked on by another process; see `datamorph status {run_id}`")


@dataclass(frozen=True)
class Hold:
    """Fencing token: one worker's hold of a run, by which a store refuses writes once another worker has the run."""

    leases: Table
    run_id: str
    owner: str
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Lock around each transaction with `check`: DynamoDB cancels one of two at once that read the same lease."""

    def check(self) -> Item:
        """The ConditionCheck that makes a transaction fail once the lease is another owner's.

        Expiry plays no part: an expired lease that nobody has taken still excludes every other writer.
        """
        return {
            "TableName": self.leases.name,
            "Key": lease_key(self.run_id),
            "ConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": values(owner=self.owner),
        }

    def demand(self) -> None:
        """Raise ConflictError when the lease is another owner's, or gone."""
        if (self.leases.get(lease_key(self.run_id)) or {}).get("owner") != {"S": self.owner}:
            raise busy(self.run_id)


def _attributes(owner: str, expires: float) -> Item:
    """The attributes of a lease."""
    return {
        "owner": {"S": owner},
        "expires": _number(expires),
        **{"open": {"S": LEASED}, "given_at": {"S": _sortable(expires)}},
        TTL_ATTRIBUTE: _number(int(expires) + _TTL_AFTER_EXPIRY),
    }


def _sortable(value: float) -> str:
    """Seconds since the epoch as zero-padded text, which sorts as the numbers do."""
    return f"{value:015.3f}"


def _number(value: float) -> Item:
    return {"N": f"{value:.3f}" if isinstance(value, float) else str(value)}
