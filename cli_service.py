"""What the commands work with: settings, service and ledger of the engine that is chosen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from agent.errors import UnknownRunError
from agent.keys import is_run_id
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from graph.service import Service
    from tools.ports import Ledger
    from tools.records import RunRecord


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from options and environment; for the engine `glue` with what Secrets Manager holds.

    `doctor` goes on without secrets that cannot be read, and tells of them among its checks.
    """
    given = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    settings = load_settings(given, os.environ)
    if settings.engine == "local":
        return settings
    from tools.aws.configuration import aws_settings, settings_to_examine

    return (settings_to_examine if options.command == "doctor" else aws_settings)(given, os.environ)


@contextmanager
def service_of(settings: Settings) -> Iterator[Service]:
    """The service on the chosen engine; what it started ends here, unless a job still needs it."""
    with ExitStack() as stack:
        if settings.engine == "glue":
            yield _on_aws(settings, stack)
        else:
            yield _on_this_machine(settings, stack)


def _on_this_machine(settings: Settings, stack: ExitStack) -> Service:
    from tools.local.toolbox import database_place, local_toolbox, require_local

    require_local()
    from graph.checkpointer import sqlite_checkpoints
    from graph.service import Service

    tools = stack.enter_context(local_toolbox(settings))
    checkpoints = stack.enter_context(sqlite_checkpoints(settings.home / "checkpoints.sqlite"))
    return Service(tools, settings, checkpoints, database_place(settings))


def _on_aws(settings: Settings, stack: ExitStack) -> Service:
    from graph.dynamodb_saver import dynamodb_checkpoints
    from graph.service import Service
    from tools.aws.clients import AwsClients
    from tools.aws.toolbox import aws_toolbox
    from tools.database.url import place_of

    clients = stack.enter_context(closing(AwsClients(settings.region, settings.account)))
    tools = stack.enter_context(aws_toolbox(settings, clients))
    return Service(tools, settings, dynamodb_checkpoints(settings, clients), place_of(settings.database_url))


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    """The ledger of the chosen engine, without anything else."""
    if settings.engine == "glue":
        from tools.aws.clients import AwsClients
        from tools.aws.ledger import DynamoLedger

        with closing(AwsClients(settings.region)) as clients:
            yield DynamoLedger(clients, settings.ledger_table, settings.retention_days)
    else:
        from tools.ledger import SqliteLedger

        with closing(SqliteLedger(settings.home / "ledger.sqlite")) as ledger:
            yield ledger


def record_of(settings: Settings, run_id: str) -> RunRecord:
    """What the ledger knows of a run. Raises UnknownRunError."""
    with ledger_of(settings) as ledger:
        record = ledger.run(run_id) if is_run_id(run_id) else None
    if record is None:
        raise UnknownRunError(run_id)
    return record
