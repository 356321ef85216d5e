"""The toolbox on AWS: Glue, S3, DynamoDB, Bedrock and the PostgreSQL that the settings name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from agent.settings import Settings
from tools.aws.announcer import EventBridgeAnnouncer
from tools.aws.artifacts import S3Artifacts
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner
from tools.aws.glue_jobs import GlueJobList
from tools.aws.invocations import LambdaJournal
from tools.aws.lease import DynamoLease
from tools.aws.ledger import DynamoLedger
from tools.local.clock import SystemClock
from tools.local.journal import LogJournal
from tools.models.selection import model_of
from tools.ports import Database, DryRun, Journal
from tools.toolbox import Toolbox

LEASE_SECONDS = 90.0
"""Default lease time in seconds: a run whose worker died is free again after it; a live worker renews its lease."""


@contextmanager
def aws_toolbox(
    settings: Settings,
    clients: AwsClients,
    lifetime: Callable[[], float] | None = None,
    seconds_left: Callable[[], float] | None = None,
) -> Iterator[Toolbox]:
    """All ports for runs on AWS; `lifetime` gives the lease time in seconds.

    `seconds_left` gives the time left of an invocation that ends by itself. `aws_settings` has filled in
    `settings.database_url`. Raises InvalidRequestError (unknown model, malformed URL).
    """
    with ExitStack() as stack:
        artifacts, clock = S3Artifacts(clients, settings.bucket), SystemClock()
        yield Toolbox(
            model=model_of(settings),
            artifacts=artifacts,
            jobs=GlueJobRunner(clients, artifacts, settings),
            dry_run=_dry_run(settings, stack),
            database=_database(settings),
            ledger=DynamoLedger(clients, settings.ledger_table, settings.retention_days),
            lease=DynamoLease(clients, settings.ledger_table, lifetime or _lease_seconds, clock),
            journal=_journal(settings, clients),
            clock=clock,
            announcer=EventBridgeAnnouncer(clients, settings.event_bus),
            job_list=GlueJobList(clients, settings, clock),
            seconds_left=seconds_left,
        )


def _lease_seconds() -> float:
    return LEASE_SECONDS


def _database(settings: Settings) -> Database | None:
    if settings.database_url is None:
        return None
    # Imported here, so that importing this module does not load psycopg.
    from tools.database import PostgresDatabase
    from tools.database.database_url import checked_url, role_of

    return PostgresDatabase(checked_url(settings.database_url), job_role=role_of(settings.job_database_url))


def _journal(settings: Settings, clients: AwsClients) -> Journal:
    return LambdaJournal(clients, settings.logger_function) if settings.logger_function else LogJournal()


def _dry_run(settings: Settings, stack: ExitStack) -> DryRun | None:
    """Local Spark where it is installed: in the container image, and on an engineer's machine."""
    if any(importlib.util.find_spec(package) is None for package in ("pyspark", "pyarrow")):
        return None
    from tools.local.process_privacy import become_unreadable
    from tools.spark.dry_run import LocalDryRun
    from tools.spark.environment import heap

    become_unreadable()
    home = settings.home.resolve() / "dryrun"
    return stack.enter_context(closing(LocalDryRun(home, settings.dry_run_seconds, heap())))
