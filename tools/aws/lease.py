"""One worker per run, by a conditional write in the ledger's table: an entry that its holder renews while it works."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.errors import ConflictError, UnavailableError
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import LEASED, OPEN_INDEX, TTL_ATTRIBUTE, Item, lease_key, values
from tools.aws.table import Table
from tools.ports import Clock

_log = logging.getLogger("datamorph.lease")

_FORGET_AFTER = 86_400
_JOIN_SECONDS = 5.0


class DynamoLease:
    """A Lease that ends `lifetime()` seconds after its holder last renewed it: in a Lambda, soon after the process."""

    def __init__(self, clients: AwsClients, table: str, lifetime: Callable[[], float], clock: Clock) -> None:
        self._table = leases_in(clients, table)
        self._lifetime = lifetime
        self._clock = clock

    @contextmanager
    def hold(self, run_id: str) -> Iterator[str]:
        """Hold the run, and give the owner's token. Raises ConflictError when another process holds it."""
        owner = uuid.uuid4().hex
        if not self._taken(run_id, owner):
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
        """Remove the leases that ended without being given back; returns how many."""
        now = self._clock.now()
        items = self._table.query(
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :leased AND given_at < :now",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=values(leased=LEASED, now=_sortable(now)),
        )
        return sum(self._forgotten({"pk": item["pk"], "sk": item["sk"]}, now) for item in items)

    def _forgotten(self, key: Item, now: float) -> bool:
        """Delete a lease; False when it was taken over or renewed meanwhile."""
        return self._table.write(
            "delete_item",
            Key=key,
            ConditionExpression="expires < :now",
            ExpressionAttributeValues={":now": _number(now)},
        )

    def _taken(self, run_id: str, owner: str) -> bool:
        """Take the lease where there is none, or an expired one, or ours: a request whose answer was lost comes again.

        Where no answer came at all the entry may be ours all the same, so it is taken back.
        """
        expires = self._clock.now() + self._lifetime()
        try:
            return self._table.write(
                "put_item",
                Item=lease_key(run_id) | values_of(owner, expires),
                ConditionExpression="attribute_not_exists(pk) OR expires < :now OR #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":now": _number(self._clock.now()), **values(owner=owner)},
            )
        except UnavailableError:
            self._release(run_id, owner)
            raise

    def _renew(self, run_id: str, owner: str, done: threading.Event) -> None:
        """Put off the expiry until the context ends, or until another process has taken the run."""
        while not done.wait(self._lifetime() / 3):
            try:
                ours = self._extended(run_id, owner)
            except UnavailableError as error:
                _log.warning("lease.renew_failed", extra={"run_id": run_id, "reason": str(error)})
                continue
            if not ours and not done.is_set():
                _log.warning("lease.lost", extra={"run_id": run_id})
                return

    def _extended(self, run_id: str, owner: str) -> bool:
        expires = self._clock.now() + self._lifetime()
        return self._table.write(
            "update_item",
            Key=lease_key(run_id),
            UpdateExpression=f"SET expires = :expires, given_at = :sorted, {TTL_ATTRIBUTE} = :forget",
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={
                ":expires": _number(expires),
                ":forget": _number(int(expires) + _FORGET_AFTER),
                **values(owner=owner, sorted=_sortable(expires)),
            },
        )

    def _release(self, run_id: str, owner: str) -> None:
        """Give the run back; a lease that cannot be given back ends by itself."""
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
    """The table that the leases are in, beside runs and launches."""
    return Table(clients, table, "ledger", "DATAMORPH_LEDGER_TABLE")


def busy(run_id: str) -> ConflictError:
    """What is told to a process that does not hold the run, or not any more."""
    return ConflictError(run_id, f"run {run_id} is being worked on by another process; see `datamorph status {run_id}`")


@dataclass(frozen=True)
class Hold:
    """One worker's hold of a run, for a store that asks whether it lasts: until another worker takes the run."""

    leases: Table
    run_id: str
    owner: str
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Held for each transaction with `check`: two at once would meet at the lease, and DynamoDB cancels one of them."""

    def check(self) -> Item:
        """A transaction's ConditionCheck."""
        return {
            "TableName": self.leases.name,
            "Key": lease_key(self.run_id),
            "ConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": values(owner=self.owner),
        }

    def demand(self) -> None:
        """Raise ConflictError when it is over."""
        if (self.leases.get(lease_key(self.run_id)) or {}).get("owner") != {"S": self.owner}:
            raise busy(self.run_id)


def values_of(owner: str, expires: float) -> Item:
    """The attributes of a lease."""
    return {
        "owner": {"S": owner},
        "expires": _number(expires),
        **{"open": {"S": LEASED}, "given_at": {"S": _sortable(expires)}},
        TTL_ATTRIBUTE: _number(int(expires) + _FORGET_AFTER),
    }


def _sortable(value: float) -> str:
    """Seconds since the epoch as a text that sorts as the number does."""
    return f"{value:015.3f}"


def _number(value: float) -> Item:
    return {"N": f"{value:.3f}" if isinstance(value, float) else str(value)}
