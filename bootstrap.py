"""The composition of every door: its settings, and with them a service or a ledger on the chosen engine.

Modules are imported by the function that needs them: `datamorph status` needs no Spark, and the Lambda no SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from runs.service import Service
    from tools.aws.clients import AwsClients
    from tools.ports import Ledger
    from tools.toolbox import Toolbox


def read_settings(arguments: Mapping[str, Any], environment: Mapping[str, str], *, examine: bool = False) -> Settings:
    """Settings from arguments and environment, and for the engine `glue` from Secrets Manager.

    With `examine` secrets that cannot be read are left out. Raises InvalidRequestError for a bad value,
    UnavailableError for a secret that cannot be read.
    """
    settings = load_settings(arguments, environment)
    if settings.engine == "local":
        return settings
    from tools.aws.configuration import aws_settings, settings_to_examine

    return (settings_to_examine if examine else aws_settings)(arguments, environment)


@contextmanager
def open_service(
    settings: Settings,
    *,
    clients: AwsClients | None = None,
    lifetime: Callable[[], float] | None = None,
    seconds_left: Callable[[], float] | None = None,
) -> Iterator[Service]:
    """The service on the chosen engine; whatever it started ends with the context, unless a job still needs it.

    `clients`, `lifetime` and `seconds_left` are for the engine `glue`: the door's own clients, the seconds for which a
    lease is to last, and the seconds that a step may take where the invocation ends by itself. Raises UnavailableError
    and InvalidRequestError.
    """
    with ExitStack() as stack:
        if settings.engine == "glue":
            tools, checkpoints = _on_aws(settings, stack, clients, lifetime, seconds_left)
        else:
            tools, checkpoints = _on_this_machine(settings, stack)
        from runs.service import Service
        from tools.database.database_url import database_place

        yield Service(tools, settings, checkpoints, database_place(settings))


def _on_this_machine(settings: Settings, stack: ExitStack) -> tuple[Toolbox, BaseCheckpointSaver[str]]:
    from tools.local_toolbox import local_toolbox, require_local

    # Before langgraph is imported: the message about a missing extra comes within a second.
    require_local()
    from graph.checkpoints.sqlite import sqlite_checkpoints

    tools = stack.enter_context(local_toolbox(settings))
    return tools, stack.enter_context(sqlite_checkpoints(settings.home / "checkpoints.sqlite"))


def _on_aws(
    settings: Settings,
    stack: ExitStack,
    clients: AwsClients | None,
    lifetime: Callable[[], float] | None,
    seconds_left: Callable[[], float] | None,
) -> tuple[Toolbox, BaseCheckpointSaver[str]]:
    from graph.checkpoints.dynamodb import dynamodb_checkpoints
    from tools.aws.clients import AwsClients
    from tools.aws_toolbox import aws_toolbox

    if clients is None:
        clients = stack.enter_context(closing(AwsClients(settings.region, settings.account)))
    tools = stack.enter_context(aws_toolbox(settings, clients, lifetime, seconds_left))
    return tools, dynamodb_checkpoints(settings, clients)


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
