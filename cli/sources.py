"""The snapshot that `check` and `prompt` work on: from the database where one is at hand, else from the event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import UnavailableError

if TYPE_CHECKING:
    from agent.request import Request
    from agent.settings import Settings
    from agent.snapshot import Snapshot


def snapshot_at_hand(request: Request, settings: Settings) -> tuple[Snapshot, str]:
    """The snapshot, and a warning where the database was not reached and the event takes its place.

    Raises InvalidRequestError for a table that neither describes, UnavailableError for a database that cannot be
    reached while the event does not describe all tables.
    """
    from agent.prompting import rows_read
    from agent.snapshot import event_snapshot
    from tools.database import PostgresDatabase
    from tools.local_toolbox import local_database

    embedded = settings.engine == "local" and (settings.home / "postgres").exists()
    if settings.database_url is None and not embedded:
        return event_snapshot(request), ""
    try:
        with local_database(settings) as database:
            return PostgresDatabase(database.url).snapshot(request, rows_read(settings.sample_rows)), ""
    except UnavailableError as error:
        if not _described(request):
            raise
        return event_snapshot(request), f"columns and rows are the event's: {error}"


def _described(request: Request) -> bool:
    """True where the event describes every source."""
    tables = request.specs.source_tables
    return all(request.source_schemas.keys() & {*table.names} for table in tables)
