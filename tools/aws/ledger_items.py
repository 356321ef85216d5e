"""Layout of the DynamoDB table of runs, launches and leases: keys, indexes, and items in DynamoDB's notation."""

from __future__ import annotations

import gzip
from dataclasses import fields
from typing import Any, cast

from agent.errors import UnavailableError
from agent.launch_status import LaunchState
from agent.names import LaunchKey
from agent.run_status import is_open
from tools.aws.table import Item
from tools.records import Launch, RunRecord

TTL_ATTRIBUTE = "expires_at"
NEWEST_INDEX = "newest"
OPEN_INDEX = "open_runs"
LEASED = "lease"
"""Value of `open`, OPEN_INDEX's partition key, in leases. Their `given_at`, its sort key, is the lease's expiry."""
NEVER_GIVEN = "0"
"""Value of `given_at` in a run that no sweep has taken: it sorts before every timestamp."""

_LISTED = "run"
_RESPONSE_BYTES = 390_000
"""Limit of the compressed response: an item takes 400 KB, and its other attributes are small."""


def table_definition(name: str) -> dict[str, Any]:
    """CreateTable's parameters."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in ("pk", "sk", "listed", "accepted_at", "open", "given_at")
        ],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            _index(NEWEST_INDEX, "listed", "accepted_at", "ALL"),
            _index(OPEN_INDEX, "open", "given_at", "KEYS_ONLY"),
        ],
    }


def run_key(run_id: str) -> Item:
    """Primary key of a run."""
    return {"pk": {"S": _partition(run_id)}, "sk": {"S": "RUN"}}


def newest_key(record: RunRecord) -> Item:
    """Key of a run in NEWEST_INDEX, from which a query continues."""
    return run_key(record.run_id) | {"listed": {"S": _LISTED}, "accepted_at": {"S": record.accepted_at}}


def launch_key(key: LaunchKey) -> Item:
    """Primary key of a launch; zero-padded, so that text order is the order of generation, attempt and launch."""
    sort = f"{launches_prefix(key.generation)}a{key.attempt:03d}#l{key.launch:03d}"
    return {"pk": {"S": _partition(key.run_id)}, "sk": {"S": sort}}


def launches_prefix(generation: int) -> str:
    """Prefix of the sort keys of all launches of a generation."""
    return f"LAUNCH#g{generation:06d}#"


def lease_key(run_id: str) -> Item:
    """Primary key of the lease on a run."""
    return {"pk": {"S": _partition(run_id)}, "sk": {"S": "LEASE"}}


def run_id_of(item: Item) -> str:
    """The run that an item belongs to."""
    return cast(str, item["pk"]["S"]).removeprefix("RUN#")


def run_item(record: RunRecord, token: str, expires_at: int) -> Item:
    """The item of a run; `token` is unique to the write, by which a writer recognises its own.

    `open` is set in open runs alone: DynamoDB leaves items without it out of OPEN_INDEX (a sparse index).
    """
    item = run_key(record.run_id) | {
        field.name: {"S": getattr(record, field.name)} for field in fields(record) if field.type != "int"
    }
    item |= {field.name: {"N": str(getattr(record, field.name))} for field in fields(record) if field.type == "int"}
    item |= {
        "response": {"B": compressed(record.response)},
        "token": {"S": token},
        "listed": {"S": _LISTED},
        "given_at": {"S": NEVER_GIVEN},
        TTL_ATTRIBUTE: {"N": str(expires_at)},
    }
    return item | ({"open": {"S": "open"}} if is_open(record.status) else {})


def run_of(item: Item) -> RunRecord:
    """The run in an item."""
    known: dict[str, Any] = {"response": gzip.decompress(item["response"]["B"]).decode()}
    for field in fields(RunRecord):
        if field.name != "response":
            known[field.name] = int(item[field.name]["N"]) if field.type == "int" else item[field.name]["S"]
    return RunRecord(**known)


def launch_item(launch: Launch, expires_at: int) -> Item:
    """The item of a launch."""
    values = {"state": launch.state, "job_name": launch.job_name, "job_run_id": launch.job_run_id}
    item = launch_key(launch.key) | {name: {"S": value} for name, value in values.items()}
    return item | {
        "attempt": {"N": str(launch.key.attempt)},
        "launch": {"N": str(launch.key.launch)},
        "generation": {"N": str(launch.key.generation)},
        TTL_ATTRIBUTE: {"N": str(expires_at)},
    }


def launch_of(item: Item) -> Launch:
    """The launch in an item."""
    generation, attempt, launch = (int(item[name]["N"]) for name in ("generation", "attempt", "launch"))
    key = LaunchKey(run_id_of(item), generation, attempt, launch)
    return Launch(key, cast(LaunchState, item["state"]["S"]), item["job_name"]["S"], item["job_run_id"]["S"])


def compressed(response: str) -> bytes:
    """A response, compressed. Raises UnavailableError for one that no item can hold."""
    data = gzip.compress(response.encode(), mtime=0)
    if len(data) > _RESPONSE_BYTES:
        raise UnavailableError(
            "ledger",
            f"the response is too long to be recorded: {len(data)} bytes when compressed, and DynamoDB takes "
            f"{_RESPONSE_BYTES}; shorten the specification's texts",
        )
    return data


def values(**given: str) -> dict[str, Item]:
    """Texts as ExpressionAttributeValues: `state="x"` is `:state`."""
    return {f":{name}": {"S": value} for name, value in given.items()}


def _partition(run_id: str) -> str:
    return f"RUN#{run_id}"


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _index(name: str, partition: str, sort: str, projection: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": _key_schema(partition, sort),
        "Projection": {"ProjectionType": projection},
    }
