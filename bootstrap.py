"""The composition of every door: settings in, a service or a ledger on the chosen engine out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from agent.settings import Settings

if TYPE_CHECKING:
    from runs.service import Service
    from tools.ports import Ledger


@contextmanager
def open_service(settings: Settings) -> Iterator[Service]:
    """The service on the chosen engine; what it started ends here, unless a job still needs it."""
    with ExitStack() as stack:
        if settings.engine == "glue":
            yield _on_aws(settings, stack)
        else:
            yield _on_this_machine(settings, stack)


def _on_this_machine(settings: Settings, stack: ExitStack) -> Service:
    from tools.local.local_toolbox import database_place, local_toolbox, require_local

    require_local()
    from graph.checkpoints.sqlite import sqlite_checkpoints
    from runs.service import Service

    tools = stack.enter_context(local_toolbox(settings))
    checkpoints = stack.enter_context(sqlite_checkpoints(settings.home / "checkpoints.sqlite"))
    return Service(tools, settings, checkpoints, database_place(settings))


def _on_aws(settings: Settings, stack: ExitStack) -> Service:
    from graph.checkpoints.dynamodb import dynamodb_checkpoints
    from runs.service import Service
    from tools.aws.aws_toolbox import aws_toolbox
    from tools.aws.clients import AwsClients
    from tools.database.database_url import place_of

    clients = stack.enter_context(closing(AwsClients(settings.region, settings.account)))
    tools = stack.enter_context(aws_toolbox(settings, clients))
    return Service(tools, settings, dynamodb_checkpoints(settings, clients), place_of(settings.database_url))


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """The ledger of the chosen engine, without anything else."""
    if settings.engine == "glue":
        from tools.aws.clients import AwsClients
        from tools.aws.ledger import DynamoLedger

        with closing(AwsClients(settings.region)) as clients:
            yield DynamoLedger(clients, settings.ledger_table, settings.retention_days)
    else:
        from tools.local.ledger import SqliteLedger

        with closing(SqliteLedger(settings.home / "ledger.sqlite")) as ledger:
            yield ledger
