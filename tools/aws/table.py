"""A DynamoDB table: consistent reads, conditional writes, and DynamoDB's errors as UnavailableError."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from botocore.exceptions import ClientError

from tools.aws.client_errors import error_code, translated
from tools.aws.clients import AwsClients

Item = dict[str, Any]

_REFUSED = "ConditionalCheckFailedException"
_CANCELED = "TransactionCanceledException"
_CONFLICT = "TransactionConflictException"
_CONFLICT_WAITS = (0.1, 0.4)
"""Waits in seconds before a write that met a transaction is tried again.

A dead process's transaction may still run for a moment, and a checkpoint's may meet the lease's renewal.
"""


class CheckFailedError(Exception):
    """The ConditionCheck of a transaction failed; nothing was written."""


class Table:
    """A table by name; failures are UnavailableError of `service`, which names the environment variable `variable`."""

    def __init__(self, clients: AwsClients, name: str, service: str, variable: str) -> None:
        self.name = name
        self._clients = clients
        self._service = service
        self._variable = variable

    @property
    def client(self) -> Any:
        """The boto3 client."""
        return self._clients.get("dynamodb")

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Turn boto3's errors within the context into UnavailableError."""
        advice = {
            "ResourceNotFoundException": f"create the table (infra/template.yaml does), or name another one with "
            f"{self._variable}",
            _CANCELED: "ask again; another process writes the same items",
        }
        with translated(self._service, f"table {self.name}", self._clients.region, advice):
            yield

    def get(self, key: Item) -> Item | None:
        """The item, by a strongly consistent read; None when there is none."""
        with self.asked():
            answer: Item = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def query(self, limit: int | None = None, **request: Any) -> list[Item]:
        """All items of a query, or the first `limit`."""
        items: list[Item] = []
        while True:
            wanted = {} if limit is None else {"Limit": limit - len(items)}
            with self.asked():
                page = self.client.query(TableName=self.name, **wanted, **request)
            items += page["Items"]
            if "LastEvaluatedKey" not in page or len(items) == limit:
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def update(self, key: Item, **request: Any) -> Item | None:
        """Do `update_item`; returns the updated item, or None when the request's condition does not hold."""
        with self.asked():
            try:
                answer: Item = self.client.update_item(TableName=self.name, Key=key, ReturnValues="ALL_NEW", **request)
            except ClientError as error:
                if error_code(error) != _REFUSED:
                    raise
                return None
        return cast(Item, answer["Attributes"])

    def write(self, operation: str, **request: Any) -> bool:
        """Do `put_item`, `update_item` or `delete_item`; False when the request's condition does not hold."""
        call = getattr(self.client, operation)
        with self.asked():
            try:
                _retrying_conflicts(lambda: call(**({"TableName": self.name} | request)))
            except ClientError as error:
                if error_code(error) != _REFUSED:
                    raise
                return False
        return True

    def transact(self, puts: Sequence[Item], check: Item | None = None) -> bool:
        """Put all items or none; False when the condition of one of them does not hold.

        `check` is a ConditionCheck on this or another table. Raises CheckFailedError when it fails.
        """
        if not puts:
            return True
        checks = [] if check is None else [{"ConditionCheck": check}]
        actions = [*checks, *({"Put": put} for put in puts)]
        with self.asked():
            try:
                _retrying_conflicts(lambda: self.client.transact_write_items(TransactItems=actions))
            except ClientError as error:
                reasons = _reasons(error)
                # DynamoDB gives one reason an action, in the order of the request: the check comes first.
                if checks and reasons[:1] == ["ConditionalCheckFailed"]:
                    raise CheckFailedError from error
                if set(reasons) - {"None"} != {"ConditionalCheckFailed"}:
                    raise
                return False
        return True


def _retrying_conflicts(call: Callable[[], object]) -> None:
    """Call, and call again up to twice while another transaction on the same items is the only hindrance."""
    for wait in _CONFLICT_WAITS:
        try:
            call()
        except ClientError as error:
            if error_code(error) != _CONFLICT and not _is_conflict_only(_reasons(error)):
                raise
            time.sleep(wait)
        else:
            return
    call()


def _is_conflict_only(reasons: Sequence[str]) -> bool:
    """True when every failed action met another transaction; a failed condition is final and not tried again."""
    return set(reasons) - {"None"} == {"TransactionConflict"}


def _reasons(error: ClientError) -> list[str]:
    """Cancellation codes of a transaction, one an action; empty for another error."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "None") for reason in reasons]
