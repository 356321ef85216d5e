"""The toolbox of this machine: embedded engine, files, SQLite, and PostgreSQL, embedded or named."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from agent.errors import INSTALL_LOCAL, InvalidRequestError, Problem, UnavailableError
from agent.settings import Settings
from tools.database import PostgresDatabase
from tools.database.database_url import checked_url, location, role_of
from tools.database.tls import secured
from tools.local.artifacts import LocalArtifacts
from tools.local.clock import SystemClock
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.local.postgres import embedded_server
from tools.local.process_privacy import become_unreadable
from tools.models.selection import model_of
from tools.toolbox import Toolbox


def require_local() -> None:
    """Raise UnavailableError unless the extra `local` is installed."""
    for package in ("pyspark", "pyarrow", "rich"):
        if importlib.util.find_spec(package) is None:
            message = f"the local engine needs {package}: {INSTALL_LOCAL}"
            raise UnavailableError("spark", message)


@contextmanager
def local_toolbox(settings: Settings) -> Iterator[Toolbox]:
    """All ports for runs on this machine; a server that starts here stops here, unless a job still uses it.

    Raises UnavailableError (Spark, Java or database missing) and InvalidRequestError (unknown model).
    """
    require_local()
    from tools.spark.dry_run import LocalDryRun
    from tools.spark.engine import LocalJobRunner

    become_unreadable()
    home = settings.home.resolve()
    model = model_of(settings)
    artifacts = LocalArtifacts(home / "artifacts")
    with ExitStack() as stack:
        database = stack.enter_context(local_database(settings))
        dry_run = stack.enter_context(closing(LocalDryRun(home / "dryrun", settings.dry_run_seconds)))
        yield Toolbox(
            model=model,
            artifacts=artifacts,
            jobs=LocalJobRunner(
                home,
                artifacts,
                database.job_url or database.url,
                memory=settings.local_memory,
                connection=settings.connection,
                inherited=database.inherited,
            ),
            dry_run=dry_run,
            database=PostgresDatabase(database.url, job_role=role_of(database.job_url)),
            ledger=stack.enter_context(closing(SqliteLedger(home / "ledger.sqlite"))),
            lease=FileLease(home / "leases"),
            journal=JsonlJournal(home / "journal"),
            clock=SystemClock(),
        )


@dataclass(frozen=True)
class LocalDatabase:
    """The database of runs on this machine, with the URLs of publisher and jobs."""

    url: str
    """URL with the publisher's role."""
    job_url: str | None
    """URL with the jobs' role; None: jobs have the publisher's rights."""
    inherited: tuple[int, ...] = ()
    """Descriptors that a child inherits to keep the server running."""


@contextmanager
def local_database(settings: Settings) -> Iterator[LocalDatabase]:
    """The database that the settings name, or the embedded one. Raises InvalidRequestError, UnavailableError."""
    url, job_url = settings.database_url, settings.job_database_url
    if url is not None:
        checked_url(url)
        if job_url is not None and location(job_url) != location(url):
            message = f"names {location(job_url)}, and --database-url {location(url)}; only the user is to differ"
            raise InvalidRequestError([Problem("--job-database-url", message)])
        ca = settings.database_ca_file
        yield LocalDatabase(secured(url, ca), secured(job_url, ca) if job_url is not None else None)
        return
    if job_url is not None:
        message = "needs --database-url; the embedded database has a user for its jobs already"
        raise InvalidRequestError([Problem("--job-database-url", message)])
    with embedded_server(settings.home.resolve() / "postgres") as server:
        yield LocalDatabase(server.url, server.job_url, (server.fileno(),))
