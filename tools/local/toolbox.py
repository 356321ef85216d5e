"""The toolbox of one machine: embedded engine, files, SQLite, and PostgreSQL embedded or named."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from agent.errors import UnavailableError
from agent.settings import Settings
from tools.artifacts import LocalArtifacts
from tools.clock import SystemClock
from tools.database import PostgresDatabase
from tools.database.tls import secured
from tools.database.url import location
from tools.journal import JsonlJournal
from tools.lease import FileLease
from tools.ledger import SqliteLedger
from tools.local.postgres import embedded_server
from tools.local.secrecy import become_unreadable
from tools.model import model_of
from tools.toolbox import Toolbox


def require_local() -> None:
    """Raise UnavailableError unless the extra `local` is installed."""
    for package in ("pyspark", "pyarrow", "rich"):
        if importlib.util.find_spec(package) is None:
            message = f"the local engine needs {package}: pip install -e '.[local]'"
            raise UnavailableError("spark", message)


@contextmanager
def local_toolbox(settings: Settings) -> Iterator[Toolbox]:
    """All ports for runs on this machine; servers started here end here, unless a job still needs them.

    Raises UnavailableError (Spark, Java or database missing) and InvalidRequestError (unknown model).
    """
    require_local()
    from tools.local.dryrun import LocalDryRun
    from tools.local.engine import LocalJobRunner

    become_unreadable()
    home = settings.home.resolve()
    model = model_of(settings)
    artifacts = LocalArtifacts(home / "artifacts")
    with ExitStack() as stack:
        url, inherited = stack.enter_context(local_database(settings))
        dry_run = stack.enter_context(closing(LocalDryRun(home / "dryrun", settings.dry_run_seconds)))
        yield Toolbox(
            model=model,
            artifacts=artifacts,
            jobs=LocalJobRunner(
                home,
                artifacts,
                url,
                memory=settings.local_memory,
                connection=settings.connection,
                inherited=inherited,
            ),
            dry_run=dry_run,
            database=PostgresDatabase(url),
            ledger=stack.enter_context(closing(SqliteLedger(home / "ledger.sqlite"))),
            lease=FileLease(home / "leases"),
            journal=JsonlJournal(home / "journal"),
            clock=SystemClock(),
        )


@contextmanager
def local_database(settings: Settings) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The database's URL, and the descriptors that a process needs to inherit to keep it running."""
    if settings.database_url is not None:
        yield secured(settings.database_url, settings.database_ca_file), ()
        return
    with embedded_server(settings.home.resolve() / "postgres") as server:
        yield server.url, (server.fileno(),)


def database_place(settings: Settings) -> str:
    """Where the database is, without credentials: what a run is bound to."""
    if settings.database_url is None:
        return f"embedded in {settings.home.resolve()}"
    return location(settings.database_url)
