"""The lease on DynamoDB: taken once, renewed while held, taken over when its holder is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from agent.errors import ConflictError, UnavailableError
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.fakes.wire import answered, answers_lost, overtaken, refused
from tools.aws.lease import DynamoLease
from tools.aws.ledger_items import lease_key
from tools.fakes import FakeClock
from tools.local.clock import SystemClock
from tools.ports import Clock

TABLE = DEFAULTS.ledger_table


def lease_of(aws: Aws, lifetime: float, clock: Clock | None = None) -> DynamoLease:
    return DynamoLease(aws.clients, TABLE, lambda: lifetime, clock or SystemClock())


def entry(aws: Aws) -> dict[str, dict[str, str]] | None:
    item: dict[str, dict[str, str]] | None = (
        aws.clients.get("dynamodb").get_item(TableName=TABLE, Key=lease_key("r1")).get("Item")
    )
    return item


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return held


def test_a_lease_ends_when_its_holder_does_not_renew_it(aws: Aws) -> None:
    """As after a kill; until then the run is busy."""
    clock = FakeClock()
    dead = lease_of(aws, 900, clock).hold("r1")
    dead.__enter__()
    clock.sleep(899)
    with pytest.raises(ConflictError, match="datamorph status r1"), lease_of(aws, 900, clock).hold("r1"):
        pass
    clock.sleep(2)
    with lease_of(aws, 900, clock).hold("r1"):
        dead.__exit__(None, None, None)
        assert entry(aws) is not None, "a holder that comes to itself gives back only what is its own"
    assert entry(aws) is None


def test_the_lifetime_is_asked_for_when_the_run_is_taken(aws: Aws) -> None:
    """In a Lambda it is what is left of the invocation."""
    left, clock = [100.0], FakeClock()
    lease = DynamoLease(aws.clients, TABLE, lambda: left[0], clock)
    for expected in (100.0, 40.0):
        left[0] = expected
        with lease.hold("r1"):
            held = entry(aws)
            assert held is not None
            assert float(held["expires"]["N"]) == clock.now() + expected
            assert int(held["expires_at"]["N"]) > clock.now() + expected, "DynamoDB forgets it later"


def test_a_holder_renews_its_lease(aws: Aws) -> None:
    """However long it works."""
    with lease_of(aws, 0.6).hold("r1"):
        first = entry(aws)
        assert first is not None
        assert eventually(lambda: float((entry(aws) or first)["expires"]["N"]) > float(first["expires"]["N"]) + 1)
        with pytest.raises(ConflictError), lease_of(aws, 60).hold("r1"):
            pass


def test_a_lost_lease_is_logged(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """The holder is not stopped: the ledger refuses what it must not do."""
    with lease_of(aws, 0.3).hold("r1"):
        other = {**lease_key("r1"), "owner": {"S": "other"}, "expires": {"N": "99999999999"}}
        aws.clients.get("dynamodb").put_item(TableName=TABLE, Item=other)
        assert eventually(lambda: any(record.message == "lease.lost" for record in caplog.records))
    held = entry(aws)
    assert held is not None
    assert held["owner"] == {"S": "other"}


def test_a_renewal_that_fails_is_tried_again(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the lease goes on when DynamoDB does."""
    with lease_of(aws, 0.6).hold("r1"):
        with refused(aws.clients.get("dynamodb"), "UpdateItem", 400, "AccessDeniedException"):
            assert eventually(lambda: any(record.message == "lease.renew_failed" for record in caplog.records))
        before = entry(aws)
        assert before is not None
        assert eventually(lambda: float((entry(aws) or before)["expires"]["N"]) > float(before["expires"]["N"]))
    assert entry(aws) is None


def test_a_renewal_that_meets_a_transaction_is_sent_again(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """Each checkpoint looks at the lease in its transaction: the run is not lost by that."""
    conflict = json.dumps({"__type": "TransactionConflictException", "message": "Transaction is ongoing for the item"})
    with lease_of(aws, 60).hold("r1") as owner:
        with answered(aws.clients.get("dynamodb"), "UpdateItem", 400, conflict, times=2):
            assert lease_of(aws, 60)._extend("r1", owner)
        with answered(aws.clients.get("dynamodb"), "UpdateItem", 400, conflict), pytest.raises(UnavailableError):
            lease_of(aws, 60)._extend("r1", owner)
    assert caplog.records == []


def test_a_lease_whose_answer_was_lost_is_recognised(aws: Aws) -> None:
    """The request that is sent again finds its own entry, and is not refused by it."""
    with answers_lost(aws.clients.get("dynamodb"), "PutItem") as lost, lease_of(aws, 60).hold("r1"):
        assert len(lost) == 1
        with pytest.raises(ConflictError), lease_of(aws, 60).hold("r1"):
            pass


def test_a_lease_that_was_never_answered_is_taken_back(aws: Aws) -> None:
    """Else the run would be busy with nobody at work."""
    with (
        answers_lost(aws.clients.get("dynamodb"), "PutItem", times=100) as lost,
        pytest.raises(UnavailableError, match="the endpoint cannot be reached"),
        lease_of(aws, 60).hold("r1"),
    ):
        raise AssertionError("the run is not held")
    assert len(lost) > 1
    assert entry(aws) is None


def test_a_lease_that_cannot_be_given_back_ends_by_itself(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    """The work that was done stays done."""
    done = False
    with refused(aws.clients.get("dynamodb"), "DeleteItem", 400, "AccessDeniedException"), lease_of(aws, 60).hold("r1"):
        done = True
    assert done
    assert [record.message for record in caplog.records] == ["lease.release_failed"]


def test_a_missing_table_is_told_by_name(aws: Aws) -> None:
    """With what to create or to set."""
    lease = DynamoLease(aws.clients, "nowhere", lambda: 60, SystemClock())
    with pytest.raises(UnavailableError, match="DATAMORPH_LEDGER_TABLE"), lease.hold("r1"):
        pass


def test_what_a_holder_that_died_left_is_cleared(aws: Aws) -> None:
    """Once its time is over; a lease that was renewed or taken over meanwhile stays."""
    clock = FakeClock()
    dead, slow = (lease_of(aws, 900, clock).hold(run_id) for run_id in ("r1", "r2"))
    dead.__enter__()
    slow.__enter__()
    sweeping = lease_of(aws, 900, clock)
    assert sweeping.clear() == 0
    clock.sleep(901)
    dynamodb = aws.clients.get("dynamodb")
    with overtaken(dynamodb, "DeleteItem", lambda: _renewed(aws, "r2", clock.now() + 900)):
        assert sweeping.clear() == 1
    assert entry(aws) is None
    with pytest.raises(ConflictError), lease_of(aws, 900, clock).hold("r2"):
        pass
    for held in (dead, slow):
        held.__exit__(None, None, None)


def test_a_renewed_lease_is_not_found_by_who_clears(aws: Aws) -> None:
    """Its place among those that end is put off with it."""
    clock = FakeClock()
    lease = lease_of(aws, 900, clock)
    with lease.hold("r1"):
        held = entry(aws)
        assert held is not None
        clock.sleep(600)
        assert lease._extend("r1", held["owner"]["S"])
        clock.sleep(600)
        assert lease_of(aws, 900, clock).clear() == 0


def _renewed(aws: Aws, run_id: str, expires: float) -> None:
    aws.clients.get("dynamodb").update_item(
        TableName=TABLE,
        Key=lease_key(run_id),
        UpdateExpression="SET expires = :expires",
        ExpressionAttributeValues={":expires": {"N": str(expires)}},
    )
