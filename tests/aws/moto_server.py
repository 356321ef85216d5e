"""moto's server on a free port of this machine, and what every test finds there."""

from __future__ import annotations

import copy
import logging
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from agent.settings import load_settings
from tools.aws.clients import AwsClients
from tools.aws.ledger_items import TTL_ATTRIBUTE, table_definition

REGION = "us-east-1"
COMPLETION_PATTERN = '{"source": ["datamorph"], "detail-type": ["DataMorph Run State Change"]}'
DEFAULTS = load_settings({}, {})


@dataclass(frozen=True)
class Aws:
    """An AWS account that is the test's own."""

    endpoint: str
    """As `http://127.0.0.1:40000`."""
    clients: AwsClients
    environment: dict[str, str]
    """What a child process needs to reach it."""

    def subscribed(self, bus: str) -> str:
        """Give the URL of a queue that gets the bus's completion events, by the rule that the README shows."""
        queue = self.clients.get("sqs").create_queue(QueueName="listener")["QueueUrl"]
        attributes = self.clients.get("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        events = self.clients.get("events")
        events.put_rule(Name="ended", EventBusName=bus, EventPattern=COMPLETION_PATTERN)
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule="ended", EventBusName=bus, Targets=[target])
        return str(queue)


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server; gives its address."""
    Table.__deepcopy__ = _copied  # type: ignore[attr-defined]
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


def _copied(table: Table, memo: dict[int, Any]) -> Table:
    """A table for moto's rollback, which it makes anew for each item of a transaction.

    The items themselves are shared: our transactions only put, which replaces them.
    """
    twin = copy.copy(table)
    twin.items = defaultdict(dict)
    twin.items.update({key: dict(found) for key, found in table.items.items()})
    return twin


def _one_at_a_time(app: Any) -> Any:
    """The application behind a lock: moto's transactions fail, or undo others, when requests overlap."""
    lock = threading.Lock()

    def answer(environ: Any, start_response: Any) -> list[bytes]:
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
    """Make the bucket and the two tables, named as in the settings' defaults."""
    from graph.dynamodb_saver import checkpoints_table

    clients.get("s3").create_bucket(Bucket=DEFAULTS.bucket)
    _make_table(clients, table_definition(DEFAULTS.ledger_table), TTL_ATTRIBUTE)
    _make_table(clients, checkpoints_table(DEFAULTS.checkpoints_table), "ttl")


def _make_table(clients: AwsClients, definition: dict[str, Any], ttl: str) -> None:
    dynamodb = clients.get("dynamodb")
    dynamodb.create_table(**definition)
    dynamodb.update_time_to_live(
        TableName=definition["TableName"], TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl}
    )
