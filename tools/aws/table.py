"""One DynamoDB table: consistent reads, conditional writes, and what DynamoDB refuses told in one line."""

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
"""Seconds: a transaction of a process that died may still be under way, for moments, or meet the lease's renewal."""


class CheckFailedError(Exception):
    """What a transaction was to count on does not hold."""


class Table:
    """A table by name; every failure is UnavailableError of `service`, and says which `variable` names the table."""

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
        """Raise UnavailableError for what boto3 raises within."""
        advice = {
            "ResourceNotFoundException": f"create the table (infra/template.yaml does), or name another one with "
            f"{self._variable}",
            _CANCELED: "ask again; another process writes the same items",
        }
        with translated(self._service, f"table {self.name}", self._clients.region, advice):
            yield

    def get(self, key: Item) -> Item | None:
        """The item as it stands now."""
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
        """Do `update_item`; the item as it is then, or None when the request's condition does not hold."""
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
                _patiently(lambda: call(**({"TableName": self.name} | request)))
            except ClientError as error:
                if error_code(error) != _REFUSED:
                    raise
                return False
        return True

    def transact(self, puts: Sequence[Item], check: Item | None = None) -> bool:
        """Put all items or none; False when the condition of one does not hold.

        Raises CheckFailedError when that of `check`, a ConditionCheck on this or another table, does not hold.
        """
        if not puts:
            return True
        checks = [] if check is None else [{"ConditionCheck": check}]
        actions = [*checks, *({"Put": put} for put in puts)]
        with self.asked():
            try:
                _patiently(lambda: self.client.transact_write_items(TransactItems=actions))
            except ClientError as error:
                reasons = _reasons(error)
                if checks and reasons[:1] == ["ConditionalCheckFailed"]:
                    raise CheckFailedError from error
                if set(reasons) - {"None"} != {"ConditionalCheckFailed"}:
                    raise
                return False
        return True


def _patiently(call: Callable[[], object]) -> None:
    """Call again, a few times, while the only hindrance is a transaction that is under way."""
    for wait in _CONFLICT_WAITS:
        try:
            call()
        except ClientError as error:
            if error_code(error) != _CONFLICT and not _met_another(_reasons(error)):
                raise
            time.sleep(wait)
        else:
            return
    call()


def _met_another(reasons: Sequence[str]) -> bool:
    """True where nothing is known but that: a condition of which the check failed is not judged anew."""
    return set(reasons) - {"None"} == {"TransactionConflict"}


def _reasons(error: ClientError) -> list[str]:
    """Why a transaction was cancelled, action by action; empty for another error."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "None") for reason in reasons]
