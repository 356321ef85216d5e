"""moto's server on a free port of this machine, and what every test finds there."""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from agent.settings import load_settings
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import TTL_ATTRIBUTE, table_definition

REGION = "us-east-1"
ACCOUNT = "123456789012"
_OWNER = "HTTP_X_AMZ_EXPECTED_BUCKET_OWNER"
_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
COMPLETION_PATTERN = '{"source": ["datamorph"], "detail-type": ["DataMorph Run State Change"]}'
REFUSED_PATTERN = '{"source": ["datamorph"], "detail-type": ["DataMorph Request Refused"]}'
LIFECYCLE = """{"Rules": [
  {"ID": "temp", "Status": "Enabled", "Filter": {"Prefix": "glue/temp/"}, "Expiration": {"Days": 7}},
  {"ID": "runs", "Status": "Enabled", "Filter": {"Prefix": "glue/runs/"}, "Expiration": {"Days": 90}}]}"""
DEFAULTS = load_settings({}, {})

_TRANSACT, _QUERY = DynamoDBBackend.transact_write_items, Table.query
_INDEX_NAME = 6
"""Its place among the arguments of a query after the key."""
_touched: set[tuple[str, DynamoType]] = set()
"""Table and partition of each item that the transaction under way puts."""


@dataclass(frozen=True)
class Aws:
    """An AWS account that is the test's own."""

    endpoint: str
    """As `http://127.0.0.1:40000`."""
    clients: AwsClients
    environment: dict[str, str]
    """Environment variables with which a child process reaches it."""

    def subscribed(self, bus: str, pattern: str = COMPLETION_PATTERN) -> str:
        """Give the URL of a queue that gets a bus's events by a rule of docs/lambda.md."""
        queue = self.clients.get("sqs").create_queue(QueueName="listener")["QueueUrl"]
        attributes = self.clients.get("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        events = self.clients.get("events")
        events.put_rule(Name="ended", EventBusName=bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule="ended", EventBusName=bus, Targets=[target])
        return str(queue)


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server; gives its address."""
    Table.__deepcopy__ = _copied  # type: ignore[attr-defined]
    DynamoDBBackend.transact_write_items = _transacted  # type: ignore[assignment, method-assign]
    Table.query = _queried  # type: ignore[assignment, method-assign]
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request, in every test's log
    app = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _transacted(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Put all items or none; ours are transactions of puts, with a look at a lease."""
    _touched.clear()
    for put in (action["Put"] for action in transact_items if "Put" in action):
        if table := backend.tables.get(put["TableName"]):
            _touched.add((table.name, DynamoType(put["Item"][table.hash_key_attr])))
    _TRANSACT(backend, transact_items)


def _copied(table: Table, memo: dict[int, Any]) -> Table:
    """A table for moto's rollback, which it makes anew for each item of a transaction.

    Items and partitions that no put replaces are shared: with many runs in a table a full copy takes seconds. Made past
    moto's own constructor, which keeps every table that it ever made.
    """
    twin = object.__new__(type(table))
    twin.__dict__.update(table.__dict__)
    twin.items = defaultdict(dict, table.items)
    twin.items.update(
        {key: dict(table.items[key]) for name, key in _touched if name == table.name and key in table.items}
    )
    return twin


def _queried(table: Table, hash_key: Any, *given: Any, **more: Any) -> Any:
    """A query's answer, looked for in its partition alone: moto sorts the whole table for each query."""
    of_index = more.get("index_name") or given[_INDEX_NAME : _INDEX_NAME + 1] not in ((), (None,))
    if of_index:
        return _QUERY(table, hash_key, *given, **more)
    whole = table.items
    table.items = defaultdict(dict, {hash_key: whole[hash_key]} if hash_key in whole else {})
    try:
        return _QUERY(table, hash_key, *given, **more)
    finally:
        table.items = whole


def _one_at_a_time(app: Any) -> Any:
    """The application behind a lock: moto's transactions fail, or undo others, when requests overlap.

    A bucket that is expected to be another account's is refused, as S3 does and moto does not.
    """
    lock = threading.Lock()

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        if environ.get(_OWNER, ACCOUNT) != ACCOUNT:
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [_DENIED]
        with lock:
            return list(app(environ, start_response))

    return answer


def reset(endpoint: str) -> None:
    """Forget everything."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def environment(endpoint: str) -> dict[str, str]:
    """The variables with which boto3 finds the server, and nothing of this machine's own configuration."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def make_stores(clients: AwsClients) -> None:
    """Make the bucket, with the rules of docs/deploy.md, and the two tables, named as in the settings' defaults."""
    from graph.checkpoints.dynamodb import checkpoints_table

    s3 = clients.get("s3")
    s3.create_bucket(Bucket=DEFAULTS.bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=DEFAULTS.bucket, LifecycleConfiguration=json.loads(LIFECYCLE))
    _make_table(clients, table_definition(DEFAULTS.ledger_table), TTL_ATTRIBUTE)
    _make_table(clients, checkpoints_table(DEFAULTS.checkpoints_table), "ttl")


def _make_table(clients: AwsClients, definition: dict[str, Any], ttl: str) -> None:
    dynamodb = clients.get("dynamodb")
    dynamodb.create_table(**definition)
    dynamodb.update_time_to_live(
        TableName=definition["TableName"], TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl}
    )
